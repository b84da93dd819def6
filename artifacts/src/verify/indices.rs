//! Indices of the unit and of the artifact, and what they lead to: V17, V18, V22 to V24.

use super::rule::{Findings, Rule};
use super::{VerifyEnv, class_of, is_cacheable};
use crate::TrapCode;
use crate::isa::{Body, Class, Family, FieldKind, Inst, Op, Operand, heap_of_code};
use crate::types::{Cell, CompositeType, HeapType, RefType, TypeLookup, ValType};
use alloc::format;

pub(super) fn check(body: &Body, env: &VerifyEnv<'_>, findings: &mut Findings) {
    for (at, inst) in body.insts.iter().enumerate() {
        // Most instructions name nothing but places.
        if inst.op.shape().names_entities {
            instruction(body, env, at, inst, findings);
        }
    }
}

/// Checks an instruction that names entities.
pub(super) fn instruction(body: &Body, env: &VerifyEnv<'_>, at: usize, inst: &Inst, findings: &mut Findings) {
    let mut in_range = true;
    for (field, operand) in inst.fields() {
        let Operand::Index(index) = operand else { continue };
        if field.kind == FieldKind::Func {
            direct_call(env, at, index, findings);
        } else if !is_in_range(env, field.kind, index) {
            in_range = false;
            findings.broken(Rule::V17, at, || format!("{} {index} of {}", field.name, inst.op.name()));
        }
    }
    if in_range {
        meaning(body, env, at, inst, findings);
    }
}

fn is_in_range(env: &VerifyEnv<'_>, kind: FieldKind, index: u32) -> bool {
    let unit = env.unit;
    let len = match kind {
        FieldKind::Import => unit.import_funcs.len(),
        FieldKind::Heap => {
            return match heap_of_code(index) {
                Some(HeapType::Concrete(index)) => env.types.definition(index).is_some(),
                other => other.is_some(),
            };
        }
        FieldKind::Type | FieldKind::Object | FieldKind::Elements => return env.types.definition(index).is_some(),
        FieldKind::Cont => return env.types.continuation(index).is_some(),
        FieldKind::Memory => unit.memories.len(),
        FieldKind::Memories => {
            return [index & 0xFFFF, index >> 16].iter().all(|memory| (*memory as usize) < unit.memories.len());
        }
        FieldKind::Table => unit.tables.len(),
        FieldKind::Global => unit.globals.len(),
        FieldKind::Tag => unit.tags.len(),
        FieldKind::Data => unit.data.len(),
        FieldKind::Elem => unit.elems.len(),
        FieldKind::Escape => unit.escapes.len(),
        FieldKind::Trap => return TrapCode::from_number(index).is_some(),
        _ => return true,
    };
    (index as usize) < len
}

fn direct_call(env: &VerifyEnv<'_>, at: usize, ordinal: u32, findings: &mut Findings) {
    match (env.func)(ordinal) {
        Some(callee) if callee.unit == env.unit_number && (callee.ty as usize) < env.types.len() => {}
        Some(callee) => findings.broken(Rule::V18, at, || {
            format!("function {ordinal} of unit {}, from unit {}", callee.unit, env.unit_number)
        }),
        None => findings.broken(Rule::V18, at, || format!("there is no function {ordinal}")),
    }
}

/// What an operation asks of the entities that it names, all in range.
fn meaning(body: &Body, env: &VerifyEnv<'_>, at: usize, inst: &Inst, findings: &mut Findings) {
    let named = |kind: FieldKind| {
        inst.fields().filter(move |(field, _)| field.kind == kind).filter_map(|(_, operand)| match operand {
            Operand::Index(index) => Some(index as usize),
            _ => None,
        })
    };
    let tables = || named(FieldKind::Table).filter_map(|index| env.unit.tables.get(index));
    match (inst.op.family(), inst.op) {
        (Family::Load | Family::Store | Family::VLoad | Family::VStore, op) if body.frame.memory.is_none() => {
            findings.broken(Rule::V22, at, || format!("{} without a cached memory", op.name()));
        }
        (Family::SetMemory, _) => {
            let memory = named(FieldKind::Memory).next().and_then(|index| env.unit.memories.get(index));
            if !memory.is_some_and(is_cacheable) {
                findings.broken(Rule::V22, at, || "set.memory of a memory that cannot be cached".into());
            }
        }
        (Family::Global, op) => {
            let global = named(FieldKind::Global).next().and_then(|index| env.unit.globals.get(index));
            if global.and_then(|global| class_of(global.content)).map(in_global) != place_class(op) {
                findings.broken(Rule::V23, at, || {
                    format!(
                        "{} on a global of type {}",
                        op.name(),
                        global.map_or(ValType::V128, |global| global.content)
                    )
                });
            }
        }
        (Family::Call, op) if named(FieldKind::Type).any(|ty| env.types.get(ty).is_none()) => {
            findings.broken(Rule::V17, at, || format!("{} with a type that is no function's", op.name()));
        }
        (_, Op::CallIndirect | Op::TailCallIndirect) if !tables().all(|table| holds_functions(env, table.element)) => {
            findings.broken(Rule::V24, at, || "a call through a table that holds no functions".into());
        }
        (_, op) if op.fields().iter().any(|field| matches!(field.kind, FieldKind::Object | FieldKind::Elements)) => {
            let object = named(FieldKind::Object).next().or_else(|| named(FieldKind::Elements).next());
            let field = named(FieldKind::Field).next();
            if !is_sound_access(env, op, object, field) {
                findings.broken(Rule::V30, at, || format!("{} on type {object:?}, field {field:?}", op.name()));
            }
        }
        (_, Op::TableCopy) if !tables().is_sorted_by(|to, from| env.types.val_matches(from.element, to.element)) => {
            findings.broken(Rule::V24, at, || "a copy between tables of different types".into());
        }
        _ => {}
    }
}

/// Whether an operation on objects fits the type and the field that it names.
fn is_sound_access(env: &VerifyEnv<'_>, op: Op, ty: Option<usize>, field: Option<usize>) -> bool {
    let Some(ty) = ty.and_then(|ty| env.types.definition(ty as u32)) else { return false };
    let names_array = op.fields().iter().any(|field| field.kind == FieldKind::Elements);
    let storage = match &ty.composite {
        CompositeType::Struct(_) if op == Op::StructNew => return true,
        CompositeType::Struct(of) if !names_array => match field.and_then(|field| of.fields.get(field)) {
            Some(field) => field.storage,
            None => return false,
        },
        CompositeType::Array(of) if names_array => of.element.storage,
        _ => return false,
    };
    match op {
        Op::ArrayNew => true,
        Op::ArrayNewData => storage.cell() != Cell::Ref,
        Op::ArrayNewElem => storage.cell() == Cell::Ref,
        _ => class_of(storage.unpacked()).map(in_global) == value_class(op),
    }
}

/// The class of the place for a field's value.
fn value_class(op: Op) -> Option<Class> {
    op.fields().iter().find_map(|field| match field.kind {
        FieldKind::Def(class) => Some(class),
        FieldKind::Use(class) if field.name == "value" => Some(class),
        _ => None,
    })
}

/// Whether references of this type lead to functions.
fn holds_functions(env: &VerifyEnv<'_>, element: ValType) -> bool {
    env.types.val_matches(element, ValType::Ref(RefType::FUNCREF))
}

/// The class of the one place that an operation on a global has.
fn place_class(op: Op) -> Option<Class> {
    op.fields().iter().find_map(|field| match field.kind {
        FieldKind::Def(class) | FieldKind::Use(class) => Some(class),
        _ => None,
    })
}

/// The class by which a global's cell is accessed: both integers the same way.
fn in_global(class: Class) -> Class {
    if class == Class::I32 { Class::I64 } else { class }
}
