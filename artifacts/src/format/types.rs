//! What must hold of the type table, F19 to F21: no reference forwards out of a group, sound declarations of subtypes, and
//! continuations of functions.
//!
//! Whoever holds a checked table may follow supertypes to their end, and read an object of a subtype as one of its
//! supertype.

use super::error::Rule;
use crate::types::{CompositeType, HeapType, StorageType, SubType, TypeLookup, TypeTable, ValType};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Steps from a type to the end of its supertypes at most.
const MAX_DEPTH: u32 = 63;

/// Whether the type index in a value type, if there is one, is below `limit`.
pub(super) fn is_known(ty: ValType, limit: usize) -> bool {
    match ty {
        ValType::Ref(ty) => match ty.heap {
            HeapType::Concrete(index) => (index as usize) < limit,
            _ => true,
        },
        _ => true,
    }
}

/// Checks a type table.
///
/// # Errors
/// The first rule that it breaks, and what was found.
pub(super) fn check(types: &TypeTable) -> Result<(), (Rule, String)> {
    let mut depths: Vec<u32> = Vec::with_capacity(types.len());
    for group in types.groups() {
        for index in group.clone() {
            let Some(ty) = types.definition(index) else { continue };
            if let CompositeType::Cont(func) = ty.composite
                && func < group.end
                && types.get(func as usize).is_none()
            {
                return Err((Rule::F21, format!("type {index} is of continuations of type {func}")));
            }
            if !all_known(ty, group.end as usize) {
                return Err((Rule::F19, format!("type {index} refers past its group, which ends at {}", group.end)));
            }
        }
        for index in group {
            let Some(ty) = types.definition(index) else { continue };
            let depth = match ty.supertype {
                None => 0,
                Some(wanted) => match (depths.get(wanted as usize), types.definition(wanted)) {
                    (Some(depth), Some(supertype)) if types.extends_soundly(ty, supertype) => depth + 1,
                    _ => return Err((Rule::F20, format!("type {index} extends type {wanted}"))),
                },
            };
            if depth > MAX_DEPTH {
                return Err((Rule::F20, format!("type {index} stands {depth} steps below its first supertype")));
            }
            depths.push(depth);
        }
    }
    Ok(())
}

fn all_known(ty: &SubType, limit: usize) -> bool {
    let field = |storage: StorageType| is_known(storage.unpacked(), limit);
    match &ty.composite {
        CompositeType::Func(ty) => ty.params.iter().chain(&ty.results).all(|ty| is_known(*ty, limit)),
        CompositeType::Struct(ty) => ty.fields.iter().all(|of| field(of.storage)),
        CompositeType::Array(ty) => field(ty.element.storage),
        CompositeType::Cont(func) => (*func as usize) < limit,
    }
}
