//! The proc provider: signals and the life of processes.
use crate::probe::{Arg, Attach, Probe, Program};
use crate::record;
use crate::schema::Described;
use crate::types::{LwpsInfo, PsInfo, SigInfo};

record! {
    /// A signal is sent.
    pub struct SignalSend as "signal_send" {
        /// The thread it is for.
        0 lwp: LwpsInfo as "lwpsinfo_t *";
        /// The process it is for.
        8 ps: PsInfo as "psinfo_t *";
        /// What comes with it.
        16 info: SigInfo as "siginfo_t *";
        /// The signal.
        17 sig: i32 as "int";
        /// What became of it: 0 queued, 1 ignored, 2 already pending, 3 lost, 4 queued without its siginfo.
        17 result: i32 as "int";
        /// 1 when it is for the whole process, 0 for one thread.
        17 group: i32 as "int";
        /// Unused, zero.
        17 pad: i32 as "int";
    }
}

/// signal-send.
pub const SIGNAL_SEND: Program = Program {
    name: "proc_signal_send",
    attach: Attach::RawTracepoint("signal_generate"),
    family: false,
    record: &SignalSend::DEF,
    needs: &[],
};

const SIGNAL_SEND_ARGS: &[Arg] = &[
    Arg { ctype: "lwpsinfo_t *", field: "lwp", doc: "the thread that the signal is for" },
    Arg { ctype: "psinfo_t *", field: "ps", doc: "the process that the signal is for" },
    Arg { ctype: "int", field: "sig", doc: "the signal" },
    Arg { ctype: "siginfo_t *", field: "info", doc: "what comes with it" },
    Arg {
        ctype: "int",
        field: "result",
        doc: "what became of it: 0 queued, 1 ignored, 2 already pending, 3 lost, 4 queued without its siginfo",
    },
    Arg { ctype: "int", field: "group", doc: "1 when it is for the whole process" },
];

/// The probes, in the order of their ids.
pub const PROBES: &[Probe] = &[Probe {
    provider: "proc",
    function: "",
    name: "signal-send",
    program: &SIGNAL_SEND,
    discriminator: 0,
    args: SIGNAL_SEND_ARGS,
    doc: "Fires when a signal is sent, in the context of the sender.",
}];
