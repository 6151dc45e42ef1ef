//! The loop that is traced: a process that does nothing but the system call getppid, as often as it is told.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Calls between two looks at the clock, at a steady rate.
const BATCH: u64 = 100;

/// The loop as its master sees it.
pub(super) struct Loop {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Loop {
    /// Starts the process; it waits.
    pub(super) fn start() -> Result<Loop> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", "--loop"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the loop")?;
        let orders = child.stdin.take().context("its input is a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        Ok(Loop { child, orders, answers })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it make `calls` calls, `rate` a second or, when that is 0, as fast as it can; how long it took.
    pub(super) fn run(&mut self, calls: u64, rate: u64) -> Result<Duration> {
        writeln!(self.orders, "{calls} {rate}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(Duration::from_nanos(answer.trim().parse().context("the loop has ended")?))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // It ends when its input does; if it has ended, there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process: a line `calls rate` is an order, the nanoseconds that it took are the answer.
pub(super) fn serve() -> Result<()> {
    for order in std::io::stdin().lines() {
        let order = order?;
        let (calls, rate) = order.split_once(' ').context("calls and rate")?;
        let (calls, rate): (u64, u64) = (calls.parse()?, rate.parse()?);
        let start = Instant::now();
        for done in 0..calls {
            if rate > 0 && done % BATCH == 0 {
                let due = start + Duration::from_nanos(done * 1_000_000_000 / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            // SAFETY: no arguments, no failure.
            unsafe { libc::syscall(libc::SYS_getppid) };
        }
        println!("{}", start.elapsed().as_nanos());
    }
    Ok(())
}
