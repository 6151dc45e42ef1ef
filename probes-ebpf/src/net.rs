//! What the network providers share: addresses, and the fields of a kernel `sock`.

use core::arch::asm;
use core::ffi::c_void;

use aya_ebpf::helpers::generated::{
    bpf_probe_read_kernel, bpf_probe_read_kernel_str, bpf_probe_read_user, bpf_probe_read_user_str,
};
use probes_common::schema::Ip;

use crate::constants::offset;
use crate::kernel::{self, read};
use crate::{files, user};

/// Address families (include/linux/socket.h).
pub const AF_UNIX: u16 = 1;
pub const AF_INET: u16 = 2;
pub const AF_INET6: u16 = 10;

/// A path of a Unix socket as the records have it.
pub type Path = [u8; 112];

/// The longest `sun_path`, in bytes (include/uapi/linux/un.h).
const SUN_PATH: u32 = 108;

/// The two ends of a connection, or of a socket that may become one.
pub struct Ends<'a> {
    pub local: &'a mut Ip,
    pub remote: &'a mut Ip,
    pub local_port: &'a mut u16,
    pub remote_port: &'a mut u16,
}

/// The `sock` of a file that is a socket.
#[inline(always)]
pub fn sock(file: u64) -> u64 {
    read(read(file, offset!(file_private_data)), offset!(socket_sk))
}

/// The number of the network namespace that `net` is.
#[inline(always)]
pub fn namespace(net: u64) -> u32 {
    read(net, offset!(net_inum))
}

/// The number of the inode of a file.
#[inline(always)]
pub fn inode_number(file: u64) -> u64 {
    read(files::inode(file), offset!(inode_ino))
}

/// The address family of a sock.
#[inline(always)]
pub fn family(sk: u64) -> u16 {
    read(sk, offset!(sk_family))
}

/// The address family, type and protocol of a sock.
#[inline(always)]
pub fn identity(sk: u64) -> [u16; 3] {
    [family(sk), read(sk, offset!(sk_type)), read(sk, offset!(sk_protocol))]
}

/// Makes `ip` an IPv4 address, given as it stands in memory.
#[inline(always)]
pub fn set_ipv4(ip: &mut Ip, address: u32) {
    set_words(ip, 0, u64::from(address) << 32 | 0xffff_0000);
}

/// Makes `ip` no address.
#[inline(always)]
pub fn clear(ip: &mut Ip) {
    set_words(ip, 0, 0);
}

/// Whether it stands for any address: `0.0.0.0` or `::`.
#[inline(always)]
pub fn is_unspecified(ip: &Ip) -> bool {
    let (first, second) = words(ip);
    first == 0 && (second == 0 || second == 0xffff_0000)
}

/// An address as two words.
#[inline(always)]
pub fn words(ip: &Ip) -> (u64, u64) {
    let words = (&raw const *ip).cast::<u64>();
    // SAFETY: an Ip is two words, aligned to 8 bytes.
    unsafe { (*words, *words.add(1)) }
}

/// Whether it is this machine's own: `127.0.0.0/8` or `::1`.
#[inline(always)]
pub fn is_loopback(ip: &Ip) -> bool {
    const ONE: u64 = 1u64.to_be();
    let (first, second) = words(ip);
    first == 0 && (second == ONE || second & 0xff_ffff_ffff == 0x7f_ffff_0000)
}

#[inline(always)]
fn set_words(ip: &mut Ip, first: u64, second: u64) {
    let words = (&raw mut *ip).cast::<u64>();
    // SAFETY: an Ip is two words, aligned to 8 bytes.
    unsafe {
        *words = first;
        *words.add(1) = second;
    }
}

/// The addresses and ports of a sock of the Internet families; zero for others.
#[inline(always)]
pub fn ends(sk: u64, ends: Ends) {
    let family = family(sk);
    *ends.local_port = 0;
    *ends.remote_port = 0;
    match family {
        AF_INET => {
            set_ipv4(ends.local, read(sk, offset!(sk_rcv_saddr)));
            let remote = read(sk, offset!(sk_daddr));
            if remote == 0 { clear(ends.remote) } else { set_ipv4(ends.remote, remote) }
        }
        AF_INET6 => {
            kernel::copy(ends.local, sk, offset!(sk_v6_rcv_saddr));
            kernel::copy(ends.remote, sk, offset!(sk_v6_daddr));
        }
        _ => {
            clear(ends.local);
            clear(ends.remote);
            return;
        }
    }
    // Not `skc_num`, which is zero again once the port is given back, before the change to CLOSE is shown.
    *ends.local_port = u16::from_be(read(sk, offset!(inet_sport)));
    *ends.remote_port = u16::from_be(read(sk, offset!(sk_dport)));
}

/// The path that a Unix socket is bound to; empty for an unnamed one, and for sockets of other families.
#[inline(always)]
pub fn unix_path(path: &mut Path, sk: u64) {
    let address = if family(sk) == AF_UNIX { read(sk, offset!(unix_addr)) } else { 0u64 };
    let length = read::<u32>(address, offset!(unix_addr_len));
    if address == 0 || offset!(unix_addr_name) == probes_common::offsets::ABSENT {
        return clear_path(path);
    }
    copy_path::<false>(path, address + u64::from(offset!(unix_addr_name)), length);
}

/// An address that a call was given or has filled in: what user memory holds at `address`.
pub struct Given<'a> {
    pub family: &'a mut u16,
    pub port: &'a mut u16,
    pub ip: &'a mut Ip,
}

/// Reads the family, port and Internet address of a user `sockaddr` of `length` bytes.
#[inline(always)]
pub fn given(address: u64, length: u32, given: Given) {
    let family = if address != 0 && length >= 2 { user::read::<u16>(address) } else { 0 };
    *given.family = family;
    *given.port = 0;
    clear(given.ip);
    if family == AF_INET || family == AF_INET6 {
        *given.port = u16::from_be(user::read(address + 2));
        if family == AF_INET {
            set_ipv4(given.ip, user::read(address + 4));
        } else {
            // SAFETY: it can be written.
            unsafe { user::copy(given.ip, address + 8) };
        }
    }
}

/// Reads the path of a user `sockaddr` of `length` bytes; empty where it is of another family than Unix.
#[inline(always)]
pub fn given_path(path: &mut Path, address: u64, length: u32) {
    if address == 0 || user::read::<u16>(address) != AF_UNIX {
        return clear_path(path);
    }
    copy_path::<true>(path, address, length);
}

#[inline(always)]
fn clear_path(path: &mut Path) {
    let words = (&raw mut *path).cast::<u64>();
    for n in 0..size_of::<Path>() / 8 {
        // SAFETY: inside the path; paths lie at multiples of 8 in their records.
        unsafe { words.add(n).write_volatile(0) };
    }
}

/// Copies the path of a `sockaddr_un` of `length` bytes, of user or of kernel memory: up to its zero byte, or all of an
/// abstract one, which begins with a zero byte and gets `@` instead.
#[inline(always)]
fn copy_path<const USER: bool>(path: &mut Path, address: u64, length: u32) {
    clear_path(path);
    let mut size = length.wrapping_sub(2);
    // SAFETY: no instruction; it hides where `size` comes from, so that the verifier sees the comparison of `size` itself.
    unsafe { asm!("/* {0} */", inout(reg) size) };
    if size == 0 || size > SUN_PATH {
        return;
    }
    let to = path.as_mut_ptr().cast::<c_void>();
    let from = (address + 2) as *const c_void;
    // SAFETY: the helpers write at most as many bytes as they are told, which the path has room for.
    unsafe {
        if USER {
            bpf_probe_read_user(to, 1, from)
        } else {
            bpf_probe_read_kernel(to, 1, from)
        };
        match (path[0], USER) {
            (0, true) => bpf_probe_read_user(to, size, from),
            (0, false) => bpf_probe_read_kernel(to, size, from),
            (_, true) => bpf_probe_read_user_str(to, size + 1, from),
            (_, false) => bpf_probe_read_kernel_str(to, size + 1, from),
        };
    }
    if path[0] == 0 {
        path[0] = b'@';
    }
}
