//! Aggregating: this CPU's value under the key, made when it is not there, and counted up.
//!
//! Interrupts may nest, so words are added to atomically where several programs count ([`super::alone`]). Least and greatest values are compared and stored: an
//! interrupt in between that finds a yet smaller or greater one is lost to them, and only to them.

use probes_common::abi::Drop;

use super::clause::Clause;
use super::data::ZEROS;
use super::helper;
use super::layout::{AggregationAt, Repr, lquantize_levels, magnitudes, spare_map, value_words};
use crate::check::typed::{AggregationId, Expr, Function};
use crate::ir::{BinaryOp, Condition, Label, Memory, Operand, Size, UnaryOp, VReg, Width};

/// BPF_NOEXIST
const NO_EXIST: i64 = 1;
/// Bytes of the aggregation's number before its key.
const NUMBER: u32 = 8;
/// -ENOMEM: no element is at hand.
const ENOMEM: i64 = -12;

/// How an aggregation is counted up.
#[derive(Clone, Copy)]
struct How {
    function: Function,
    /// By one program alone.
    alone: bool,
}

impl Clause<'_> {
    /// `@a[keys] = function(value, weight)`
    pub(super) fn aggregate(
        &mut self,
        aggregation: AggregationId,
        keys: &[Expr],
        value: Option<&Expr>,
        weight: Option<&Expr>,
    ) {
        let at = &self.context.storage.aggregations[aggregation];
        let known = self.known.clone();
        let first = self.action;
        // The value's faults belong to the action after the keys'.
        self.action = first + keys.len() as u32;
        let value = value.map_or(Operand::Imm(0), |value| self.int(value));
        let weight = weight.map_or(Operand::Imm(1), |weight| self.int(weight));
        self.action = first;
        let done = self.b.label();
        let found = match at.keys.is_empty() {
            true => self.cpu_part(&at.map, at.value_size),
            false => self.keyed(at, keys, done),
        };
        // Behind the keys: the verifier knows each bucket by its number, and follows what comes next for every one of them.
        let bucket = self.bucket(at.aggregation.function, value);
        let how = How { function: at.aggregation.function, alone: self.context.alone[aggregation] };
        self.count(how, found, value, weight, bucket);
        self.b.place(done);
        // Where a stack finds no room, not all of this was run.
        if at.keys.iter().any(|key| matches!(key.repr, Repr::StackKey(_))) {
            self.known = known;
        }
        self.action = first + keys.len() as u32 + 1;
    }

    /// This CPU's value under the keys; goes to `failed` when there is no room for it.
    fn keyed(&mut self, at: &AggregationAt, keys: &[Expr], failed: Label) -> VReg {
        let key = self.key(keys, &at.keys, (NUMBER, at.key_size), failed);
        let found = self.b.vreg();
        let present = self.b.label();
        if let Some(near) = at.near {
            let far = self.b.label();
            let place = self.near(near, key, at.key_size, far);
            self.b.set(found, place);
            self.b.jump(present);
            self.b.place(far);
        }
        let entry = self.entry(at, key, failed);
        self.b.set(found, entry);
        self.b.place(present);
        found
    }

    /// The same in the hash map.
    fn entry(&mut self, at: &AggregationAt, key: Memory, failed: Label) -> VReg {
        let place = self.address(key);
        let found = self.look_up_in(&at.map, place);
        let (present, none) = (self.b.label(), self.b.label());
        self.b.branch(Condition::Ne, found, 0, present);
        self.data.want_zeros(at.value_size);
        let status = self.insert(&at.map, place, found, present);
        self.b.branch(Condition::Ne, status, ENOMEM, none);
        let numbered = Memory { offset: key.offset - NUMBER as i32, ..key };
        self.b.store(Size::B8, numbered, i64::from(at.number));
        let place = self.address(numbered);
        self.insert(&spare_map(at.key_size, at.value_size), place, found, present);
        self.b.place(none);
        self.count_drop(Drop::Aggregation);
        self.b.jump(failed);
        self.b.place(present);
        found
    }

    /// Makes a value under the key; goes to `present` with it in `found`, or on with what the kernel said.
    fn insert(&mut self, map: &str, key: VReg, found: VReg, present: Label) -> VReg {
        let (address, zeros) = (self.b.map_addr(map), self.b.data_addr(ZEROS, 0));
        let args = [address.into(), key.into(), zeros.into(), Operand::Imm(NO_EXIST)];
        let status = self.b.helper(helper::MAP_UPDATE_ELEM, &args);
        let made = self.look_up_in(map, key);
        self.b.set(found, made);
        self.b.branch(Condition::Ne, found, 0, present);
        status
    }

    fn look_up_in(&mut self, map: &str, key: VReg) -> VReg {
        let map = self.b.map_addr(map);
        self.b.helper(helper::MAP_LOOKUP_ELEM, &[map.into(), key.into()])
    }

    /// The bucket of a histogram and the number of the last one.
    fn bucket(&mut self, function: Function, value: Operand) -> Option<(VReg, i64)> {
        match function {
            Function::Quantize => Some((self.b.call("quantize_bucket", &[value]), 126)),
            Function::Lquantize { low, high, step } => {
                let levels = i64::from(lquantize_levels(low, high, step));
                let args = [value, Operand::Imm(low), Operand::Imm(step as i64), Operand::Imm(levels)];
                Some((self.b.call("lquantize_bucket", &args), levels + 1))
            }
            Function::Llquantize { .. } => Some(self.magnitude_bucket(function, value)),
            _ => None,
        }
    }

    /// The bucket of llquantize and the number of the last one: comparisons with one magnitude after the other, all of
    /// them constants. Negative values have the buckets of their absolute values, counted from the middle down.
    fn magnitude_bucket(&mut self, function: Function, value: Operand) -> (VReg, i64) {
        let value = self.b.in_reg(value);
        let last = i64::from(value_words(function)) - 2;
        let middle = last / 2;
        let (positive, beyond, done) = (self.b.label(), self.b.label(), self.b.label());
        let size = self.b.copy(value);
        self.b.branch(Condition::Sge, value, 0, positive);
        let negated = self.b.unary(UnaryOp::Neg, value);
        self.b.set(size, negated);
        self.b.place(positive);
        let bucket = self.b.copy(0);
        let mut first = 1;
        for (index, magnitude) in magnitudes(function).enumerate() {
            // No value reaches a magnitude that begins beyond 64 bits.
            let Ok(from) = u64::try_from(magnitude.from) else { break };
            let above = self.b.label();
            if index == 0 {
                let from = self.b.constant(from as i64);
                self.b.branch(Condition::Lt, size, from, beyond);
            }
            if let Ok(to) = u64::try_from(magnitude.to) {
                let to = self.b.constant(to as i64);
                self.b.branch(Condition::Ge, size, to, above);
            }
            let width = self.b.constant(magnitude.width as i64);
            let step = self.b.binary(BinaryOp::Div, size, width);
            let found = self.b.add(step, first - (magnitude.from / magnitude.width) as i64);
            self.b.set(bucket, found);
            self.b.jump(beyond);
            self.b.place(above);
            first += i64::from(magnitude.steps);
        }
        self.b.set(bucket, middle);
        self.b.place(beyond);
        let mirrored = self.b.label();
        self.b.branch(Condition::Slt, value, 0, mirrored);
        let above = self.b.add(bucket, middle);
        self.b.set(bucket, above);
        self.b.jump(done);
        self.b.place(mirrored);
        let middle = self.b.constant(middle);
        let below = self.b.binary(BinaryOp::Sub, middle, bucket);
        self.b.set(bucket, below);
        self.b.place(done);
        (bucket, last)
    }

    /// Counts the value up by the function's rule; see `layout::value_words`.
    fn count(&mut self, how: How, at: VReg, value: Operand, weight: Operand, bucket: Option<(VReg, i64)>) {
        match how.function {
            Function::Count => {}
            Function::Sum | Function::Avg => self.count_up(how, (at, 8), value),
            Function::Stddev => {
                let words = self.b.add(at, 8);
                self.b.call_void("stddev_add", &[words.into(), value]);
            }
            Function::Min => self.keep(at, value, Condition::Sge),
            Function::Max => self.keep(at, value, Condition::Sle),
            Function::Quantize | Function::Lquantize { .. } | Function::Llquantize { .. } => {
                if let Some((bucket, last)) = bucket {
                    self.count_bucket(how, at, bucket, last, weight);
                }
            }
        }
        self.count_up(how, (at, 0), 1.into());
    }

    /// Adds to a word.
    fn count_up(&mut self, how: How, word: (VReg, i32), value: Operand) {
        if how.alone {
            let before = self.b.load(Size::B8, word);
            let after = self.b.add(before, value);
            self.b.store(Size::B8, word, after);
        } else {
            self.b.atomic_add(Width::W64, word, value);
        }
    }

    /// Keeps the value unless one is there to which it stands in the `worse` relation.
    fn keep(&mut self, at: VReg, value: Operand, worse: Condition) {
        let value = self.b.in_reg(value);
        let (store, done) = (self.b.label(), self.b.label());
        let calls = self.b.load(Size::B8, (at, 0));
        self.b.branch(Condition::Eq, calls, 0, store);
        let kept = self.b.load(Size::B8, (at, 8));
        self.b.branch(worse, value, kept, done);
        self.b.place(store);
        self.b.store(Size::B8, (at, 8), value);
        self.b.place(done);
    }

    fn count_bucket(&mut self, how: How, at: VReg, bucket: VReg, last: i64, weight: Operand) {
        let done = self.b.label();
        // Never taken: it tells the verifier the range.
        self.b.branch(Condition::Gt, bucket, last, done);
        let offset = self.b.binary(BinaryOp::Shl, bucket, 3);
        let word = self.b.add(at, offset);
        self.count_up(how, (word, 8), weight);
        self.b.place(done);
    }
}
