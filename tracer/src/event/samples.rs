//! Events of every kind, for tests of what is made of them.

use super::number::*;
use super::*;

/// When they begin.
pub(crate) const START: u64 = 1_000_000_000;

fn process(pid: u32, name: &str) -> Process {
    Process { pid, execname: Text::from(name) }
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint { address: "127.0.0.1".to_owned(), port }
}

/// A read or write on pipe 77 by process `pPID`.
pub(crate) fn transfer(pid: u32, write: bool, bytes: u64) -> Event {
    let pipe = Pipe { inode: 77, fd: 3, fifo: false, fill: 0, capacity: 65536 };
    let transfer = Transfer { pipe, asked: bytes, bytes: Some(bytes), error: None, latency: 9, blocked: 0 };
    let what = What::Pipe(if write { PipeEvent::Write(transfer) } else { PipeEvent::Read(transfer) });
    Event { time: START, cpu: 0, process: process(pid, &format!("p{pid}")), what }
}

/// One of each, in the order of time.
pub(crate) fn events() -> Vec<Event> {
    let (sh, cat) = (process(100, "sh"), process(101, "cat"));
    let evil = process(102, "evil\u{1b}[2J\n");
    let mut all = Vec::new();
    let mut add = |process: &Process, what: What| {
        let time = START + 1_234_567 * all.len() as u64;
        all.push(Event { time, cpu: 1, process: process.clone(), what });
    };

    add(&sh, What::Life(Life::Create { child: cat.clone() }));
    let (path, arguments) = (Text::from("/bin/cat"), Text::from("cat -n"));
    add(&cat, What::Life(Life::ExecSuccess { path, arguments }));
    add(&sh, What::Life(Life::ExecFailure { path: Text(b"/bin/\xffcat".to_vec()), error: Errno(2) }));
    add(&sh, What::Life(Life::LwpCreate { thread: 103 }));
    add(&sh, What::Life(Life::Create { child: evil.clone() }));

    let send = |signal, origin, target: &Process, thread, outcome, address| {
        let (number, target) = (SignalNumber(signal), target.clone());
        let (code, value) = match origin {
            Origin::Fault => (1, None),
            Origin::Sigqueue => (-1, Some(42)),
            Origin::Child => (5, None),
            _ => (0, None),
        };
        What::Signal(Signal::Send {
            signal: number,
            origin,
            code: SignalCode { signal, code },
            target,
            thread,
            group: thread == 0,
            outcome,
            address,
            value,
        })
    };
    let handle = |signal, sender, action, handler| {
        What::Signal(Signal::Handle {
            signal: SignalNumber(signal),
            origin: Origin::Kill,
            code: SignalCode { signal, code: 0 },
            sender,
            thread: 101,
            action,
            handler,
        })
    };
    add(&sh, send(10, Origin::Kill, &cat, 0, Outcome::Queued, None));
    add(&cat, handle(10, Some(100), Action::Handler, Some(0x1000)));
    add(&sh, send(12, Origin::Sigqueue, &cat, 0, Outcome::Blocked, None));
    add(&sh, send(12, Origin::Kill, &cat, 0, Outcome::Merged, None));
    add(&cat, What::Signal(Signal::Take { signal: SignalNumber(12), thread: 101 }));
    add(&sh, send(18, Origin::Kill, &cat, 0, Outcome::Ignored, None));
    add(&sh, send(1, Origin::Tkill, &cat, 105, Outcome::Ignored, None));
    add(&Process::kernel(), send(14, Origin::Timer, &cat, 0, Outcome::Lost, None));
    add(&Process::kernel(), send(11, Origin::Fault, &evil, 0, Outcome::Queued, Some(0xdead)));
    add(&evil, handle(11, None, Action::Core, None));
    add(&sh, send(15, Origin::Kill, &cat, 0, Outcome::Queued, None));
    add(&cat, handle(15, None, Action::Terminate, None));
    add(&cat, send(17, Origin::Child, &sh, 0, Outcome::Ignored, None));
    add(&sh, send(34, Origin::Sigqueue, &cat, 0, Outcome::Queued, None));
    // As cat's PID namespace numbers sh.
    add(&cat, handle(34, Some(3), Action::Handler, Some(0x1000)));

    let pipe = |fill| Pipe { inode: 77, fd: 4, fifo: false, fill, capacity: 65536 };
    add(
        &sh,
        What::Pipe(PipeEvent::Create { pipe: pipe(0), reader: 3, writer: 4, flags: PipeFlags(0o2000000) }),
    );
    let moved = |fill, asked, bytes, error: Option<i32>, blocked| Transfer {
        pipe: pipe(fill),
        asked,
        bytes,
        error: error.map(Errno),
        latency: 2_000,
        blocked,
    };
    add(&sh, What::Pipe(PipeEvent::Write(moved(100, 100, Some(100), None, 0))));
    add(&cat, What::Pipe(PipeEvent::Read(moved(36, 64, Some(64), None, 1_500))));
    add(&cat, What::Pipe(PipeEvent::BlockStart { pipe: pipe(0), full: false }));
    add(&sh, What::Pipe(PipeEvent::BlockStart { pipe: pipe(65536), full: true }));
    add(&cat, What::Pipe(PipeEvent::Read(moved(0, 64, Some(0), None, 0))));
    add(&cat, What::Pipe(PipeEvent::Read(moved(0, 64, None, Some(11), 0))));
    add(&sh, What::Pipe(PipeEvent::Write(moved(0, 64, None, Some(32), 0))));
    add(&sh, What::Pipe(PipeEvent::CloseEnd { pipe: pipe(0), writing: true, left: 0 }));
    add(&cat, What::Pipe(PipeEvent::CloseEnd { pipe: pipe(0), writing: false, left: 2 }));

    let call = |function: &str, detail, address, result, error: Option<i32>| {
        What::Socket(SocketCall {
            function: function.to_owned(),
            fd: 5,
            family: AddressFamily(2),
            kind: SocketType(1),
            protocol: Protocol { family: AddressFamily(2), number: 6 },
            inode: 4242,
            local: None,
            remote: Some(Address::Internet(endpoint(80))),
            address,
            detail,
            result,
            error: error.map(Errno),
            latency: 12_345,
        })
    };
    let unix = || Some(Address::Unix { path: Text(b"/run/\x1b]0;x\x07".to_vec()) });
    add(&sh, call("socket", Detail::Make { flags: SocketFlags(0x80000) }, None, 5, None));
    add(&sh, call("socketpair", Detail::Pair { flags: SocketFlags(0), fd2: 6 }, None, 0, None));
    add(&sh, call("bind", Detail::Plain {}, unix(), 0, None));
    add(&sh, call("listen", Detail::Listen { backlog: 8 }, None, 0, None));
    add(&sh, call("connect", Detail::Plain {}, Some(Address::Internet(endpoint(1))), -1, Some(111)));
    add(
        &sh,
        call(
            "accept4",
            Detail::Make { flags: SocketFlags(0x800) },
            Some(Address::Internet(endpoint(9))),
            7,
            None,
        ),
    );
    add(&sh, call("send", Detail::Data { asked: 50, flags: MessageFlags(0x4000) }, None, 50, None));
    add(&sh, call("recv", Detail::Data { asked: 50, flags: MessageFlags(0) }, None, 20, None));
    let option =
        || Detail::Option { level: OptionLevel(1), option: "SO_REUSEADDR".to_owned(), value: Some(1) };
    add(&sh, call("setsockopt", option(), None, 0, None));
    add(&sh, call("shutdown", Detail::Shutdown { how: Shutdown(1) }, None, 0, None));
    add(&sh, call("close", Detail::Plain {}, None, 0, None));

    let ends = |local, remote| Connection { connection: 1, local: endpoint(local), remote: endpoint(remote) };
    let state = |local, remote, old, new| {
        let connection = ends(local, remote);
        What::Tcp(Tcp::StateChange { connection, old: TcpState(old), new: TcpState(new) })
    };
    let segment = |flags, seq, ack, bytes| Segment { flags: TcpFlags(flags), seq, ack, bytes, window: 512 };
    add(&sh, state(0, 80, 7, 2));
    add(&sh, What::Tcp(Tcp::ConnectRequest(ends(40000, 80))));
    add(&sh, What::Tcp(Tcp::Send { connection: ends(40000, 80), segment: segment(2, 1000, 0, 0) }));
    add(&sh, What::Tcp(Tcp::Receive { connection: ends(40000, 80), segment: segment(0x12, 5000, 1001, 0) }));
    add(&sh, state(40000, 80, 2, 1));
    add(&sh, What::Tcp(Tcp::ConnectEstablished(ends(40000, 80))));
    add(&sh, What::Tcp(Tcp::Send { connection: ends(40000, 80), segment: segment(0x18, 1001, 5001, 20) }));
    add(&sh, state(40000, 80, 1, 7));
    add(&sh, What::Tcp(Tcp::ConnectRefused(ends(40001, 81))));
    add(&cat, What::Tcp(Tcp::AcceptEstablished(ends(80, 40000))));
    add(&Process { pid: 0, execname: Text::default() }, What::Tcp(Tcp::AcceptRefused(ends(81, 40001))));

    add(&cat, What::Life(Life::Exit { parent: 100, end: End::Killed { signal: SignalNumber(15) } }));
    add(&evil, What::Life(Life::Exit { parent: 100, end: End::Dumped { signal: SignalNumber(11) } }));
    let wait = |child| What::Wait(Wait { function: "wait4", child, latency: 3_000_000 });
    add(&sh, wait(101));
    add(&sh, wait(2));
    add(&sh, What::Life(Life::Exit { parent: 1, end: End::Exited { status: 3 } }));
    all
}
