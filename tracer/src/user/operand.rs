//! Where a probe's arguments are, as the assembler writes operands: `-4@%edi`, `8@-16(%rbp)`, `1@$5`, `4@8(%rax,%rcx,4)`,
//! `8@counter(%rip)`.
//!
//! Before the `@` stand the bytes of the value, negative for a signed one; without it they are those of the operand.

use probes_common::providers::usdt::{MOST_ARGS, NO_REGISTER, Operand, Spec, sort};

use crate::kernel::arch::{Register, named_register};

/// Where all arguments are, and how many there are. What cannot be read (a probe has no floating-point registers) is a constant 0
/// of no bytes.
pub fn spec(text: &str, symbol: &dyn Fn(&str) -> Option<u64>) -> (Spec, usize) {
    let mut spec = Spec::default();
    let mut count = 0;
    for (operand, word) in spec.args.iter_mut().zip(text.split_whitespace()).take(MOST_ARGS) {
        *operand = parse(word, symbol).unwrap_or(Operand { bytes: 0, ..constant(0) });
        count += 1;
    }
    (spec, count)
}

fn constant(offset: i64) -> Operand {
    Operand {
        offset,
        sort: sort::CONSTANT,
        scale: 0,
        bytes: 8,
        signed: 1,
        base: NO_REGISTER,
        index: NO_REGISTER,
    }
}

/// One operand; `symbol` gives the address of a name of the program in memory.
fn parse(word: &str, symbol: &dyn Fn(&str) -> Option<u64>) -> Option<Operand> {
    let (size, text) = match word.split_once('@') {
        // A floating-point value has an `f` behind its size.
        Some((size, text)) => (Some(size.parse::<i8>().ok()?), text),
        None => (None, word),
    };
    let sized = |operand: Operand| match size {
        Some(size) => Operand { bytes: size.unsigned_abs(), signed: u8::from(size < 0), ..operand },
        None => operand,
    };
    if !matches!(size.map(i8::unsigned_abs), None | Some(1 | 2 | 4 | 8)) {
        return None;
    }
    if let Some(number) = text.strip_prefix('$') {
        return Some(sized(constant(integer(number)?)));
    }
    if let Some(name) = text.strip_prefix('%') {
        let (base, bytes) = register(name)?;
        return Some(sized(Operand { sort: sort::REGISTER, bytes, signed: 0, base, ..constant(0) }));
    }
    let memory = |offset| Operand { sort: sort::MEMORY, ..constant(offset) };
    let Some((before, inside)) = text.split_once('(') else {
        return Some(sized(memory(displacement(text, symbol)?)));
    };
    let mut parts = inside.strip_suffix(')')?.split(',').map(str::trim);
    let mut operand = memory(displacement(before, symbol)?);
    match parts.next()? {
        "" | "%rip" => {}
        base => operand.base = register(base.strip_prefix('%')?)?.0,
    }
    if let Some(index) = parts.next() {
        operand.index = register(index.strip_prefix('%')?)?.0;
        operand.scale = match parts.next().unwrap_or("1") {
            "1" => 0,
            "2" => 1,
            "4" => 2,
            "8" => 3,
            _ => return None,
        };
    }
    Some(sized(operand))
}

/// What stands before the registers: nothing, a number, a name, a name and a number.
fn displacement(text: &str, symbol: &dyn Fn(&str) -> Option<u64>) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    if let Some(number) = integer(text) {
        return Some(number);
    }
    let end = text.find(['+', '-']).unwrap_or(text.len());
    let (name, more) = text.split_at(end);
    let more = if more.is_empty() { 0 } else { integer(more)? };
    // What stands in the name of a probe's place is found by name only.
    Some((symbol(name)? as i64).wrapping_add(more))
}

/// A number as the assembler writes it.
fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { (number as i64).wrapping_neg() } else { number as i64 })
}

/// Where the kernel keeps a register of x86-64, and how many of its bytes the name means.
fn register(name: &str) -> Option<(u16, u8)> {
    const LETTERS: [&str; 4] = ["ax", "bx", "cx", "dx"];
    const POINTERS: [&str; 4] = ["si", "di", "bp", "sp"];
    let numbered = |rest: &str| {
        let digits = rest.trim_end_matches(['d', 'w', 'b']);
        let bytes = match &rest[digits.len()..] {
            "" => 8,
            "d" => 4,
            "w" => 2,
            "b" => 1,
            _ => return None,
        };
        digits
            .parse::<u8>()
            .ok()
            .filter(|number| (8..16).contains(number))
            .map(|number| (format!("R{number}"), bytes))
    };
    let stem = |name: &str, bytes| {
        (LETTERS.contains(&name) || POINTERS.contains(&name))
            .then(|| (format!("R{}", name.to_uppercase()), bytes))
    };
    let (whole, bytes) = match name.split_at_checked(1)? {
        ("r", rest) => numbered(rest).or_else(|| stem(rest, 8))?,
        ("e", rest) => stem(rest, 4)?,
        (letter @ ("a" | "b" | "c" | "d"), "l") => (format!("R{}X", letter.to_uppercase()), 1),
        _ => match name.strip_suffix('l') {
            Some(pointer) if POINTERS.contains(&pointer) => stem(pointer, 1)?,
            _ => stem(name, 2)?,
        },
    };
    match named_register(&format!("R_{whole}"))? {
        Register::Saved(offset) => Some((offset, bytes)),
        Register::Zero | Register::Hidden => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<Operand> {
        parse(text, &|name| (name == "counter").then_some(0x1000))
    }

    /// Offsets in struct pt_regs (arch/x86/include/asm/ptrace.h).
    const RDI: u16 = 112;
    const RBP: u16 = 32;
    const RAX: u16 = 80;
    const RCX: u16 = 88;
    const R15: u16 = 0;

    #[test]
    fn registers_have_their_size_and_sign() {
        let register =
            |base, bytes, signed| Some(Operand { sort: sort::REGISTER, base, bytes, signed, ..constant(0) });
        assert_eq!(one("-4@%edi"), register(RDI, 4, 1));
        assert_eq!(one("8@%rdi"), register(RDI, 8, 0));
        assert_eq!(one("1@%dil"), register(RDI, 1, 0));
        assert_eq!(one("2@%ax"), register(RAX, 2, 0));
        assert_eq!(one("-1@%cl"), register(RCX, 1, 1));
        assert_eq!(one("4@%r15d"), register(R15, 4, 0));
        assert_eq!(one("%eax"), register(RAX, 4, 0));
    }

    #[test]
    fn memory_has_registers_and_a_displacement() {
        let memory = |offset, base, index, scale| {
            let signed = 0;
            Some(Operand { sort: sort::MEMORY, base, index, scale, signed, ..constant(offset) })
        };
        assert_eq!(one("8@-16(%rbp)"), memory(-16, RBP, NO_REGISTER, 0));
        assert_eq!(one("8@(%rax)"), memory(0, RAX, NO_REGISTER, 0));
        assert_eq!(one("8@0x8(%rax,%rcx,4)"), memory(8, RAX, RCX, 2));
        assert_eq!(one("8@8(,%rcx,8)"), memory(8, NO_REGISTER, RCX, 3));
        assert_eq!(one("8@counter(%rip)"), memory(0x1000, NO_REGISTER, NO_REGISTER, 0));
        assert_eq!(one("8@counter+4(%rip)"), memory(0x1004, NO_REGISTER, NO_REGISTER, 0));
        assert_eq!(one("8@nothing(%rip)"), None);
    }

    #[test]
    fn constants_are_numbers() {
        assert_eq!(one("-4@$-1"), Some(Operand { bytes: 4, ..constant(-1) }));
        assert_eq!(one("8@$0x10"), Some(Operand { signed: 0, ..constant(16) }));
    }

    #[test]
    fn what_is_not_understood_is_zero() {
        for bad in [
            "8f@%xmm0",
            "16@%rax",
            "8@%xmm0",
            "8@(%rax,%rcx,3)",
            "8@",
            "@%rax",
            "8@%fs:0",
            "4@(%rax",
            "8@%r16",
        ] {
            assert!(one(bad).is_none() || bad == "8@", "{bad}");
        }
        let (spec, count) = spec("8@%xmm0 -4@$7", &|_| None);
        assert_eq!((count, spec.args[0].offset, spec.args[1].offset), (2, 0, 7));
        assert_eq!((spec.args[0].bytes, spec.args[1].bytes), (0, 4));
    }
}
