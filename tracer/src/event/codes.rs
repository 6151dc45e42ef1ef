//! The codes of siginfo (sigaction(2)): how a signal came to be, some of them in every signal's, others by the signal
//! (include/uapi/asm-generic/siginfo.h).

use std::fmt;

use serde::{Serialize, Serializer};

/// The code that comes with a signal: `SI_USER`, `SEGV_MAPERR`, `CLD_EXITED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalCode {
    /// The signal that it comes with.
    pub signal: i32,
    /// The code.
    pub code: i32,
}

/// Codes that come with any signal.
const ANY: &[(i32, &str)] = &[
    (0, "SI_USER"),
    (0x80, "SI_KERNEL"),
    (-1, "SI_QUEUE"),
    (-2, "SI_TIMER"),
    (-3, "SI_MESGQ"),
    (-4, "SI_ASYNCIO"),
    (-5, "SI_SIGIO"),
    (-6, "SI_TKILL"),
    (-7, "SI_DETHREAD"),
    (-60, "SI_ASYNCNL"),
];

/// A signal's own codes, from 1.
const OWN: &[(i32, &[&str])] = &[
    (
        libc::SIGILL,
        &[
            "ILL_ILLOPC",
            "ILL_ILLOPN",
            "ILL_ILLADR",
            "ILL_ILLTRP",
            "ILL_PRVOPC",
            "ILL_PRVREG",
            "ILL_COPROC",
            "ILL_BADSTK",
            "ILL_BADIADDR",
        ],
    ),
    (
        libc::SIGFPE,
        &[
            "FPE_INTDIV",
            "FPE_INTOVF",
            "FPE_FLTDIV",
            "FPE_FLTOVF",
            "FPE_FLTUND",
            "FPE_FLTRES",
            "FPE_FLTINV",
            "FPE_FLTSUB",
        ],
    ),
    (libc::SIGSEGV, &["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"]),
    (libc::SIGBUS, &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"]),
    (libc::SIGTRAP, &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"]),
    (
        libc::SIGCHLD,
        &["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"],
    ),
    (libc::SIGIO, &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"]),
    (libc::SIGSYS, &["SYS_SECCOMP", "SYS_USER_DISPATCH"]),
];

impl SignalCode {
    /// Its name.
    fn name(self) -> Option<&'static str> {
        if let Some((_, name)) = ANY.iter().find(|(code, _)| *code == self.code) {
            return Some(name);
        }
        let (_, names) = OWN.iter().find(|(signal, _)| *signal == self.signal)?;
        names.get(usize::try_from(self.code - 1).ok()?).copied()
    }
}

impl fmt::Display for SignalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.code.to_string()),
        }
    }
}

impl Serialize for SignalCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_by_their_signal() {
        let text = |signal, code| SignalCode { signal, code }.to_string();
        assert_eq!(text(libc::SIGSEGV, 1), "SEGV_MAPERR");
        assert_eq!(text(libc::SIGCHLD, 1), "CLD_EXITED");
        assert_eq!(text(libc::SIGTERM, 0), "SI_USER");
        assert_eq!(text(libc::SIGRTMIN(), -1), "SI_QUEUE");
        assert_eq!((text(libc::SIGTERM, 1), text(libc::SIGBUS, -99)), ("1".to_owned(), "-99".to_owned()));
    }
}
