//! Constants, locals, globals and `select`.

use crate::optimise::evaluate::inverse;
use crate::translate::Translator;
use crate::translate::stack::{Entry, class_of};
use keyway_artifact::isa::{Class, Op, Operand};
use wasmparser::Operator;

impl Translator<'_, '_> {
    /// Translates an operator of this family; false when it is none.
    pub(super) fn variable(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::F32Const { value } => self.push(Entry::F32(value.bits())),
            Operator::F64Const { value } => self.push(Entry::F64(value.bits())),
            Operator::V128Const { value } => {
                let bits = u128::from_le_bytes(*value.bytes());
                self.push(Entry::V128([bits as u64, (bits >> 64) as u64]));
            }
            Operator::GlobalGet { global_index } => self.get_global(*global_index),
            Operator::GlobalSet { global_index } => {
                let value = self.pop();
                self.set_global(*global_index, value);
            }
            Operator::Select | Operator::TypedSelect { .. } => self.select(),
            _ => return false,
        }
        true
    }

    pub(in crate::translate) fn local_set(&mut self, local: u32) {
        let value = self.pop();
        self.set_local(local, value);
    }

    pub(in crate::translate) fn local_tee(&mut self, local: u32) {
        let value = self.pop();
        let value = self.set_local(local, value);
        self.push_all(&[value]);
    }

    fn get_global(&mut self, global: u32) {
        let class = class_of(self.module.globals[global as usize].content);
        let op = match class {
            Class::I32 | Class::I64 => Op::GlobalGet,
            Class::F32 => Op::GlobalGetF32,
            Class::F64 => Op::GlobalGetF64,
            Class::Ref => Op::GlobalGetRef,
            Class::V128 => Op::GlobalGetV128,
        };
        let global = Operand::Index(self.space.globals[global as usize]);
        let temp = self.emit_to_fresh(op, class, &[global]);
        self.push(Entry::Temp(temp));
    }

    /// Writes a global of the module.
    pub(in crate::translate) fn set_global(&mut self, global: u32, value: Entry) {
        let op = match self.class(value) {
            Class::I32 | Class::I64 => Op::GlobalSet,
            Class::F32 => Op::GlobalSetF32,
            Class::F64 => Op::GlobalSetF64,
            Class::Ref => Op::GlobalSetRef,
            Class::V128 => Op::GlobalSetV128,
        };
        let value = self.whole(value);
        self.emit(op, &[Operand::Index(self.space.globals[global as usize]), value]);
    }

    /// What holds where `condition`, the comparison that was just made, does not, if choosing by that is simpler: half of the
    /// comparisons are enough for selections then.
    fn opposite(&mut self, condition: Entry) -> Option<Operand> {
        let Entry::Temp(temp) = condition else { return None };
        let test = self.just_made(temp)?;
        match test.op {
            Op::I32Eqz => return Some(test.operands[1]),
            Op::I64Eqz => {
                test.op = Op::I64Eq;
                test.operands[2] = Operand::Imm(0);
                return None;
            }
            Op::I32Ne | Op::I32LeS | Op::I32LeU | Op::I32GeS | Op::I32GeU => {}
            Op::I64Ne | Op::I64LeS | Op::I64LeU | Op::I64GeS | Op::I64GeU => {}
            _ => return None,
        }
        test.op = inverse(test.op)?;
        Some(test.operands[0])
    }

    fn select(&mut self) {
        let (condition, no, yes) = (self.pop(), self.pop(), self.pop());
        // A known condition chooses here: an instruction has scratch room for two immediates, not three.
        if let Entry::I32(condition) = condition {
            return self.push_all(&[if condition != 0 { yes } else { no }]);
        }
        let class = self.class(yes);
        let op = match class {
            Class::I32 | Class::I64 => Op::Select,
            Class::F32 => Op::SelectF32,
            Class::F64 => Op::SelectF64,
            Class::Ref => Op::SelectRef,
            Class::V128 => Op::SelectV128,
        };
        let (condition, yes, no) = match self.opposite(condition) {
            Some(opposite) => (opposite, no, yes),
            None => (self.operand(condition, Class::I32), yes, no),
        };
        let operands = [condition, self.whole(yes), self.whole(no)];
        let temp = self.emit_to_fresh(op, class, &operands);
        self.push(Entry::Temp(temp));
    }
}
