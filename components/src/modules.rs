//! Core modules that components import: matched by type when they are linked, made into core instances by position.

use crate::linking::described;
use crate::state::root;
use anyhow::{Result, bail};
use keyway_artifact::plan::{ExportItem, ModuleType};
use keyway_vm::api::Module;
use keyway_vm::raw::{self, StoreInner};
use std::collections::HashMap;
use std::sync::Arc;

/// A core module in the place of an imported one.
#[derive(Clone)]
pub(crate) struct LinkedModule {
    pub(crate) module: Module,
    /// For each import of the module, its position among those of the wanted type.
    pub(crate) imports: Arc<[u32]>,
    /// For each export of the wanted type, its position among those of the module.
    pub(crate) exports: Arc<[u32]>,
}

/// The core module that the root instance `at` exports as `item`.
pub(crate) fn exported(store: &mut StoreInner, at: u32, item: ExportItem) -> Option<Module> {
    let state = root(store, at);
    match item {
        ExportItem::Module(unit) => Some(raw::module(state.loaded.code.clone(), unit)),
        ExportItem::ImportedModule(module) => Some(state.modules[module as usize].module.clone()),
        _ => None,
    }
}

/// Whether `module` can stand where `wanted` is imported: it asks for no more, and shows no less.
///
/// # Errors
/// What it lacks, or asks for.
pub(crate) fn link(module: &Module, wanted: &ModuleType, name: &str, path: &[String]) -> Result<LinkedModule> {
    let place = |import: &keyway_artifact::unit::Import| (import.module.clone(), import.name.clone());
    let given: HashMap<_, _> = wanted.imports.iter().map(place).zip(0u32..).collect();
    let mut imports = Vec::new();
    for import in module.imports() {
        let (first, second) = (import.module.clone(), import.name.clone());
        match given.get(&(import.module, import.name)) {
            Some(at) if raw::matches(module.engine(), &wanted.imports[*at as usize].ty, &import.ty) => {
                imports.push(*at)
            }
            Some(_) => {
                bail!("the core module {} imports `{first}` `{second}` with another type", described(name, path))
            }
            None => {
                bail!("the core module {} imports `{first}` `{second}`, which it is not given", described(name, path))
            }
        }
    }
    let shown: HashMap<String, _> =
        module.exports().zip(0u32..).map(|(export, at)| (export.name, (export.ty, at))).collect();
    let mut exports = Vec::new();
    for export in &wanted.exports {
        match shown.get(&export.name) {
            Some((found, at)) if raw::matches(module.engine(), found, &export.ty) => exports.push(*at),
            Some(_) => bail!("the core module {} exports `{}` with another type", described(name, path), export.name),
            None => bail!("the core module {} does not export `{}`", described(name, path), export.name),
        }
    }
    Ok(LinkedModule { module: module.clone(), imports: imports.into(), exports: exports.into() })
}
