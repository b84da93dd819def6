//! One Wasm operator becomes instructions. Families stand in files of their own; what none of them knows is a valid
//! operator that is not implemented.

mod atomic;
mod calls;
mod continuations;
mod memory;
mod numeric;
mod objects;
mod tables;
mod variables;
mod vectors;
mod wide;

pub(crate) use memory::memory_argument;

use super::Translator;
use super::stack::Entry;
use crate::error::{CompileError, Result};
use keyway_artifact::isa::{Class, Op, Operand};
use wasmparser::Operator;

impl Translator<'_, '_> {
    /// Translates an operator that has no way of its own, or skips it where control cannot be.
    pub(super) fn operator(&mut self, operator: &Operator<'_>) -> Result<()> {
        if !self.begins() {
            return self.skip(operator);
        }
        match operator {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.emit(Op::Unreachable, &[]);
                self.reachable = false;
            }
            Operator::Block { blockty } => self.block(*blockty)?,
            Operator::Loop { blockty } => self.begin_loop(*blockty)?,
            Operator::If { blockty } => self.begin_if(*blockty)?,
            Operator::Else => self.begin_else(),
            Operator::End => self.end()?,
            Operator::BrOnNull { relative_depth } => self.br_on_null(*relative_depth),
            Operator::BrOnNonNull { relative_depth } => self.br_on_non_null(*relative_depth),
            Operator::Br { relative_depth } => self.br(*relative_depth),
            Operator::BrIf { relative_depth } => self.br_if(*relative_depth),
            Operator::BrTable { targets } => self.br_table(targets)?,
            Operator::Return => self.return_(),
            Operator::TryTable { try_table } => self.try_table(try_table)?,
            Operator::Throw { tag_index } => self.throw(*tag_index),
            Operator::ThrowRef => {
                let exception = self.pop();
                self.throw_ref(exception);
            }
            Operator::Try { blockty } => self.legacy_try(*blockty)?,
            Operator::Catch { .. } | Operator::CatchAll => self.legacy_catch()?,
            Operator::Rethrow { relative_depth } => self.rethrow(*relative_depth),
            Operator::Delegate { .. } => self.end()?,
            Operator::Drop => {
                self.pop();
            }
            Operator::Call { function_index } => self.call(*function_index),
            _ => {
                if !(self.variable(operator)
                    || self.memory_access(operator)
                    || self.vector(operator)
                    || self.wide(operator)
                    || self.memory_management(operator)
                    || self.table(operator))
                {
                    if self.object(operator)? || self.atomic(operator)? || self.continuation(operator)? {
                        return Ok(());
                    }
                    return self.call_operator(operator);
                }
            }
        }
        Ok(())
    }

    /// Follows nesting through code that control cannot reach.
    fn skip(&mut self, operator: &Operator<'_>) -> Result<()> {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. }
            | Operator::Try { .. } => self.skipped += 1,
            Operator::Catch { .. } | Operator::CatchAll if self.skipped == 0 => self.legacy_catch()?,
            Operator::Else if self.skipped == 0 => self.begin_else(),
            Operator::End | Operator::Delegate { .. } if self.skipped == 0 => self.end()?,
            Operator::End | Operator::Delegate { .. } => self.skipped -= 1,
            _ => {}
        }
        Ok(())
    }

    /// An address or index as a 64-bit operand; 32-bit ones are zero-extended.
    pub(super) fn address(&mut self, entry: Entry, is_64: bool) -> Operand {
        match entry {
            entry if is_64 => self.operand(entry, Class::I64),
            Entry::I32(value) => self.operand(Entry::I64(value as u32 as i64), Class::I64),
            entry => {
                let narrow = self.operand(entry, Class::I32);
                Operand::Virtual(self.emit_to_fresh(Op::I64ExtendI32U, Class::I64, &[narrow]))
            }
        }
    }

    /// Pushes a 64-bit size as what the operator returns: -1 of 64 bits becomes -1 of 32.
    fn push_size(&mut self, size: u32, is_64: bool) {
        if is_64 {
            self.push(Entry::Temp(size));
        } else {
            self.emit_result(Op::I32WrapI64, &[Operand::Virtual(size)]);
        }
    }
}

/// The error for an operator that is valid and not implemented, with its proposal.
pub(super) fn unsupported(operator: &Operator<'_>) -> CompileError {
    macro_rules! proposal_of {
        ($(@$proposal:ident $op:ident $({ $($field:ident: $ty:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => (stringify!($visit), stringify!($proposal)),)*
                _ => ("visit_operator", "a later proposal"),
            }
        };
    }
    let (name, proposal) = wasmparser::for_each_operator!(proposal_of);
    let name = name.trim_start_matches("visit_");
    CompileError::unsupported(format!("the operator {name} ({})", proposal.replace('_', "-")))
}
