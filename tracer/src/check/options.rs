//! The options of `-x` and `#pragma D option`: one table with what each takes, what it does and where it is kept.
//!
//! Invariant: an [`Options`] holds only values that the table allows.

use thiserror::Error;

use super::standing::Version;
use super::values::{self, Form, SECOND};
use crate::diagnostic::nearest;
use crate::stability::Attributes;

/// What happens when the buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It is read while it is filled; what finds it full is lost.
    Switch,
    /// Tracing ends, and it is read then.
    Fill,
    /// The oldest makes room; it is read at the end.
    Ring,
}

/// How far the process of -c is brought before tracing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evaluation {
    /// Its program is there, its libraries are not.
    Exec,
    /// Its libraries are mapped, and nothing of them has run.
    Preinit,
    /// All constructors have run: to its main function.
    Main,
}

/// What the bars of histograms are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Blocks where the terminal is likely to have them and there is no other way.
    Unset,
    /// Letters.
    Ascii,
    /// Blocks.
    Utf8,
}

/// The options' values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Print only what the program prints.
    pub quiet: bool,
    /// Destructive actions are allowed.
    pub destructive: bool,
    /// A macro argument that is not given is 0 or "".
    pub defaultargs: bool,
    /// A macro argument may be left unused.
    pub argref: bool,
    /// Where D libraries lie, in the order in which they are read.
    pub libdirs: Vec<std::path::PathBuf>,
    /// Read none of them.
    pub nolibs: bool,
    /// Run the C preprocessor over the program.
    pub cpp: bool,
    /// Which one, where it is not the first `cpp` in PATH.
    pub cpppath: Option<String>,
    /// What it is given: `-DNAME`, `-UNAME`, `-IDIRECTORY`, in order.
    pub cppargs: Vec<String>,
    /// It names each file that it includes.
    pub cpphdrs: bool,
    /// A probe description may match no probe.
    pub zdefs: bool,
    /// A program may have no clause.
    pub empty: bool,
    /// Only what $target and its descendants do counts.
    pub scope: bool,
    /// Print strings' bytes as numbers when they are not text.
    pub rawbytes: bool,
    /// The most characters of a string.
    pub strsize: u64,
    /// Bytes of the buffer between the kernel and the tracer.
    pub bufsize: u64,
    /// Bytes for the keys of an aggregation.
    pub aggsize: u64,
    /// Bytes for dynamic variables.
    pub dynvarsize: u64,
    /// Nanoseconds between two looks at the buffer.
    pub switchrate: u64,
    /// Nanoseconds between two looks at what was lost.
    pub statusrate: u64,
    /// When the buffer is full.
    pub bufpolicy: Policy,
    /// A buffer for which there is no memory is made smaller.
    pub bufresize: bool,
    /// The one CPU on which probes fire.
    pub cpu: Option<u64>,
    /// How many speculations there are.
    pub nspec: u64,
    /// Bytes that a speculation may record on each CPU.
    pub specsize: u64,
    /// Indent by entry and return.
    pub flowindent: bool,
    /// Say with each drop of what kind it is.
    pub droptags: bool,
    /// Draw an aggregation's values as a histogram beside its keys.
    pub agghist: bool,
    /// Draw each quantization in one line.
    pub aggpack: bool,
    /// Stretch bars to the largest value.
    pub aggzoom: bool,
    /// What the bars are made of.
    pub encoding: Encoding,
    /// Sort aggregations by key.
    pub aggsortkey: bool,
    /// By which part of the key, from 0.
    pub aggsortkeypos: u64,
    /// By which aggregation, where several are printed, from 0.
    pub aggsortpos: u64,
    /// Largest first.
    pub aggsortrev: bool,
    /// Show what was recorded in the order of its time, across CPUs.
    pub temporal: bool,
    /// Frames that stack() records.
    pub stackframes: u64,
    /// Frames that ustack() records.
    pub ustackframes: u64,
    /// Blanks before each frame of a stack.
    pub stackindent: u64,
    /// Say nothing of a buffer that was made smaller.
    pub quietresize: bool,
    /// Show the compiled program.
    pub verbose: bool,
    /// Nothing of the program may have less than these attributes.
    pub amin: Option<Attributes>,
    /// The version of the language: names that are newer are none.
    pub version: Version,
    /// When tracing of -c's process begins, where it is not as soon as it can.
    pub evaltime: Option<Evaluation>,
    /// Options that were set and are without effect here.
    pub ignored: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            quiet: false,
            destructive: false,
            defaultargs: false,
            argref: false,
            libdirs: Vec::new(),
            cpp: false,
            cpppath: None,
            cppargs: Vec::new(),
            cpphdrs: false,
            nolibs: false,
            zdefs: false,
            empty: false,
            scope: false,
            rawbytes: false,
            strsize: 256,
            bufsize: 4 << 20,
            bufpolicy: Policy::Switch,
            bufresize: true,
            cpu: None,
            nspec: 1,
            specsize: 32 << 10,
            flowindent: false,
            droptags: false,
            agghist: false,
            aggpack: false,
            aggzoom: false,
            encoding: Encoding::Unset,
            aggsize: 4 << 20,
            dynvarsize: 1 << 20,
            // DTrace's is a second; people look at the screen.
            switchrate: SECOND / 10,
            statusrate: SECOND,
            aggsortkey: false,
            aggsortkeypos: 0,
            aggsortpos: 0,
            aggsortrev: false,
            temporal: true,
            stackframes: 20,
            ustackframes: 20,
            stackindent: 14,
            quietresize: false,
            verbose: false,
            amin: None,
            version: Version::NEWEST,
            evaltime: None,
            ignored: Vec::new(),
        }
    }
}

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
            Takes::Flag(_) => name.to_owned(),
            Takes::Either(_, words) => format!("{name}={}", words.join("|")),
            Takes::Word(_, words) => format!("{name}={}", words.join("|")),
            Takes::Size(..) => format!("{name}=SIZE"),
            Takes::Rate(_) => format!("{name}=TIME"),
            Takes::Number(..) => format!("{name}=NUMBER"),
            Takes::Path(_) => format!("{name}=DIRECTORY"),
            Takes::Text(_, what) => format!("{name}={what}"),
            Takes::Attributes(_) => format!("{name}=NAME/DATA/CLASS"),
            Takes::Version => format!("{name}=VERSION"),
            Takes::Ignored(Form::Nothing) => name.to_owned(),
            Takes::Ignored(_) | Takes::Later => format!("{name}=..."),
        }
    }
}

/// Why an option was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OptionError {
    /// There is no such option.
    #[error("there is no option `{name}`")]
    Unknown {
        /// As given.
        name: String,
        /// The nearest that there is.
        nearest: Option<&'static str>,
    },
    /// It does something that is not supported yet.
    #[error("option `{name}` is not supported yet")]
    Later {
        /// The option.
        name: &'static str,
        /// What it does.
        doc: &'static str,
    },
    /// It cannot be changed any more.
    #[error("option `{name}` cannot be changed while tracing")]
    Fixed {
        /// The option.
        name: &'static str,
    },
    /// It needs a value.
    #[error("option `{name}` needs a value: {expected}")]
    Missing {
        /// The option.
        name: &'static str,
        /// What it takes.
        expected: String,
    },
    /// It is no version, or none that can be had.
    #[error("option `version` does not take `{value}`: {why}")]
    Version {
        /// As given.
        value: String,
        /// DTrace's words for it.
        why: &'static str,
    },
    /// The value is not of the right form.
    #[error("option `{name}` does not take `{value}`")]
    Invalid {
        /// The option.
        name: &'static str,
        /// As given.
        value: String,
        /// What it takes.
        expected: String,
    },
}

impl OptionError {
    /// DTrace's words for it.
    pub fn reason(&self) -> &'static str {
        match self {
            OptionError::Unknown { .. } | OptionError::Later { .. } => "Invalid option name",
            OptionError::Fixed { .. } => "Operation illegal when tracing is active",
            OptionError::Version { why, .. } => why,
            OptionError::Missing { .. } | OptionError::Invalid { .. } => "Invalid value for specified option",
        }
    }

    /// What to do.
    pub fn help(&self) -> Option<String> {
        match self {
            OptionError::Unknown { nearest: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            OptionError::Unknown { nearest: None, .. } => {
                let effective = TABLE.iter().filter(|row| !matches!(row.takes, Ignored(_) | Later));
                let names: Vec<&str> = effective.map(|row| row.name).collect();
                Some(format!("there are {}", names.join(", ")))
            }
            OptionError::Later { doc, .. } => Some(format!("leave it out; it {doc}")),
            OptionError::Fixed { name } => Some(format!("set it before: `-x {name}=VALUE`")),
            OptionError::Version { .. } => {
                Some(format!("there are versions from {} to {}", Version::FIRST, Version::NEWEST))
            }
            OptionError::Missing { name, .. } => Some(format!("write `{name}=VALUE`")),
            OptionError::Invalid { expected, .. } => Some(format!("it takes {expected}")),
        }
    }
}

macro_rules! table {
    ($($name:literal $takes:expr, $doc:literal;)*) => {
        /// Every option.
        pub static TABLE: &[Row] = &[$(Row { name: $name, takes: $takes, doc: $doc },)*];
    };
}

use Takes::{Either, Flag, Ignored, Later, Number, Path, Rate, Size, Text, Word};

/// The words of `evaltime`, and what they mean where main is where constructors end.
const EVALUATIONS: [Evaluation; 4] =
    [Evaluation::Exec, Evaluation::Preinit, Evaluation::Main, Evaluation::Main];

const GIB: u64 = 1 << 30;

/// The largest buffer for a string.
const STRINGS: u64 = 4096;

table! {
    "quiet" Flag(|o| &mut o.quiet), "prints only what the program prints, as -q does";
    "destructive" Flag(|o| &mut o.destructive), "allows actions that change the system, as -w does";
    "defaultargs" Flag(|o| &mut o.defaultargs), "makes a macro argument that is not given 0 or \"\"";
    "argref" Flag(|o| &mut o.argref), "allows macro arguments that the program does not use";
    "libdir" Path(|o, path| o.libdirs.push(path.into())), "reads the D libraries of this directory, as -L does";
    "syslibdir" Path(|o, path| o.libdirs.insert(0, path.into())), "reads the D libraries of this directory, before all others";
    "nolibs" Flag(|o| &mut o.nolibs), "reads no D libraries";
    "zdefs" Flag(|o| &mut o.zdefs), "allows probe descriptions that match no probe, as -Z does";
    "empty" Flag(|o| &mut o.empty), "allows a program without clauses";
    "rawbytes" Flag(|o| &mut o.rawbytes), "prints the bytes of strings that are not text as they are";
    "scope" Either(|o| &mut o.scope, ["all", "tree"]), "fires probes for all processes, or for $target and what it forks";
    "strsize" Size(|o| &mut o.strsize, 1, STRINGS), "the most characters of a string";
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
    "stackframes" Number(|o, n| o.stackframes = n, 0, 127), "frames that stack() records";
    "ustackframes" Number(|o, n| o.ustackframes = n, 0, 127), "frames that ustack() records";
    "stackindent" Number(|o, n| o.stackindent = n, 0, 255), "blanks before each frame of a stack";

    "cpp" Flag(|o| &mut o.cpp), "runs the C preprocessor over the program, as -C does";
    "cpppath" Text(|o, path| o.cpppath = Some(path.to_owned()), "PATH"), "says which C preprocessor -C runs";
    "cpphdrs" Flag(|o| &mut o.cpphdrs), "has the C preprocessor name the files that it includes, as -H does";
    "incdir" Text(|o, path| o.cppargs.push(format!("-I{path}")), "DIRECTORY"), "says where the C preprocessor finds included files, as -I does";
    "define" Text(|o, name| o.cppargs.push(format!("-D{name}")), "NAME[=VALUE]"), "defines a name for the C preprocessor, as -D does";
    "cppargs" Text(|o, words| o.cppargs.extend(words.split_whitespace().map(str::to_owned)), "ARGUMENTS"), "gives the C preprocessor further arguments";
    "quietresize" Flag(|o| &mut o.quietresize), "says nothing of a buffer that was made smaller";
    "verbose" Flag(|o| &mut o.verbose), "shows the compiled program, as -S does";
    "amin" Takes::Attributes(|o, least| o.amin = Some(least)), "refuses programs that use anything of lesser stability";
    "version" Takes::Version, "takes the language as it was in this version: names that came later are none";
    "evaltime" Word(|o, n| o.evaltime = Some(EVALUATIONS[n]), &["exec", "preinit", "postinit", "main"]),
        "how far -c's process is brought before tracing begins: its exec, its libraries, its main function";
    "oformat" Later, "chooses the form of the output";

    "aggrate" Ignored(Form::Rate), "aggregations are read whenever they are printed";
    "aggpercpu" Ignored(Form::Nothing), "aggregations are always kept for each CPU";
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
    "stdc" Ignored(Form::Words(&["a", "c", "s", "t"])), "C's integer promotions are always those of ISO C";
    "undef" Text(|o, name| o.cppargs.push(format!("-U{name}")), "NAME"), "undefines a name for the C preprocessor, as -U does";
    "unodefs" Ignored(Form::Nothing), "user symbols are always checked";
    "debug" Ignored(Form::Nothing), "-v says what there is to say";
    "debugassert" Ignored(Form::Words(&["mutexes"])), "-v says what there is to say";
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

/// The options that may change while tracing.
const DYNAMIC: [&str; 15] = [
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
    "rawbytes",
    "stackindent",
    "statusrate",
    "switchrate",
];

impl Options {
    /// Bytes of a string's buffer, a multiple of 8: its characters and a zero.
    pub fn string_buffer(&self) -> u32 {
        (self.strsize + 1).next_multiple_of(8).min(STRINGS) as u32
    }

    /// Sets an option while tracing, as setopt() does.
    pub fn set_running(&mut self, name: &str, value: Option<&str>) -> Result<(), OptionError> {
        match TABLE.iter().find(|row| row.name == name) {
            Some(row) if !DYNAMIC.contains(&row.name) => Err(OptionError::Fixed { name: row.name }),
            _ => self.set(name, value).map(drop),
        }
    }

    /// Sets what the environment says, as dtrace reads it: `DTRACE_OPT_STRSIZE=512`. What it cannot mean is passed over.
    pub fn set_by_environment(&mut self, variable: impl Fn(&str) -> Option<String>) {
        for row in TABLE {
            if let Some(value) = variable(&format!("DTRACE_OPT_{}", row.name.to_ascii_uppercase())) {
                let value = (!value.is_empty()).then_some(value);
                let _ = self.set(row.name, value.as_deref());
            }
        }
    }

    /// What to say of the options that were set and are without effect.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let rows = self.ignored.iter().filter_map(|name| TABLE.iter().find(|row| row.name == *name));
        rows.map(|row| format!("option `{}` has no effect: {}", row.name, row.doc))
    }

    /// Sets an option as `-x name[=value]` and `#pragma D option` do.
    ///
    /// Gives the option's row, by which the caller can tell that it is without effect.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<&'static Row, OptionError> {
        let Some(row) = TABLE.iter().find(|row| row.name == name) else {
            let nearest = nearest(name, TABLE.iter().map(|row| row.name))
                .and_then(|near| TABLE.iter().find(|row| row.name == near).map(|row| row.name));
            return Err(OptionError::Unknown { name: name.to_owned(), nearest });
        };
        let needed = || value.ok_or(OptionError::Missing { name: row.name, expected: row.takes.to_string() });
        let invalid = |value: &str| OptionError::Invalid {
            name: row.name,
            value: value.to_owned(),
            expected: row.takes.to_string(),
        };
        match row.takes {
            Flag(place) => {
                *place(self) = match value {
                    None => true,
                    Some(value) => values::flag(value).ok_or_else(|| invalid(value))?,
                };
            }
            Either(place, words) => {
                let value = needed()?;
                let chosen = words.iter().position(|word| *word == value);
                *place(self) = chosen.ok_or_else(|| invalid(value))? == 1;
            }
            Size(place, least, most) => {
                let value = needed()?;
                let size = values::size(value).filter(|size| *size <= most);
                *place(self) = size.ok_or_else(|| invalid(value))?.max(least);
            }
            Rate(place) => {
                let value = needed()?;
                *place(self) = values::rate(value).ok_or_else(|| invalid(value))?;
            }
            Number(set, least, most) => {
                let value = needed()?;
                let number = values::number(value).filter(|number| (least..=most).contains(number));
                set(self, number.ok_or_else(|| invalid(value))?);
            }
            Word(set, words) => {
                let value = needed()?;
                let chosen = words.iter().position(|word| *word == value);
                set(self, chosen.ok_or_else(|| invalid(value))?);
            }
            Path(set) | Text(set, _) => set(self, needed()?),
            Takes::Attributes(set) => {
                let value = needed()?;
                set(self, Attributes::parse(value).ok_or_else(|| invalid(value))?);
            }
            Takes::Version => self.reduce(needed()?)?,
            Ignored(form) => match value {
                Some(value) if !form.takes(value) => return Err(invalid(value)),
                None if !form.takes("") => {
                    return Err(OptionError::Missing { name: row.name, expected: form.to_string() });
                }
                _ => self.ignored.push(row.name),
            },
            Later => return Err(OptionError::Later { name: row.name, doc: row.doc }),
        }
        Ok(row)
    }
}

impl Options {
    /// Takes the language as an earlier version had it; what has been left out does not come back.
    fn reduce(&mut self, text: &str) -> Result<(), OptionError> {
        let refused = |why| OptionError::Version { value: text.to_owned(), why };
        let version = Version::parse(text)
            .ok_or_else(|| refused("Version is not properly formatted or is too large"))?;
        if !version.is_defined() {
            return Err(refused("Requested version is not supported by compiler"));
        }
        if version > self.version {
            return Err(refused("Requested version conflicts with earlier setting"));
        }
        self.version = version;
        Ok(())
    }
}

impl std::fmt::Display for Takes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        let mut options = Options::default();
        options.set("quiet", None).unwrap();
        options.set("strsize", Some("100")).unwrap();
        options.set("bufsize", Some("16m")).unwrap();
        options.set("switchrate", Some("10")).unwrap();
        options.set("statusrate", Some("250ms")).unwrap();
        options.set("bufpolicy", Some("ring")).unwrap();
        options.set("cleanrate", Some("50hz")).unwrap();
        assert_eq!((options.bufpolicy, &options.ignored[..]), (Policy::Ring, &["cleanrate"][..]));
        assert!(options.quiet);
        assert_eq!((options.strsize, options.string_buffer(), options.bufsize), (100, 104, 16 << 20));
        assert_eq!((options.switchrate, options.statusrate), (100_000_000, 250_000_000));
        options.set("quiet", Some("0")).unwrap();
        assert!(!options.quiet);
        options.set("strsize", Some("1")).unwrap();
        assert_eq!((options.strsize, options.string_buffer()), (1, 8));
        assert_eq!(Options::default().string_buffer(), 264);
    }

    #[test]
    fn a_version_is_never_followed_by_a_later_one() {
        let mut options = Options::default();
        options.set("version", Some("1.2.1")).unwrap();
        options.set("version", Some("1.2.1")).unwrap();
        let error = options.set("version", Some("1.5")).unwrap_err();
        assert_eq!(error.reason(), "Requested version conflicts with earlier setting");
        assert_eq!(options.version.to_string(), "1.2.1");
    }

    #[test]
    fn the_environment_sets_options_too() {
        let mut options = Options::default();
        options.set_by_environment(|name| match name {
            "DTRACE_OPT_STRSIZE" => Some("512".to_owned()),
            "DTRACE_OPT_QUIET" => Some(String::new()),
            "DTRACE_OPT_NSPEC" => Some("many".to_owned()),
            _ => None,
        });
        assert_eq!((options.strsize, options.quiet, options.nspec), (512, true, 1));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut options = Options::default();
        let error = options.set("strsiez", Some("1")).unwrap_err();
        assert_eq!(error.help().as_deref(), Some("did you mean `strsize`?"));
        assert!(matches!(options.set_running("bufsize", Some("1m")), Err(OptionError::Fixed { .. })));
        for (name, value) in [
            ("bufpolicy", "full"),
            ("nspec", "0"),
            ("strsize", "1g"),
            ("strsize", "x"),
            ("switchrate", "x"),
            ("aggpercpu", "1"),
            ("amin", "Evolving/Common"),
            ("evaltime", "never"),
            ("quiet", "maybe"),
        ] {
            assert!(
                matches!(options.set(name, Some(value)), Err(OptionError::Invalid { .. })),
                "{name}={value}"
            );
        }
        for version in ["99", "1.x", "1.2.3.4", ""] {
            assert!(
                matches!(options.set("version", Some(version)), Err(OptionError::Version { .. })),
                "{version}"
            );
        }
        for name in ["bufsize", "amin", "version", "evaltime"] {
            assert!(matches!(options.set(name, None), Err(OptionError::Missing { .. })), "{name}");
        }
        assert_eq!(options, Options::default());
    }
}
