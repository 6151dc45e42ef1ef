//! A session: a linked program in the kernel, from load to END.
//!
//! Everything in the kernel belongs to descriptors that the session holds: when it is dropped, or the process dies,
//! nothing stays behind.

mod attach;
mod child;
mod error;
mod functions;
mod load;
mod ready;
mod seed;
mod signals;
mod uprobes;
mod user;

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use aya::maps::Array;
use probes_common::abi::state;
use probes_common::probe::Attach;
use probes_common::providers;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::consume::{Consumer, Description, WINDOW};
use crate::link;
use crate::lower::EXIT;
use crate::output::Output;
use crate::output::value::Event;
use crate::provider::Sites;
pub use child::Child;
pub use error::{SessionError, reason};
use load::Loaded;
use signals::Signals;

/// A process whose life a run follows: it ends with the last of them, and without any by exit() or a signal.
#[derive(Debug)]
pub enum Follow {
    /// A command of our own.
    Command(Rc<Child>),
    /// A process that was there before.
    Process(u32),
}

impl Follow {
    /// The process that is followed, as probes have it.
    pub fn pid(&self) -> u32 {
        match self {
            Follow::Command(child) => child.pid,
            Follow::Process(pid) => *pid,
        }
    }

    /// Its process id here.
    fn process(&self) -> u32 {
        match self {
            Follow::Command(child) => child.process,
            Follow::Process(pid) => *pid,
        }
    }

    /// The command of our own that it is.
    fn command(&self) -> Option<&Child> {
        match self {
            Follow::Command(child) => Some(child),
            Follow::Process(_) => None,
        }
    }
}

/// A loaded program.
pub struct Session {
    loaded: Loaded,
    consumer: Consumer,
    begin: Option<String>,
    end: Option<String>,
    refused: usize,
}

impl Session {
    /// Loads and attaches; nothing fires before [`Session::run`].
    pub fn start(
        linked: &link::Output,
        description: Description<'_>,
        sites: &Sites,
        verbose: bool,
    ) -> Result<Session, SessionError> {
        let options = &description.options;
        let (cpu, resize) = (options.cpu, options.bufresize);
        let addresses = description.catalog.addresses();
        let mut loaded = load::load(linked, resize, verbose)?;
        let consumer = Consumer::new(&mut loaded.objects, description)
            .map_err(SessionError::io("opening the ring buffer"))?;
        let mut programs: Vec<_> = linked.programs.iter().collect();
        programs.sort_by_key(|program| providers::place(&program.symbol));
        for program in linked.supports.iter().chain(programs) {
            attach::attach(&mut loaded, program, cpu, addresses)?;
        }
        seed::specs(&mut loaded.objects, &sites.specs)
            .map_err(SessionError::io("telling where arguments are"))?;
        let refused = uprobes::attach(&mut loaded, sites)?;
        seed::arguments(&mut loaded.objects);
        seed::connections(&mut loaded.objects);
        seed::drivers(&mut loaded.objects);
        let once = |name: &str| {
            linked
                .programs
                .iter()
                .find(|program| program.attach == Attach::TestRun && program.symbol == name)
                .map(|program| program.symbol.clone())
        };
        Ok(Session { loaded, consumer, refused, begin: once("dtrace_begin"), end: once("dtrace_end") })
    }

    /// Bytes of the buffer, where there was no memory for as many as were asked for.
    pub fn lowered(&self) -> Option<u32> {
        self.loaded.lowered
    }

    /// The functions that could not be traced, where others could.
    pub fn untraced(&self) -> &[String] {
        &self.loaded.untraced
    }

    /// Places in programs of processes that the kernel does not probe.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// From now on the session is about that process, its descendants and what these fork: of a program that was compiled
    /// with the option `scope`.
    pub fn scope(&mut self, root: u32) -> Result<(), SessionError> {
        seed::scope(&mut self.loaded.objects, root)
            .map_err(SessionError::io("looking for the processes to follow"))
    }

    /// Runs from BEGIN to END and gives the status of exit(), or 0.
    pub fn run(&mut self, followed: &[Follow], output: &mut dyn Output) -> Result<i32, SessionError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(SessionError::io("starting the event loop"))?;
        let signals = Signals::open().map_err(SessionError::io("opening a signalfd"))?;
        // Before BEGIN: a process that ends while it runs has been followed to its end.
        let lives = followed.iter().map(|follow| life(follow.process())).collect::<Result<Vec<_>, _>>()?;
        self.begin(output)?;
        if self.state()? == state::ACTIVE {
            followed.iter().filter_map(Follow::command).try_for_each(Child::release)?;
            runtime.block_on(self.watch(followed, &lives, &signals, output))?;
        }
        self.end(output)?;
        Ok(self.consumer.exit().or(self.exited()?).unwrap_or(0))
    }

    fn begin(&mut self, output: &mut dyn Output) -> Result<(), SessionError> {
        match self.begin.clone() {
            Some(program) => attach::run_once(&self.loaded, &program)?,
            None => self.set_state(state::ACTIVE)?,
        }
        // What BEGIN said comes first; an exit() in it is among that.
        self.drain(output).map(drop)
    }

    fn end(&mut self, output: &mut dyn Output) -> Result<(), SessionError> {
        self.set_state(state::ENDED)?;
        self.consumer.end();
        if self.loaded.objects.links().next().is_some() || !self.loaded.uprobes.is_empty() {
            await_firings();
        }
        if let Some(program) = self.end.clone() {
            // What END says finds room in the ring.
            self.drain_all(output)?;
            attach::run_once(&self.loaded, &program)?;
        }
        self.drain_all(output)?;
        let objects = &self.loaded.objects;
        let show = |result: io::Result<()>| result.map_err(SessionError::io("writing the output"));
        show(self.consumer.report_drops(objects, output))?;
        show(output.event(&Event::Ended))?;
        show(self.consumer.report_aggregations(objects, output))?;
        show(output.flush())
    }

    /// Shows what comes until exit(), a signal, or the end of whom it follows.
    async fn watch(
        &mut self,
        followed: &[Follow],
        lives: &[OwnedFd],
        signals: &Signals,
        output: &mut dyn Output,
    ) -> Result<(), SessionError> {
        let wait = SessionError::io("waiting for events");
        let ring = readable(self.consumer.ring().as_fd()).map_err(wait)?;
        let signal = readable(signals.as_fd()).map_err(SessionError::io("waiting for signals"))?;
        let lives = lives.iter().map(|life| readable(life.as_fd())).collect::<io::Result<Vec<_>>>();
        let lives = lives.map_err(SessionError::io("waiting for the traced process"))?;
        let mut rates = self.rates();
        let (mut switch, mut status) = rates.map(tokio::time::interval).into();
        let window = Duration::from_nanos(WINDOW);
        let mut more = false;
        while self.consumer.exit().is_none() {
            if self.rates() != rates {
                rates = self.rates();
                (switch, status) = rates.map(tokio::time::interval).into();
            }
            tokio::select! {
                // Whoever asks for the end gets it, also while the ring fills as fast as it is read.
                biased;
                ready = signal.readable() => {
                    ready.map_err(SessionError::io("waiting for signals"))?.clear_ready();
                    if let Some(arrival) = signals.next() {
                        let commands = followed.iter().filter_map(Follow::command);
                        commands.for_each(|child| child.end(arrival.signal, arrival.sent));
                        let shown = output.event(&Event::Interrupted);
                        shown.map_err(SessionError::io("writing the output"))?;
                        break;
                    }
                }
                () = gone(&lives) => break,
                _ = status.tick() => {
                    let shown = self.consumer.report_drops(&self.loaded.objects, output);
                    shown.map_err(SessionError::io("writing the output"))?;
                    if self.state()? == state::ENDED {
                        break;
                    }
                }
                _ = switch.tick() => {
                    // A clause that faults after its exit(), or finds the ring full, ends the run and sends nothing;
                    // with some policies nothing is read before the end.
                    let ended = self.state()? == state::ENDED;
                    more = self.drain(output)?;
                    if ended {
                        break;
                    }
                }
                ready = ring.readable() => {
                    ready.map_err(SessionError::io("waiting for events"))?.clear_ready();
                    more = self.drain(output)?;
                }
                () = tokio::time::sleep(window), if self.consumer.holds() && !more => more = self.drain(output)?,
                () = tokio::task::yield_now(), if more => more = self.drain(output)?,
            }
        }
        Ok(())
    }

    /// Shows a batch of what waits; says whether there may be more.
    fn drain(&mut self, output: &mut dyn Output) -> Result<bool, SessionError> {
        let drained = self.consumer.drain(&self.loaded.objects, output);
        let drained = drained.and_then(|more| output.flush().map(|()| more));
        drained.map_err(SessionError::io("writing the output"))
    }

    /// Shows all that waits, when nothing is added any more.
    fn drain_all(&mut self, output: &mut dyn Output) -> Result<(), SessionError> {
        while self.drain(output)? {}
        let finished = self.consumer.finish(&self.loaded.objects, output).and_then(|()| output.flush());
        finished.map_err(SessionError::io("writing the output"))
    }

    /// How often the ring is read and drops are looked for.
    fn rates(&self) -> [Duration; 2] {
        let options = self.consumer.options();
        [options.switchrate, options.statusrate].map(|rate| Duration::from_nanos(rate).max(FASTEST))
    }

    fn state(&self) -> Result<u64, SessionError> {
        let Some(map) = self.loaded.objects.get(".data.state") else { return Ok(state::ACTIVE) };
        let words: Array<_, u64> = Array::try_from(map).map_err(state_error)?;
        words.get(&0, 0).map_err(state_error)
    }

    /// What exit() was given, as the clause has left it: its message may have found no room.
    fn exited(&self) -> Result<Option<i32>, SessionError> {
        let Some(map) = self.loaded.objects.get(EXIT) else { return Ok(None) };
        let words: Array<_, u64> = Array::try_from(map).map_err(state_error)?;
        let word = words.get(&0, 0).map_err(state_error)?;
        Ok((word >> 32 != 0).then_some(word as u32 as i32))
    }

    fn set_state(&mut self, value: u64) -> Result<(), SessionError> {
        let Some(map) = self.loaded.objects.get_mut(".data.state") else { return Ok(()) };
        let mut words: Array<_, u64> = Array::try_from(map).map_err(state_error)?;
        words.set(0, value, 0).map_err(state_error)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        uprobes::detach(std::mem::take(&mut self.loaded.uprobes));
    }
}

fn state_error(error: aya::maps::MapError) -> SessionError {
    SessionError::Load(load::chain(&error))
}

/// A pidfd: readable when the process has ended.
fn life(pid: u32) -> Result<OwnedFd, SessionError> {
    // SAFETY: no pointers.
    match unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } {
        -1 => Err(SessionError::Process { pid, error: io::Error::last_os_error() }),
        // SAFETY: the kernel has just given it to us.
        descriptor => Ok(unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) }),
    }
}

/// Waits until firings under way on other CPUs have ended, and with them what they send: programs run with preemption off, and this waits for a
/// moment of each CPU without (membarrier(2), which is synchronize_rcu in the kernel).
fn await_firings() {
    // SAFETY: no pointers. Where the kernel has no such call, END may come before the last of them.
    unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) };
}

/// The buffer is looked at no more often than this.
const FASTEST: Duration = Duration::from_millis(1);

/// linux/membarrier.h
const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;

/// Waits until all of them have ended; for ever where there is none.
async fn gone(lives: &[AsyncFd<OwnedFd>]) {
    if lives.is_empty() {
        std::future::pending::<()>().await;
    }
    for life in lives {
        drop(life.readable().await);
    }
}

/// A copy of the descriptor, to be awaited.
fn readable(descriptor: BorrowedFd<'_>) -> io::Result<AsyncFd<OwnedFd>> {
    let copy = descriptor.try_clone_to_owned()?;
    // SAFETY: the AsyncFd owns the copy, which nobody else knows.
    Ok(unsafe { AsyncFd::register_with_interest(copy, Interest::READABLE)? })
}
