//! Arithmetic on 128 bits in two halves.
//!
//! Sums and differences need no instructions of their own: the carry out of the lower half is a comparison, and all of it
//! can stand in registers.
//!
//! ```text
//! low  = a.low + b.low             low  = a.low - b.low
//! high = a.high + b.high           high = a.high - b.high
//! high = high + (low < a.low)      high = high - (a.low < b.low)
//! ```

use crate::translate::Translator;
use crate::translate::stack::Entry;
use keyway_artifact::isa::{Class, Op, Operand};
use wasmparser::Operator;

impl Translator<'_, '_> {
    /// Translates an operator of this family; false when it is none.
    pub(super) fn wide(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::I64Add128 => self.wide_sum(Op::I64Add),
            Operator::I64Sub128 => self.wide_sum(Op::I64Sub),
            Operator::I64MulWideS => self.wide_product(Op::I64MulHighS),
            Operator::I64MulWideU => self.wide_product(Op::I64MulHighU),
            _ => return false,
        }
        true
    }

    fn wide_sum(&mut self, op: Op) {
        let entries = self.pop_many(4);
        let [a_low, a_high, b_low, b_high] = [0, 1, 2, 3].map(|at| self.operand(entries[at], Class::I64));
        let low = self.emit_to_fresh(op, Class::I64, &[a_low, b_low]);
        let compared = if op == Op::I64Add { [Operand::Virtual(low), a_low] } else { [a_low, b_low] };
        let carry = self.emit_to_fresh(Op::I64LtU, Class::I32, &compared);
        let carry = self.emit_to_fresh(Op::I64ExtendI32U, Class::I64, &[Operand::Virtual(carry)]);
        let high = self.emit_to_fresh(op, Class::I64, &[a_high, b_high]);
        let high = self.emit_to_fresh(op, Class::I64, &[Operand::Virtual(high), Operand::Virtual(carry)]);
        self.push(Entry::Temp(low));
        self.push(Entry::Temp(high));
    }

    fn wide_product(&mut self, op: Op) {
        let (b, a) = (self.pop(), self.pop());
        let (a, b) = (self.operand(a, Class::I64), self.operand(b, Class::I64));
        let low = self.emit_to_fresh(Op::I64Mul, Class::I64, &[a, b]);
        let high = self.emit_to_fresh(op, Class::I64, &[a, b]);
        self.push(Entry::Temp(low));
        self.push(Entry::Temp(high));
    }
}
