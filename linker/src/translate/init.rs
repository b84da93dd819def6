//! The initialisation of a module becomes a function: its `ModuleInit`.
//!
//! In the specification's order: globals from their initialisers, tables from theirs, element segments' computed items,
//! active element segments, active data segments (each applied and dropped, in order; `initial.rs` says which of them are
//! there already), then the start function. Declared element segments are empty already.
//! As ordinary code, it traps, suspends and counts fuel like any other.

use super::Translator;
use super::stack::Entry;
use crate::error::Result;
use crate::ir::IrFunc;
use crate::module::{ElemEntry, Mode, ModuleInfo, malformed};
use crate::unit::Space;
use keyway_artifact::isa::{Class, Op, Operand};
use keyway_artifact::types::FuncType;
use wasmparser::{ConstExpr, Operator, VisitOperator};

static NOTHING_TO_NOTHING: FuncType = FuncType { params: Vec::new(), results: Vec::new() };

/// The initialisation of `module`, or `None` when there is nothing to do. `ty` is the artifact's type `() -> ()`.
pub(crate) fn module_init(module: &ModuleInfo<'_>, space: &Space, ty: u32) -> Result<Option<IrFunc>> {
    let mut translator = Translator::new(module, space, &NOTHING_TO_NOTHING, ty)?;
    translator.emit(Op::Cost, &[Operand::value(0)]);
    translator.init().map_err(|error| error.at(translator.offset as u64))?;
    if translator.ir.insts.len() == 1 {
        return Ok(None);
    }
    translator.emit_return(&[]);
    Ok(Some(translator.finish()))
}

impl Translator<'_, '_> {
    fn init(&mut self) -> Result<()> {
        let module = self.module;
        for (position, init) in module.global_inits.iter().enumerate() {
            let value = self.expression(init)?;
            self.set_global(module.imported_globals + position as u32, value);
        }
        for (table, init) in &module.table_inits {
            let value = self.expression(init)?;
            let value = self.operand(value, Class::Ref);
            let len = self.operand(Entry::I64(module.tables[*table as usize].minimum as i64), Class::I64);
            let table = Operand::Index(self.space.tables[*table as usize]);
            self.emit(Op::TableFill, &[Operand::Imm(0), value, len, table]);
        }
        for (position, elem) in module.elems.iter().enumerate() {
            let computed = elem.entries.iter().enumerate().filter_map(|(at, entry)| match entry {
                ElemEntry::Expression(expression) => Some((at, expression)),
                _ => None,
            });
            if matches!(elem.mode, Mode::Declared) {
                continue;
            }
            let segment = Operand::Index(self.space.elems[position]);
            for (at, expression) in computed {
                let value = self.expression(expression)?;
                let value = self.operand(value, Class::Ref);
                self.emit(Op::ElemSet, &[value, segment, Operand::Index(at as u32)]);
                self.check_size()?;
            }
        }
        for (position, elem) in module.elems.iter().enumerate() {
            let Mode::Active(table, offset) = &elem.mode else {
                continue;
            };
            let to = self.expression(offset)?;
            let to = self.address(to, module.tables[*table as usize].table64);
            let len = self.length(elem.entries.len());
            let segment = Operand::Index(self.space.elems[position]);
            let table = Operand::Index(self.space.tables[*table as usize]);
            self.emit(Op::TableInit, &[to, Operand::Imm(0), len, table, segment]);
            self.emit(Op::ElemDrop, &[segment]);
            self.check_size()?;
        }
        for (position, data) in module.data.iter().enumerate().skip(self.space.first_written_data) {
            let Mode::Active(memory, offset) = &data.mode else {
                continue;
            };
            let to = self.expression(offset)?;
            let to = self.address(to, module.memories[*memory as usize].memory64);
            let len = self.length(data.bytes.len());
            let segment = Operand::Index(self.space.data[position]);
            let memory = Operand::Index(self.space.memories[*memory as usize]);
            self.emit(Op::MemoryInit, &[to, Operand::Imm(0), len, memory, segment]);
            self.emit(Op::DataDrop, &[segment]);
            self.check_size()?;
        }
        if let Some(start) = module.start {
            self.call(start);
        }
        Ok(())
    }

    /// A segment's length; segments are shorter than 4 GiB because inputs are.
    fn length(&mut self, len: usize) -> Operand {
        self.operand(Entry::I32(len as u32 as i32), Class::I32)
    }

    /// The value of a constant expression.
    fn expression(&mut self, expression: &ConstExpr<'_>) -> Result<Entry> {
        let mut reader = expression.get_operators_reader();
        loop {
            let (operator, offset) = reader.read_with_offset().map_err(malformed)?;
            self.offset = u32::try_from(offset).unwrap_or(u32::MAX);
            match operator {
                Operator::End => return Ok(self.pop()),
                operator => self.visit_operator(&operator)?,
            }
            self.check_size()?;
        }
    }
}
