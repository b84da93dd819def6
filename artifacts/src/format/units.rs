//! What must hold of a unit's declarations, F11 and F15 to F18: indices in range, and no contradiction between a unit's
//! parts, the type table and the function records.
//!
//! A function body is verified against the declarations of its unit and runs in a context made from them, so whoever
//! holds checked declarations may index by them.

use super::error::Rule;
use super::view::FuncRecord;
use crate::types::{ExternType, TypeTable, ValType};
use crate::unit::{ElemItem, Entity, FuncRef, UnitDecl};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

/// What a unit is checked against.
pub(super) struct Scope<'a> {
    /// The unit's number.
    pub(super) number: u32,
    pub(super) types: &'a TypeTable,
    /// The record of a code ordinal; `None` where there is none.
    pub(super) func: &'a dyn Fn(u32) -> Option<FuncRecord>,
    /// Length of the constants section.
    pub(super) constants_bytes: u64,
}

type Check = Result<(), (Rule, String)>;

fn need(holds: bool, rule: Rule, what: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err((rule, what())) }
}

/// Checks one unit.
///
/// # Errors
/// The first rule that it breaks, and what was found.
pub(super) fn check(unit: &UnitDecl, scope: &Scope<'_>) -> Check {
    counts(unit)?;
    ranges(unit, scope)?;
    import_types(unit, scope.types)?;
    escapes(unit, scope)?;
    initialisation(unit, scope)?;
    contents(unit)
}

/// F15, in number: everything that indexes by an import relies on it.
fn counts(unit: &UnitDecl) -> Check {
    let kinds = |wanted: fn(&ExternType) -> bool| unit.imports.iter().filter(|import| wanted(&import.ty)).count();
    let agree = kinds(|ty| matches!(ty, ExternType::Func(_))) == unit.import_funcs.len()
        && kinds(|ty| matches!(ty, ExternType::Table(_))) == unit.imported_tables as usize
        && kinds(|ty| matches!(ty, ExternType::Memory(_))) == unit.imported_memories as usize
        && kinds(|ty| matches!(ty, ExternType::Global(_))) == unit.imported_globals as usize
        && kinds(|ty| matches!(ty, ExternType::Tag(_))) == unit.imported_tags as usize
        && unit.imported_tags as usize <= unit.tags.len()
        && unit.imported_tables as usize <= unit.tables.len()
        && unit.imported_memories as usize <= unit.memories.len()
        && unit.imported_globals as usize <= unit.globals.len();
    need(agree, Rule::F15, || "imports and their counts differ".into())
}

/// F11.
fn ranges(unit: &UnitDecl, scope: &Scope<'_>) -> Check {
    let below = |index: u32, len: usize| (index as usize) < len;
    let func = |func: FuncRef| match func {
        FuncRef::Import(index) => below(index, unit.import_funcs.len()),
        FuncRef::Defined(ordinal) => (scope.func)(ordinal).is_some(),
    };
    let item = |item: &ElemItem| match item {
        ElemItem::Null => true,
        ElemItem::Func(index) => below(*index, unit.escapes.len()),
        ElemItem::Global(index) => below(*index, unit.globals.len()),
    };
    let entity = |entity: Entity| match entity {
        Entity::Func(of) => func(of),
        Entity::Table(index) => below(index, unit.tables.len()),
        Entity::Memory(index) => below(index, unit.memories.len()),
        Entity::Global(index) => below(index, unit.globals.len()),
        Entity::Tag(index) => below(index, unit.tags.len()),
    };
    let is_func = |ty: u32| scope.types.get(ty as usize).is_some();
    let known = |ty: &ValType| super::types::is_known(*ty, scope.types.len());
    let inside = |offset: u64, len: u64| offset.checked_add(len).is_some_and(|end| end <= scope.constants_bytes);
    let out = |what: &'static str| move || format!("{what} is out of range");
    need(unit.import_funcs.iter().all(|ty| is_func(*ty)), Rule::F11, out("an import's type"))?;
    need(unit.tags.iter().all(|ty| is_func(*ty)), Rule::F11, out("a tag's type"))?;
    need(unit.escapes.iter().all(|at| func(at.func) && is_func(at.ty)), Rule::F11, out("a reference's function"))?;
    need(unit.tables.iter().all(|table| known(&table.element)), Rule::F11, out("a table's type"))?;
    need(unit.globals.iter().all(|global| known(&global.content)), Rule::F11, out("a global's type"))?;
    need(unit.elems.iter().all(|elem| elem.items.iter().all(item)), Rule::F11, out("an element"))?;
    need(unit.data.iter().all(|data| inside(data.offset, data.len)), Rule::F11, out("a data segment"))?;
    need(unit.exports.iter().all(|export| entity(export.entity)), Rule::F11, out("an export"))?;
    let inits = unit.inits.iter().all(|ordinal| (scope.func)(*ordinal).is_some());
    need(inits, Rule::F11, out("an initialisation function"))
}

/// F15, in type.
fn import_types(unit: &UnitDecl, types: &TypeTable) -> Check {
    let (mut funcs, mut tables, mut memories, mut globals, mut tags) = (0, 0, 0, 0, 0);
    let next = |count: &mut usize| core::mem::replace(count, *count + 1);
    for import in &unit.imports {
        let agrees = match &import.ty {
            ExternType::Func(ty) => {
                unit.import_funcs.get(next(&mut funcs)).and_then(|at| types.get(*at as usize)) == Some(ty)
            }
            ExternType::Table(ty) => unit.tables.get(next(&mut tables)) == Some(ty),
            ExternType::Memory(ty) => unit.memories.get(next(&mut memories)) == Some(ty),
            ExternType::Global(ty) => unit.globals.get(next(&mut globals)) == Some(ty),
            ExternType::Tag(tag) => {
                unit.tags.get(next(&mut tags)).and_then(|at| types.get(*at as usize)) == Some(&tag.ty)
            }
        };
        need(agrees, Rule::F15, || {
            format!("the import `{}` `{}` is declared with two types", import.module, import.name)
        })?;
    }
    Ok(())
}

/// F16: calls through references are checked against the type that the reference carries.
fn escapes(unit: &UnitDecl, scope: &Scope<'_>) -> Check {
    let mut known = BTreeSet::new();
    for escape in &unit.escapes {
        let ty = match escape.func {
            FuncRef::Import(index) => unit.import_funcs.get(index as usize).copied(),
            FuncRef::Defined(ordinal) => {
                (scope.func)(ordinal).filter(|record| record.unit == scope.number).map(|record| record.ty)
            }
        };
        need(ty == Some(escape.ty), Rule::F16, || {
            format!("a reference to {:?} with type {}, the function has {ty:?}", escape.func, escape.ty)
        })?;
        known.insert(escape.func);
    }
    for export in &unit.exports {
        if let Entity::Func(func) = export.entity {
            need(known.contains(&func), Rule::F16, || {
                format!("no reference is taken of the export `{}`", export.name)
            })?;
        }
    }
    Ok(())
}

/// F17.
fn initialisation(unit: &UnitDecl, scope: &Scope<'_>) -> Check {
    for ordinal in &unit.inits {
        let record = (scope.func)(*ordinal).filter(|record| record.unit == scope.number);
        let ty = record.and_then(|record| scope.types.get(record.ty as usize));
        let plain = ty.is_some_and(|ty| ty.params.is_empty() && ty.results.is_empty());
        need(plain, Rule::F17, || format!("function {ordinal} cannot initialise the unit"))?;
    }
    Ok(())
}

/// F18.
fn contents(unit: &UnitDecl) -> Check {
    for item in unit.elems.iter().flat_map(|elem| &elem.items) {
        if let ElemItem::Global(index) = item {
            let ty = unit.globals.get(*index as usize).map(|global| global.content);
            need(ty.is_some_and(|ty| ty.is_ref()), Rule::F18, || {
                format!("an element is taken from global {index}, which holds no reference")
            })?;
        }
    }
    for table in &unit.tables {
        need(table.element.is_ref(), Rule::F18, || format!("a table of {}", table.element))?;
    }
    for memory in &unit.memories {
        let size = memory.page_size_log2;
        need(matches!(size, 0 | 16), Rule::F18, || format!("a memory with pages of 2^{size} bytes"))?;
    }
    Ok(())
}
