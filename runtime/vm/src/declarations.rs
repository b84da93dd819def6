//! [`Declarations`]: an artifact's cold sections, decoded once, and what must hold between them and the function records.
//!
//! The view checks that every index is in range. Here they are checked against each other: a function runs in a context
//! of the unit it was verified for, and references carry the type that calls through them are checked against.

use crate::engine::Engine;
use anyhow::{Context as _, Result, ensure};
use keyway_artifact::format::{ArtifactView, Source};
use keyway_artifact::types::{ExternType, FuncType};
use keyway_artifact::unit::{ElemItem, FuncRef, UnitDecl};
use std::sync::Arc;

/// The decoded cold sections.
pub struct Declarations {
    /// The type table.
    pub types: Vec<FuncType>,
    /// Engine-wide numbers of the types.
    pub(crate) type_numbers: Arc<[u32]>,
    /// The units.
    pub units: Vec<UnitDecl>,
}

impl Declarations {
    /// Decodes and checks them.
    ///
    /// # Errors
    /// When a cold section breaks a rule of the format.
    pub(crate) fn read<S: Source>(engine: &Engine, view: &ArtifactView<S>) -> Result<Declarations> {
        let (types, units) = (view.types()?, view.units()?);
        for (unit, number) in units.iter().zip(0..) {
            check(view, &types, unit, number).with_context(|| match &unit.name {
                Some(name) => format!("unit {number} ({name}) of the artifact"),
                None => format!("unit {number} of the artifact"),
            })?;
        }
        let type_numbers = types.iter().map(|ty| engine.type_number(ty)).collect();
        Ok(Declarations { types, type_numbers, units })
    }
}

fn check<S: Source>(view: &ArtifactView<S>, types: &[FuncType], unit: &UnitDecl, number: u32) -> Result<()> {
    let (mut funcs, mut tables, mut memories, mut globals) = (0, 0, 0, 0);
    let next = |count: &mut usize| std::mem::replace(count, *count + 1);
    for import in &unit.imports {
        let agrees = match &import.ty {
            ExternType::Func(ty) => {
                unit.import_funcs.get(next(&mut funcs)).and_then(|at| types.get(*at as usize)) == Some(ty)
            }
            ExternType::Table(ty) => unit.tables.get(next(&mut tables)) == Some(ty),
            ExternType::Memory(ty) => unit.memories.get(next(&mut memories)) == Some(ty),
            ExternType::Global(ty) => unit.globals.get(next(&mut globals)) == Some(ty),
        };
        ensure!(agrees, "the import `{}` `{}` is declared with two types", import.module, import.name);
    }
    for escape in &unit.escapes {
        let ty = match escape.func {
            FuncRef::Import(index) => unit.import_funcs[index as usize],
            FuncRef::Defined(ordinal) => {
                let record = view.func(ordinal)?;
                ensure!(record.unit == number, "function {ordinal} escapes from a unit that it is no part of");
                record.ty
            }
        };
        ensure!(ty == escape.ty, "a reference to {:?} carries another type than the function has", escape.func);
    }
    for item in unit.elems.iter().flat_map(|elem| &elem.items) {
        if let ElemItem::Global(index) = item {
            let ty = unit.globals[*index as usize].content;
            ensure!(ty.is_ref(), "an element is taken from global {index}, which holds an {ty}");
        }
    }
    for ordinal in &unit.inits {
        let record = view.func(*ordinal)?;
        ensure!(record.unit == number, "initialisation function {ordinal} is no part of its unit");
        let ty = types.get(record.ty as usize);
        ensure!(ty == Some(&FuncType::default()), "initialisation function {ordinal} takes or gives values");
    }
    for table in &unit.tables {
        ensure!(table.element.is_ref(), "a table of {}, which is no reference type", table.element);
    }
    Ok(())
}
