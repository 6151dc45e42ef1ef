//! `tracer demo`: a TCP connection of its own, traced live by a D program and drawn as a ladder.
//!
//! Where the system does not allow tracing it says why, and draws a stored connection, labelled as such.

mod collect;
mod play;

use std::io::{self, IsTerminal as _};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use super::args::Demo;
use super::{complain, show};
use crate::check::{Macros, Options};
use crate::diagnostic::Sources;
use crate::kernel::Target;
use crate::output::names::Names;
use crate::provider::Catalog;
use crate::session::{Child, Follow, Pace, Session};
use crate::syntax::DescPart;
use crate::view::Style;
use crate::view::ladder::{Ladder, SAMPLE, render};
use crate::{Input, compile, describe, link_for};
use collect::Collector;

const PROGRAM: &str = include_str!("connection.d");

/// Runs the command; gives the exit status.
pub(super) fn run(demo: &Demo) -> Result<i32> {
    if let Some(port) = demo.play {
        play::play(port)?;
        return Ok(0);
    }
    let style = style(demo);
    if demo.sample {
        show_sample(&style)?;
        return Ok(0);
    }
    match trace() {
        Ok(ladder) => {
            show(&render(&ladder, &style))?;
            Ok(0)
        }
        Err(error) => {
            complain(&format!("tracer: {error:#}\n\n"));
            show_sample(&style)?;
            Ok(1)
        }
    }
}

/// Plays the connection and traces it.
fn trace() -> Result<Ladder> {
    let target = Target::probe()?;
    let port = free_port().context("there is no free port on the loopback")?;
    let program = std::env::current_exe().context("this program does not know its own path")?;
    let quoted = shlex::try_quote(program.to_str().context("this program's path is not text")?)?.into_owned();
    let child = Child::park(&format!("{quoted} demo --play {port}"))?;

    let mut catalog = Catalog::new(&target);
    let mut sources = Sources::default();
    let input = Input { source: sources.add("connection.d", PROGRAM), last: DescPart::Name };
    let macros = Macros { target: Some(child.pid), ..Macros::here(vec![port.to_string()]) };
    let compiled = compile(&mut sources, &[input], &mut catalog, &target, &Options::default(), &macros)
        .map_err(|problems| anyhow!("{}", problems.render(&sources, false)))?;
    let linked = link_for(&compiled, &target)?;
    let mut session = Session::start(&linked, describe::description(&compiled, &catalog, &target), false)?;
    let mut collector = Collector::new(Names::new(&catalog, compiled.probes()), port);
    let pace = Pace { switch: Duration::from_millis(50), status: Duration::from_secs(1) };
    session.run(&mut Follow::Command(child), pace, &mut collector)?;
    Ok(collector.ladder())
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn show_sample(style: &Style) -> Result<()> {
    let ladder: Ladder = serde_json::from_str(SAMPLE).context("the stored sample")?;
    Ok(show(&format!("A stored sample, not traced on this machine:\n\n{}\n", render(&ladder, style)))?)
}

/// As wide as the terminal, colours where there is one.
fn style(demo: &Demo) -> Style {
    let terminal = io::stdout().is_terminal();
    let columns = terminal_columns().or_else(|| std::env::var("COLUMNS").ok()?.parse().ok());
    let color = terminal && std::env::var_os("NO_COLOR").is_none();
    Style { width: columns.unwrap_or(100).clamp(80, 120), unicode: !demo.ascii, color }
}

fn terminal_columns() -> Option<usize> {
    // SAFETY: the kernel fills in a winsize; one of zeros is a value.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        let done = libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) == 0;
        (done && size.ws_col > 0).then_some(usize::from(size.ws_col))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_compiles_for_a_system_with_every_probe() {
        let target = Target::fixture();
        let mut catalog = Catalog::new(&target);
        let mut sources = Sources::default();
        let input = Input { source: sources.add("connection.d", PROGRAM), last: DescPart::Name };
        let macros = Macros { target: Some(1), ..Macros::here(vec!["80".into()]) };
        let compiled = compile(&mut sources, &[input], &mut catalog, &target, &Options::default(), &macros);
        assert!(compiled.is_ok(), "{}", compiled.unwrap_err().render(&sources, false));
    }

    #[test]
    fn the_sample_can_be_drawn() {
        let ladder: Ladder = serde_json::from_str(SAMPLE).expect("the sample is a ladder");
        let style = Style { width: 100, unicode: true, color: false };
        assert!(render(&ladder, &style).contains("SYN ACK"));
    }
}
