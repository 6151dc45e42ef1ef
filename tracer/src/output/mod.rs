//! What people and programs see of a run.

pub mod value;
