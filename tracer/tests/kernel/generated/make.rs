//! Makes programs of numbers: the same seed makes the same program.

use super::mean::type_of;
use super::program::*;

/// How large a program becomes: most clauses, most statements of a block, and deepest nesting of an expression.
pub(super) struct Size {
    pub(super) clauses: usize,
    pub(super) statements: usize,
    pub(super) depth: u32,
}

/// The program of that seed.
pub(super) fn program(seed: u64, size: &Size) -> Program {
    let mut maker = Maker { state: seed, size };
    let count = 1 + maker.choose(size.clauses);
    let clauses = (0..count).map(|_| maker.clause()).chain([everything()]).collect();
    Program { clauses }
}

/// A last clause that shows all scalars.
fn everything() -> Clause {
    let scalars = (0..VARIABLES.len()).filter(|variable| VARIABLES[*variable].keys.is_empty());
    let body = scalars.map(|variable| Stmt::Print(vec![Expr::Load(Place { variable, keys: Vec::new() })]));
    Clause { predicate: None, body: body.collect() }
}

/// Constants at which arithmetic goes wrong first.
const EDGES: [i64; 14] =
    [0, 1, 2, 3, 7, 63, 64, 127, 128, 255, 65_535, i32::MAX as i64, i32::MAX as i64 + 1, i64::MAX];
const TEXTS: [&str; 12] = [
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
    "text",
    "xyzxyz",
];
/// The longest text that a variable is given: a program's texts stay shorter than strings may be.
const LONGEST: i64 = 24;

struct Maker<'a> {
    state: u64,
    size: &'a Size,
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
        let predicate = (self.choose(3) == 0).then(|| self.number(self.size.depth));
        // One in eight divides by what may be zero, and has nothing else that could be seen half done.
        if self.choose(8) == 0 {
            // A constant that is zero is refused.
            let by = Expr::Binary(Op::Or, Box::new(self.scalar()), Box::new(self.number(1)));
            let op = self.pick(&[Op::Div, Op::Rem]);
            let divided = Expr::Binary(op, Box::new(self.number(1)), Box::new(by));
            let body = vec![self.set(), Stmt::Set(self.place_of(LONG), None, divided), self.set()];
            return Clause { predicate: None, body };
        }
        Clause { predicate, body: self.block(2) }
    }

    fn block(&mut self, nesting: u32) -> Vec<Stmt> {
        let count = 1 + self.choose(self.size.statements);
        (0..count).map(|_| self.statement(nesting)).collect()
    }

    fn statement(&mut self, nesting: u32) -> Stmt {
        match self.choose(if nesting == 0 { 10 } else { 12 }) {
            0..=3 => self.set(),
            4 => {
                let place = self.plain_place();
                Stmt::Step { place, up: self.choose(2) == 0, before: self.choose(2) == 0 }
            }
            5 => {
                let (place, op) = (self.plain_place(), self.pick(&OPS).0);
                let value = self.number(self.size.depth - 1);
                Stmt::Set(place, Some(op), if matches!(op, Op::Div | Op::Rem) { odd(value) } else { value })
            }
            6 => Stmt::SetBoth(self.integer_place(), self.integer_place(), self.number(self.size.depth)),
            7 | 8 => {
                let values = (0..1 + self.choose(3)).map(|_| match self.choose(3) {
                    0 => self.text(2),
                    _ => self.number(self.size.depth),
                });
                Stmt::Print(values.collect())
            }
            9 => {
                let index = self.choose(AGGREGATIONS.len());
                let keys = self.keys(AGGREGATIONS[index].1);
                Stmt::Aggregate(index, keys, self.number(self.size.depth))
            }
            _ => {
                let condition = self.number(2);
                let no = if self.choose(2) == 0 { Vec::new() } else { self.block(nesting - 1) };
                Stmt::If(condition, self.block(nesting - 1), no)
            }
        }
    }

    /// An assignment of a number or a text.
    fn set(&mut self) -> Stmt {
        let place = self.place(|_| true);
        let value = match VARIABLES[place.variable].ty {
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
        Place { variable: place.variable, keys: keys.collect() }
    }

    fn place_of(&mut self, wanted: Type) -> Place {
        self.place(|ty| ty == wanted)
    }

    fn place(&mut self, fits: impl Fn(Type) -> bool) -> Place {
        loop {
            let variable = self.choose(VARIABLES.len());
            if fits(VARIABLES[variable].ty) {
                return Place { variable, keys: self.keys(VARIABLES[variable].keys) };
            }
        }
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
        match self.choose(if depth == 0 { 3 } else { 16 }) {
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
            _ => {
                let routine =
                    self.pick(&[Routine::Strlen, Routine::Index, Routine::Rindex, Routine::Strtoll]);
                let count = if matches!(routine, Routine::Index | Routine::Rindex) { 2 } else { 1 };
                Expr::Call(routine, (0..count).map(|_| self.text(less.min(1))).collect())
            }
        }
    }

    /// A variable of an integer type that has no key.
    fn scalar(&mut self) -> Expr {
        loop {
            let variable = self.choose(VARIABLES.len());
            if VARIABLES[variable].keys.is_empty() && VARIABLES[variable].ty != Type::Text {
                return Expr::Load(Place { variable, keys: Vec::new() });
            }
        }
    }

    /// A place in an expression of some depth: an element only where its key has room.
    fn integer_place_within(&mut self, depth: u32) -> Place {
        loop {
            let place = self.integer_place();
            if depth > 0 || place.keys.is_empty() {
                return place;
            }
        }
    }

    fn text(&mut self, depth: u32) -> Expr {
        let less = depth.saturating_sub(1);
        match self.choose(if depth == 0 { 2 } else { 7 }) {
            0 => Expr::Text(self.pick(&TEXTS)),
            1 => loop {
                let variable = self.choose(VARIABLES.len());
                if VARIABLES[variable].keys.is_empty() && VARIABLES[variable].ty == Type::Text {
                    break Expr::Load(Place { variable, keys: Vec::new() });
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
            5 => {
                let long = INTEGERS.iter().position(|(ty, _)| *ty == LONG).unwrap_or(0);
                Expr::Call(Routine::Lltostr, vec![Expr::Cast(long, self.boxed(less))])
            }
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
    debug_assert!(type_of(&value) != Type::Text, "a number");
    Expr::Binary(Op::Or, Box::new(value), Box::new(Expr::Int(1)))
}
