//! Smaller programs: what is left out of one that fails until it is as short as it can be.

use super::program::{Program, Stmt};

impl Program {
    /// The program without so many clauses from one on.
    pub(super) fn without_clauses(&self, first: usize, count: usize) -> Option<Program> {
        let mut program = self.clone();
        let end = program.clauses.len().min(first + count);
        program.clauses.drain(first.min(end)..end);
        (first < end).then_some(program)
    }

    /// The program without one of its parts: first its clauses are left out, then predicates, then statements, and of an `if`
    /// all but what it would do.
    pub(super) fn without(&self, part: usize) -> Option<Program> {
        let mut program = self.clone();
        let clauses = program.clauses.len();
        if part < clauses {
            program.clauses.remove(part);
            return Some(program);
        }
        let mut left = part - clauses;
        for clause in &mut program.clauses {
            if clause.predicate.is_some() {
                if left == 0 {
                    clause.predicate = None;
                    return Some(program);
                }
                left -= 1;
            }
            if leave_out(&mut clause.body, &mut left) {
                return Some(program);
            }
        }
        None
    }
}

/// Leaves out the statement of that number, or puts a side of an `if` in its place; says whether there is one.
fn leave_out(body: &mut Vec<Stmt>, left: &mut usize) -> bool {
    let found = |left: &mut usize| std::mem::replace(left, left.wrapping_sub(1)) == 0;
    for index in 0..body.len() {
        if found(left) {
            body.remove(index);
            return true;
        }
        for side in 0..2 {
            let Stmt::If(_, yes, no) = &mut body[index] else { break };
            let side = if side == 0 { yes } else { no };
            if found(left) {
                let side = std::mem::take(side);
                body.splice(index..=index, side);
                return true;
            }
            if leave_out(side, left) {
                return true;
            }
        }
    }
    false
}
