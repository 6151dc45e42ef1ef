//! Events of every kind as lines, compared with stored ones.

use super::*;
use crate::event::samples;

fn show(style: Style) -> String {
    let mut lines = Lines::new(style, samples::START);
    let heading = lines.heading();
    samples::events().iter().fold(heading, |text, event| text + &lines.line(event))
}

#[test]
fn every_kind_of_event() {
    insta::assert_snapshot!(show(Style { width: 100, unicode: true, color: false }));
}

#[test]
fn colours_change_nothing_but_colours() {
    let plain = show(Style { width: 100, unicode: true, color: false });
    let mut colored = show(Style { width: 100, unicode: true, color: true });
    assert_ne!(plain, colored);
    while let Some(begin) = colored.find('\x1b') {
        let end = colored[begin..].find('m').expect("a sequence ends in m");
        colored.replace_range(begin..=begin + end, "");
    }
    assert_eq!(plain, colored);
}

#[test]
fn what_a_program_has_chosen_is_escaped() {
    let text = show(Style { width: 100, unicode: true, color: false });
    assert!(text.contains("evil\\x1b[2J\\n"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert_eq!(text.lines().count(), samples::events().len() + 1, "{text}");
}
