//! Call stacks and symbols as text, laid out as dtrace lays them out.

use super::datum;
use super::value::Frame;
use crate::check::typed::Shows;

/// Appends a stack: a new line, then a line a frame.
pub fn print(into: &mut Vec<u8>, frames: &[Frame], indent: usize, mut write: impl FnMut(&mut Vec<u8>, &str)) {
    into.push(b'\n');
    for frame in frames {
        into.extend(std::iter::repeat_n(b' ', indent));
        write(into, &frame.show(Shows::Address));
        into.push(b'\n');
    }
}

/// Appends a stack as an action of its own prints it.
pub fn action(into: &mut Vec<u8>, frames: &[Frame], indent: usize, terminal: bool) {
    print(into, frames, indent, |into, frame| datum::string(into, frame.as_bytes(), terminal));
}

/// Appends a symbol as a column.
pub fn symbol(into: &mut Vec<u8>, frame: &Frame, shows: Shows, terminal: bool) {
    into.extend_from_slice(b"  ");
    let start = into.len();
    datum::string(into, frame.show(shows).as_bytes(), terminal);
    let blanks = datum::KEY_WIDTH.saturating_sub(super::printf::columns(&into[start..]));
    into.extend(std::iter::repeat_n(b' ', blanks));
}
