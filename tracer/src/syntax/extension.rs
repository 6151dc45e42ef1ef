//! What headers have besides the words of D: C's words in other spellings, and those of compilers. They are read in text that the
//! preprocessor took from another file; in a program's own text they are names like any other.
//!
//! Invariant: what is passed here is whole: a word, and the brackets behind one that has some.

use super::lexer::{Lexer, continues_name};
use super::token::Word;

/// Other spellings of words that D has.
const SPELLINGS: [(&str, Word); 10] = [
    ("__const", Word::Const),
    ("__const__", Word::Const),
    ("__inline", Word::Inline),
    ("__inline__", Word::Inline),
    ("__restrict", Word::Restrict),
    ("__restrict__", Word::Restrict),
    ("__signed", Word::Signed),
    ("__signed__", Word::Signed),
    ("__volatile", Word::Volatile),
    ("__volatile__", Word::Volatile),
];

/// Words that change nothing of what D makes of a declaration.
const IDLE: [&str; 5] = ["__extension__", "_Noreturn", "_Thread_local", "__thread", "__noreturn__"];

/// Those with something in brackets behind them.
const BRACKETED: [&str; 7] =
    ["__attribute__", "__attribute", "__asm__", "__asm", "asm", "_Alignas", "_Static_assert"];

/// The word of D that another spelling stands for.
pub(super) fn respelled(name: &str) -> Option<Word> {
    SPELLINGS.iter().find(|(spelling, _)| *spelling == name).map(|&(_, word)| word)
}

impl Lexer<'_> {
    /// Passes a word that D does without, if one is next, and says whether it was.
    pub(super) fn skip_extension(&mut self) -> bool {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !continues_name(c)).unwrap_or(rest.len())];
        if IDLE.contains(&word) {
            self.pos += word.len();
            return true;
        }
        if !BRACKETED.contains(&word) {
            return false;
        }
        let behind = &rest[word.len()..];
        let blank = behind.len() - behind.trim_start().len();
        match bracketed(&behind[blank..]) {
            Some(length) => {
                self.pos += word.len() + blank + length;
                true
            }
            None => false,
        }
    }
}

/// The length of what stands in brackets at the text's beginning, these included.
fn bracketed(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 1 => return Some(at + 1),
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::bracketed;

    #[test]
    fn brackets_are_passed_whole() {
        assert_eq!(bracketed("((aligned(8))) int"), Some(14));
        assert_eq!(bracketed(r#"("a)\")" : "b") x"#), Some(15));
        assert_eq!(bracketed("x (y)"), None);
        assert_eq!(bracketed("((y)"), None);
    }
}
