//! `tracer explain`: what a name means.

use anyhow::{Result, anyhow};

use super::args::Explain;
use super::show;
use crate::explain;
use crate::kernel::Target;
use crate::provider::Catalog;

/// Runs the command; gives the exit status.
pub(super) fn run(arguments: &Explain) -> Result<i32> {
    if arguments.reference {
        show(&explain::reference())?;
        return Ok(0);
    }
    let mut catalog = Catalog::new(&Target::describe()?);
    for (index, name) in arguments.names.iter().enumerate() {
        let text = explain::explain(name, &mut catalog).map_err(|error| anyhow!("{error}"))?;
        show(&format!("{}{text}", if index == 0 { "" } else { "\n" }))?;
    }
    Ok(0)
}
