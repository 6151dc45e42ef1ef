//! The types of traced programs, as a source of types: those of the process that the D program is about, and what its functions take
//! and give.
//!
//! Invariant: a file is read when something is asked for that only a program can have: a type that has no other meaning, or `args[]`
//! of a function.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::ctype::{Body, FloatType, NameKind, Type, TypeSource};
use super::kernel::{KernelTypes, Prototype};
use crate::kernel::btf::Described;
use crate::provider::{OfProcess, Programs};
use crate::user::Lack;

/// What DTrace calls the program of a process.
const PROGRAM: &str = "a.out";

/// What describes types, and what has been made of it.
type Made = (Arc<dyn Described>, Rc<KernelTypes>);

/// The types of programs.
pub(super) struct ProgramTypes {
    programs: Programs,
    /// By what describes them.
    made: RefCell<Vec<Made>>,
}

/// How an argument of a function is passed (System V ABI, AMD64, 3.2.3).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Passed {
    /// As the word of that number, of those that are integers and addresses.
    Word(usize, Type),
    /// In a register for floating-point numbers.
    Float(FloatType),
    /// It, or one before it, takes more than a word.
    Wide,
    /// There is no such argument; so many there are.
    Missing(usize),
}

impl ProgramTypes {
    pub(super) fn new(programs: Programs) -> ProgramTypes {
        ProgramTypes { programs, made: RefCell::default() }
    }

    /// The process whose types bare names may mean.
    pub(super) fn process(&self) -> Option<u32> {
        self.programs.at_hand()
    }

    /// The types of the files of a process that a name means, or why each tells of none.
    pub(super) fn of(&self, pid: u32, module: &str) -> Result<Vec<Result<Rc<KernelTypes>, Lack>>, OfProcess> {
        Ok(self.files(pid, module, true)?.collect())
    }

    /// Why the program at hand tells of no types.
    pub(super) fn lack(&self) -> Option<Lack> {
        self.of(self.process()?, PROGRAM).ok()?.pop()?.err()
    }

    /// How an argument of a function is passed; none where nothing is known of the function.
    pub(super) fn argument(&self, pid: u32, module: &str, function: &str, number: usize) -> Option<Passed> {
        Some(passed(&self.function(pid, module, function)?, number))
    }

    /// What a function returns.
    pub(super) fn result(&self, pid: u32, module: &str, function: &str) -> Option<Type> {
        self.function(pid, module, function)?.result
    }

    /// The constant of that name of an enumeration of the program, and its type.
    pub(super) fn enumerator(&self, name: &str) -> Option<(i64, Type)> {
        self.of_program().into_iter().find_map(|types| types.enumerator(name))
    }

    /// The type of that name of the program itself.
    pub(super) fn find_in_program(&self, kind: NameKind, name: &str) -> Option<Type> {
        self.of_program().into_iter().find_map(|types| types.find(kind, name))
    }

    fn of_program(&self) -> Vec<Rc<KernelTypes>> {
        let types = self.process().and_then(|pid| self.files(pid, PROGRAM, true).ok());
        types.into_iter().flatten().flatten().collect()
    }

    fn function(&self, pid: u32, module: &str, function: &str) -> Option<Prototype> {
        self.files(pid, module, true).ok()?.flatten().find_map(|types| types.function(function))
    }

    fn files(
        &self,
        pid: u32,
        module: &str,
        stripped: bool,
    ) -> Result<impl Iterator<Item = Result<Rc<KernelTypes>, Lack>>, OfProcess> {
        let described = self.programs.types(pid, module, stripped)?;
        Ok(described.into_iter().map(|described| Ok(self.by(&described?))))
    }

    fn by(&self, described: &Arc<dyn Described>) -> Rc<KernelTypes> {
        let mut made = self.made.borrow_mut();
        let same = |one: &&Made| std::ptr::addr_eq(Arc::as_ptr(&one.0), Arc::as_ptr(described));
        match made.iter().find(same) {
            Some((_, types)) => types.clone(),
            None => {
                let new = KernelTypes::of_program(described.clone());
                made.push((described.clone(), new.clone()));
                new
            }
        }
    }
}

impl TypeSource for ProgramTypes {
    /// The program's own, and then what its libraries bring along.
    fn find(&self, kind: NameKind, name: &str) -> Option<Type> {
        self.find_in_program(kind, name).or_else(|| {
            let types = self.files(self.process()?, "", false).ok()?;
            types.flatten().find_map(|types| types.find(kind, name))
        })
    }

    fn body(&self, _: u32) -> Option<Body> {
        None
    }
}

fn passed(function: &Prototype, number: usize) -> Passed {
    const WORDS: u32 = 16;
    if number >= function.params.len() {
        return if function.variadic { Passed::Wide } else { Passed::Missing(function.params.len()) };
    }
    // What does not fit into two registers is put where a hidden first argument says.
    let hidden = |result: &Type| !result.is_scalar() && result.size().is_some_and(|size| size > WORDS);
    let mut word = usize::from(function.result.as_ref().is_some_and(hidden));
    for (at, param) in function.params.iter().enumerate() {
        let passed = match param {
            Some(ty) if ty.is_scalar() => Passed::Word(word, ty.clone()),
            Some(Type::Float(float @ (FloatType::Float | FloatType::Double))) => Passed::Float(*float),
            _ => return Passed::Wide,
        };
        if at == number {
            return passed;
        }
        word += usize::from(matches!(passed, Passed::Word(..)));
    }
    Passed::Wide
}

#[cfg(test)]
mod tests {
    use super::super::types::INT;
    use super::*;

    #[test]
    fn arguments_are_counted_as_they_are_passed() {
        let (int, double) = (Type::Int(INT), Type::Float(FloatType::Double));
        let wide = Type::Array(Box::new(int.clone()), 5);
        let function = |params: &[&Type], result: &Type| Prototype {
            params: params.iter().map(|ty| Some((*ty).clone())).collect(),
            result: Some(result.clone()),
            variadic: false,
        };
        let plain = function(&[&int, &double, &int, &wide, &int], &Type::Void);
        assert_eq!(passed(&plain, 0), Passed::Word(0, int.clone()));
        assert_eq!(passed(&plain, 1), Passed::Float(FloatType::Double));
        assert_eq!(passed(&plain, 2), Passed::Word(1, int.clone()));
        assert_eq!((passed(&plain, 3), passed(&plain, 4)), (Passed::Wide, Passed::Wide));
        assert_eq!(passed(&plain, 5), Passed::Missing(5));
        assert_eq!(passed(&function(&[&int], &wide), 0), Passed::Word(1, int));
    }
}
