//! The numbers of the system calls that the probes know, and what else of the processor's part they need: x86_64's.
//! (arch/x86/entry/syscalls/syscall_64.tbl; the socket calls are in `probes_common::providers::socket`.)

pub const READ: u32 = 0;
pub const WRITE: u32 = 1;
pub const CLOSE: u32 = 3;
pub const PREAD64: u32 = 17;
pub const PWRITE64: u32 = 18;
pub const READV: u32 = 19;
pub const WRITEV: u32 = 20;
pub const PIPE: u32 = 22;
pub const DUP2: u32 = 33;
pub const CLONE: u32 = 56;
pub const FORK: u32 = 57;
pub const VFORK: u32 = 58;
pub const EXECVE: u32 = 59;
pub const RT_SIGTIMEDWAIT: u32 = 128;
pub const DUP3: u32 = 292;
pub const PIPE2: u32 = 293;
pub const PREADV: u32 = 295;
pub const PWRITEV: u32 = 296;
pub const EXECVEAT: u32 = 322;
pub const RECVMMSG: u32 = 299;
pub const SENDMMSG: u32 = 307;
pub const PREADV2: u32 = 327;
pub const PWRITEV2: u32 = 328;
pub const CLONE3: u32 = 435;
