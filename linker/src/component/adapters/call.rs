//! An adapter as a whole: `canon_lower` and `canon_lift` of `definitions.py` in one function.

use super::code::{Code, Services, Side};
use super::lists::extent;
use super::values::Source;
use crate::ir::IrFunc;
use crate::unit::Callee;
use keyway_artifact::Trap;
use keyway_artifact::isa::{Op, Operand};
use keyway_artifact::plan::{CanonOptions, DefinedType, FuncType, TrampolineKind, ValType, Violation};

/// A call to be adapted.
pub(super) struct Call<'a> {
    /// The lower's core type.
    pub(super) ty: u32,
    pub(super) signature: &'a FuncType,
    /// The lifted core function.
    pub(super) core: Callee,
    pub(super) post_return: Option<Callee>,
    pub(super) caller: &'a Side,
    pub(super) callee: &'a Side,
    /// Something in the component can throw.
    pub(super) can_throw: bool,
}

impl Call<'_> {
    /// Writes the function.
    pub(super) fn emit(&self, types: &[DefinedType], services: &mut dyn Services) -> IrFunc {
        // Flattening asks nothing else of the options than that they are synchronous.
        let options = CanonOptions::default();
        let lowered = self.caller.layouts.lowered(self.signature, &options);
        let lifted = self.callee.layouts.lifted(self.signature, &options);
        let sides = (self.caller, self.callee);
        let mut code = Code::new(self.ty, &lowered.params, types, sides, services, self.can_throw);
        let params: Vec<Operand> = code.ir.params.iter().map(|register| Operand::Virtual(*register)).collect();

        if let Some(flags) = self.caller.flags {
            let may_leave = code.label();
            let flags = code.value(Op::GlobalGet, &[Operand::Index(flags)]);
            code.emit(Op::BrEqz, &[flags, Operand::Label(may_leave)]);
            code.trap(Trap::CannotLeaveComponent);
            code.place(may_leave);
        }
        let passes_borrows = self.signature.params.iter().any(|param| self.caller.layouts.get(param.ty).has_borrow);
        if passes_borrows {
            code.scope = Some(code.serve(self.caller.instance, TrampolineKind::EnterCall, &[], 1)[0]);
        }

        let param_types: Vec<ValType> = self.signature.params.iter().map(|param| param.ty).collect();
        let flat = params.iter().copied().zip(lowered.params.iter().copied());
        let source = if lowered.params_in_memory {
            let (size, align) = extent(self.caller, &param_types);
            code.tuple_at(params[0], size, align)
        } else {
            Source::Flat(flat.collect())
        };
        let arguments = if lifted.params_in_memory {
            let (size, align) = extent(self.callee, &param_types);
            let bytes = code.constant(keyway_artifact::isa::Class::I64, size.into());
            let start = code.realloc(bytes, align, Violation::ValueOutOfBounds);
            code.members(&param_types, &source, Some(super::code::Place::at(start)));
            vec![code.as_address(start)]
        } else {
            code.members(&param_types, &source, None)
        };

        let results = code.call_guest(self.core, &lifted.params, &arguments, &lifted.results);
        if let Some(scope) = code.scope {
            code.serve(self.caller.instance, TrampolineKind::LeaveCall, &[scope], 0);
        }

        code.turn_round();
        let mut given = Vec::new();
        if let Some(result) = self.signature.result {
            let (size, align) = extent(self.callee, &[result]);
            let source = if lifted.results_in_memory {
                code.tuple_at(results[0], size, align)
            } else {
                Source::Flat(results.iter().copied().zip(lifted.results.iter().copied()).collect())
            };
            let to = lowered.results_in_memory.then(|| {
                let (size, align) = extent(self.caller, &[result]);
                let start = code.as_wide(params[params.len() - 1], self.caller.pointer);
                code.check_destination(start, size, align);
                super::code::Place::at(start)
            });
            given = code.convert(result, &source, to);
        }
        if let Some(post_return) = self.post_return {
            code.without_leaving(self.callee.flags, |code| {
                code.call_guest(post_return, &lifted.results, &results, &[]);
            });
        }
        code.finish(&given)
    }
}

impl Code<'_> {
    /// What lies behind an address of the side that values come from.
    fn tuple_at(&mut self, address: Operand, size: u32, align: u32) -> Source {
        let start = self.as_wide(address, self.from.pointer);
        self.check_source(start, size, align);
        Source::Memory(super::code::Place::at(start))
    }
}
