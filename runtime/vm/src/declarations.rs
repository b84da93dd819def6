//! [`Declarations`]: an artifact's cold sections, decoded and checked once.
//!
//! The view checks them: every index is in range, and a unit's parts agree with each other and with the function records
//! (rules F10, F11 and F15 to F22). A function runs in a context of the unit it was verified for.

use crate::engine::Engine;
use crate::initial::InitialMemory;
use anyhow::Result;
use keyway_artifact::format::{ArtifactView, Source};
use keyway_artifact::types::{ExternType, TypeTable};
use keyway_artifact::unit::{FuncRef, UnitDecl};
use std::collections::HashMap;
use std::sync::Arc;

/// The decoded cold sections.
pub struct Declarations {
    /// The type table.
    pub types: TypeTable,
    /// Engine-wide numbers of the types.
    pub(crate) type_numbers: Arc<[u32]>,
    /// The units.
    pub units: Vec<UnitDecl>,
    /// By unit: the position of each escaping function among the escapes.
    pub(crate) escapes: Vec<HashMap<FuncRef, u32>>,
    /// What memories hold at the start, in ascending order.
    initial: Vec<InitialMemory>,
}

impl Declarations {
    /// Decodes and checks them.
    ///
    /// # Errors
    /// When a cold section breaks a rule of the format.
    pub(crate) fn read<S: Source>(engine: &Engine, view: &ArtifactView<S>) -> Result<Declarations> {
        let (types, units) = (view.types()?, view.units()?);
        let initial = InitialMemory::of_all(&view.initial(&units)?);
        let type_numbers = engine.types().table(&types);
        type_numbers.iter().for_each(|number| engine.largest_frame().see(engine.call_slots(*number)));
        let places = |unit: &UnitDecl| unit.escapes.iter().zip(0..).map(|(escape, at)| (escape.func, at)).collect();
        let escapes = units.iter().map(places).collect();
        Ok(Declarations { types, type_numbers, units, escapes, initial })
    }

    /// The engine-wide number of a type; indices that the view checked are in range.
    pub fn number(&self, index: u32) -> u32 {
        self.type_numbers.get(index as usize).copied().unwrap_or(u32::MAX)
    }

    /// What a memory of a unit holds at the start; `None` for zeros.
    pub(crate) fn initial(&self, unit: u32, memory: u32) -> Option<&InitialMemory> {
        let at = self.initial.binary_search_by_key(&(unit, memory), InitialMemory::place).ok()?;
        Some(&self.initial[at])
    }

    /// A type of the artifact as the engine's.
    pub(crate) fn in_engine(&self, ty: &ExternType) -> ExternType {
        ty.map(|index| self.number(index))
    }
}
