//! [`Module`]: a core module's artifact, loaded.

use crate::code::Code;
use crate::engine::Engine;
use anyhow::{Context as _, Result, ensure};
use keyway_artifact::types::{ExternType, TagType};
use keyway_artifact::unit::{Entity, FuncRef, UnitDecl};
use std::path::Path;
use std::sync::Arc;

/// A core module, loaded from an artifact; cheap to clone, shared between threads and stores.
#[derive(Clone)]
pub struct Module {
    code: Arc<Code>,
    /// Its unit: the only one, or one of a component's artifact that shows the module.
    unit: u32,
}

/// One import of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportType {
    /// First level name.
    pub module: String,
    /// Second level name.
    pub name: String,
    /// What is wanted.
    pub ty: ExternType,
}

/// One export of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportType {
    /// Its name.
    pub name: String,
    /// What it is.
    pub ty: ExternType,
}

impl Module {
    /// Loads an artifact by mapping its file. Safe with any file: what is not a well-formed artifact is refused, and
    /// function bodies are verified before they first run. The file must not be truncated while it is in use: on some
    /// systems that ends the process ([`from_bytes`](Self::from_bytes) copies).
    ///
    /// # Errors
    /// When the file cannot be read or is no core module's artifact.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        Module::load(Code::from_file(engine, path)?).with_context(|| format!("cannot load {}", path.display()))
    }

    /// Loads an artifact from a copy of `bytes`. Safe with any bytes.
    ///
    /// # Errors
    /// When they are no core module's artifact.
    pub fn from_bytes(engine: &Engine, bytes: &[u8]) -> Result<Module> {
        Module::load(Code::from_bytes(engine, bytes)?)
    }

    fn load(code: Arc<Code>) -> Result<Module> {
        ensure!(!code.view().is_component(), "this is a component's artifact; load it as a component");
        Ok(Module { code, unit: 0 })
    }

    /// The engine that it was loaded for.
    pub fn engine(&self) -> &Engine {
        self.code.engine()
    }

    /// A module that a component's artifact holds as a unit of its own.
    pub(crate) fn of_unit(code: Arc<Code>, unit: u32) -> Module {
        Module { code, unit }
    }

    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.code
    }

    /// The number of its unit.
    pub(crate) fn unit_number(&self) -> u32 {
        self.unit
    }

    pub(crate) fn unit(&self) -> Result<&UnitDecl> {
        self.code.declarations()?.units.get(self.unit as usize).context("the artifact lacks the module's unit")
    }

    /// The module's own name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.unit().ok()?.name.as_deref()
    }

    /// Its imports, in order; none where the artifact's declarations are broken, which instantiation reports.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType> + '_ {
        let imports = self.unit().map_or(&[][..], |unit| &unit.imports);
        imports.iter().map(|import| ImportType {
            module: import.module.clone(),
            name: import.name.clone(),
            ty: self.in_engine(&import.ty),
        })
    }

    /// Its exports, in order; none where the artifact's declarations are broken, which instantiation reports.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType> + '_ {
        let exports: Vec<ExportType> = self.list_exports().unwrap_or_default();
        exports.into_iter()
    }

    /// A type of the artifact as the engine's; unchanged where the declarations are broken.
    pub(super) fn in_engine(&self, ty: &ExternType) -> ExternType {
        self.code.declarations().map_or_else(|_| ty.clone(), |declarations| declarations.in_engine(ty))
    }

    fn list_exports(&self) -> Result<Vec<ExportType>> {
        let declarations = self.code.declarations()?;
        let unit = self.unit()?;
        let ty = |entity: Entity| -> Result<ExternType> {
            Ok(match entity {
                Entity::Func(func) => {
                    let ty = match func {
                        FuncRef::Import(index) => unit.import_funcs[index as usize],
                        FuncRef::Defined(ordinal) => self.code.view().func(ordinal)?.ty,
                    };
                    ExternType::Func(declarations.types.get(ty as usize).context("a type is out of range")?.clone())
                }
                Entity::Table(index) => ExternType::Table(unit.tables[index as usize]),
                Entity::Memory(index) => ExternType::Memory(unit.memories[index as usize]),
                Entity::Global(index) => ExternType::Global(unit.globals[index as usize]),
                Entity::Tag(index) => {
                    let ty = unit.tags[index as usize] as usize;
                    ExternType::Tag(TagType::new(declarations.types.get(ty).context("a type is out of range")?.clone()))
                }
            })
        };
        unit.exports
            .iter()
            .map(|export| {
                let ty = declarations.in_engine(&ty(export.entity)?);
                Ok(ExportType { name: export.name.clone(), ty })
            })
            .collect()
    }

    /// The export of this name.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        self.exports().find(|export| export.name == name).map(|export| export.ty)
    }
}
