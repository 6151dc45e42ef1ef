//! The socket provider: one probe a call, `socket::CALL:entry` and `socket::CALL:return`. Calls that work on other files
//! too (read, write, close, ...) fire only where the descriptor is a socket's. The discriminator is the index in [`CALLS`].

use crate::probe::{Arg, Probe};
use crate::record;
use crate::table::{programs, supports};
use crate::types_net::{SockCall, SockInfo};

record! {
    /// A call on a socket begins.
    pub struct SocketEntry as "socket_entry" {
        /// The socket.
        0 so: SockInfo as "sockinfo_t *";
        /// What the call was given.
        8 sc: SockCall as "sockcall_t *";
    }

    /// A call on a socket has ended.
    pub struct SocketReturn as "socket_return" {
        /// The socket.
        0 so: SockInfo as "sockinfo_t *";
        /// What the call was given, and what it filled in.
        8 sc: SockCall as "sockcall_t *";
        /// Result, -1 on failure.
        16 result: i64 as "int64_t";
        /// Nanoseconds that the call took.
        17 latency: u64 as "uint64_t";
        /// The error, 0 on success.
        16 errno: i32 as "int";
        /// Unused, zero.
        16 pad: i32 as "int";
    }
}

supports! {
    /// Takes note of the calls on sockets, for their returns.
    CALLS_ENTER = "calls_enter" on "sys_enter";
    /// Forgets the calls of threads that end.
    CALLS_FORGET = "calls_forget" on "sched_process_exit";
}

programs! {
    /// Calls beginning.
    ENTRY = family "socket_entry" on "sys_enter": SocketEntry, &[];
    /// Calls ended.
    RETURN = family "socket_return" on "sys_exit": SocketReturn, &[CALLS_ENTER, CALLS_FORGET];
}

/// The arguments of every entry probe.
pub const ENTRY_ARGS: &[Arg] = &[
    Arg { ctype: "sockinfo_t *", field: "so", doc: "the socket" },
    Arg { ctype: "sockcall_t *", field: "sc", doc: "what the call was given" },
];

/// The arguments of every return probe.
pub const RETURN_ARGS: &[Arg] = &[
    Arg { ctype: "sockinfo_t *", field: "so", doc: "the socket" },
    Arg { ctype: "sockcall_t *", field: "sc", doc: "what the call was given, and what it filled in" },
    Arg { ctype: "int64_t", field: "result", doc: "result, -1 on failure" },
    Arg { ctype: "int", field: "errno", doc: "the error, 0 on success" },
    Arg { ctype: "uint64_t", field: "latency", doc: "nanoseconds that the call took" },
];

/// What a call's arguments mean. A call with [`Shape::Data`] has two rows, without an address and with one: `send` and
/// `sendto` are one system call, and so are `recv` and `recvfrom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// socket, socketpair: family, type, protocol.
    Make,
    /// bind, connect: fd, address, its length.
    Name,
    /// accept, accept4: fd, room for an address, room for its length, flags.
    Accept,
    /// listen: fd, queue length.
    Listen,
    /// shutdown: fd, what to end.
    Shutdown,
    /// close: fd.
    Close,
    /// sendto, recvfrom: fd, buffer, bytes, flags, address, its length.
    Data,
    /// sendmsg, recvmsg: fd, message, flags.
    Message,
    /// read, write: fd, buffer, bytes.
    Buffer,
    /// readv, writev: fd, vector, its parts.
    Vector,
    /// getsockopt, setsockopt: fd, level, option, value, its length.
    Option,
}

/// A call.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name: the probe's function.
    pub name: &'static str,
    /// What its arguments mean.
    pub shape: Shape,
    /// The system call's number on x86_64 (arch/x86/entry/syscalls/syscall_64.tbl).
    pub number: u32,
}

macro_rules! calls {
    ($($name:literal $constant:ident $shape:ident $number:literal $doc:literal;)*) => {
        /// The calls, in the order of their discriminators.
        pub const CALLS: &[Call] = &[ $( Call { name: $name, shape: Shape::$shape, number: $number } ),* ];

        /// The discriminators by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Index { $(
            #[doc = $doc]
            $constant,
        )* }

        /// The probes, in the order of their ids: the entries, then the returns.
        pub const PROBES: &[Probe] = &[
            $( Probe {
                provider: "socket",
                function: $name,
                name: "entry",
                program: &ENTRY,
                discriminator: Index::$constant as u16,
                args: ENTRY_ARGS,
                doc: concat!("Fires when ", $doc, " begins."),
            }, )*
            $( Probe {
                provider: "socket",
                function: $name,
                name: "return",
                program: &RETURN,
                discriminator: Index::$constant as u16,
                args: RETURN_ARGS,
                doc: concat!("Fires when ", $doc, " has ended."),
            }, )*
        ];
    };
}

calls! {
    "socket"     Socket     Make    41  "socket(2)";
    "socketpair" Socketpair Make    53  "socketpair(2)";
    "bind"       Bind       Name    49  "bind(2)";
    "listen"     Listen     Listen  50  "listen(2)";
    "accept"     Accept     Accept  43  "accept(2)";
    "accept4"    Accept4    Accept  288 "accept4(2)";
    "connect"    Connect    Name    42  "connect(2)";
    "shutdown"   Shutdown   Shutdown 48  "shutdown(2)";
    "close"      Close      Close   3   "close(2) of a socket";
    "send"       Send       Data    44  "send(2), which is sendto(2) without an address,";
    "sendto"     Sendto     Data    44  "sendto(2) with an address";
    "sendmsg"    Sendmsg    Message 46  "sendmsg(2)";
    "recv"       Recv       Data    45  "recv(2), which is recvfrom(2) without room for an address,";
    "recvfrom"   Recvfrom   Data    45  "recvfrom(2) with room for an address";
    "recvmsg"    Recvmsg    Message 47  "recvmsg(2)";
    "read"       Read       Buffer  0   "read(2) on a socket";
    "write"      Write      Buffer  1   "write(2) on a socket";
    "readv"      Readv      Vector  19  "readv(2) on a socket";
    "writev"     Writev     Vector  20  "writev(2) on a socket";
    "getsockopt" Getsockopt Option  55  "getsockopt(2)";
    "setsockopt" Setsockopt Option  54  "setsockopt(2)";
}
