//! `tracer demo`: a TCP connection of its own, traced live as `tracer watch` does and drawn as a ladder.
//!
//! Where the system does not allow tracing it says why, and draws a stored connection, labelled as such.

mod play;

use std::io::{self, IsTerminal as _};
use std::net::{Ipv4Addr, TcpListener};
use std::rc::Rc;

use anyhow::{Context as _, Result};

use super::args::Demo;
use super::{say, show, watch};
use crate::check::Options;
use crate::event::{Family, Reader};
use crate::kernel::Target;
use crate::output::value::Event;
use crate::output::{Output, text};
use crate::session::{Child, Follow};
use crate::view::Style;
use crate::view::ladder::{Collector, Ladder, SAMPLE, render};

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
            say(&format!("{error:#}\n"));
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
    let followed = [Follow::Command(Rc::new(Child::park(&format!("{quoted} demo --play {port}"))?))];
    let (mut session, names) = watch::start(&[Family::Socket, Family::Tcp], &followed, &target)?;
    let mut gathering = Gathering { reader: Reader::new(names), collector: Collector::new(port) };
    session.run(&followed, &mut gathering)?;
    Ok(gathering.collector.ladder())
}

/// Gathers the events of the connection.
struct Gathering {
    reader: Reader,
    collector: Collector,
}

impl Output for Gathering {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Firing(firing) => {
                let read = self.reader.event(firing);
                self.collector.add(&read.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?);
            }
            Event::Drop(notice) => say(&text::dropped(notice)),
            // The programs have nothing that can fault and no aggregations, and the drawing has an order of its own.
            Event::Fault(_)
            | Event::Aggregations(_)
            | Event::Disorder(_)
            | Event::Interrupted
            | Event::Ended => {}
        }
        Ok(())
    }

    fn configure(&mut self, _: &Options) {}

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    fn the_sample_can_be_drawn() {
        let ladder: Ladder = serde_json::from_str(SAMPLE).expect("the sample is a ladder");
        let style = Style { width: 100, unicode: true, color: false };
        assert!(render(&ladder, &style).contains("SYN ACK"));
    }
}
