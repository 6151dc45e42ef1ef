//! Constants: integers, floating-point numbers, characters, strings.
//!
//! Invariant: a wrong constant is reported and still gives a token of its kind, so that parsing goes on.

use super::ast::{FloatKind, FloatLit, IntLit, Radix};
use super::lexer::Lexer;
use super::token::Tok;
use crate::diagnostic::{Diagnostic, Tag, push_bytes};

impl Lexer<'_> {
    /// A number: all the letters, digits and dots that hang together, so that a wrong one is told as one.
    pub(super) fn number(&mut self) -> Tok {
        let start = self.pos;
        let rest = self.rest();
        let hex = rest.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
        let mut before = ' ';
        for c in rest.chars() {
            let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !hex;
            if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || sign) {
                break;
            }
            self.pos += 1;
            before = c;
        }
        let text = &self.text[start..self.pos];
        let result = if !hex && text.contains(['.', 'e', 'E']) {
            float(text).map(Tok::Float)
        } else {
            integer(text).map(Tok::Int)
        };
        result.unwrap_or_else(|wrong| {
            let span = self.span_from(start);
            self.problem(
                Diagnostic::error(wrong.tag, span, wrong.message.replace("{}", text))
                    .label(wrong.label)
                    .help(wrong.help),
            );
            Tok::Int(IntLit::default())
        })
    }

    /// A string: up to its closing quote or the end of its line.
    pub(super) fn string(&mut self) -> Tok {
        let start = self.pos;
        let (bytes, closed) = self.quoted('"');
        if !closed {
            let span = self.span_from(start);
            self.problem(
                Diagnostic::error(Tag::D_STR_NL, span, "this string is not closed on its line")
                    .label("no `\"` after this")
                    .help("close it with `\"`; write a newline inside a string as `\\n`"),
            );
        }
        Tok::Str(bytes)
    }

    /// A character constant; several characters make one number, the first being the most significant.
    pub(super) fn character(&mut self) -> Tok {
        let start = self.pos;
        let (bytes, closed) = self.quoted('\'');
        let span = self.span_from(start);
        let wrong = if !closed {
            Some((Tag::D_CHR_NL, "this character constant is not closed on its line", "close it with `'`"))
        } else if bytes.is_empty() {
            Some((Tag::D_CHR_NULL, "an empty character constant", "write `'\\0'` for a zero byte"))
        } else if bytes.len() > size_of::<u64>() {
            Some((
                Tag::D_CHR_OFLOW,
                "a character constant of more than eight bytes",
                "write strings in double quotes",
            ))
        } else {
            None
        };
        if let Some((tag, message, help)) = wrong {
            self.problem(Diagnostic::error(tag, span, message).label("this constant").help(help));
        }
        Tok::Char(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// What stands between two quotes, escapes replaced, and whether the second one was there.
    fn quoted(&mut self, quote: char) -> (Vec<u8>, bool) {
        self.pos += 1;
        let mut bytes = Vec::new();
        while let Some(c) = self.peek() {
            if c == '\n' {
                return (bytes, false);
            }
            self.pos += c.len_utf8();
            if c == quote {
                return (bytes, true);
            } else if c == '\\' {
                bytes.extend(self.escape());
            } else {
                push_bytes(c, &mut bytes);
            }
        }
        (bytes, false)
    }

    /// What stands for the escape whose backslash was just passed; an unknown one stands for its letter.
    fn escape(&mut self) -> Option<u8> {
        let c = self.peek()?;
        if c.is_digit(8) {
            return Some(self.digits(8, 3) as u8);
        }
        if c == 'x' && self.rest()[1..].starts_with(|c: char| c.is_ascii_hexdigit()) {
            self.pos += 1;
            return Some(self.digits(16, 2) as u8);
        }
        let byte = match c {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            c if c.is_ascii() && c != '\n' => c as u8,
            _ => return None,
        };
        self.pos += 1;
        Some(byte)
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let mut value = 0;
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(radix)) else { break };
            value = value * radix + digit;
            self.pos += 1;
        }
        value
    }
}

/// What is wrong with a number; `{}` in the message is the number.
struct Wrong {
    tag: Tag,
    message: &'static str,
    label: &'static str,
    help: &'static str,
}

fn integer(text: &str) -> Result<IntLit, Wrong> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits, base) = match lower.strip_prefix("0x") {
        Some(digits) => (Radix::Hex, digits, 16),
        None if lower.len() > 1
            && lower.starts_with('0')
            && lower[1..].starts_with(|c: char| c.is_ascii_digit()) =>
        {
            (Radix::Octal, &lower[1..], 8)
        }
        None => (Radix::Decimal, &lower[..], 10),
    };
    let end = digits.find(|c: char| !c.is_digit(base)).unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    let (unsigned, longs) = match suffix {
        "" => (false, 0),
        "u" => (true, 0),
        "l" => (false, 1),
        "ll" => (false, 2),
        "ul" => (true, 1),
        "ull" => (true, 2),
        _ => return Err(wrong_suffix(radix, digits, suffix)),
    };
    if digits.is_empty() {
        return Err(wrong_suffix(radix, digits, suffix));
    }
    let value = u64::from_str_radix(digits, base).map_err(|_| Wrong {
        tag: Tag::D_INT_OFLOW,
        message: "`{}` does not fit in 64 bits",
        label: "too large",
        help: "the largest integer is 18446744073709551615u (0xffffffffffffffff)",
    })?;
    if radix == Radix::Decimal && !unsigned && i64::try_from(value).is_err() {
        return Err(Wrong {
            tag: Tag::D_INT_OFLOW,
            message: "`{}` does not fit in a signed integer of 64 bits",
            label: "too large without `u`",
            help: "write `u` after it, or write it in hexadecimal: such a constant may be unsigned",
        });
    }
    Ok(IntLit { value, radix, unsigned, longs })
}

fn wrong_suffix(radix: Radix, digits: &str, suffix: &str) -> Wrong {
    let digit = suffix.starts_with(|c: char| c.is_ascii_digit());
    let (tag, label, help) = if radix == Radix::Octal && digit {
        let help = "an integer that begins with 0 is octal: its digits are 0 to 7";
        (Tag::D_INT_DIGIT, "not an octal digit among these", help)
    } else if radix == Radix::Hex {
        (Tag::D_SYNTAX, "not a hexadecimal number", "after `0x` stand digits 0 to 9 and a to f")
    } else if digits == "0" && suffix.starts_with('b') {
        (Tag::D_SYNTAX, "binary", "D has no binary constants: write it in hexadecimal, `0x...`")
    } else if matches!(suffix, "ns" | "us" | "ms" | "s" | "m" | "h" | "hz" | "nsec" | "usec" | "msec" | "sec")
    {
        (
            Tag::D_SYNTAX,
            "a unit",
            "units belong to probe names (`tick-1s`); times are in nanoseconds: 1s is 1000000000",
        )
    } else if matches!(suffix, "k" | "kb" | "mb" | "g" | "gb" | "t") {
        (Tag::D_SYNTAX, "a unit", "units belong to options (`bufsize=4m`); here multiply: `4 * 1024`")
    } else {
        (Tag::D_SYNTAX, "not a number", "integers may end in u, l, ul, ll or ull; names begin with a letter")
    };
    Wrong { tag, message: "`{}` is not a number", label, help }
}

fn float(text: &str) -> Result<FloatLit, Wrong> {
    let lower = text.to_ascii_lowercase();
    let (digits, kind) = match lower.strip_suffix(['f', 'l']) {
        Some(digits) if lower.ends_with('f') => (digits, FloatKind::Float),
        Some(digits) => (digits, FloatKind::LongDouble),
        None => (&lower[..], FloatKind::Double),
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-'));
    let value = digits.parse::<f64>().ok().filter(|_| plain).ok_or(Wrong {
        tag: Tag::D_SYNTAX,
        message: "`{}` is not a number",
        label: "not a number",
        help: "a floating-point constant is like `1.5`, `1e9` or `2.5e-3f`",
    })?;
    if !value.is_finite() {
        return Err(Wrong {
            tag: Tag::D_INT_OFLOW,
            message: "`{}` does not fit in a double",
            label: "too large",
            help: "the largest double is about 1.8e308",
        });
    }
    Ok(FloatLit { value, kind })
}
