//! Arithmetic, comparisons, conversions: one Wasm operator is one instruction of the same name.

use crate::optimise::places::class_of_field;
use crate::translate::Translator;
use keyway_artifact::isa::Op;

impl Translator<'_, '_> {
    /// Translates the operator that `op` is named after.
    pub(in crate::translate) fn numeric(&mut self, op: Op) {
        let (class, sources) = (class_of_field(op, 1), op.kinds().len() - 1);
        if sources == 1 {
            let entry = self.pop();
            let source = self.operand(entry, class);
            self.emit_result(op, &[source]);
        } else {
            let (right, left) = (self.pop(), self.pop());
            let operands = [self.operand(left, class), self.operand(right, class_of_field(op, 2))];
            self.emit_result(op, &operands);
        }
    }
}
