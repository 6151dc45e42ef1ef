//! The rates in the names of profile and tick probes: `profile-997`, `tick-1s`, `tick-100ms`.

use std::fmt;

/// The period of a profile or tick probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    /// Nanoseconds between two firings.
    pub nanoseconds: u64,
}

/// The shortest period: DTrace's, with which a machine has time for other things than its clock.
const SHORTEST: u64 = 200_000;

/// The longest: perf keeps a period in 63 bits; a year is enough.
const LONGEST: u64 = 366 * 86_400 * SECOND;

const SECOND: u64 = 1_000_000_000;

/// Units and their nanoseconds. Frequencies, `hz` or no unit, are apart.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("nsec", 1),
    ("us", 1_000),
    ("usec", 1_000),
    ("ms", 1_000_000),
    ("msec", 1_000_000),
    ("s", SECOND),
    ("sec", SECOND),
    ("m", 60 * SECOND),
    ("min", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("hour", 3_600 * SECOND),
    ("d", 86_400 * SECOND),
    ("day", 86_400 * SECOND),
];

/// What is wrong with a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadRate {
    /// There is no number after the dash.
    NoNumber,
    /// The unit is none.
    Unit(String),
    /// The period is too short or too long.
    Range,
}

impl fmt::Display for BadRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadRate::NoNumber => write!(f, "a number has to follow the dash, as in profile-997 or tick-1s"),
            BadRate::Unit(unit) => {
                write!(
                    f,
                    "`{unit}` is no unit of time; there are ns, us, ms, s, m, h, d, and hz, the default"
                )
            }
            BadRate::Range => write!(f, "a period is at least 200us (5000hz) and at most 366d"),
        }
    }
}

/// Reads what follows `profile-` or `tick-`.
pub(super) fn parse(text: &str) -> Result<Rate, BadRate> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(BadRate::NoNumber);
    }
    let number: u64 = number.parse().map_err(|_| BadRate::Range)?;
    let nanoseconds = match unit {
        _ if unit.is_empty() || unit.eq_ignore_ascii_case("hz") => SECOND.checked_div(number),
        _ => {
            let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
            let &(_, scale) = known.ok_or_else(|| BadRate::Unit(unit.to_owned()))?;
            number.checked_mul(scale)
        }
    };
    match nanoseconds {
        Some(nanoseconds @ SHORTEST..=LONGEST) => Ok(Rate { nanoseconds }),
        _ => Err(BadRate::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_dtrace() {
        let period = |text| parse(text).map(|rate| rate.nanoseconds);
        assert_eq!(period("997"), Ok(1_003_009));
        assert_eq!(period("1000hz"), Ok(1_000_000));
        assert_eq!(period("1s"), Ok(SECOND));
        assert_eq!(period("1sec"), Ok(SECOND));
        assert_eq!(period("250ms"), Ok(250_000_000));
        assert_eq!(period("200us"), Ok(200_000));
        assert_eq!(period("5000Hz"), Ok(200_000));
        assert_eq!(period("2m"), Ok(120 * SECOND));
        assert_eq!(period("1h"), Ok(3_600 * SECOND));
        assert_eq!(period("1d"), Ok(86_400 * SECOND));
        assert_eq!(period("200000nsec"), Ok(200_000));
    }

    #[test]
    fn what_is_no_rate_is_told() {
        assert_eq!(parse(""), Err(BadRate::NoNumber));
        assert_eq!(parse("s"), Err(BadRate::NoNumber));
        assert_eq!(parse("5parsecs"), Err(BadRate::Unit("parsecs".to_owned())));
        for range in
            ["0", "0s", "199us", "199999ns", "5001", "367d", "99999999999999999999", "18446744073709551615d"]
        {
            assert_eq!(parse(range), Err(BadRate::Range), "{range}");
        }
    }
}
