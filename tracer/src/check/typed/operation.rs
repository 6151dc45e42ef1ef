//! What an expression of the typed program can do: read a built-in variable, apply an operator, call a subroutine.

use super::ProbePart;

/// Built-in variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// Process id of the current thread.
    Pid,
    /// Thread id.
    Tid,
    /// Parent's process id.
    Ppid,
    /// Real user id.
    Uid,
    /// Real group id.
    Gid,
    /// Name of the current thread's program.
    Execname,
    /// A part of the firing probe's name.
    ProbePart(ProbePart),
    /// Nanoseconds, monotonic.
    Timestamp,
    /// Nanoseconds since 1970.
    Walltimestamp,
    /// The CPU.
    Cpu,
    /// The error of the system call that is returning, 0 elsewhere: the record's field `errno` where it has one.
    Errno,
    /// Id of the firing probe.
    Id,
    /// Enabled probe id of the clause.
    Epid,
    /// Address of the current task.
    Curthread,
    /// Where the process was come from.
    Ucaller,
    /// The address that the function which fires was called from.
    Caller,
    /// The number of frames of the kernel's stack.
    Stackdepth,
    /// Frames of the process's stack.
    Ustackdepth,
    /// A register of the process: its offset in the kernel's pt_regs.
    Ureg(u16),
    /// A register that cannot be read: an illegal operation.
    NoUreg,
    /// The current process: a `psinfo_t`, of which only members can be used.
    Curpsinfo,
    /// The current thread: a `lwpsinfo_t`, of which only members can be used.
    Curlwpsinfo,
    /// Path of the current directory.
    Cwd,
    /// Path of the root directory.
    Root,
    /// The current CPU: a `cpuinfo_t`, of which only members can be used.
    Curcpu,
    /// Nanoseconds that the current thread has run.
    Vtimestamp,
    /// The kernel's count of ticks since it started.
    Jiffies,
    /// The interrupt priority level: Linux has none.
    Ipl,
    /// The jail: Linux has none.
    Jid,
    /// The name of the zone: that of the only one.
    Zonename,
    /// The name of FreeBSD's jail number 0, in which everything runs here.
    Jailname,
    /// The arguments of the current process's program, with spaces between.
    Execargs,
}

/// Unary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `~`
    BitNot,
}

/// Arithmetic and bitwise operators. Signedness is that of the type; dividing by zero is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
}

impl BinaryOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::And => "&",
            BinaryOp::Or => "|",
            BinaryOp::Xor => "^",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
        }
    }
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }
}

/// Logical operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOp {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `^^`
    Xor,
}

/// Subroutines: functions with a value and without effect on what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table of functions documents them")]
pub enum Subroutine {
    Strlen,
    Strjoin,
    Strchr,
    Strrchr,
    Strstr,
    Strtok,
    Substr,
    Index,
    Rindex,
    Lltostr,
    Strtoll,
    Tolower,
    Toupper,
    Basename,
    Dirname,
    Cleanpath,
    Json,
    /// htons() and all its kin: the bytes of the type in the other order.
    ByteOrder,
    InetNtoa,
    InetNtoa6,
    InetNtop,
    LinkNtop,
    DPath,
    Copyinstr,
    Alloca,
    Copyin,
    Copyinto,
    Bcopy,
    Copyout,
    Copyoutstr,
    Chill,
    MutexOwned,
    MutexOwner,
    MutexTypeAdaptive,
    MutexTypeSpin,
    RwReadHeld,
    RwWriteHeld,
    RwIsWriter,
    Progenyof,
    Rand,
    Getmajor,
    Getminor,
    /// `fds[n]`: an open file, of which only members can be used.
    File,
    /// speculation()
    Speculation,
}
