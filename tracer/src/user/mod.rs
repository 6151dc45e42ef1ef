//! The programs of processes: which files a process has mapped, what functions and what probes of their own these have, and
//! where. Read when a probe description names a process, and never before.
//!
//! Addresses are those of the file (of its symbols); an attachment wants the place in the file, which [`Image::place`] gives.

mod debugging;
pub mod dwarf;
mod function;
mod image;
pub mod instruction;
mod library;
mod modules;
mod names;
mod notes;
pub mod operand;
mod pages;
mod segments;

pub use debugging::{Lack, types};
pub use function::Function;
pub use image::Image;
pub use library::{beside, later};
pub use modules::{Module, PROGRAM, modules};
pub use names::Names;
pub use notes::{Note, Types, providers};
pub use pages::touch;
