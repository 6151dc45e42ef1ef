//! The options of `-x` and `#pragma D option`: their values, and how they are set. [`TABLE`] says which there are.
//!
//! Invariant: an [`Options`] holds only values that the table allows.

use super::option_table::{ANY, DYNAMIC, OUTSIDE, STRINGS};
use super::standing::Version;
use super::values::{self, SECOND};
use crate::diagnostic::nearest;
use crate::stability::Attributes;

pub use super::option_error::OptionError;
pub use super::option_table::{Row, TABLE, Takes};

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
    /// Bytes of which a constant alloca() may ask for all but 8.
    pub scratchsize: u64,
    /// The most bytes of a captured packet.
    pub pcapsize: u64,
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
    /// The most frames that either records.
    pub maxframes: u64,
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
            scratchsize: 256,
            pcapsize: 2048,
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
            ustackframes: 100,
            maxframes: ANY,
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

    /// Sets an option as a program's pragma does.
    pub fn set_in_program(&mut self, name: &str, value: Option<&str>) -> Result<(), OptionError> {
        match OUTSIDE.into_iter().find(|outside| *outside == name) {
            Some(name) => Err(OptionError::Outside { name }),
            None => self.set(name, value).map(drop),
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
            Takes::Switch(place) => match value {
                Some(value) => return Err(invalid(value)),
                None => *place(self) = true,
            },
            Takes::Flag(place) => {
                *place(self) = match value {
                    None => true,
                    Some(value) => values::flag(value).ok_or_else(|| invalid(value))?,
                };
            }
            Takes::Either(place, words) => {
                let value = needed()?;
                let chosen = words.iter().position(|word| *word == value);
                *place(self) = chosen.ok_or_else(|| invalid(value))? == 1;
            }
            Takes::Size(place, least, most) => {
                let value = needed()?;
                let size = values::size(value).filter(|size| *size <= most);
                *place(self) = size.ok_or_else(|| invalid(value))?.max(least);
            }
            Takes::Rate(place) => {
                let value = needed()?;
                *place(self) = values::rate(value).ok_or_else(|| invalid(value))?;
            }
            Takes::Number(set, least, most) => {
                let value = needed()?;
                let number = values::number(value).filter(|number| (least..=most).contains(number));
                set(self, number.ok_or_else(|| invalid(value))?);
            }
            Takes::Word(set, words) => {
                let value = needed()?;
                let chosen = words.iter().position(|word| *word == value);
                set(self, chosen.ok_or_else(|| invalid(value))?);
            }
            Takes::Path(set) | Takes::Text(set, _) => set(self, needed()?),
            Takes::Attributes(set) => {
                let value = needed()?;
                set(self, Attributes::parse(value).ok_or_else(|| invalid(value))?);
            }
            Takes::Version => self.reduce(needed()?)?,
            Takes::Ignored(form) => match value {
                Some(value) if !form.takes(value) => return Err(invalid(value)),
                None if !form.takes("") => {
                    return Err(OptionError::Missing { name: row.name, expected: form.to_string() });
                }
                _ => self.ignored.push(row.name),
            },
            Takes::Later => return Err(OptionError::Later { name: row.name, doc: row.doc }),
        }
        Ok(row)
    }

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
        assert!(matches!(options.set_in_program("define", Some("A")), Err(OptionError::Outside { .. })));
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
            ("zdefs", "1"),
            ("cpp", "yes"),
            ("argref", ""),
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
