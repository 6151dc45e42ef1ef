//! Every option: its name, what it takes, where it is kept and what it does.

use std::fmt;

use super::options::{Encoding, Evaluation, Options, Policy};
use super::values::Form;
use crate::stability::Attributes;

/// One option.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// What an option takes, and where it is kept.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// Nothing.
    Switch(fn(&mut Options) -> &mut bool),
    /// Nothing, or yes or no.
    Flag(fn(&mut Options) -> &mut bool),
    /// One of two words, for no and for yes.
    Either(fn(&mut Options) -> &mut bool, [&'static str; 2]),
    /// A number of bytes with k, m, g or t behind it: at least so many, whatever is asked, and at the most so many.
    Size(fn(&mut Options) -> &mut u64, u64, u64),
    /// A period with its unit, or a number of times a second.
    Rate(fn(&mut Options) -> &mut u64),
    /// A number; from and to.
    Number(fn(&mut Options, u64), u64, u64),
    /// One of these words; by its index.
    Word(fn(&mut Options, usize), &'static [&'static str]),
    /// A directory.
    Path(fn(&mut Options, &str)),
    /// Any text, which is called so.
    Text(fn(&mut Options, &str), &'static str),
    /// Attributes: `Name/Data/Class`.
    Attributes(fn(&mut Options, Attributes)),
    /// A version of the language.
    Version,
    /// Something of that form: accepted because programs from elsewhere set it, without effect here.
    Ignored(Form),
    /// Something that is not supported yet.
    Later,
}

impl Row {
    /// Whether setting it changes anything here.
    pub fn has_effect(&self) -> bool {
        !matches!(self.takes, Takes::Ignored(_) | Takes::Later)
    }

    /// How it is written: `strsize=SIZE`.
    pub fn usage(&self) -> String {
        let name = self.name;
        match &self.takes {
            Takes::Switch(_) | Takes::Flag(_) => name.to_owned(),
            Takes::Either(_, words) => format!("{name}={}", words.join("|")),
            Takes::Word(_, words) => format!("{name}={}", words.join("|")),
            Takes::Size(..) => format!("{name}=SIZE"),
            Takes::Rate(_) => format!("{name}=TIME"),
            Takes::Number(..) => format!("{name}=NUMBER"),
            Takes::Path(_) => format!("{name}=DIRECTORY"),
            Takes::Text(_, what) => format!("{name}={what}"),
            Takes::Attributes(_) => format!("{name}=NAME/DATA/CLASS"),
            Takes::Version => format!("{name}=VERSION"),
            Takes::Ignored(Form::Nothing | Form::Flag) => name.to_owned(),
            Takes::Ignored(_) | Takes::Later => format!("{name}=..."),
        }
    }
}

macro_rules! table {
    ($($name:literal $takes:expr, $doc:literal;)*) => {
        /// Every option.
        pub static TABLE: &[Row] = &[$(Row { name: $name, takes: $takes, doc: $doc },)*];
    };
}

use Takes::{Either, Flag, Ignored, Later, Number, Path, Rate, Size, Switch, Text, Word};

/// The words of `evaltime`, and what they mean where main is where constructors end.
const EVALUATIONS: [Evaluation; 4] =
    [Evaluation::Exec, Evaluation::Preinit, Evaluation::Main, Evaluation::Main];

const GIB: u64 = 1 << 30;

/// No bound that matters.
pub(super) const ANY: u64 = i32::MAX as u64;

/// The largest buffer for a string.
pub(super) const STRINGS: u64 = 65536;

/// The largest packet that is recorded.
const PACKETS: u64 = 16 << 10;

table! {
    "quiet" Flag(|o| &mut o.quiet), "prints only what the program prints, as -q does";
    "destructive" Flag(|o| &mut o.destructive), "allows actions that change the system, as -w does";
    "defaultargs" Switch(|o| &mut o.defaultargs), "makes a macro argument that is not given 0 or \"\"";
    "argref" Switch(|o| &mut o.argref), "allows macro arguments that the program does not use";
    "libdir" Path(|o, path| o.libdirs.push(path.into())), "reads the D libraries of this directory, as -L does";
    "syslibdir" Path(|o, path| o.libdirs.insert(0, path.into())), "reads the D libraries of this directory, before all others";
    "nolibs" Switch(|o| &mut o.nolibs), "reads no D libraries";
    "zdefs" Switch(|o| &mut o.zdefs), "allows probe descriptions that match no probe, as -Z does";
    "empty" Switch(|o| &mut o.empty), "allows a program without clauses";
    "rawbytes" Flag(|o| &mut o.rawbytes), "shows what trace() records as bytes";
    "scope" Either(|o| &mut o.scope, ["all", "tree"]), "fires probes for all processes, or for $target and what it forks";
    "strsize" Size(|o| &mut o.strsize, 1, STRINGS), "the most characters of a string";
    "scratchsize" Size(|o| &mut o.scratchsize, 16, GIB), "bytes that alloca() may be asked for as a constant, and 8 more; there are 8192 in any case";
    "pcapsize" Size(|o| &mut o.pcapsize, 1, PACKETS), "the most bytes that pcap() records of a packet";
    "bufsize" Size(|o| &mut o.bufsize, 4096, GIB), "bytes of the buffer between the kernel and the tracer";
    "aggsize" Size(|o| &mut o.aggsize, 1024, 4 * GIB), "bytes for the keys and values of an aggregation";
    "dynvarsize" Size(|o| &mut o.dynvarsize, 1024, 4 * GIB), "bytes for self-> variables and associative arrays";
    "switchrate" Rate(|o| &mut o.switchrate), "how often what was recorded is printed";
    "statusrate" Rate(|o| &mut o.statusrate), "how often drops are looked for";
    "bufpolicy" Word(|o, n| o.bufpolicy = [Policy::Switch, Policy::Fill, Policy::Ring][n], &["switch", "fill", "ring"]),
        "what is done when the buffer is full: lose what comes, end tracing, or let go of the oldest";
    "bufresize" Word(|o, n| o.bufresize = n == 0, &["auto", "manual"]),
        "makes a buffer smaller for which there is no memory, or gives up";
    "cpu" Number(|o, n| o.cpu = Some(n), 0, 8191), "traces on one CPU";
    "nspec" Number(|o, n| o.nspec = n, 1, 1024), "how many speculations there are";
    "specsize" Size(|o| &mut o.specsize, 64, GIB), "bytes that a speculation may record on each CPU";
    "flowindent" Flag(|o| &mut o.flowindent), "indents by entry and return, as -F does";
    "droptags" Flag(|o| &mut o.droptags), "says with each drop of what kind it is";
    "agghist" Flag(|o| &mut o.agghist), "draws an aggregation's values as a histogram beside its keys";
    "aggpack" Flag(|o| &mut o.aggpack), "draws each quantization in one line";
    "aggzoom" Flag(|o| &mut o.aggzoom), "stretches bars to the largest value instead of the sum";
    "encoding" Word(|o, n| o.encoding = [Encoding::Ascii, Encoding::Utf8][n], &["ascii", "utf8"]),
        "what the bars of histograms are made of";
    "aggsortkey" Flag(|o| &mut o.aggsortkey), "sorts aggregations by key instead of by value";
    "aggsortkeypos" Number(|o, n| o.aggsortkeypos = n, 0, 255), "which part of the key sorts first, from 0";
    "aggsortpos" Number(|o, n| o.aggsortpos = n, 0, 255), "which of several aggregations sorts, from 0";
    "temporal" Flag(|o| &mut o.temporal), "shows what was recorded in the order of its time, across CPUs; `no` for as it comes";
    "aggsortrev" Flag(|o| &mut o.aggsortrev), "sorts in reverse order";
    "stackframes" Number(|o, n| o.stackframes = n, 0, ANY), "frames that stack() records";
    "ustackframes" Number(|o, n| o.ustackframes = n, 0, ANY), "frames that ustack() records";
    "maxframes" Number(|o, n| o.maxframes = n, 1, ANY), "the most frames that a stack has: 127 at the most";
    "stackindent" Number(|o, n| o.stackindent = n, 0, 255), "blanks before each frame of a stack";

    "cpp" Switch(|o| &mut o.cpp), "runs the C preprocessor over the program, as -C does";
    "cpppath" Text(|o, path| o.cpppath = Some(path.to_owned()), "PATH"), "says which C preprocessor -C runs";
    "cpphdrs" Switch(|o| &mut o.cpphdrs), "has the C preprocessor name the files that it includes, as -H does";
    "incdir" Text(|o, path| o.cppargs.push(format!("-I{path}")), "DIRECTORY"), "says where the C preprocessor finds included files, as -I does";
    "define" Text(|o, name| o.cppargs.push(format!("-D{name}")), "NAME[=VALUE]"), "defines a name for the C preprocessor, as -D does";
    "cppargs" Text(|o, words| o.cppargs.extend(words.split_whitespace().map(str::to_owned)), "ARGUMENTS"), "gives the C preprocessor further arguments";
    "quietresize" Flag(|o| &mut o.quietresize), "says nothing of a buffer that was made smaller";
    "verbose" Switch(|o| &mut o.verbose), "shows the compiled program, as -S does";
    "amin" Takes::Attributes(|o, least| o.amin = Some(least)), "refuses programs that use anything of lesser stability";
    "version" Takes::Version, "takes the language as it was in this version: names that came later are none";
    "evaltime" Word(|o, n| o.evaltime = Some(EVALUATIONS[n]), &["exec", "preinit", "postinit", "main"]),
        "how far -c's process is brought before tracing begins: its exec, its libraries, its main function (of itself there, if it has probes)";
    "oformat" Later, "chooses the form of the output";

    "aggrate" Ignored(Form::Rate), "aggregations are read whenever they are printed";
    "aggpercpu" Ignored(Form::Nothing), "aggregations are always kept for each CPU";
    "bpflog" Ignored(Form::Nothing), "-v shows what the verifier has to say where it refuses a program";
    "bpflogsize" Ignored(Form::Size), "the verifier's log is as long as it is";
    "ctfpath" Ignored(Form::Text), "types come from the running kernel";
    "disasm" Ignored(Form::Number), "there is one form of listing";
    "linknommap" Ignored(Form::Nothing), "objects are read whole";
    "pcapsize" Ignored(Form::Size), "no packets are captured";
    "printsize" Ignored(Form::Size), "print() shows all of a value";
    "useruid" Ignored(Form::Number), "processes are followed whoever owns them";
    "cleanrate" Ignored(Form::Rate), "dynamic variables are freed at once";
    "ctypes" Ignored(Form::Text), "no file of types is written";
    "dtypes" Ignored(Form::Text), "no file of types is written";
    "errtags" Ignored(Form::Nothing), "errors always have their tags";
    "jstackframes" Ignored(Form::Number), "jstack() takes as many frames as ustack()";
    "jstackstrsize" Ignored(Form::Size), "names are looked up when a stack is shown";
    "pspec" Ignored(Form::Nothing), "probe descriptions are always read as such";
    "core" Ignored(Form::Nothing), "no object of D code is made";
    "knodefs" Ignored(Form::Nothing), "kernel symbols are always looked up";
    "linkmode" Ignored(Form::Words(&["kernel", "dynamic", "static"])), "kernel symbols are always looked up";
    "pgmax" Ignored(Form::Number), "no limit on grabbed processes is needed";
    "stdc" Ignored(Form::Words(&["a", "c", "s", "t"])), "integers are promoted as D says, whatever the preprocessor's C";
    "undef" Text(|o, name| o.cppargs.push(format!("-U{name}")), "NAME"), "undefines a name for the C preprocessor, as -U does";
    "unodefs" Ignored(Form::Nothing), "user symbols are always checked";
    "debug" Ignored(Form::Nothing), "-v says what there is to say";
    "debugassert" Ignored(Form::Words(&["mutexes"])), "-v says what there is to say";
    "grabanon" Ignored(Form::Flag), "nothing is traced before there is a tracer";
    "sysslice" Ignored(Form::Text), "processes are told from services by nothing";
    "useruid" Ignored(Form::Number), "processes are told from services by nothing";
    "iregs" Ignored(Form::Number), "the registers are those of the machine";
    "tregs" Ignored(Form::Number), "keys are not kept in registers";
    "kdefs" Ignored(Form::Nothing), "kernel symbols are always looked up";
    "udefs" Ignored(Form::Nothing), "user symbols are always checked";
    "late" Ignored(Form::Words(&["dynamic", "static"])), "translators are applied when the program is compiled";
    "lazyload" Ignored(Form::Nothing), "no object of D code is made";
    "ldpath" Ignored(Form::Text), "no linker is needed";
    "linktype" Ignored(Form::Words(&["elf", "dof"])), "no object of D code is made";
    "lockmem" Ignored(Form::Text), "the kernel's memory is not counted as locked since Linux 5.11";
    "modpath" Ignored(Form::Text), "types come from the running kernel";
    "noresolve" Ignored(Form::Nothing), "names are looked up where there are any";
    "preallocate" Ignored(Form::Size), "memory is taken as it is needed";
    "procfspath" Ignored(Form::Text), "processes are looked up in /proc";
    "strip" Ignored(Form::Nothing), "no object of D code is made";
    "tree" Ignored(Form::Number), "the parser's tree is not shown";
}

/// The options that a program cannot set: what they are for has been done when it is read.
pub(super) const OUTSIDE: [&str; 10] =
    ["cppargs", "cpphdrs", "cpppath", "define", "incdir", "ldpath", "modpath", "procfspath", "stdc", "undef"];

/// The options that may change while tracing.
pub(super) const DYNAMIC: [&str; 16] = [
    "agghist",
    "aggpack",
    "aggrate",
    "aggsortkey",
    "aggsortkeypos",
    "aggsortpos",
    "aggsortrev",
    "aggzoom",
    "encoding",
    "flowindent",
    "quiet",
    "quietresize",
    "rawbytes",
    "stackindent",
    "statusrate",
    "switchrate",
];

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Switch(_) => f.write_str("nothing"),
            Flag(_) => f.write_str("nothing, or 1 or 0"),
            Either(_, [no, yes]) => write!(f, "`{no}` or `{yes}`"),
            Size(_, _, most) => {
                write!(f, "a number of bytes up to {most}, with k, m or g for larger units")
            }
            Rate(_) => f.write_str("a period such as 100ms or 2s, or a number of times a second"),
            Number(_, least, most) => write!(f, "a number from {least} to {most}"),
            Word(_, words) => write!(f, "one of {}", words.join(", ")),
            Path(_) => f.write_str("a directory"),
            Takes::Attributes(_) => {
                f.write_str("name, data and class of a stability: Evolving/Evolving/Common")
            }
            Takes::Version => f.write_str("a version of the language, such as 1.6.4"),
            Text(_, what) => f.write_str(what),
            Ignored(form) => form.fmt(f),
            Later => f.write_str("anything"),
        }
    }
}
