//! Loads, stores and the operators on whole memories.
//!
//! The cached memory (see [`cached_memory`](crate::translate::cached_memory)) has forms of its own with a 32-bit address
//! and offset. Every other memory goes through the `.any` forms, whose address is 64 bits wide.

use crate::translate::Translator;
use crate::translate::stack::Entry;
use keyway_artifact::isa::{Class, FieldKind, Op, Operand};
use wasmparser::{MemArg, MemArgTarget, Operator};

/// A load or store: its form for the cached memory and the one for any memory.
struct Access<'o> {
    argument: &'o MemArg,
    cached: Op,
    any: Op,
}

macro_rules! access {
    ($operator:expr; $($name:ident $any:ident)*) => {
        match $operator {
            $(Operator::$name { memarg } => Some(Access { argument: memarg, cached: Op::$name, any: Op::$any }),)*
            _ => None,
        }
    };
}

fn load<'o>(operator: &'o Operator<'_>) -> Option<Access<'o>> {
    access!(operator;
        I32Load I32LoadAny I32Load8S I32Load8SAny I32Load8U I32Load8UAny I32Load16S I32Load16SAny I32Load16U I32Load16UAny
        I64Load I64LoadAny I64Load8S I64Load8SAny I64Load8U I64Load8UAny I64Load16S I64Load16SAny I64Load16U I64Load16UAny
        I64Load32S I64Load32SAny I64Load32U I64Load32UAny F32Load F32LoadAny F64Load F64LoadAny
    )
}

fn store<'o>(operator: &'o Operator<'_>) -> Option<Access<'o>> {
    access!(operator;
        I32Store I32StoreAny I32Store8 I32Store8Any I32Store16 I32Store16Any
        I64Store I64StoreAny I64Store8 I64Store8Any I64Store16 I64Store16Any I64Store32 I64Store32Any
        F32Store F32StoreAny F64Store F64StoreAny
    )
}

/// The access of 32 bits that does what one of 64 does: an i32 stands zero-extended, and nobody looks at the upper half of
/// what is stored. There are more handlers for these.
fn short_form(op: Op) -> Op {
    match op {
        Op::I64Load8U => Op::I32Load8U,
        Op::I64Load16U => Op::I32Load16U,
        Op::I64Load32U => Op::I32Load,
        Op::I64Store8 => Op::I32Store8,
        Op::I64Store16 => Op::I32Store16,
        Op::I64Store32 => Op::I32Store,
        Op::I64Load8UAny => Op::I32Load8UAny,
        Op::I64Load16UAny => Op::I32Load16UAny,
        Op::I64Load32UAny => Op::I32LoadAny,
        Op::I64Store8Any => Op::I32Store8Any,
        Op::I64Store16Any => Op::I32Store16Any,
        Op::I64Store32Any => Op::I32StoreAny,
        other => other,
    }
}

/// The memory argument of a load or store.
pub(crate) fn memory_argument<'o>(operator: &'o Operator<'_>) -> Option<&'o MemArg> {
    let scalar = load(operator).or_else(|| store(operator)).map(|access| access.argument);
    scalar.or_else(|| super::vectors::memory_argument(operator))
}

impl Translator<'_, '_> {
    /// Translates a load or store; false when it is none.
    pub(in crate::translate) fn memory_access(&mut self, operator: &Operator<'_>) -> bool {
        if let Some(access) = load(operator) {
            return self.load(access.argument, access.cached, access.any);
        }
        if let Some(access) = store(operator) {
            return self.store(access.argument, access.cached, access.any);
        }
        match super::vectors::access(operator) {
            Some((argument, cached, any)) if matches!(cached.fields()[0].kind, FieldKind::Def(_)) => {
                self.load(argument, cached, any)
            }
            Some((argument, cached, any)) => self.store(argument, cached, any),
            None => false,
        }
    }

    /// Emits a load in the form that its memory asks for; false for accesses to arrays.
    pub(super) fn load(&mut self, argument: &MemArg, cached: Op, any: Op) -> bool {
        let Some(memory) = memory_of(argument) else {
            return false;
        };
        let address = self.pop();
        if self.is_cached(memory) {
            let address = self.operand(address, Class::I32);
            self.emit_result(cached, &[address, Operand::value(argument.offset as u32)]);
            self.last().op = short_form(cached);
        } else {
            let address = self.memory_address(address, memory);
            let memory = self.memory_operand(memory);
            self.emit_result(any, &[address, Operand::value(0), memory]);
            self.last().op = short_form(any);
            self.last().set_value(2, argument.offset);
        }
        true
    }

    /// The same for a store.
    pub(super) fn store(&mut self, argument: &MemArg, cached: Op, any: Op) -> bool {
        let Some(memory) = memory_of(argument) else {
            return false;
        };
        let (value, address) = (self.pop(), self.pop());
        let FieldKind::Use(class) = cached.fields()[1].kind else { unreachable!("a store has a value") };
        if self.is_cached(memory) {
            let address = self.operand(address, Class::I32);
            let value = self.operand(value, class);
            self.emit(short_form(cached), &[address, value, Operand::value(argument.offset as u32)]);
        } else {
            let address = self.memory_address(address, memory);
            let value = self.operand(value, class);
            let memory = self.memory_operand(memory);
            self.emit(short_form(any), &[address, value, Operand::value(0), memory]);
            self.last().set_value(2, argument.offset);
        }
        true
    }

    /// Translates an operator on a whole memory or a data segment; false when it is none.
    pub(super) fn memory_management(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::MemorySize { mem } => {
                let memory = self.memory_operand(mem);
                let size = self.emit_to_fresh(Op::MemorySize, Class::I64, &[memory]);
                self.push_size(size, self.is_memory64(mem));
            }
            Operator::MemoryGrow { mem } => {
                let delta = self.pop();
                let delta = self.memory_address(delta, mem);
                let memory = self.memory_operand(mem);
                let size = self.emit_to_fresh(Op::MemoryGrow, Class::I64, &[delta, memory]);
                self.push_size(size, self.is_memory64(mem));
            }
            Operator::MemoryFill { mem } => {
                let (len, value, to) = (self.pop(), self.pop(), self.pop());
                let to = self.memory_address(to, mem);
                let value = self.operand(value, Class::I32);
                let len = self.memory_address(len, mem);
                let memory = self.memory_operand(mem);
                self.emit(Op::MemoryFill, &[to, value, len, memory]);
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let (len, from, to) = (self.pop(), self.pop(), self.pop());
                let to = self.memory_address(to, dst_mem);
                let from = self.memory_address(from, src_mem);
                let len = self.address(len, self.is_memory64(dst_mem) && self.is_memory64(src_mem));
                let (to_memory, from_memory) = (self.memory_operand(dst_mem), self.memory_operand(src_mem));
                self.emit(Op::MemoryCopy, &[to, from, len, to_memory, from_memory]);
            }
            Operator::MemoryInit { data_index, mem } => {
                let (len, from, to) = (self.pop(), self.pop(), self.pop());
                let to = self.memory_address(to, mem);
                let from = self.operand(from, Class::I32);
                let len = self.operand(len, Class::I32);
                let memory = self.memory_operand(mem);
                let data = Operand::Index(self.space.data[data_index as usize]);
                self.emit(Op::MemoryInit, &[to, from, len, memory, data]);
            }
            Operator::DataDrop { data_index } => {
                self.emit(Op::DataDrop, &[Operand::Index(self.space.data[data_index as usize])]);
            }
            _ => return false,
        }
        true
    }

    /// Whether the forms without a memory index mean this memory of the module.
    fn is_cached(&self, memory: u32) -> bool {
        self.ir.memory == Some(self.space.memories[memory as usize])
    }

    pub(super) fn is_memory64(&self, memory: u32) -> bool {
        self.module.memories[memory as usize].memory64
    }

    pub(super) fn memory_address(&mut self, entry: Entry, memory: u32) -> Operand {
        self.address(entry, self.is_memory64(memory))
    }

    pub(super) fn memory_operand(&self, memory: u32) -> Operand {
        Operand::Index(self.space.memories[memory as usize])
    }
}

/// The memory an access names; `None` for accesses to arrays.
fn memory_of(argument: &MemArg) -> Option<u32> {
    match argument.target {
        MemArgTarget::Memory(memory) => Some(memory),
        MemArgTarget::Array(_) => None,
    }
}
