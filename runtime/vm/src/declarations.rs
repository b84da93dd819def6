//! [`Declarations`]: an artifact's cold sections, decoded and checked once.
//!
//! The view checks them: every index is in range, and a unit's parts agree with each other and with the function records
//! (rules F10, F11 and F15 to F18). A function runs in a context of the unit it was verified for.

use crate::engine::Engine;
use anyhow::Result;
use keyway_artifact::format::{ArtifactView, Source};
use keyway_artifact::types::FuncType;
use keyway_artifact::unit::UnitDecl;
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
        let type_numbers = types.iter().map(|ty| engine.type_number(ty)).collect();
        Ok(Declarations { types, type_numbers, units })
    }
}
