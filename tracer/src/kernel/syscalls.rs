//! System call numbers and names of the machine that this program was built for, and the names of errors and signals.
//!
//! Numbers of errors and signals are those of include/uapi/asm-generic/errno-base.h, errno.h and signal.h (Linux 6.18),
//! which x86 and arm64 share.

use std::borrow::Cow;

pub use super::arch::Abi;
use super::arch::{Machine, Runs};

const ERRORS: Runs = &[
    (
        1,
        "EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK \
         EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE \
         EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP",
    ),
    (
        42,
        "ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO \
         EBADRQC EBADSLT",
    ),
    (
        59,
        "EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP \
         EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ \
         ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT \
         ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH \
         ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT \
         ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM \
         EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED \
         EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON",
    ),
    // What the kernel uses within itself (include/linux/errno.h); a trace of system calls shows them.
    (512, "ERESTARTSYS ERESTARTNOINTR ERESTARTNOHAND ENOIOCTLCMD ERESTART_RESTARTBLOCK EPROBE_DEFER"),
];

const SIGNALS: Runs = &[(
    1,
    "SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM \
     SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF \
     SIGWINCH SIGIO SIGPWR SIGSYS",
)];

/// Other spellings of errors and signals.
const ALIASES: &[(&str, i32)] = &[
    ("EWOULDBLOCK", 11),
    ("EDEADLOCK", 35),
    ("ENOTSUP", 95),
    ("SIGIOT", 6),
    ("SIGCLD", 17),
    ("SIGPOLL", 29),
];

/// The first real-time signal as C programs see it: the C library keeps 32 and 33 for itself.
const SIGRTMIN: i32 = 34;
const SIGRTMAX: i32 = 64;

/// The name of the system call `number` (`openat`).
pub fn syscall_name(abi: Abi, number: u32) -> Option<&'static str> {
    Machine::host().syscall_name(abi, number)
}

/// The number of the system call `name`.
pub fn syscall_number(abi: Abi, name: &str) -> Option<u16> {
    Machine::host().syscall_number(abi, name)
}

/// The name of an error (`ENOENT` for 2).
pub fn errno_name(number: i32) -> Option<&'static str> {
    name_in(ERRORS, number)
}

/// The names of all errors with their numbers, aliases included.
pub fn errnos() -> impl Iterator<Item = (&'static str, i32)> {
    all(ERRORS, 'E')
}

/// The names of the signals 1 to 31 with their numbers, aliases included.
pub fn signals() -> impl Iterator<Item = (&'static str, i32)> {
    all(SIGNALS, 'S')
}

/// The name of a signal (`SIGPIPE` for 13, `SIGRTMIN+1` for 35).
pub fn signal_name(number: i32) -> Option<Cow<'static, str>> {
    match number {
        32 | 33 => Some(format!("SIG{number}").into()),
        SIGRTMIN => Some("SIGRTMIN".into()),
        SIGRTMAX => Some("SIGRTMAX".into()),
        35..SIGRTMAX => Some(format!("SIGRTMIN+{}", number - SIGRTMIN).into()),
        _ => name_in(SIGNALS, number).map(Cow::from),
    }
}

/// The number of a signal by its name, with or without `SIG`.
pub fn signal_number(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let realtime =
        |offset: &str| offset.parse().ok().filter(|offset| (0..=SIGRTMAX - SIGRTMIN).contains(offset));
    match name {
        "RTMIN" => Some(SIGRTMIN),
        "RTMAX" => Some(SIGRTMAX),
        _ => match name.strip_prefix("RTMIN+") {
            Some(offset) => realtime(offset).map(|offset| SIGRTMIN + offset),
            None => {
                signals().find(|(full, _)| full.strip_prefix("SIG") == Some(name)).map(|(_, number)| number)
            }
        },
    }
}

fn name_in(runs: Runs, number: i32) -> Option<&'static str> {
    let &(first, names) = runs.iter().rev().find(|(first, _)| i32::from(*first) <= number)?;
    names.split(' ').nth((number - i32::from(first)) as usize)
}

fn all(runs: Runs, initial: char) -> impl Iterator<Item = (&'static str, i32)> {
    let names = runs.iter().flat_map(|&(first, names)| names.split(' ').zip(i32::from(first)..));
    names.chain(ALIASES.iter().copied().filter(move |(name, _)| name.starts_with(initial)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_numbers_of_libc() {
        let known = [
            ("EPERM", libc::EPERM),
            ("ELOOP", libc::ELOOP),
            ("ENOMSG", libc::ENOMSG),
            ("EBFONT", libc::EBFONT),
            ("EPIPE", libc::EPIPE),
            ("ECONNREFUSED", libc::ECONNREFUSED),
            ("EHWPOISON", libc::EHWPOISON),
        ];
        for (name, number) in known {
            assert_eq!(errno_name(number), Some(name));
            assert!(errnos().any(|row| row == (name, number)));
        }
        assert_eq!(errno_name(512), Some("ERESTARTSYS"));
        assert!(errnos().any(|row| row == ("EWOULDBLOCK", libc::EAGAIN)));
        for none in [i32::MIN, -1, 0, 41, 58, 134, 511, i32::MAX] {
            assert_eq!(errno_name(none), None, "{none}");
        }
    }

    #[test]
    fn signals_have_the_numbers_of_libc() {
        let known = [
            ("SIGHUP", libc::SIGHUP),
            ("SIGPIPE", libc::SIGPIPE),
            ("SIGCHLD", libc::SIGCHLD),
            ("SIGSYS", libc::SIGSYS),
        ];
        for (name, number) in known {
            assert_eq!(signal_name(number).as_deref(), Some(name));
        }
        assert_eq!(signal_name(libc::SIGRTMIN() + 2).as_deref(), Some("SIGRTMIN+2"));
        for number in (1..=31).chain(34..=64) {
            let name = signal_name(number).expect("every number has a name");
            assert_eq!(signal_number(&name), Some(number), "{name}");
        }
        assert_eq!((signal_number("TERM"), signal_number("SIGCLD")), (Some(15), Some(17)));
        assert_eq!((signal_number("RTMIN+31"), signal_number("NOPE"), signal_name(0)), (None, None, None));
    }
}
