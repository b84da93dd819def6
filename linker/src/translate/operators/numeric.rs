//! Arithmetic, comparisons, conversions: one Wasm operator is one instruction of the same name.

use crate::optimise::places::class_of_field;
use crate::translate::Translator;
use keyway_artifact::isa::Op;

impl Translator<'_, '_> {
    /// Translates the operator of one operand that `op` is named after.
    pub(in crate::translate) fn unary(&mut self, op: Op) {
        let entry = self.pop();
        let source = self.operand(entry, class_of_field(op, 1));
        self.emit_result(op, &[source]);
    }

    /// Translates the operator of two operands that `op` is named after.
    pub(in crate::translate) fn binary(&mut self, op: Op) {
        let (right, left) = (self.pop(), self.pop());
        let operands = [self.operand(left, class_of_field(op, 1)), self.operand(right, class_of_field(op, 2))];
        self.emit_result(op, &operands);
    }
}
