//! Loading: the linked ELF becomes maps and programs in the kernel. With `attach`, the only file that knows aya's loader.

use std::collections::HashSet;

use aya::programs::{Program, ProgramError};
use aya::{Ebpf, EbpfLoader, VerifierLogLevel};

use super::error::SessionError;
use crate::link::Output;

/// Loads every program of the ELF; nothing is attached yet.
pub(super) fn load(linked: &Output, verbose: bool) -> Result<Ebpf, SessionError> {
    let level =
        if verbose { VerifierLogLevel::VERBOSE | VerifierLogLevel::STATS } else { VerifierLogLevel::DISABLE };
    let mut ebpf = EbpfLoader::new()
        .verifier_log_level(level)
        .load(&linked.elf)
        .map_err(|error| SessionError::Load(chain(&error)))?;
    let wanted: HashSet<&str> =
        linked.supports.iter().chain(&linked.programs).map(|program| program.symbol.as_str()).collect();
    for (name, program) in ebpf.programs_mut().filter(|(name, _)| wanted.contains(name)) {
        let loaded = match program {
            Program::RawTracePoint(program) => program.load(),
            Program::PerfEvent(program) => program.load(),
            _ => {
                return Err(SessionError::Load(format!("program {name} is of a kind that is not used here")));
            }
        };
        loaded.map_err(|error| refused(name, &error, verbose))?;
    }
    Ok(ebpf)
}

fn refused(program: &str, error: &ProgramError, verbose: bool) -> SessionError {
    let log = match error {
        ProgramError::LoadError { verifier_log, .. } => verifier_log.to_string(),
        _ => String::new(),
    };
    let telling = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with("processed ")
            && !line.starts_with("verification time")
            && !line.starts_with("stack depth")
            && !line.contains("insns (limit")
    };
    let reason = log.lines().rev().find(telling).map_or_else(|| chain(error), |line| line.trim().to_owned());
    let log = if verbose { log } else { String::new() };
    SessionError::Refused { program: program.to_owned(), reason, log }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
