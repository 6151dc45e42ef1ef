//! The socket provider: calls on sockets, at their entry and at their return.
//!
//! 32-bit calls are passed over, as in the syscall provider.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use probes_common::abi::Drop;
use probes_common::providers::socket::{CALLS, Index, Shape, SocketEntry, SocketReturn};
use probes_common::types_net::{SockCall, SockInfo};

use crate::calls::{self, Call};
use crate::constants::offset;
use crate::files::{self, Sort};
use crate::firing::{Family, Taken, Wants, bit, programs};
use crate::kernel::read;
use crate::net::{self, Ends, Given};
use crate::user;

programs! {
    // sys_enter(struct pt_regs *regs, long id)
    family socket_entry in "raw_tp/sys_enter", |program| enter(program);
    // sys_exit(struct pt_regs *regs, long ret)
    family socket_return in "raw_tp/sys_exit", |program| leave(program);
}

const SOCKETPAIR: u32 = Index::Socketpair as u32;
const ACCEPT4: u32 = Index::Accept4 as u32;
const SENDTO: u32 = Index::Sendto as u32;
const SENDMSG: u32 = Index::Sendmsg as u32;
const SETSOCKOPT: u32 = Index::Setsockopt as u32;

/// The highest error number that a call can return (include/linux/err.h).
const MAX_ERRNO: i64 = 4095;

/// The parts of an iovec that are summed.
const PARTS: u64 = 64;

/// Whether a clause wants this call; if so, its index.
#[inline(always)]
fn wanted(program: Family, number: u32, regs: u64) -> Option<(Taken, u32, Shape)> {
    let (mut index, shape) = find(number)?;
    if shape == Shape::Data && read::<u64>(regs, offset!(regs_r8)) != 0 {
        index += 1;
    }
    let taken = program.wanted(index)?;
    if taken.task.in_compat_call() {
        program.program.drop(Drop::Compat);
        return None;
    }
    Some((taken, index, shape))
}

/// The first row of the table with this number.
#[inline(always)]
fn find(number: u32) -> Option<(u32, Shape)> {
    let mut index = 0;
    while index < CALLS.len() {
        if CALLS[index].number == number {
            return Some((index as u32, CALLS[index].shape));
        }
        index += 1;
    }
    None
}

#[inline(always)]
fn enter(program: Family) {
    let ctx = program.program.ctx;
    let regs = ctx.arg(0);
    let Some((taken, index, shape)) = wanted(program, ctx.arg(1) as u32, regs) else { return };
    let argument = |n| match n {
        0 => read::<u64>(regs, offset!(regs_di)),
        1 => read(regs, offset!(regs_si)),
        2 => read(regs, offset!(regs_dx)),
        3 => read(regs, offset!(regs_r10)),
        4 => read(regs, offset!(regs_r8)),
        _ => read(regs, offset!(regs_r9)),
    };
    let mut file = 0;
    let mut fd = -1;
    if shape != Shape::Make {
        fd = argument(0) as i32;
        file = files::file(fd as u32);
        if files::sort(file) != Sort::Socket {
            return;
        }
    }
    taken.fire(|record: &mut SocketEntry, wants| {
        let identity = || [argument(0) as u16, (argument(1) & SOCK_TYPE) as u16, argument(2) as u16];
        describe(&mut record.so, wants.part(bit!(SocketEntry, so)), file, fd, identity);
        let wants = wants.part(bit!(SocketEntry, sc));
        take(&mut record.sc, wants, index, shape, argument);
        if wants.field(bit!(SockCall, sc_fd2)) {
            record.sc.sc_fd2 = -1;
        }
        if wants.field(bit!(SockCall, sc_value)) {
            let set = shape == Shape::Option && argument(4) as u32 >= 4 && index == SETSOCKOPT;
            record.sc.sc_value = if set { user::read(argument(3)) } else { 0 };
        }
        let (address, length) = match shape {
            Shape::Name => (argument(1), argument(2)),
            Shape::Data if index == SENDTO => (argument(4), argument(5)),
            Shape::Message if index == SENDMSG => (user::read(argument(1)), user::read(argument(1) + 8)),
            _ => (0, 0),
        };
        take_address(&mut record.sc, wants, address, length as u32);
    });
}

#[inline(always)]
fn leave(program: Family) {
    let ctx = program.program.ctx;
    let regs = ctx.arg(0);
    let number = read::<u64>(regs, offset!(regs_orig_ax)) as u32;
    let Some((taken, index, shape)) = wanted(program, number, regs) else { return };
    let Some(call) = calls::under_way(number, Sort::Socket) else { return };
    let result = ctx.arg(1) as i64;
    let failed = (-MAX_ERRNO..0).contains(&result);
    // SAFETY: an entry of the map, which only this thread writes.
    let Call { time, file, .. } = unsafe { *call };
    // SAFETY: as above.
    let argument = |n: usize| unsafe { (*call).args[n] };

    let mut fd = argument(0) as i32;
    // Since 6.6 a closed file is gone when close returns.
    let mut file = if shape == Shape::Close { 0 } else { file };
    if shape == Shape::Make {
        fd = match index {
            _ if failed => -1,
            SOCKETPAIR => user::read(argument(3)),
            _ => result as i32,
        };
        file = if failed { 0 } else { files::file(fd as u32) };
    } else if shape == Shape::Accept && !failed {
        fd = result as i32;
        file = files::file(fd as u32);
    }
    taken.fire(|record: &mut SocketReturn, wants| {
        let identity = || match shape {
            // SAFETY: as above.
            Shape::Close => unsafe { (*call).socket },
            _ => [argument(0) as u16, (argument(1) & SOCK_TYPE) as u16, argument(2) as u16],
        };
        describe(&mut record.so, wants.part(bit!(SocketReturn, so)), file, fd, identity);
        if wants.field(bit!(SocketReturn, result)) {
            record.result = if failed { -1 } else { result };
            record.errno = if failed { -result as i32 } else { 0 };
        }
        if wants.field(bit!(SocketReturn, latency)) {
            // SAFETY: a helper without arguments.
            record.latency = unsafe { bpf_ktime_get_ns() }.saturating_sub(time);
        }
        let wants = wants.part(bit!(SocketReturn, sc));
        take(&mut record.sc, wants, index, shape, argument);
        let pair = index == SOCKETPAIR && !failed;
        if pair && wants.field(bit!(SockCall, sc_fd)) {
            record.sc.sc_fd = fd;
        }
        if wants.field(bit!(SockCall, sc_fd2)) {
            record.sc.sc_fd2 = if pair { user::read(argument(3) + 4) } else { -1 };
        }
        if wants.field(bit!(SockCall, sc_value)) {
            let value = shape == Shape::Option && !failed;
            record.sc.sc_value = if value { user::read(argument(3)) } else { 0 };
        }
        let (address, length) = match shape {
            Shape::Name => (argument(1), argument(2) as u32),
            Shape::Data if index == SENDTO => (argument(4), argument(5) as u32),
            Shape::Message => (user::read(argument(1)), user::read(argument(1) + 8)),
            // What the call has filled in: the length is behind a pointer.
            Shape::Data if !failed => (argument(4), user::read(argument(5))),
            Shape::Accept if !failed => (argument(1), user::read(argument(2))),
            _ => (0, 0),
        };
        take_address(&mut record.sc, wants, address, length);
    });
}

/// The socket of `file`; where there is none yet, or none any more, what `identity` says of it.
#[inline(always)]
fn describe(so: &mut SockInfo, wants: Wants, file: u64, fd: i32, identity: impl Fn() -> [u16; 3]) {
    let sk = if file == 0 { 0 } else { net::sock(file) };
    if wants.field(bit!(SockInfo, so_fd)) {
        so.so_fd = fd;
        so.so_addr = sk;
        let [family, kind, protocol] = if sk == 0 { identity() } else { net::identity(sk) };
        so.so_family = family.into();
        so.so_type = kind.into();
        so.so_protocol = protocol.into();
    }
    if wants.field(bit!(SockInfo, so_ino)) {
        so.so_ino = if file == 0 { 0 } else { net::inode_number(file) };
    }
    if wants.field(bit!(SockInfo, so_laddr)) {
        let SockInfo { so_laddr, so_raddr, so_lport, so_rport, so_pad, .. } = so;
        *so_pad = 0;
        net::ends(
            sk,
            Ends { local: so_laddr, remote: so_raddr, local_port: so_lport, remote_port: so_rport },
        );
    }
    if wants.field(bit!(SockInfo, so_path)) {
        net::unix_path(&mut so.so_path, sk);
    }
    if wants.field(bit!(SockInfo, so_rpath)) {
        let peer = if net::family(sk) == net::AF_UNIX { read(sk, offset!(unix_peer)) } else { 0 };
        net::unix_path(&mut so.so_rpath, peer);
    }
}

/// The part of socket's second argument that is the type (include/linux/net.h).
const SOCK_TYPE: u64 = 0xf;

/// What is plain in the arguments.
#[inline(always)]
fn take(sc: &mut SockCall, wants: Wants, index: u32, shape: Shape, argument: impl Fn(usize) -> u64) {
    if wants.field(bit!(SockCall, sc_fd)) {
        sc.sc_fd = if shape == Shape::Make { -1 } else { argument(0) as i32 };
        sc.sc_flags = match shape {
            Shape::Make => argument(1) & !SOCK_TYPE,
            Shape::Shutdown => argument(1),
            Shape::Message => argument(2),
            Shape::Data => argument(3),
            Shape::Accept if index == ACCEPT4 => argument(3),
            _ => 0,
        } as i32;
        sc.sc_backlog = if shape == Shape::Listen { argument(1) as i32 } else { 0 };
        sc.sc_level = 0;
        sc.sc_option = 0;
        if shape == Shape::Option {
            sc.sc_level = argument(1) as i32;
            sc.sc_option = argument(2) as i32;
        }
    }
    if wants.field(bit!(SockCall, sc_bytes)) {
        sc.sc_bytes = match shape {
            Shape::Data | Shape::Buffer => argument(2),
            Shape::Vector => sum(argument(1), argument(2)),
            Shape::Message => sum(user::read(argument(1) + 16), user::read(argument(1) + 24)),
            _ => 0,
        };
    }
}

#[inline(always)]
fn take_address(sc: &mut SockCall, wants: Wants, address: u64, length: u32) {
    if wants.field(bit!(SockCall, sc_family)) {
        let SockCall { sc_family, sc_port, sc_addr, .. } = sc;
        net::given(address, length, Given { family: sc_family, port: sc_port, ip: sc_addr });
    }
    if wants.field(bit!(SockCall, sc_path)) {
        net::given_path(&mut sc.sc_path, address, length);
    }
}

/// The bytes of a user iovec of `parts` parts.
#[inline(always)]
fn sum(vector: u64, parts: u64) -> u64 {
    let mut bytes = 0u64;
    for part in 0..PARTS {
        if part >= parts {
            break;
        }
        bytes = bytes.wrapping_add(user::read(vector + part * 16 + 8));
    }
    bytes
}
