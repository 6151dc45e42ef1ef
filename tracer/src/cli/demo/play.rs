//! What the demonstration traces: a server and a client, processes of their own, that exchange a few lines.

use std::ffi::CStr;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Between two acts, so that what follows from one is done before the next.
const PAUSE: Duration = Duration::from_millis(20);

/// Plays both parts to their end. Call it while there is one thread.
pub(super) fn play(port: u16) -> io::Result<()> {
    let (mut ready, mut listening) = io::pipe()?;
    let server = fork(c"server", move || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listening.write_all(b"!")?;
        serve(&listener)
    })?;
    ready.read_exact(&mut [0])?;
    let client = fork(c"client", || ask(port))?;
    wait(client)?;
    wait(server)?;
    // The last acknowledgement is under way.
    std::thread::sleep(PAUSE);
    Ok(())
}

fn serve(listener: &TcpListener) -> io::Result<()> {
    let (mut connection, _) = listener.accept()?;
    let mut request = [0; 64];
    let size = connection.read(&mut request)?;
    std::thread::sleep(PAUSE);
    connection.write_all(format!("you said {size} bytes").as_bytes())?;
    // The client's end of the conversation: it closes first.
    connection.read(&mut request).map(drop)
}

fn ask(port: u16) -> io::Result<()> {
    std::thread::sleep(PAUSE);
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    std::thread::sleep(PAUSE);
    connection.write_all(b"hello")?;
    connection.read(&mut [0; 64]).map(drop)?;
    std::thread::sleep(PAUSE);
    Ok(())
}

/// Runs `part` in a new process of that name; gives its id.
fn fork(name: &CStr, part: impl FnOnce() -> io::Result<()>) -> io::Result<libc::pid_t> {
    // SAFETY: the process has one thread, so that the child may do whatever it likes.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: a string with its zero; _exit never returns.
            unsafe {
                libc::prctl(libc::PR_SET_NAME, name.as_ptr());
                libc::_exit(i32::from(part().is_err()))
            }
        }
        pid => Ok(pid),
    }
}

/// Waits for one of our children; an error unless it did its part.
fn wait(pid: libc::pid_t) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: a live integer.
    match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ if status == 0 => Ok(()),
        _ => Err(io::Error::other("a part of the demonstration failed")),
    }
}
