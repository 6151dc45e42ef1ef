//! Makes programs of numbers: the same seed makes the same program.

use super::aggregate::AGGREGATIONS;
use super::format::{Conversion, LETTERS, NUMBERS, TEXTS as TEXT_FLAGS};
use super::program::*;
use super::record::{ENUMERATORS, FIELDS, Field, POINTED};
use super::types::type_of;

/// How large a program becomes: most clauses, most statements of a block, and deepest nesting of an expression;
/// and whether clauses are also about a process.
pub(super) struct Size {
    pub(super) clauses: usize,
    pub(super) statements: usize,
    pub(super) depth: u32,
    pub(super) workload: bool,
}

/// The program of that seed.
pub(super) fn program(seed: u64, size: &Size) -> Program {
    let mut maker = Maker { state: seed, size, probe: Probe::Begin, scratch: false };
    let count = 1 + maker.choose(size.clauses);
    let mut clauses: Vec<_> = (0..count).map(|_| maker.clause()).collect();
    clauses.push(everything(if size.workload { Probe::End } else { Probe::Begin }));
    Program { clauses, commits: maker.choose(4) != 0 }
}

/// A last clause that shows all scalars; in the end those that are neither a thread's nor a clause's.
fn everything(probe: Probe) -> Clause {
    let shown = |variable: &usize| {
        let Variable { name, keys, .. } = &VARIABLES[*variable];
        keys.is_empty() && *variable != POINTER && (probe == Probe::Begin || !name.contains("->"))
    };
    let mut body = Vec::new();
    for variable in (0..VARIABLES.len()).filter(shown) {
        let places = match VARIABLES[variable].ty {
            Type::Record => FIELDS.iter().flat_map(|field| elements(variable, field)).collect(),
            _ => vec![Place::variable(variable)],
        };
        let values = places.into_iter().map(|place| (Conversion::plain(place.ty()), Expr::Load(place)));
        body.push(Stmt::Print(values.collect()));
    }
    Clause { probe, predicate: None, scratch: None, speculates: false, body }
}

/// All elements of a field.
fn elements(variable: usize, field: &'static Field) -> Vec<Place> {
    let place = |index: Option<usize>| {
        let index = index.map(|index| Box::new(Expr::Int(index as i64)));
        Place { part: Some(Part { field, index }), ..Place::variable(variable) }
    };
    match field.elements {
        None => vec![place(None)],
        Some((count, _)) => (0..count).map(|index| place(Some(index))).collect(),
    }
}

/// Constants at which arithmetic goes wrong first.
const EDGES: [i64; 14] =
    [0, 1, 2, 3, 7, 63, 64, 127, 128, 255, 65_535, i32::MAX as i64, i32::MAX as i64 + 1, i64::MAX];
const TEXTS: [&str; 14] = [
    "",
    "a",
    "b",
    "abc",
    "A longer text, of words",
    "words",
    " 42",
    "-17x",
    "9223372036854775807",
    "/usr/lib/x",
    "//a//b//",
    "/x",
    "text",
    "xyzxyz",
];
/// The longest text that a variable is given: a program's texts stay shorter than strings may be.
const LONGEST: i64 = 24;

struct Maker<'a> {
    state: u64,
    size: &'a Size,
    /// What the clause that is being made fires at, and whether it has a record in scratch memory.
    probe: Probe,
    scratch: bool,
}

impl Maker<'_> {
    /// One of `count`, by SplitMix64.
    fn choose(&mut self, count: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.choose(of.len())]
    }

    fn clause(&mut self) -> Clause {
        self.probe = if self.size.workload {
            self.pick(&[Probe::Begin, Probe::Entry, Probe::Entry, Probe::Return])
        } else {
            Probe::Begin
        };
        self.scratch = false;
        let predicate = (self.choose(3) == 0).then(|| self.number(self.size.depth));
        let speculates = self.choose(6) == 0;
        let scratch = (self.choose(3) == 0).then(|| match self.probe {
            Probe::Begin => self.pick(&[Scratch::Fresh, Scratch::Copied]),
            _ => self.pick(&[Scratch::Copied, Scratch::Copyin, Scratch::Copyinto]),
        });
        // At the return the address is not known any more.
        let scratch =
            scratch.map(|scratch| if self.probe == Probe::Return { Scratch::Copied } else { scratch });
        self.scratch = scratch.is_some();
        // One in eight divides by what may be zero, and has nothing else that could be seen half done.
        let (predicate, body) = if self.choose(8) == 0 {
            // A constant that is zero is refused.
            let by = Expr::Binary(Op::Or, Box::new(self.scalar()), Box::new(self.number(1)));
            let op = self.pick(&[Op::Div, Op::Rem]);
            let divided = Expr::Binary(op, Box::new(self.number(1)), Box::new(by));
            (None, vec![self.set(), Stmt::Set(self.place_of(LONG), None, divided), self.set()])
        } else {
            (predicate, self.block(2, speculates))
        };
        Clause { probe: self.probe, predicate, scratch, speculates, body }
    }

    /// Some statements; none that aggregates where what it records is held back.
    fn block(&mut self, nesting: u32, speculates: bool) -> Vec<Stmt> {
        let count = 1 + self.choose(self.size.statements);
        let statements: Vec<_> = (0..count).map(|_| self.statement(nesting, speculates)).collect();
        statements.into_iter().filter(|stmt| !(speculates && matches!(stmt, Stmt::Aggregate(..)))).collect()
    }

    fn statement(&mut self, nesting: u32, speculates: bool) -> Stmt {
        match self.choose(if nesting == 0 { 11 } else { 13 }) {
            0..=3 => self.set(),
            4 => {
                let (place, up, before) = (self.plain_place(), self.choose(2) == 0, self.choose(2) == 0);
                let to = self.integer_place();
                // Which comes first is not said where they are one.
                if to.keys.is_empty() && to.part.is_none() && to.variable != place.variable {
                    Stmt::SetStep { to, place, up, before }
                } else {
                    Stmt::Step { place, up, before }
                }
            }
            5 => {
                let (place, op) = (self.plain_place(), self.pick(&OPS).0);
                let value = self.number(self.size.depth - 1);
                Stmt::Set(place, Some(op), if matches!(op, Op::Div | Op::Rem) { odd(value) } else { value })
            }
            6 => Stmt::SetBoth(self.integer_place(), self.integer_place(), self.number(self.size.depth)),
            7 | 8 => {
                let values = (0..1 + self.choose(4)).map(|_| match self.choose(3) {
                    0 => (Conversion(self.pick(&TEXT_FLAGS), 's'), self.text(2)),
                    _ => (Conversion(self.pick(&NUMBERS), self.pick(&LETTERS)), self.number(self.size.depth)),
                });
                Stmt::Print(values.collect())
            }
            9 => {
                let index = self.choose(AGGREGATIONS.len());
                let keys = self.keys(AGGREGATIONS[index].1);
                Stmt::Aggregate(index, keys, self.number(self.size.depth))
            }
            10 => Stmt::Copy(self.record(), self.record()),
            _ => {
                let condition = self.number(2);
                let no = if self.choose(2) == 0 { Vec::new() } else { self.block(nesting - 1, speculates) };
                Stmt::If(condition, self.block(nesting - 1, speculates), no)
            }
        }
    }

    /// An assignment of a number or a text.
    fn set(&mut self) -> Stmt {
        let place = self.place(|_| true);
        let value = match place.ty() {
            Type::Text => Expr::Call(Routine::Substr, vec![self.text(2), Expr::Int(0), Expr::Int(LONGEST)]),
            _ => self.number(self.size.depth),
        };
        Stmt::Set(place, None, value)
    }

    fn integer_place(&mut self) -> Place {
        self.place(|ty| ty != Type::Text)
    }

    /// A place to read and write, whose key is made of constants and variables.
    fn plain_place(&mut self) -> Place {
        let place = self.integer_place();
        let keys = VARIABLES[place.variable].keys.iter().map(|ty| match ty {
            Type::Text => self.text(0),
            ty => Expr::Cast(INTEGERS.iter().position(|(known, _)| known == ty).unwrap_or(0), self.boxed(0)),
        });
        let keys = keys.collect();
        let part = place.part.map(|part| Part { index: part.index.map(|_| self.boxed(0)), ..part });
        Place { variable: place.variable, keys, part }
    }

    fn place_of(&mut self, wanted: Type) -> Place {
        self.place(|ty| ty == wanted)
    }

    fn place(&mut self, fits: impl Fn(Type) -> bool) -> Place {
        loop {
            let mut place = self.whole();
            if VARIABLES[place.variable].ty == Type::Record {
                place.part = Some(self.part(place.variable));
            }
            if fits(place.ty()) {
                return place;
            }
        }
    }

    /// A record that is a variable.
    fn record(&mut self) -> Place {
        loop {
            let place = self.whole();
            if VARIABLES[place.variable].ty == Type::Record && place.variable != POINTER {
                return place;
            }
        }
    }

    /// A variable; that of scratch memory only where there is some.
    fn whole(&mut self) -> Place {
        let variable = self.choose(VARIABLES.len() - usize::from(!self.scratch));
        Place { keys: self.keys(VARIABLES[variable].keys), ..Place::variable(variable) }
    }

    /// A scalar of a record.
    fn part(&mut self, variable: usize) -> Part {
        let field = match self.choose(2) {
            0 if variable == POINTER => &POINTED[self.choose(POINTED.len())],
            _ => &FIELDS[self.choose(FIELDS.len())],
        };
        let index = field.elements.map(|_| match self.choose(2) {
            0 => Box::new(Expr::Int(self.choose(8) as i64)),
            _ => self.boxed(0),
        });
        Part { field, index }
    }

    /// A key: few different ones, so that elements are met again. A part is of its type by a cast.
    fn keys(&mut self, types: &[Type]) -> Vec<Expr> {
        let part = |ty: &Type| match INTEGERS.iter().position(|(known, _)| known == ty) {
            None => self.text(1),
            Some(cast) if self.choose(2) == 0 => Expr::Cast(cast, Box::new(self.number(1))),
            Some(cast) => Expr::Cast(cast, Box::new(Expr::Int(self.choose(3) as i64))),
        };
        types.iter().map(part).collect()
    }

    fn boxed(&mut self, depth: u32) -> Box<Expr> {
        Box::new(self.number(depth))
    }

    fn number(&mut self, depth: u32) -> Expr {
        let less = depth.saturating_sub(1);
        match self.choose(if depth == 0 { 3 } else { 21 }) {
            0 => Expr::Int(self.pick(&EDGES)),
            1 | 2 => match depth {
                0 => self.scalar(),
                _ => Expr::Load(self.integer_place_within(less)),
            },
            3 => Expr::Neg(self.boxed(less)),
            4 => Expr::Flip(self.boxed(less)),
            5 => Expr::Not(self.boxed(less)),
            6..=9 => {
                let op = self.pick(&OPS).0;
                let (left, right) = (self.boxed(less), self.number(less));
                let right = if matches!(op, Op::Div | Op::Rem) { odd(right) } else { right };
                Expr::Binary(op, left, Box::new(right))
            }
            10 => Expr::Compare(self.pick(&RELATIONS).0, self.boxed(less), self.boxed(less)),
            11 => {
                let relation = self.pick(&RELATIONS).0;
                Expr::Compare(relation, Box::new(self.text(less.min(1))), Box::new(self.text(less.min(1))))
            }
            12 => Expr::Logical(self.pick(&LOGICALS).0, self.boxed(less), self.boxed(less)),
            13 => Expr::Choose(self.boxed(less), self.boxed(less), self.boxed(less)),
            14 => Expr::Cast(self.choose(INTEGERS.len()), self.boxed(less)),
            15 => Expr::Enumerator(self.choose(ENUMERATORS.len())),
            16 => Expr::Inline(0, vec![self.long(less), self.long(less)]),
            17 => {
                let int = INTEGERS.iter().position(|(ty, _)| *ty == INT).unwrap_or(0);
                let arguments = (0..2).map(|_| Expr::Cast(int, self.boxed(less))).collect();
                Expr::Inline(1, arguments)
            }
            18 if self.probe == Probe::Entry => Expr::Length,
            18 => Expr::Translated(self.choose(2), self.boxed(less)),
            19 => {
                let (routine, ty) = self.pick(&[
                    (Routine::Htons, Type::Int { bytes: 2, signed: false }),
                    (Routine::Htonl, Type::Int { bytes: 4, signed: false }),
                    (Routine::Htonll, Type::Int { bytes: 8, signed: false }),
                ]);
                let cast = INTEGERS.iter().position(|(known, _)| *known == ty).unwrap_or(0);
                Expr::Call(routine, vec![Expr::Cast(cast, self.boxed(less))])
            }
            _ => {
                let routine =
                    self.pick(&[Routine::Strlen, Routine::Index, Routine::Rindex, Routine::Strtoll]);
                let count = if matches!(routine, Routine::Index | Routine::Rindex) { 2 } else { 1 };
                Expr::Call(routine, (0..count).map(|_| self.text(less.min(1))).collect())
            }
        }
    }

    /// A number of 64 bits.
    fn long(&mut self, depth: u32) -> Expr {
        let long = INTEGERS.iter().position(|(ty, _)| *ty == LONG).unwrap_or(0);
        Expr::Cast(long, self.boxed(depth))
    }

    /// A variable of an integer type that has no key.
    fn scalar(&mut self) -> Expr {
        loop {
            let variable = self.choose(VARIABLES.len());
            let Variable { keys, ty, .. } = &VARIABLES[variable];
            if keys.is_empty() && matches!(ty, Type::Int { .. }) {
                return Expr::Load(Place::variable(variable));
            }
        }
    }

    /// A place in an expression of some depth: an element only where its key has room.
    fn integer_place_within(&mut self, depth: u32) -> Place {
        loop {
            let place = self.integer_place();
            if depth > 0 || place.keys.is_empty() && place.part.is_none() {
                return place;
            }
        }
    }

    fn text(&mut self, depth: u32) -> Expr {
        let less = depth.saturating_sub(1);
        match self.choose(if depth == 0 { 2 } else { 13 }) {
            0 => Expr::Text(self.pick(&TEXTS)),
            1 => loop {
                let variable = self.choose(VARIABLES.len());
                if VARIABLES[variable].keys.is_empty() && VARIABLES[variable].ty == Type::Text {
                    break Expr::Load(Place::variable(variable));
                }
            },
            2 => Expr::Call(Routine::Strjoin, vec![self.text(less), self.text(less)]),
            3 => {
                let mut arguments = vec![self.text(less), self.small()];
                if self.choose(2) == 0 {
                    arguments.push(self.small());
                }
                Expr::Call(Routine::Substr, arguments)
            }
            4 => Expr::Call(self.pick(&[Routine::Toupper, Routine::Tolower]), vec![self.text(less)]),
            5 => Expr::Call(Routine::Lltostr, vec![self.long(less)]),
            6 => {
                let int = INTEGERS.iter().position(|(ty, _)| *ty == INT).unwrap_or(0);
                Expr::Inline(2, vec![self.text(less), Expr::Cast(int, self.boxed(less))])
            }
            7 => Expr::Translated(2, self.boxed(less)),
            9 => {
                let routine = self.pick(&[Routine::Strstr, Routine::Strtok]);
                Expr::Call(routine, vec![self.text(less), self.text(less)])
            }
            10 => {
                let letter = Expr::Int(i64::from(self.pick(b"abxZ/ 0")));
                Expr::Call(self.pick(&[Routine::Strchr, Routine::Strrchr]), vec![self.text(less), letter])
            }
            11 => Expr::Call(self.pick(&[Routine::Basename, Routine::Dirname]), vec![self.text(less)]),
            8 if self.probe == Probe::Entry => Expr::Written(self.choose(20)),
            _ => Expr::Choose(self.boxed(1), Box::new(self.text(less)), Box::new(self.text(less))),
        }
    }

    /// A number from -6 to 6.
    fn small(&mut self) -> Expr {
        let value = Expr::Int(self.choose(7) as i64);
        if self.choose(2) == 0 { Expr::Neg(Box::new(value)) } else { value }
    }
}

/// A number that is not zero.
fn odd(value: Expr) -> Expr {
    debug_assert!(matches!(type_of(&value), Type::Int { .. }), "a number");
    Expr::Binary(Op::Or, Box::new(value), Box::new(Expr::Int(1)))
}
