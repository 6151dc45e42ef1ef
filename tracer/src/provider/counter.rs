//! What the names of cpc's probes say: `page_faults-user-100` is each 100th page fault in user code.

use std::fmt;

use crate::kernel::counters::{Event, MAJOR_FAULTS, Mode, find};

/// What a probe of cpc counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counter {
    /// The event.
    pub event: &'static Event,
    /// Where the processor is when it counts.
    pub mode: Mode,
    /// How many make a firing.
    pub count: u64,
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadCounter {
    /// No event is called so.
    Event(String),
    /// The mode is none.
    Mode(String),
    /// There is something between mode and count.
    Attributes(String),
    /// The count is none.
    Count(String),
}

impl fmt::Display for BadCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadCounter::Event(name) => write!(f, "perf counts no event that is called `{name}`"),
            BadCounter::Mode(mode) => write!(f, "`{mode}` is no mode; there are all, user and kernel"),
            BadCounter::Attributes(text) => {
                write!(f, "attributes of the processor's own events (`{text}`) cannot be given")
            }
            BadCounter::Count(text) => {
                write!(f, "`{text}` is no count: a number from 1 on has to end the name")
            }
        }
    }
}

const MODES: &[(&str, Mode)] = &[("all", Mode::All), ("user", Mode::User), ("kernel", Mode::Kernel)];

impl Counter {
    /// Each page fault that has waited for a device.
    pub fn major_faults() -> Counter {
        Counter { event: &MAJOR_FAULTS, mode: Mode::All, count: 1 }
    }

    /// The name that DTrace lists an event by: with a count that is high enough for any.
    pub(super) fn listed(event: &'static Event) -> Counter {
        Counter { event, mode: Mode::All, count: 1_000_000_000 }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = MODES.iter().find(|row| row.1 == self.mode).map_or("", |row| row.0);
        write!(f, "{}-{mode}-{}", self.event.names[0], self.count)
    }
}

/// Reads a probe's name, if it has the form of one: an event, a mode, attributes or none, and a count.
pub(super) fn parse(name: &str) -> Option<Result<Counter, BadCounter>> {
    let parts: Vec<&str> = name.split('-').collect();
    let &[event, mode, ref attributes @ .., count] = parts.as_slice() else { return None };
    Some(read(event, mode, attributes, count))
}

fn read(event: &str, mode: &str, attributes: &[&str], count: &str) -> Result<Counter, BadCounter> {
    let event = find(event).ok_or_else(|| BadCounter::Event(event.to_owned()))?;
    let known = MODES.iter().find(|row| row.0 == mode);
    let &(_, mode) = known.ok_or_else(|| BadCounter::Mode(mode.to_owned()))?;
    if !attributes.is_empty() {
        return Err(BadCounter::Attributes(attributes.join("-")));
    }
    let number = count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok()).flatten();
    // The kernel keeps a period in 63 bits (kernel/events/core.c, perf_event_open, Linux 6.18).
    let number = number.filter(|count: &u64| (1..1 << 63).contains(count));
    Ok(Counter { event, mode, count: number.ok_or_else(|| BadCounter::Count(count.to_owned()))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_event_mode_and_count() {
        let counter = parse("page_faults-user-100").expect("it has the form").expect("and is one");
        assert_eq!((counter.event.names[0], counter.mode, counter.count), ("page_faults", Mode::User, 100));
        assert_eq!(counter.to_string(), "page_faults-user-100");
        let listed = Counter::listed(counter.event);
        assert_eq!(parse(&listed.to_string()), Some(Ok(listed)));
        assert_eq!(parse("cs-all-1"), parse("context_switches-all-1"));
    }

    #[test]
    fn what_is_no_counter_is_told() {
        assert_eq!(parse("tick-1s"), None);
        let bad = |name: &str| parse(name).and_then(Result::err);
        assert_eq!(bad("nothing-all-1"), Some(BadCounter::Event("nothing".to_owned())));
        assert_eq!(bad("cycles-any-1"), Some(BadCounter::Mode("any".to_owned())));
        assert_eq!(bad("cycles-all-umask_0x7-1"), Some(BadCounter::Attributes("umask_0x7".to_owned())));
        for count in ["0", "", "1s", "+1", "9223372036854775808", "99999999999999999999"] {
            assert_eq!(bad(&format!("cycles-all-{count}")), Some(BadCounter::Count(count.to_owned())));
        }
    }
}
