//! Tables of stored events.

use super::*;
use crate::event::samples;

#[test]
fn every_table() {
    let mut summary = Summary::default();
    samples::events().iter().for_each(|event| summary.add(event));
    let text = summary.render(samples::START + 1_000_000_000);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_comes_to_nothing() {
    assert_eq!(Summary::default().render(5), "");
}

#[test]
fn bytes_find_their_readers_also_when_a_write_is_told_late() {
    let mut summary = Summary::default();
    let transfer = |pid, write, bytes| samples::transfer(pid, write, bytes);
    // The reader has got 10 bytes of a write that ends only then; a second writer's 5 are not read.
    let events = [transfer(2, false, 10), transfer(1, true, 16), transfer(2, false, 6), transfer(3, true, 5)];
    events.iter().for_each(|event| summary.add(event));
    let text = summary.render(0);
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(words.contains(&vec!["77", "p1", "1", "p2", "2", "16"]), "{text}");
    assert!(words.contains(&vec!["77", "p3", "3", "nobody", "seen", "5"]), "{text}");
}
