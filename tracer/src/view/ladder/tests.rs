//! Ladders of stored connections.

use super::*;

const SAMPLE: &str = include_str!("sample.json");

fn sample() -> Ladder {
    serde_json::from_str(SAMPLE).unwrap()
}

fn draw(ladder: &Ladder, width: usize) -> String {
    render(ladder, &Style { width, unicode: true, color: false })
}

fn segment(
    from: Side,
    sent_ns: u64,
    received_ns: Option<u64>,
    flags: u8,
    seq: u32,
    ack: u32,
    len: u32,
) -> Step {
    Step::Segment(Segment { sent_ns, received_ns, from, flags, seq, ack, len, window: 1000 })
}

fn ladder(steps: Vec<Step>) -> Ladder {
    let end =
        |name: &str, pid, address: &str| End { name: name.to_owned(), pid, address: address.to_owned() };
    Ladder { client: end("nc", 7, "[::1]:50000"), server: end("ncat", 9, "[::1]:80"), steps }
}

#[test]
fn a_whole_connection() {
    insta::assert_snapshot!(draw(&sample(), 80));
    insta::assert_snapshot!(draw(&sample(), 100));
    insta::assert_snapshot!(draw(&sample(), 120));
}

#[test]
fn in_plain_ascii() {
    let text = render(&sample(), &Style { width: 80, unicode: false, color: false });
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

#[test]
fn colours_change_nothing_but_colours() {
    let colored = render(&sample(), &Style { width: 100, unicode: true, color: true });
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain += before;
        rest = after.split_once('m').expect("a sequence ends").1;
    }
    assert_eq!(plain + rest, draw(&sample(), 100));
    assert!(colored.contains("\x1b[1;32m") && colored.lines().all(|line| !line.ends_with("[1;32m")));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [80, 97, 120] {
        assert!(draw(&sample(), width).lines().all(|line| line.chars().count() <= width));
    }
    assert!(draw(&sample(), 10).lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn segments_cross_and_get_lost() {
    // A simultaneous close with a lost and repeated segment; the connection was there before: no SYN was seen.
    let state = |time_ns, side, old: &str, new: &str| Step::State {
        time_ns,
        side,
        old: old.to_owned(),
        new: new.to_owned(),
    };
    let steps = vec![
        state(0, Side::Client, "SYN_SENT", "ESTABLISHED"),
        state(1, Side::Server, "SYN_RECV", "ESTABLISHED"),
        segment(Side::Client, 1_000, None, 24, 5000, 900, 10),
        segment(Side::Client, 250_000_000, Some(250_002_000), 24, 5000, 900, 10),
        segment(Side::Client, 250_010_000, Some(250_030_000), 17, 5010, 900, 0),
        segment(Side::Server, 250_020_000, Some(250_040_000), 17, 900, 5010, 0),
        state(250_050_000, Side::Client, "FIN_WAIT1", "CLOSING"),
        segment(Side::Client, 250_060_000, Some(250_070_000), 4, 5011, 0, 0),
    ];
    insta::assert_snapshot!(draw(&ladder(steps), 90));
}

#[test]
fn a_ladder_survives_json() {
    let again: Ladder = serde_json::from_str(&serde_json::to_string(&sample()).unwrap()).unwrap();
    assert_eq!(again, sample());
}

#[test]
fn nothing_happened() {
    assert!(draw(&ladder(vec![]), 80).contains("0 segments"));
}

#[test]
fn numbers_wrap_around() {
    let steps = vec![
        segment(Side::Client, 0, Some(1), 2, u32::MAX, 0, 0),
        segment(Side::Server, 2, Some(3), 18, 7, 0, 0),
        segment(Side::Client, 4, Some(5), 24, 0, 8, 3),
    ];
    let text = draw(&ladder(steps), 100);
    assert!(text.contains("PSH ACK seq=1 ack=1 len=3"), "{text}");
    assert!(!text.contains("again"), "{text}");
}
