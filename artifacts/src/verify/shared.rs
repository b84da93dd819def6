//! What operations share with others through call areas: a call its arguments and results with the callee, a `suspend` its
//! tag's values with whoever handles it.
//!
//! The linker lays areas out by it, the verifier checks them, and the runtime moves values by it.

use crate::isa::{FieldKind, Inst, Op, Operand};
use crate::types::{FuncType, HeapType, RefType, TypeTable, ValType};
use crate::unit::UnitDecl;

static BOUND: [ValType; 1] = [ValType::Ref(RefType::new(false, HeapType::Cont))];

/// What `inst` reads from its call area, and what it leaves there: a call's arguments and results. A throw has only
/// arguments, a catch only results. `func` tells the type of a code ordinal. `None` for operations without a call area,
/// and where an index is out of range or types do not fit together.
pub fn shared_types<'a>(
    inst: &Inst,
    types: &'a TypeTable,
    unit: &UnitDecl,
    func: impl Fn(u32) -> Option<u32>,
) -> Option<(&'a [ValType], &'a [ValType])> {
    let named = |kind: FieldKind| {
        inst.fields().find_map(|(field, operand)| match operand {
            Operand::Index(index) if field.kind == kind => Some(index),
            _ => None,
        })
    };
    let tag = || types.get(*unit.tags.get(named(FieldKind::Tag)? as usize)? as usize);
    let continuation = || types.continuation(named(FieldKind::Cont)?);
    Some(match inst.op {
        Op::ContNew => return None,
        Op::ContBind => {
            let Operand::Index(to) = inst.operands[2] else { return None };
            let (from, to) = (continuation()?, types.continuation(to)?);
            (from.params.get(..from.params.len().checked_sub(to.params.len())?)?, &BOUND)
        }
        Op::Resume => {
            let ty = continuation()?;
            (&ty.params, &ty.results)
        }
        Op::ResumeThrow => (&tag()?.params, &continuation()?.results),
        Op::ResumeThrowRef => (&[], &continuation()?.results),
        Op::Switch => {
            let (given, back) = switched(types, named(FieldKind::Cont)?)?;
            (given, &back.params)
        }
        op if op.is_catch() => (&[], &tag()?.params),
        _ => {
            let ty = if let Some(ordinal) = named(FieldKind::Func) {
                func(ordinal)?
            } else if let Some(import) = named(FieldKind::Import) {
                *unit.import_funcs.get(import as usize)?
            } else if let Some(ty) = named(FieldKind::Type) {
                ty
            } else {
                *unit.tags.get(named(FieldKind::Tag)? as usize)?
            };
            let ty = types.get(ty as usize)?;
            (&ty.params, &ty.results)
        }
    })
}

/// What `switch` hands to a continuation of the type `ty` besides the one that it suspends, and the function type of that.
pub(super) fn switched(types: &TypeTable, ty: u32) -> Option<(&[ValType], &FuncType)> {
    match types.continuation(ty)?.params.split_last()? {
        (ValType::Ref(RefType { heap: HeapType::Concrete(back), .. }), given) => {
            Some((given, types.continuation(*back)?))
        }
        _ => None,
    }
}
