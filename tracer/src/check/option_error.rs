//! Why an option is refused: the message, DTrace's words for it, and what to do.

use thiserror::Error;

use super::option_table::{TABLE, Takes};
use super::standing::Version;

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
    /// A program cannot set it.
    #[error("option `{name}` cannot be set by a program")]
    Outside {
        /// The option.
        name: &'static str,
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
            OptionError::Outside { .. } => "Option cannot be used from within a D program",
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
                let effective =
                    TABLE.iter().filter(|row| !matches!(row.takes, Takes::Ignored(_) | Takes::Later));
                let names: Vec<&str> = effective.map(|row| row.name).collect();
                Some(format!("there are {}", names.join(", ")))
            }
            OptionError::Later { doc, .. } => Some(format!("leave it out; it {doc}")),
            OptionError::Outside { name } => Some(format!("give it to the tracer: `-x {name}=VALUE`")),
            OptionError::Fixed { name } => Some(format!("set it before: `-x {name}=VALUE`")),
            OptionError::Version { .. } => {
                Some(format!("there are versions from {} to {}", Version::FIRST, Version::NEWEST))
            }
            OptionError::Missing { name, .. } => Some(format!("write `{name}=VALUE`")),
            OptionError::Invalid { expected, .. } => Some(format!("it takes {expected}")),
        }
    }
}
