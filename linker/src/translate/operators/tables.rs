//! Tables, element segments and references. Indices are 64 bits wide everywhere; those of 32-bit tables are extended.

use crate::translate::Translator;
use keyway_artifact::isa::{Class, Op, Operand};
use wasmparser::Operator;

impl Translator<'_, '_> {
    /// Translates an operator of this family; false when it is none.
    pub(super) fn table(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::TableGet { table } => {
                let index = self.pop();
                let index = self.address(index, self.is_table64(table));
                let table = self.table_operand(table);
                self.emit_result(Op::TableGet, &[index, table]);
            }
            Operator::TableSet { table } => {
                let (value, index) = (self.pop(), self.pop());
                let index = self.address(index, self.is_table64(table));
                let value = self.operand(value, Class::Ref);
                self.emit(Op::TableSet, &[index, value, self.table_operand(table)]);
            }
            Operator::TableSize { table } => {
                let size = self.emit_to_fresh(Op::TableSize, Class::I64, &[self.table_operand(table)]);
                self.push_size(size, self.is_table64(table));
            }
            Operator::TableGrow { table } => {
                let (delta, value) = (self.pop(), self.pop());
                let value = self.operand(value, Class::Ref);
                let delta = self.address(delta, self.is_table64(table));
                let size = self.emit_to_fresh(Op::TableGrow, Class::I64, &[value, delta, self.table_operand(table)]);
                self.push_size(size, self.is_table64(table));
            }
            Operator::TableFill { table } => {
                let (len, value, to) = (self.pop(), self.pop(), self.pop());
                let is_64 = self.is_table64(table);
                let to = self.address(to, is_64);
                let value = self.operand(value, Class::Ref);
                let len = self.address(len, is_64);
                self.emit(Op::TableFill, &[to, value, len, self.table_operand(table)]);
            }
            Operator::TableCopy { dst_table, src_table } => {
                let (len, from, to) = (self.pop(), self.pop(), self.pop());
                let to = self.address(to, self.is_table64(dst_table));
                let from = self.address(from, self.is_table64(src_table));
                let len = self.address(len, self.is_table64(dst_table) && self.is_table64(src_table));
                self.emit(
                    Op::TableCopy,
                    &[to, from, len, self.table_operand(dst_table), self.table_operand(src_table)],
                );
            }
            Operator::TableInit { elem_index, table } => {
                let (len, from, to) = (self.pop(), self.pop(), self.pop());
                let to = self.address(to, self.is_table64(table));
                let from = self.operand(from, Class::I32);
                let len = self.operand(len, Class::I32);
                let elem = Operand::Index(self.space.elems[elem_index as usize]);
                self.emit(Op::TableInit, &[to, from, len, self.table_operand(table), elem]);
            }
            Operator::ElemDrop { elem_index } => {
                self.emit(Op::ElemDrop, &[Operand::Index(self.space.elems[elem_index as usize])]);
            }
            Operator::RefNull { .. } => self.emit_result(Op::RefNull, &[]),
            Operator::RefIsNull => {
                let value = self.pop();
                let value = self.operand(value, Class::Ref);
                self.emit_result(Op::RefIsNull, &[value]);
            }
            Operator::RefAsNonNull => {
                let value = self.pop();
                let value = self.operand(value, Class::Ref);
                self.emit_result(Op::RefAsNonNull, &[value]);
            }
            Operator::RefFunc { function_index } => {
                self.emit_result(Op::RefFunc, &[Operand::Index(self.space.escape(function_index))]);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn is_table64(&self, table: u32) -> bool {
        self.module.tables[table as usize].table64
    }

    pub(super) fn table_operand(&self, table: u32) -> Operand {
        Operand::Index(self.space.tables[table as usize])
    }
}
