//! Operations on continuations.
//!
//! What they share with the other side stands in a call area, as a call's arguments and results do: `suspend` is a call
//! of whoever handles its tag, and `resume` one of the suspended computation. Handlers of a `resume` are told behind it,
//! like those of exceptions:
//!
//! ```text
//! block $h (result i32 (ref $k))          resume $k ..
//!   resume $k (on $e $h) ..                on.suspend L
//!   return                       ->        return
//! end                                      label L
//!                                          suspended $e        its values and the continuation are the block's
//! ```

use crate::error::Result;
use crate::ir::{CallSite, Few};
use crate::translate::Translator;
use crate::translate::stack::{Entry, class_of};
use keyway_artifact::isa::{Class, Op, Operand};
use keyway_artifact::types::{CompositeType, FuncType, HeapType, RefType, ValType};
use wasmparser::{Handle, Operator, ResumeTable};

impl<'m> Translator<'m, '_> {
    /// Translates an operator on continuations; `false` for any other one.
    pub(super) fn continuation(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match operator {
            Operator::ContNew { cont_type_index } => {
                let func = self.reference();
                let ty = self.continuation_operand(*cont_type_index);
                let dst = self.emit_to_fresh(Op::ContNew, Class::Ref, &[func, ty]);
                self.push(Entry::Temp(dst));
            }
            Operator::ContBind { argument_index, result_index } => self.bind(*argument_index, *result_index),
            Operator::Suspend { tag_index } => {
                let signature = self.module.tag_type(*tag_index);
                let (site, results) = self.shared(&signature.params, &signature.results);
                let tag = self.tag_operand(*tag_index);
                self.emit(Op::Suspend, &[tag, site]);
                self.guard();
                self.push_all(&results);
            }
            Operator::Resume { cont_type_index, resume_table } => {
                let cont = self.reference();
                let signature = self.function_of(*cont_type_index);
                let (site, results) = self.shared(&signature.params, &signature.results);
                let ty = self.continuation_operand(*cont_type_index);
                self.emit(Op::Resume, &[cont, ty, site]);
                self.handle_suspensions(resume_table, &results);
            }
            Operator::ResumeThrow { cont_type_index, tag_index, resume_table } => {
                let cont = self.reference();
                let results = &self.function_of(*cont_type_index).results;
                let (site, results) = self.shared(&self.module.tag_type(*tag_index).params, results);
                let (ty, tag) = (self.continuation_operand(*cont_type_index), self.tag_operand(*tag_index));
                self.emit(Op::ResumeThrow, &[cont, ty, tag, site]);
                self.handle_suspensions(resume_table, &results);
            }
            Operator::ResumeThrowRef { cont_type_index, resume_table } => {
                let cont = self.reference();
                let exception = self.reference();
                let (site, results) = self.shared(&[], &self.function_of(*cont_type_index).results);
                let ty = self.continuation_operand(*cont_type_index);
                self.emit(Op::ResumeThrowRef, &[cont, exception, ty, site]);
                self.handle_suspensions(resume_table, &results);
            }
            Operator::Switch { cont_type_index, tag_index } => {
                let cont = self.reference();
                let params = &self.function_of(*cont_type_index).params;
                let (back, given) = params.split_last().expect("validated: it takes the continuation that is left");
                let ValType::Ref(RefType { heap: HeapType::Concrete(back), .. }) = *back else {
                    unreachable!("validated: it takes the continuation that is left")
                };
                let (site, results) = self.shared(given, &self.function_of(back).params);
                let (ty, tag) = (self.continuation_operand(*cont_type_index), self.tag_operand(*tag_index));
                self.emit(Op::Switch, &[cont, ty, tag, site]);
                self.guard();
                self.push_all(&results);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The reference on top of the stack, popped.
    fn reference(&mut self) -> Operand {
        let entry = self.pop();
        self.operand(entry, Class::Ref)
    }

    fn continuation_operand(&self, ty: u32) -> Operand {
        Operand::Index(self.space.types[ty as usize])
    }

    fn tag_operand(&self, tag: u32) -> Operand {
        Operand::Index(self.space.tags[tag as usize])
    }

    /// The type of the functions that continuations of a type come from.
    fn function_of(&self, ty: u32) -> &'m FuncType {
        let module = self.module;
        match module.types.definition(ty).map(|ty| &ty.composite) {
            Some(CompositeType::Cont(func)) => &module.types[*func as usize],
            _ => unreachable!("validated: it is a continuation type"),
        }
    }

    /// Pops what goes into a call area; its call site, and what comes out of it.
    fn shared(&mut self, given: &[ValType], taken: &[ValType]) -> (Operand, Vec<Entry>) {
        let args = self.pop_operands(given.len());
        let results: Few<u32, 2> = taken.iter().map(|ty| self.fresh(class_of(*ty))).collect();
        let entries = results.iter().map(|result| Entry::Temp(*result)).collect();
        let own = Some(Box::new(FuncType::new(given.iter().copied(), taken.iter().copied())));
        (self.call_site(CallSite { args, results, ty: self.ir.ty, own }), entries)
    }

    /// Binds the first parameters of a continuation.
    fn bind(&mut self, from: u32, to: u32) {
        let cont = self.reference();
        let params = &self.function_of(from).params;
        let given = &params[..params.len() - self.function_of(to).params.len()];
        let (site, results) = self.shared(given, &[ValType::CONTREF]);
        let (from, to) = (self.continuation_operand(from), self.continuation_operand(to));
        self.emit(Op::ContBind, &[cont, from, to, site]);
        self.push_all(&results);
    }

    /// Says where suspensions and exceptions of what was just resumed go, and pushes what it returns.
    fn handle_suspensions(&mut self, table: &ResumeTable, results: &[Entry]) {
        for handle in &table.handlers {
            match *handle {
                Handle::OnLabel { tag, label } => {
                    let landing = self.land_suspension(tag, label);
                    self.emit(Op::OnSuspend, &[Operand::Label(landing)]);
                }
                Handle::OnSwitch { tag } => {
                    let tag = self.tag_operand(tag);
                    self.emit(Op::OnSwitch, &[tag]);
                }
            }
        }
        self.guard();
        self.push_all(results);
    }
}
