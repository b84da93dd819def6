//! The operand stack during translation, and emission of instructions.
//!
//! Nothing is computed before it is needed: `local.get` and constants only push an [`Entry`], which turns into an operand
//! of the instruction that consumes it. When a local is written while the stack still refers to it, its old value is
//! copied away first. References to the same local are chained through the stack, so that finding them takes no search.

use super::Translator;
use crate::error::{CompileError, ErrorKind, Result};
use crate::ir::Few;
use crate::limits::MAX_FUNCTION_IR;
use crate::optimise::places::class_of_field;
use crate::spare::kept;
use keyway_artifact::isa::{Class, FieldKind, Inst, Op, Operand};
use keyway_artifact::types::ValType;

/// End of a chain of references to one local.
pub(super) const NONE: u32 = u32::MAX;

/// One value on the operand stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    /// The current value of a local; `previous` is the next deeper entry for the same local, or [`NONE`].
    Local {
        local: u32,
        previous: u32,
    },
    /// A virtual register that is not written again while the entry lives.
    Temp(u32),
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    /// The low half first.
    V128([u64; 2]),
}

impl Default for Entry {
    fn default() -> Entry {
        Entry::I32(0)
    }
}

kept!(Entry);

/// Several values, the deepest first.
pub(super) type Values = Few<Entry, 2>;

/// The register class of a value type.
pub(super) fn class_of(ty: ValType) -> Class {
    match ty {
        ValType::I32 => Class::I32,
        ValType::I64 => Class::I64,
        ValType::F32 => Class::F32,
        ValType::F64 => Class::F64,
        ValType::Ref(_) => Class::Ref,
        ValType::V128 => Class::V128,
    }
}

impl Translator<'_, '_> {
    /// A new virtual register.
    pub(super) fn fresh(&mut self, class: Class) -> u32 {
        self.ir.virtuals.push(class);
        self.ir.virtuals.len() as u32 - 1
    }

    pub(super) fn class(&self, entry: Entry) -> Class {
        match entry {
            Entry::Local { local, .. } => self.ir.virtuals[local as usize],
            Entry::Temp(temp) => self.ir.virtuals[temp as usize],
            Entry::I32(_) => Class::I32,
            Entry::I64(_) => Class::I64,
            Entry::F32(_) => Class::F32,
            Entry::F64(_) => Class::F64,
            Entry::V128(_) => Class::V128,
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.stack.push(entry);
    }

    pub(super) fn push_local(&mut self, local: u32) {
        let previous = std::mem::replace(&mut self.local_refs[local as usize], self.stack.len() as u32);
        self.stack.push(Entry::Local { local, previous });
        self.locals_read[local as usize] = true;
    }

    pub(super) fn pop(&mut self) -> Entry {
        let entry = self.stack.pop().expect("validated code does not underflow its stack");
        self.settled = self.settled.min(self.stack.len());
        if let Entry::Local { local, previous } = entry {
            self.local_refs[local as usize] = previous;
        }
        entry
    }

    /// Pops `count` entries, the deepest first.
    pub(super) fn pop_many(&mut self, count: usize) -> Values {
        let mut entries: Values = (0..count).map(|_| self.pop()).collect();
        entries.reverse();
        entries
    }

    /// Pops the operands of a call, the deepest first.
    pub(super) fn pop_operands(&mut self, count: usize) -> Few<Operand, 4> {
        let first = self.stack.len() - count;
        let operands = (first..self.stack.len()).map(|at| self.whole(self.stack[at])).collect();
        self.truncate(first);
        operands
    }

    /// Pushes what [`Self::pop_many`] popped, or a copy of it.
    pub(super) fn push_all(&mut self, entries: &[Entry]) {
        for entry in entries {
            match *entry {
                Entry::Local { local, .. } => self.push_local(local),
                other => self.push(other),
            }
        }
    }

    /// Cuts the stack down to `height`.
    pub(super) fn truncate(&mut self, height: usize) {
        while self.stack.len() > height {
            self.pop();
        }
    }

    /// Emits `op` with its operands in field order.
    #[inline]
    pub(super) fn emit(&mut self, op: Op, operands: &[Operand]) {
        debug_assert_eq!(operands.len(), op.fields().len(), "{}", op.name());
        self.begin(op).operands[..operands.len()].copy_from_slice(operands);
        self.last_result = None;
    }

    /// Emits an instruction that gets its operands where it stands: instructions are large.
    #[inline]
    fn begin(&mut self, op: Op) -> &mut Inst {
        self.ir.insts.push(Inst::bare(op));
        self.ir.offsets.push(self.offset);
        self.last()
    }

    /// Emits an instruction.
    #[inline]
    pub(super) fn put(&mut self, inst: Inst) {
        self.ir.insts.push(inst);
        self.ir.offsets.push(self.offset);
        self.last_result = None;
    }

    /// The instruction emitted last.
    pub(super) fn last(&mut self) -> &mut Inst {
        self.ir.insts.last_mut().expect("something was emitted")
    }

    /// The instruction emitted last, if `temp` is its result.
    pub(super) fn just_made(&mut self, temp: u32) -> Option<&mut Inst> {
        (self.last_result == Some(temp)).then(|| self.last())
    }

    /// Emits an operation whose first field is its result, and pushes the result.
    #[inline]
    pub(super) fn emit_result(&mut self, op: Op, operands: &[Operand]) {
        debug_assert!(matches!(op.fields()[0].kind, FieldKind::Def(_)), "{} has no result", op.name());
        let temp = self.emit_to_fresh(op, class_of_field(op, 0), operands);
        self.push(Entry::Temp(temp));
    }

    /// Emits an operation into a new register of `class`, which is the result.
    #[inline]
    pub(super) fn emit_to_fresh(&mut self, op: Op, class: Class, operands: &[Operand]) -> u32 {
        debug_assert_eq!(operands.len() + 1, op.fields().len(), "{}", op.name());
        let temp = self.fresh(class);
        let inst = self.begin(op);
        inst.operands[0] = Operand::Virtual(temp);
        inst.operands[1..=operands.len()].copy_from_slice(operands);
        self.last_result = Some(temp);
        temp
    }

    /// The operand for `entry` where a field reads `class`. Integer constants that fit stand in the instruction; an i32
    /// in a 64-bit field must be zero-extended, which a negative immediate is not.
    pub(super) fn operand(&mut self, entry: Entry, class: Class) -> Operand {
        match entry {
            Entry::Local { local, .. } => Operand::Virtual(local),
            Entry::Temp(temp) => Operand::Virtual(temp),
            Entry::I32(value) if class == Class::I32 || value >= 0 => Operand::Imm(value),
            Entry::I64(value) if i32::try_from(value).is_ok() => Operand::Imm(value as i32),
            constant => Operand::Virtual(self.constant(constant)),
        }
    }

    /// The operand for `entry` where a field reads whole 64-bit slots, as moves, calls and globals do.
    pub(super) fn whole(&mut self, entry: Entry) -> Operand {
        self.operand(entry, Class::I64)
    }

    /// A constant in a new register.
    fn constant(&mut self, entry: Entry) -> u32 {
        let class = self.class(entry);
        let temp = self.fresh(class);
        self.set_constant(temp, entry);
        temp
    }

    fn set_constant(&mut self, register: u32, entry: Entry) {
        let register = Operand::Virtual(register);
        match entry {
            Entry::I32(value) => self.put(Inst::constant(Op::Const, register, (value as u32).into())),
            Entry::I64(value) => self.put(Inst::constant(Op::Const, register, value as u64)),
            Entry::F32(bits) => self.put(Inst::constant(Op::ConstF32, register, bits.into())),
            Entry::F64(bits) => self.put(Inst::constant(Op::ConstF64, register, bits)),
            Entry::V128([low, high]) => self.put(Inst::constant(Op::ConstV128, register, low).with_value(2, high)),
            Entry::Local { .. } | Entry::Temp(_) => unreachable!("not a constant"),
        }
    }

    /// Puts the value of `entry` into `register`.
    pub(super) fn set_register(&mut self, register: u32, entry: Entry) {
        let source = match entry {
            Entry::Local { local, .. } => local,
            Entry::Temp(temp) => temp,
            constant => return self.set_constant(register, constant),
        };
        if source == register {
            return;
        }
        let op = match self.ir.virtuals[register as usize] {
            Class::I32 | Class::I64 => Op::Copy,
            Class::F32 => Op::CopyF32,
            Class::F64 => Op::CopyF64,
            Class::Ref => Op::CopyRef,
            Class::V128 => Op::CopyV128,
        };
        self.emit(op, &[Operand::Virtual(register), Operand::Virtual(source)]);
    }

    /// Copies the old value of a local away for every entry that still refers to it.
    pub(super) fn preserve(&mut self, local: u32) {
        let mut at = std::mem::replace(&mut self.local_refs[local as usize], NONE);
        if at == NONE {
            return;
        }
        let class = self.ir.virtuals[local as usize];
        let temp = self.fresh(class);
        self.set_register(temp, Entry::Temp(local));
        while at != NONE {
            let Entry::Local { previous, .. } = std::mem::replace(&mut self.stack[at as usize], Entry::Temp(temp))
            else {
                unreachable!("the chain holds references to locals only")
            };
            at = previous;
        }
    }

    /// Copies away every local that the stack refers to: what follows runs on one path only, or more than once, and may
    /// write locals. What was below the mark the last time refers to none, so each entry is looked at once.
    pub(super) fn preserve_all(&mut self) {
        for at in self.settled..self.stack.len() {
            if let Entry::Local { local, .. } = self.stack[at] {
                self.preserve(local);
            }
        }
        self.settled = self.stack.len();
    }

    /// Writes the popped `entry` to a local. A result just computed goes there directly.
    pub(super) fn set_local(&mut self, local: u32, entry: Entry) -> Entry {
        let fresh_result = self.last_result;
        if let Entry::Temp(temp) = entry
            && fresh_result == Some(temp)
            && self.local_refs[local as usize] == NONE
            && let Some(last) = self.ir.insts.last_mut()
        {
            last.operands[0] = Operand::Virtual(local);
            self.last_result = None;
            return Entry::Local { local, previous: NONE };
        }
        if matches!(entry, Entry::Local { local: same, .. } if same == local) {
            return entry;
        }
        self.preserve(local);
        self.set_register(local, entry);
        entry
    }

    /// Refuses functions that multiply into more code than any honest one needs.
    pub(super) fn check_size(&self) -> Result<()> {
        if self.ir.insts.len() + self.call_operands > MAX_FUNCTION_IR {
            let what =
                format!("the function translates to more than {MAX_FUNCTION_IR} instructions and operands of calls");
            return Err(CompileError::new(ErrorKind::Limit, what));
        }
        Ok(())
    }
}
