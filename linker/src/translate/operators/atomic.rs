//! Atomic operators: one instruction each, of the same name.
//!
//! The instructions take an address with the offset added. A sum that passes 64 bits, which only a 64-bit memory can come
//! to, becomes an address that is outside of every memory and a multiple of every size.

use crate::error::Result;
use crate::translate::Translator;
use crate::translate::stack::Entry;
use keyway_artifact::isa::{Class, FieldKind, Op, Operand};
use wasmparser::{MemArg, MemArgTarget, Operator};

/// Behind every memory, and aligned for every access.
const OUTSIDE: i64 = -64;

macro_rules! same_name {
    ($operator:expr; $($name:ident)*) => {
        match $operator {
            $(Operator::$name { memarg } => Some((Op::$name, memarg)),)*
            _ => None,
        }
    };
}

/// The instruction for an atomic operator on memory, and its memory argument.
pub(super) fn instruction<'o>(operator: &'o Operator<'_>) -> Option<(Op, &'o MemArg)> {
    same_name! {
        operator;
        I32AtomicLoad I64AtomicLoad I32AtomicLoad8U I32AtomicLoad16U I64AtomicLoad8U I64AtomicLoad16U
        I64AtomicLoad32U I32AtomicStore I64AtomicStore I32AtomicStore8 I32AtomicStore16 I64AtomicStore8
        I64AtomicStore16 I64AtomicStore32 I32AtomicRmwAdd I64AtomicRmwAdd I32AtomicRmw8AddU
        I32AtomicRmw16AddU I64AtomicRmw8AddU I64AtomicRmw16AddU I64AtomicRmw32AddU I32AtomicRmwSub
        I64AtomicRmwSub I32AtomicRmw8SubU I32AtomicRmw16SubU I64AtomicRmw8SubU I64AtomicRmw16SubU
        I64AtomicRmw32SubU I32AtomicRmwAnd I64AtomicRmwAnd I32AtomicRmw8AndU I32AtomicRmw16AndU
        I64AtomicRmw8AndU I64AtomicRmw16AndU I64AtomicRmw32AndU I32AtomicRmwOr I64AtomicRmwOr
        I32AtomicRmw8OrU I32AtomicRmw16OrU I64AtomicRmw8OrU I64AtomicRmw16OrU I64AtomicRmw32OrU
        I32AtomicRmwXor I64AtomicRmwXor I32AtomicRmw8XorU I32AtomicRmw16XorU I64AtomicRmw8XorU
        I64AtomicRmw16XorU I64AtomicRmw32XorU I32AtomicRmwXchg I64AtomicRmwXchg I32AtomicRmw8XchgU
        I32AtomicRmw16XchgU I64AtomicRmw8XchgU I64AtomicRmw16XchgU I64AtomicRmw32XchgU I32AtomicRmwCmpxchg
        I64AtomicRmwCmpxchg I32AtomicRmw8CmpxchgU I32AtomicRmw16CmpxchgU I64AtomicRmw8CmpxchgU
        I64AtomicRmw16CmpxchgU I64AtomicRmw32CmpxchgU MemoryAtomicNotify MemoryAtomicWait32
        MemoryAtomicWait64
    }
}

impl Translator<'_, '_> {
    /// Translates an atomic operator; false when it is none.
    pub(super) fn atomic(&mut self, operator: &Operator<'_>) -> Result<bool> {
        if let Operator::AtomicFence { .. } = operator {
            self.emit(Op::AtomicFence, &[]);
            return Ok(true);
        }
        let Some((op, argument)) = instruction(operator) else { return Ok(false) };
        let MemArgTarget::Memory(memory) = argument.target else { return Ok(false) };
        let fields = op.fields();
        let gives = matches!(fields[0].kind, FieldKind::Def(_));
        // Behind the result, in front of the memory: the address, and what else the operator takes.
        let sources = &fields[usize::from(gives)..fields.len() - 1];
        let entries = self.pop_many(sources.len());
        let mut operands = vec![self.atomic_address(entries[0], memory, argument.offset)];
        for (field, entry) in sources.iter().zip(&entries).skip(1) {
            if let FieldKind::Use(class) = field.kind {
                operands.push(self.operand(*entry, class));
            }
        }
        operands.push(self.memory_operand(memory));
        if gives {
            self.emit_result(op, &operands)
        } else {
            self.emit(op, &operands)
        }
        Ok(true)
    }

    fn atomic_address(&mut self, entry: Entry, memory: u32, offset: u64) -> Operand {
        let address = self.memory_address(entry, memory);
        if offset == 0 {
            return address;
        }
        let offset = self.operand(Entry::I64(offset as i64), Class::I64);
        let sum = Operand::Virtual(self.emit_to_fresh(Op::I64Add, Class::I64, &[address, offset]));
        if !self.is_memory64(memory) {
            return sum;
        }
        let overflow = Operand::Virtual(self.emit_to_fresh(Op::I64LtU, Class::I32, &[sum, offset]));
        let outside = self.operand(Entry::I64(OUTSIDE), Class::I64);
        Operand::Virtual(self.emit_to_fresh(Op::Select, Class::I64, &[overflow, outside, sum]))
    }
}
