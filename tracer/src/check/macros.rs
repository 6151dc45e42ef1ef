//! Macro variables: `$target`, `$1`, `$$1`, `$pid` and so on.

use super::expr::string;
use super::names::integer;
use super::typed::Expr;
use super::types::{INT, LONG, ULONG};
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag, bytes_of};
use crate::syntax::ast::{self, Ident, MacroArg, Scope};
use crate::syntax::is_name;

/// What macro variables stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Macros {
    /// The process of -c or -p.
    pub target: Option<u32>,
    /// The arguments after the program: `$1` is the first.
    pub arguments: Vec<String>,
    /// The program's own name, `$0`.
    pub script: String,
    /// Who runs the tracer: name without `$`, value.
    pub ids: Vec<(&'static str, i64)>,
}

impl Macros {
    /// The macro variables of this very process.
    pub fn here(arguments: Vec<String>) -> Macros {
        // SAFETY: these calls take nothing but the number of a process, 0 for this one, and cannot fail on it.
        let (uid, euid, gid, egid, pgid, sid) = unsafe {
            (
                libc::getuid(),
                libc::geteuid(),
                libc::getgid(),
                libc::getegid(),
                libc::getpgid(0),
                libc::getsid(0),
            )
        };
        let ids = vec![
            ("pid", i64::from(crate::kernel::numbers::own())),
            ("ppid", i64::from(std::os::unix::process::parent_id())),
            ("uid", i64::from(uid)),
            ("euid", i64::from(euid)),
            ("gid", i64::from(gid)),
            ("egid", i64::from(egid)),
            ("pgid", i64::from(pgid)),
            ("sid", i64::from(sid)),
        ];
        Macros { arguments, ids, ..Macros::default() }
    }
}

impl Checker<'_> {
    /// The value of `$name` or `$$name`.
    pub(super) fn macro_value(&mut self, argument: &MacroArg, span: Span) -> Result<Expr, Refused> {
        if let Some(number) = target_or_id(self, &argument.name, span)? {
            return Ok(match argument.string {
                true => string(number.to_string().as_bytes(), span),
                false => integer(number, INT, span),
            });
        }
        let text = self.macro_text(&argument.name, Tag::D_MACRO_UNDEF, span)?;
        if argument.string {
            return Ok(string(&bytes_of(&text.unwrap_or_default()), span));
        }
        let Some(text) = text else { return Ok(integer(0, INT, span)) };
        match parse_integer(&text) {
            Some(Ok(value)) if i32::try_from(value).is_ok() => Ok(integer(value, INT, span)),
            Some(Ok(value)) => Ok(integer(value, LONG, span)),
            Some(Err(value)) if text.starts_with('0') => Ok(integer(value as i64, ULONG, span)),
            _ if is_decimal(&text) => {
                let digits = text.trim_start_matches(['+', '-']);
                let tag = if digits.parse::<u64>().is_ok() { Tag::D_INT_OFLOW } else { Tag::D_MACRO_OFLOW };
                let message = format!("`{text}`, given for ${}, does not fit in 64 bits", argument.name);
                Err(self.refuse(Diagnostic::error(tag, span, message).help("give a smaller number")))
            }
            _ => self.macro_word(argument, &text, span),
        }
    }

    /// An argument that is no number stands for itself: a name, or a string, with quotes of its own or without.
    fn macro_word(&mut self, argument: &MacroArg, text: &str, span: Span) -> Result<Expr, Refused> {
        if let Some(inside) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            return Ok(string(&bytes_of(inside), span));
        }
        let word = is_name(text);
        if word && (self.variables.get(Scope::Global, text).is_some() || self.is_fixed(text)) {
            return self.name(Scope::Global, &Ident { name: text.to_owned(), span }, span);
        }
        if !word {
            return Ok(string(&bytes_of(text), span));
        }
        let message = format!("`{text}`, given for ${}, is no known name", argument.name);
        let help = format!("`$${}` is the argument as a string", argument.name);
        Err(self.refuse(Diagnostic::error(Tag::D_IDENT_UNDEF, span, message).help(help)))
    }

    /// The variable that is assigned to where `$1` is: an argument that is a word names it.
    pub(super) fn named_by_argument(&mut self, to: &ast::Expr) -> Option<ast::Expr> {
        let ast::ExprKind::Macro(argument) = &to.kind else { return None };
        let index = argument.name.parse::<usize>().ok()?.checked_sub(1)?;
        let text = self.macros.arguments.get(index).filter(|text| !argument.string && is_name(text))?;
        let name = Ident { name: text.clone(), span: to.span };
        self.macro_text(&argument.name, Tag::D_MACRO_UNDEF, to.span).ok()?;
        Some(ast::Expr { kind: ast::ExprKind::Var(Scope::Global, name), span: to.span })
    }

    /// The text of `$0`, `$1` and so on; nothing where it is not given and need not be. `tag` is that of a missing one.
    fn macro_text(&mut self, name: &str, tag: Tag, span: Span) -> Result<Option<String>, Refused> {
        let Ok(number) = name.parse::<usize>() else {
            let known = self.macros.ids.iter().map(|row| row.0).chain(["target"]);
            let diagnostic = Diagnostic::error(tag, span, format!("there is no macro variable `${name}`"));
            let diagnostic = match crate::diagnostic::nearest(name, known) {
                Some(near) => diagnostic.help(format!("did you mean `${near}`?")),
                None => diagnostic.help(
                    "there are $target, $1 and so on, $pid, $ppid, $uid, $euid, $gid, $egid, $pgid, $sid",
                ),
            };
            return Err(self.refuse(diagnostic));
        };
        let Some(index) = number.checked_sub(1) else { return Ok(Some(self.macros.script.clone())) };
        match self.macros.arguments.get(index) {
            Some(text) => {
                self.used_arguments.insert(index);
                Ok(Some(text.clone()))
            }
            None if self.options.defaultargs => Ok(None),
            None => {
                let message = format!("`${name}` is not given");
                let help = "give it after the program, or allow it to be missing with `-x defaultargs`";
                Err(self.refuse(Diagnostic::error(tag, span, message).help(help)))
            }
        }
    }

    /// A part of a probe description with its macro variables replaced.
    pub(super) fn expand(&mut self, part: &str, span: Span) -> Result<String, Refused> {
        let mut expanded = String::new();
        let mut rest = part;
        while let Some((before, after)) = rest.split_once('$') {
            expanded.push_str(before);
            let after = after.trim_start_matches('$');
            let digits = after.starts_with(|c: char| c.is_ascii_digit());
            let belongs =
                |c: char| if digits { c.is_ascii_digit() } else { c.is_ascii_alphanumeric() || c == '_' };
            let end = after.find(|c: char| !belongs(c)).unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            match target_or_id(self, name, span)? {
                Some(number) => expanded.push_str(&number.to_string()),
                None => {
                    expanded.push_str(&self.macro_text(name, Tag::D_PDESC_INVAL, span)?.unwrap_or_default())
                }
            }
            rest = left;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// Tells of arguments that were given for nothing.
    pub(super) fn check_arguments_used(&mut self) {
        if self.options.argref {
            return;
        }
        // Who leaves out the last one has counted wrong; one before it may be for another script.
        let Some(text) = self.macros.arguments.last() else { return };
        let number = self.macros.arguments.len();
        if !self.used_arguments.contains(&(number - 1)) {
            let message = format!("the argument `{text}` is not used: there is no ${number} in the program");
            let diagnostic = Diagnostic::placeless(Tag::D_MACRO_UNUSED, message);
            self.found
                .push(diagnostic.help("leave it out; a program or option with blanks in it needs quotes"));
        }
    }
}

/// `$target` and the ids of this process.
fn target_or_id(checker: &mut Checker<'_>, name: &str, span: Span) -> Result<Option<i64>, Refused> {
    if name != "target" {
        return Ok(checker.macros.ids.iter().find(|row| row.0 == name).map(|row| row.1));
    }
    match checker.macros.target {
        Some(pid) => Ok(Some(i64::from(pid))),
        None => {
            let diagnostic = Diagnostic::error(Tag::D_MACRO_UNDEF, span, "`$target` needs a process");
            Err(checker.refuse(diagnostic.help("start one with -c COMMAND, or name one with -p PID")))
        }
    }
}

/// Whether it is a decimal integer, however large.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && !digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit())
}

/// An integer as D writes it, with its sign; one that only an unsigned long holds is `Err`.
fn parse_integer(text: &str) -> Option<Result<i64, u64>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    match (i64::try_from(value), negative) {
        (Ok(value), negative) => Some(Ok(if negative { -value } else { value })),
        (Err(_), false) => Some(Err(value)),
        (Err(_), true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_d_writes_them() {
        assert_eq!(parse_integer("-12"), Some(Ok(-12)));
        assert_eq!(parse_integer("0x1f"), Some(Ok(31)));
        assert_eq!(parse_integer("010"), Some(Ok(8)));
        assert_eq!(parse_integer("18446744073709551615"), Some(Err(u64::MAX)));
        for text in ["", "-", "x", "0x", "1.5", "--1", "99999999999999999999"] {
            assert_eq!(parse_integer(text), None, "{text}");
        }
    }
}
