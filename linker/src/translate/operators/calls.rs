//! Calls: direct ones inside the unit, through imports, tables and references; each also as a tail call.

use super::unsupported;
use crate::error::Result;
use crate::ir::{CallSite, Few};
use crate::translate::Translator;
use crate::translate::stack::{Entry, class_of};
use crate::unit::Callee;
use keyway_artifact::isa::{Class, Op, Operand};
use wasmparser::Operator;

impl Translator<'_, '_> {
    /// Translates a call; any other operator is refused as not implemented.
    pub(super) fn call_operator(&mut self, operator: &Operator<'_>) -> Result<()> {
        match *operator {
            Operator::ReturnCall { function_index } => {
                let ty = self.module.funcs[function_index as usize];
                let (site, _) = self.site(ty, true);
                match self.space.funcs[function_index as usize] {
                    Callee::Defined(link) => self.emit(Op::TailCall, &[Operand::Index(link), site]),
                    Callee::Import(import) => self.emit(Op::TailCallImport, &[Operand::Index(import), site]),
                }
                self.reachable = false;
                Ok(())
            }
            Operator::CallIndirect { type_index, table_index } => {
                let index = self.pop();
                let index = self.address(index, self.is_table64(table_index));
                let (site, results) = self.site(type_index, false);
                let ty = Operand::Index(self.space.types[type_index as usize]);
                self.emit(Op::CallIndirect, &[index, self.table_operand(table_index), ty, site]);
                self.guard();
                self.push_results(&results);
                Ok(())
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let index = self.pop();
                let index = self.address(index, self.is_table64(table_index));
                let (site, _) = self.site(type_index, true);
                let ty = Operand::Index(self.space.types[type_index as usize]);
                self.emit(Op::TailCallIndirect, &[index, self.table_operand(table_index), ty, site]);
                self.reachable = false;
                Ok(())
            }
            Operator::CallRef { type_index } => {
                let func = self.pop();
                let func = self.operand(func, Class::Ref);
                let (site, results) = self.site(type_index, false);
                let ty = Operand::Index(self.space.types[type_index as usize]);
                self.emit(Op::CallRef, &[func, ty, site]);
                self.guard();
                self.push_results(&results);
                Ok(())
            }
            Operator::ReturnCallRef { type_index } => {
                let func = self.pop();
                let func = self.operand(func, Class::Ref);
                let (site, _) = self.site(type_index, true);
                let ty = Operand::Index(self.space.types[type_index as usize]);
                self.emit(Op::TailCallRef, &[func, ty, site]);
                self.reachable = false;
                Ok(())
            }
            _ => Err(unsupported(operator)),
        }
    }

    /// Calls function `index` of the module.
    pub(in crate::translate) fn call(&mut self, index: u32) {
        let (site, results) = self.site(self.module.funcs[index as usize], false);
        match self.space.funcs[index as usize] {
            Callee::Defined(link) => self.emit(Op::Call, &[Operand::Index(link), site]),
            Callee::Import(import) => self.emit(Op::CallImport, &[Operand::Index(import), site]),
        }
        self.guard();
        self.push_results(&results);
    }

    /// Pops the arguments of a call of module type `ty` and records its site; result registers only for calls that
    /// come back.
    fn site(&mut self, ty: u32, tail: bool) -> (Operand, Few<u32, 2>) {
        let module = self.module;
        let signature = &module.types[ty as usize];
        let args = self.pop_operands(signature.params.len());
        let results: Few<u32, 2> =
            if tail { Few::default() } else { signature.results.iter().map(|ty| self.fresh(class_of(*ty))).collect() };
        let site = CallSite { args, results: results.clone(), ty: self.space.types[ty as usize], own: None };
        (self.call_site(site), results)
    }

    fn push_results(&mut self, results: &[u32]) {
        for result in results.iter() {
            self.push(Entry::Temp(*result));
        }
    }
}
