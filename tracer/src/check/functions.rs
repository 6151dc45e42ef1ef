//! What can be called: actions, subroutines and aggregating functions, in one table that the checker, `explain` and
//! the reference read.
//!
//! Invariant: each name stands once; the parameters of the table are all that the general check of arguments needs.

use super::standing::{Standing, optional};
use super::typed::{IntType, Shows, Subroutine, Symbol};
use super::types::{INT, ULONG, named};
use crate::diagnostic::Tag;
use crate::stability::EVOLVING;

/// Something that can be called.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub role: Role,
    /// What it takes; of the last, any number where the row says so.
    pub params: &'static [Param],
    /// How many of the parameters must be given.
    pub required: usize,
    /// Whether the last parameter may be given any number of times.
    pub repeats: bool,
    /// The tag of a wrong number of arguments, and those of the arguments that are wrong: the last is that of all others.
    pub tags: (Tag, &'static [Tag]),
    /// How it is called.
    pub prototype: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Its stability, and since when there is it.
    pub standing: Standing,
}

impl Row {
    /// The tag of this argument where it is wrong, counted from 0.
    pub fn wrong(&self, argument: usize) -> Tag {
        let tags = self.tags.1;
        tags.get(argument).or(tags.last()).copied().unwrap_or(Tag::D_PROTO_ARG)
    }
}

/// The three kinds of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Records or controls; a statement of its own.
    Action(ActionName),
    /// Has a value.
    Subroutine(Subroutine, Gives),
    /// Stands behind `@name[keys] =`.
    Aggregating(AggregatingName),
    /// Is recorded: as a statement of its own, as a value that is printed, or as a part of an aggregation's key.
    Recorded(Recorded),
}

/// What is recorded and never computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// A call stack.
    Stack {
        /// The process's, not the kernel's.
        user: bool,
    },
    /// An address that is shown by its symbol.
    Symbol(Symbol),
}

/// An address of the kernel.
const fn kernel(shows: Shows) -> Role {
    Role::Recorded(Recorded::Symbol(Symbol { user: false, shows }))
}

/// An address of the current process.
const fn user(shows: Shows) -> Role {
    Role::Recorded(Recorded::Symbol(Symbol { user: true, shows }))
}

/// Actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table documents them")]
pub enum ActionName {
    Trace,
    Print,
    Printf,
    Printa,
    Clear,
    Trunc,
    Normalize,
    Denormalize,
    Exit,
    Speculate,
    Commit,
    Discard,
    Tracemem,
    Pcap,
    Printm,
    System,
    Freopen,
    Ftruncate,
    Setopt,
    Raise,
    Stop,
}

/// Aggregating functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table documents them")]
pub enum AggregatingName {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Stddev,
    Quantize,
    Lquantize,
    Llquantize,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// An integer, converted to this type.
    Int(Number),
    /// An integer: an address, of a process mostly.
    Address,
    /// A pointer, or 0.
    Pointer,
    /// An integer or a pointer.
    Memory,
    /// A string, or an address in the kernel where one lies.
    Text,
    /// A string, or a null pointer.
    TextOrNull,
    /// Anything that has a value.
    Value,
    /// A format: a string constant.
    Format,
    /// An aggregation.
    Aggregation,
    /// An integer constant.
    Constant,
}

/// The integer types that parameters have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// `int`
    Int,
    /// `int64_t`
    Long,
    /// `uint16_t`
    Half,
    /// `uint32_t`
    Word,
    /// `uint64_t`
    Whole,
    /// `size_t`
    Size,
    /// `pid_t`
    Pid,
    /// `char`
    Char,
    /// `dev_t`
    Device,
    /// `major_t`
    Major,
    /// `minor_t`
    Minor,
}

impl Number {
    /// The type.
    pub fn ty(self) -> IntType {
        match self {
            Number::Int => INT,
            Number::Long => super::types::INT64,
            Number::Half => super::types::plain(2, false),
            Number::Word => super::types::plain(4, false),
            Number::Whole => super::types::UINT64,
            Number::Size => named("size_t").unwrap_or(ULONG),
            Number::Pid => named("pid_t").unwrap_or(INT),
            Number::Char => super::types::spelled(crate::syntax::ast::IntWidth::Char, None),
            Number::Device => named("dev_t").unwrap_or(ULONG),
            Number::Major => named("major_t").unwrap_or(INT),
            Number::Minor => named("minor_t").unwrap_or(INT),
        }
    }
}

/// What a subroutine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// An integer.
    Int(Number),
    /// A string of at most `strsize` bytes.
    Text,
    /// `void *`
    Address,
    /// Nothing.
    Nothing,
}

impl Subroutine {
    /// Whether it changes the traced system, which -w allows.
    pub fn is_destructive(self) -> bool {
        matches!(self, Subroutine::Copyout | Subroutine::Copyoutstr | Subroutine::Chill)
    }
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Action(_) | Role::Recorded(_) => "action",
            Role::Subroutine(..) => "subroutine",
            Role::Aggregating(_) => "aggregating function",
        }
    }
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// The tags of a function as [`Row::tags`] has them.
type Tags = (Tag, &'static [Tag]);

const GENERAL: Tags = (Tag::D_PROTO_LEN, &[Tag::D_PROTO_ARG]);
const AGGREGATING: Tags = (Tag::D_PROTO_LEN, &[Tag::D_AGG_SCALAR, Tag::D_PROTO_ARG]);
const LQUANTIZE: Tags = (
    Tag::D_PROTO_LEN,
    &[Tag::D_AGG_SCALAR, Tag::D_PROTO_ARG, Tag::D_PROTO_ARG, Tag::D_LQUANT_STEPTYPE, Tag::D_PROTO_ARG],
);
const TRACEMEM: Tags = (Tag::D_PROTO_LEN, &[Tag::D_TRACEMEM_ADDR, Tag::D_PROTO_ARG, Tag::D_TRACEMEM_DYNSIZE]);
const PRINTM: Tags = (Tag::D_PROTO_LEN, &[Tag::D_PRINTM_SIZE, Tag::D_PRINTM_ADDR]);
const USTACK: Tags = (Tag::D_USTACK_PROTO, &[Tag::D_USTACK_FRAMES, Tag::D_USTACK_STRSIZE]);

use AggregatingName as Agg;
use Param::{Address, Aggregation, Constant, Format, Memory, Pointer, Text, TextOrNull, Value};
use Subroutine as Sub;

const INTEGER: Param = Param::Int(Number::Long);

macro_rules! table {
    ($($name:literal $role:expr, $tags:expr, [$($param:expr),*] $required:literal $($more:literal)?,
       $prototype:literal, $doc:literal $(: $attributes:ident)? $(since $version:literal)?;)*) => {
        /// Every function.
        pub static TABLE: &[Row] = &[$(Row {
            name: $name,
            role: $role,
            params: &[$($param),*],
            required: $required,
            repeats: false $(|| !$more.is_empty())?,
            tags: $tags,
            prototype: $prototype,
            doc: $doc,
            standing: Standing::of(optional!($($attributes)?), optional!($($version)?)),
        },)*];
    };
}

// name, role, tags, [parameters] how many are required, prototype, doc: attributes where they are not those of D itself,
// since a version that is not the first
table! {
    "trace" Role::Action(ActionName::Trace), GENERAL, [Value] 1,
        "trace(value)", "records a value, printed in its default form";
    "print" Role::Action(ActionName::Print), GENERAL, [Value] 1,
        "print(value)", "records a value, printed with its type: structures and unions by their members" since "1.9";
    "printf" Role::Action(ActionName::Printf), GENERAL, [Format, Value] 1 "...",
        "printf(format, ...)", "records values, printed by a format";
    "printa" Role::Action(ActionName::Printa), (Tag::D_PROTO_LEN, &[Tag::D_PRINTA_AGGARG]), [Format, Aggregation] 1 "...",
        "printa([format, ]@aggregation, ...)", "prints aggregations, several joined by key";
    "clear" Role::Action(ActionName::Clear), (Tag::D_CLEAR_PROTO, &[Tag::D_CLEAR_AGGARG]), [Aggregation] 1,
        "clear(@aggregation)", "sets an aggregation's values to zero and keeps its keys";
    "trunc" Role::Action(ActionName::Trunc), (Tag::D_TRUNC_PROTO, &[Tag::D_TRUNC_AGGARG]), [Aggregation, INTEGER] 1,
        "trunc(@aggregation[, n])", "removes an aggregation's keys: all, or all but the n with the largest values";
    "normalize" Role::Action(ActionName::Normalize), (Tag::D_NORMALIZE_PROTO, &[Tag::D_NORMALIZE_AGGARG]), [Aggregation, INTEGER] 2,
        "normalize(@aggregation, n)", "divides an aggregation's values by n when they are printed";
    "denormalize" Role::Action(ActionName::Denormalize), (Tag::D_NORMALIZE_PROTO, &[Tag::D_NORMALIZE_AGGARG]), [Aggregation] 1,
        "denormalize(@aggregation)", "takes normalize back";
    "exit" Role::Action(ActionName::Exit), GENERAL, [Param::Int(Number::Int)] 1,
        "exit(int status)", "ends tracing; the tracer exits with the status";

    "speculate" Role::Action(ActionName::Speculate), GENERAL, [Param::Int(Number::Int)] 1,
        "speculate(int id)", "records the rest of the clause in a speculation, to be committed or discarded later";
    "commit" Role::Action(ActionName::Commit), GENERAL, [Param::Int(Number::Int)] 1,
        "commit(int id)", "prints what a speculation has recorded, and frees it";
    "discard" Role::Action(ActionName::Discard), GENERAL, [Param::Int(Number::Int)] 1,
        "discard(int id)", "throws away what a speculation has recorded, and frees it";
    "tracemem" Role::Action(ActionName::Tracemem), TRACEMEM, [Memory, Constant, INTEGER] 2,
        "tracemem(address, size_t nbytes[, size_t dsize])", "records memory of the kernel, printed as a table of bytes: nbytes, or the first dsize of them";
    "pcap" Role::Action(ActionName::Pcap), GENERAL, [Memory, INTEGER] 2,
        "pcap(struct sk_buff *packet, int kind)", "records a packet of the network, pcapsize bytes of it at the most: printed as tracemem() prints, and behind freopen() written to a capture file; the kind says what it begins with, PCAP_ETHER, PCAP_IP and so on";
    "printm" Role::Action(ActionName::Printm), PRINTM, [Constant, Memory] 2,
        "printm(size_t nbytes, memref(address, size_t size))", "records memory of the kernel, nbytes of it at the most, printed as tracemem() prints it";
    "system" Role::Action(ActionName::System), GENERAL, [Format, Value] 1 "...",
        "system(format, ...)", "runs a command by the shell, in its turn of the output (destructive)";
    "freopen" Role::Action(ActionName::Freopen), GENERAL, [Format, Value] 1 "...",
        "freopen(format, ...)", "prints to this file from now on; \"\" for where the output went first (destructive)" since "1.1";
    "ftruncate" Role::Action(ActionName::Ftruncate), GENERAL, [] 0,
        "ftruncate()", "empties the file that is printed to";
    "setopt" Role::Action(ActionName::Setopt), GENERAL, [Text, Text] 1,
        "setopt(name[, value])", "sets an option while tracing" since "1.2";
    "raise" Role::Action(ActionName::Raise), GENERAL, [Param::Int(Number::Int)] 1,
        "raise(int signal)", "sends a signal to the current process (destructive)";
    "stop" Role::Action(ActionName::Stop), GENERAL, [] 0,
        "stop()", "stops the current process; SIGCONT lets it go on (destructive)";
    "stack" Role::Recorded(Recorded::Stack { user: false }), (Tag::D_STACK_PROTO, &[Tag::D_STACK_SIZE]), [Constant] 0,
        "stack([nframes])", "records the kernel's call stack";
    "ustack" Role::Recorded(Recorded::Stack { user: true }), USTACK, [Constant, Constant] 0,
        "ustack([nframes[, strsize]])", "records the call stack of the current process";
    "jstack" Role::Recorded(Recorded::Stack { user: true }), USTACK, [Constant, Constant] 0,
        "jstack([nframes[, strsize]])", "as ustack(): what a virtual machine says of its code in /tmp/perf-PID.map is shown";
    "sym" kernel(Shows::Function), GENERAL, [Address] 1,
        "sym(address)", "records an address of the kernel, shown as module and function" since "1.2";
    "func" kernel(Shows::Function), GENERAL, [Address] 1,
        "func(address)", "as sym()" since "1.2";
    "mod" kernel(Shows::Module), GENERAL, [Address] 1,
        "mod(address)", "records an address of the kernel, shown as its module" since "1.2";
    "usym" user(Shows::Function), GENERAL, [Address] 1,
        "usym(address)", "records an address of the current process, shown as module and function" since "1.2";
    "ufunc" user(Shows::Function), GENERAL, [Address] 1,
        "ufunc(address)", "as usym()" since "1.2";
    "umod" user(Shows::Module), GENERAL, [Address] 1,
        "umod(address)", "records an address of the current process, shown as its module" since "1.2";
    "uaddr" user(Shows::Address), GENERAL, [Address] 1,
        "uaddr(address)", "records an address of the current process, shown as module, function and offset" since "1.2";

    "strlen" Role::Subroutine(Sub::Strlen, Gives::Int(Number::Size)), GENERAL, [Text] 1,
        "size_t strlen(string s)", "length of a string in bytes";
    "strjoin" Role::Subroutine(Sub::Strjoin, Gives::Text), GENERAL, [Text, Text] 2,
        "string strjoin(string a, string b)", "the one string and the other behind it";
    "strchr" Role::Subroutine(Sub::Strchr, Gives::Text), GENERAL, [Text, Param::Int(Number::Char)] 2,
        "string strchr(string s, char c)", "a string from the first place where it has the character; NULL where it has not" since "1.1";
    "strrchr" Role::Subroutine(Sub::Strrchr, Gives::Text), GENERAL, [Text, Param::Int(Number::Char)] 2,
        "string strrchr(string s, char c)", "a string from the last place where it has the character; NULL where it has not" since "1.1";
    "strstr" Role::Subroutine(Sub::Strstr, Gives::Text), GENERAL, [Text, Text] 2,
        "string strstr(string s, string part)", "a string from the first place where it has the part; NULL where it has not" since "1.1";
    "strtok" Role::Subroutine(Sub::Strtok, Gives::Text), GENERAL, [TextOrNull, Text] 2,
        "string strtok(string s, string delimiters)", "the first piece of a string between delimiters; of NULL the next, within one firing" since "1.1";
    "substr" Role::Subroutine(Sub::Substr, Gives::Text), GENERAL, [Text, Param::Int(Number::Long), Param::Int(Number::Long)] 2,
        "string substr(string s, int index[, int length])", "a part of a string; a negative index counts from the end" since "1.1";
    "index" Role::Subroutine(Sub::Index, Gives::Int(Number::Int)), GENERAL, [Text, Text, Param::Int(Number::Long)] 2,
        "int index(string s, string part[, int start])", "where a string has a part first, at or after a place; -1 where it has not" since "1.1";
    "rindex" Role::Subroutine(Sub::Rindex, Gives::Int(Number::Int)), GENERAL, [Text, Text, Param::Int(Number::Long)] 2,
        "int rindex(string s, string part[, int start])", "where a string has a part last, at or before a place; -1 where it has not" since "1.1";
    "lltostr" Role::Subroutine(Sub::Lltostr, Gives::Text), GENERAL, [Param::Int(Number::Long), Param::Int(Number::Int)] 1,
        "string lltostr(int64_t n[, int base])", "a number as text";
    "strtoll" Role::Subroutine(Sub::Strtoll, Gives::Int(Number::Long)), GENERAL, [Text, Param::Int(Number::Int)] 1,
        "int64_t strtoll(string s[, int base])", "the number that a string begins with" since "1.11";
    "tolower" Role::Subroutine(Sub::Tolower, Gives::Text), GENERAL, [Text] 1,
        "string tolower(string s)", "a string in small letters" since "1.8";
    "toupper" Role::Subroutine(Sub::Toupper, Gives::Text), GENERAL, [Text] 1,
        "string toupper(string s)", "a string in capital letters" since "1.8";
    "basename" Role::Subroutine(Sub::Basename, Gives::Text), GENERAL, [Text] 1,
        "string basename(string path)", "the last component of a path";
    "dirname" Role::Subroutine(Sub::Dirname, Gives::Text), GENERAL, [Text] 1,
        "string dirname(string path)", "a path without its last component";
    "cleanpath" Role::Subroutine(Sub::Cleanpath, Gives::Text), GENERAL, [Text] 1,
        "string cleanpath(string path)", "a path without //, /./ and /../";
    "json" Role::Subroutine(Sub::Json, Gives::Text), GENERAL, [Text, Text] 2,
        "string json(string text, string path)", "an element of a JSON text; NULL where there is none" since "1.11";

    "htons" Role::Subroutine(Sub::ByteOrder, Gives::Int(Number::Half)), GENERAL, [Param::Int(Number::Half)] 1,
        "uint16_t htons(uint16_t value)", "a number of this machine in the byte order of the network": EVOLVING since "1.3";
    "ntohs" Role::Subroutine(Sub::ByteOrder, Gives::Int(Number::Half)), GENERAL, [Param::Int(Number::Half)] 1,
        "uint16_t ntohs(uint16_t value)", "a number in the byte order of the network as one of this machine": EVOLVING since "1.3";
    "htonl" Role::Subroutine(Sub::ByteOrder, Gives::Int(Number::Word)), GENERAL, [Param::Int(Number::Word)] 1,
        "uint32_t htonl(uint32_t value)", "a number of this machine in the byte order of the network": EVOLVING since "1.3";
    "ntohl" Role::Subroutine(Sub::ByteOrder, Gives::Int(Number::Word)), GENERAL, [Param::Int(Number::Word)] 1,
        "uint32_t ntohl(uint32_t value)", "a number in the byte order of the network as one of this machine": EVOLVING since "1.3";
    "htonll" Role::Subroutine(Sub::ByteOrder, Gives::Int(Number::Whole)), GENERAL, [Param::Int(Number::Whole)] 1,
        "uint64_t htonll(uint64_t value)", "a number of this machine in the byte order of the network": EVOLVING since "1.3";
    "ntohll" Role::Subroutine(Sub::ByteOrder, Gives::Int(Number::Whole)), GENERAL, [Param::Int(Number::Whole)] 1,
        "uint64_t ntohll(uint64_t value)", "a number in the byte order of the network as one of this machine": EVOLVING since "1.3";
    "inet_ntoa" Role::Subroutine(Sub::InetNtoa, Gives::Text), GENERAL, [Pointer] 1,
        "string inet_ntoa(ipaddr_t *address)", "an IPv4 address in the kernel as text" since "1.5";
    "inet_ntoa6" Role::Subroutine(Sub::InetNtoa6, Gives::Text), GENERAL, [Pointer, Param::Constant] 1,
        "string inet_ntoa6(in6_addr_t *address[, int strict])", "an IPv6 address in the kernel as text" since "1.5";
    "inet_ntop" Role::Subroutine(Sub::InetNtop, Gives::Text), GENERAL, [Param::Int(Number::Int), Pointer] 2,
        "string inet_ntop(int family, void *address)", "an address in the kernel as text: AF_INET or AF_INET6" since "1.5";
    "link_ntop" Role::Subroutine(Sub::LinkNtop, Gives::Text), GENERAL, [Param::Int(Number::Int), Pointer] 2,
        "string link_ntop(int type, void *address)", "a hardware address in the kernel as text: ARPHRD_ETHER or ARPHRD_INFINIBAND" since "1.5";

    "d_path" Role::Subroutine(Sub::DPath, Gives::Text), GENERAL, [Pointer] 1,
        "string d_path(struct path *path)", "the path that the kernel means, as the current process sees it": EVOLVING;
    "copyinstr" Role::Subroutine(Sub::Copyinstr, Gives::Text), GENERAL, [Address, Param::Int(Number::Size)] 1,
        "string copyinstr(uintptr_t address[, size_t size])", "a string from the memory of the current process";

    "alloca" Role::Subroutine(Sub::Alloca, Gives::Address), GENERAL, [Param::Int(Number::Size)] 1,
        "void *alloca(size_t size)", "memory for the rest of the clause";
    "copyin" Role::Subroutine(Sub::Copyin, Gives::Address), GENERAL, [Address, Param::Int(Number::Size)] 2,
        "void *copyin(uintptr_t address, size_t size)", "a copy of memory of the current process";
    "copyinto" Role::Subroutine(Sub::Copyinto, Gives::Nothing), GENERAL, [Address, Param::Int(Number::Size), Pointer] 3,
        "void copyinto(uintptr_t address, size_t size, void *to)", "copies memory of the current process to memory of the program";
    "bcopy" Role::Subroutine(Sub::Bcopy, Gives::Nothing), GENERAL, [Pointer, Pointer, Param::Int(Number::Size)] 3,
        "void bcopy(void *from, void *to, size_t size)", "copies memory of the kernel to memory of the program";
    "copyout" Role::Subroutine(Sub::Copyout, Gives::Nothing), GENERAL, [Pointer, Address, Param::Int(Number::Size)] 3,
        "void copyout(void *from, uintptr_t address, size_t size)", "destructive: copies memory of the kernel to the current process";
    "copyoutstr" Role::Subroutine(Sub::Copyoutstr, Gives::Nothing), GENERAL, [Text, Address, Param::Int(Number::Size)] 3,
        "void copyoutstr(string s, uintptr_t address, size_t most)", "destructive: copies a string with its end to the current process";
    "chill" Role::Subroutine(Sub::Chill, Gives::Nothing), GENERAL, [Param::Int(Number::Long)] 1,
        "void chill(int nanoseconds)", "destructive: waits, half a second in each second at most";

    "mutex_owned" Role::Subroutine(Sub::MutexOwned, Gives::Int(Number::Int)), GENERAL, [Pointer] 1,
        "int mutex_owned(struct mutex *mutex)", "whether the current thread has a mutex": EVOLVING;
    "mutex_owner" Role::Subroutine(Sub::MutexOwner, Gives::Address), GENERAL, [Pointer] 1,
        "struct task_struct *mutex_owner(struct mutex *mutex)", "the thread that has a mutex; NULL where it is free": EVOLVING;
    "mutex_type_adaptive" Role::Subroutine(Sub::MutexTypeAdaptive, Gives::Int(Number::Int)), GENERAL, [Pointer] 1,
        "int mutex_type_adaptive(struct mutex *mutex)", "whether who waits for a mutex may spin: always 1": EVOLVING;
    "mutex_type_spin" Role::Subroutine(Sub::MutexTypeSpin, Gives::Int(Number::Int)), GENERAL, [Pointer] 1,
        "int mutex_type_spin(struct mutex *mutex)", "whether who waits for a mutex always spins: always 0": EVOLVING;
    "rw_read_held" Role::Subroutine(Sub::RwReadHeld, Gives::Int(Number::Int)), GENERAL, [Pointer] 1,
        "int rw_read_held(rwlock_t *lock)", "whether readers have a lock; it may be a struct rw_semaphore too": EVOLVING;
    "rw_write_held" Role::Subroutine(Sub::RwWriteHeld, Gives::Int(Number::Int)), GENERAL, [Pointer] 1,
        "int rw_write_held(rwlock_t *lock)", "whether a writer has a lock; it may be a struct rw_semaphore too": EVOLVING;
    "rw_iswriter" Role::Subroutine(Sub::RwIsWriter, Gives::Int(Number::Int)), GENERAL, [Pointer] 1,
        "int rw_iswriter(rwlock_t *lock)", "whether a writer has a lock, or waits for it; it may be a struct rw_semaphore too": EVOLVING;

    "progenyof" Role::Subroutine(Sub::Progenyof, Gives::Int(Number::Int)), GENERAL, [Param::Int(Number::Pid)] 1,
        "int progenyof(pid_t pid)", "whether the current process is this one or descends from it";
    "rand" Role::Subroutine(Sub::Rand, Gives::Int(Number::Int)), GENERAL, [] 0,
        "int rand()", "a pseudo-random number";
    "getmajor" Role::Subroutine(Sub::Getmajor, Gives::Int(Number::Major)), GENERAL, [Param::Int(Number::Device)] 1,
        "major_t getmajor(dev_t device)", "the major number of a device": EVOLVING;
    "getminor" Role::Subroutine(Sub::Getminor, Gives::Int(Number::Minor)), GENERAL, [Param::Int(Number::Device)] 1,
        "minor_t getminor(dev_t device)", "the minor number of a device": EVOLVING;

    "speculation" Role::Subroutine(Sub::Speculation, Gives::Int(Number::Int)), GENERAL, [] 0,
        "int speculation()", "begins a speculation and gives its id, 0 when none is free";

    "count" Role::Aggregating(Agg::Count), AGGREGATING, [] 0,
        "count()", "how many times";
    "sum" Role::Aggregating(Agg::Sum), AGGREGATING, [INTEGER] 1,
        "sum(value)", "the sum of the values";
    "avg" Role::Aggregating(Agg::Avg), AGGREGATING, [INTEGER] 1,
        "avg(value)", "their arithmetic mean";
    "min" Role::Aggregating(Agg::Min), AGGREGATING, [INTEGER] 1,
        "min(value)", "the smallest";
    "max" Role::Aggregating(Agg::Max), AGGREGATING, [INTEGER] 1,
        "max(value)", "the largest";
    "stddev" Role::Aggregating(Agg::Stddev), AGGREGATING, [INTEGER] 1,
        "stddev(value)", "their standard deviation" since "1.6";
    "quantize" Role::Aggregating(Agg::Quantize), AGGREGATING, [INTEGER, INTEGER] 1,
        "quantize(value[, increment])", "a histogram by powers of two";
    "lquantize" Role::Aggregating(Agg::Lquantize), LQUANTIZE, [INTEGER, Constant, Constant, Constant, INTEGER] 3,
        "lquantize(value, low, high[, step[, increment]])", "a histogram of equal steps from low to high";
    "llquantize" Role::Aggregating(Agg::Llquantize), AGGREGATING,
        [INTEGER, Constant, Constant, Constant, Constant, INTEGER] 5,
        "llquantize(value, factor, low, high, steps[, increment])",
        "a histogram of magnitudes, powers of the factor from low to high, each in equal steps" since "1.6.4";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_consistent() {
        for row in TABLE {
            assert!(row.required <= row.params.len(), "{}", row.name);
            assert!(row.prototype.contains(row.name), "{}", row.name);
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }
}
