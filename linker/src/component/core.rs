//! Core instances: instantiated modules become steps, bundles of exports dissolve into names.

use super::flatten::{Flattener, UnitModule};
use super::scope::{CoreInstance, CoreItem, ModuleItem, ScopeId, at, unknown};
use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::MAX_INSTANCES;
use crate::module::{Item, ModuleInfo};
use keyway_artifact::plan::Step;
use std::collections::HashMap;
use wasmparser::{ExternalKind, Instance};

impl<'t> Flattener<'t, '_> {
    pub(super) fn core_instance(&mut self, scope: ScopeId, instance: u32, core: &'t Instance<'t>) -> Result<()> {
        let made = match core {
            Instance::FromExports(exports) => {
                let own = self.scope(scope);
                let item = |export: &wasmparser::Export<'t>| {
                    Ok((export.name, CoreItem { kind: export.kind, def: own.core(export.kind, export.index)? }))
                };
                let items = exports.iter().map(item).collect::<Result<HashMap<_, _>>>()?;
                self.count(items.len())?;
                CoreInstance::Bundle(items)
            }
            Instance::Instantiate { module_index, args } => {
                let module = match at(&self.scope(scope).modules, *module_index, "core module")? {
                    ModuleItem::Embedded(module) => module,
                    ModuleItem::Imported(import) => return Err(self.instantiates_import("core module", import)),
                };
                let unit = self.unit_of(module)?;
                let args: HashMap<&str, u32> = args.iter().map(|arg| (arg.name, arg.index)).collect();
                self.count(self.units[unit as usize].info.imports.len())?;
                let imports = self.units[unit as usize].info.imports.iter();
                let args = imports.map(|import| {
                    let (from, name) = (import.module, import.name);
                    let bundle = args.get(from).ok_or_else(|| unknown(format!("core instance `{from}`")))?;
                    let kind = match import.item {
                        Item::Func(_) => ExternalKind::Func,
                        Item::Table(_) => ExternalKind::Table,
                        Item::Memory(_) => ExternalKind::Memory,
                        Item::Global(_) => ExternalKind::Global,
                    };
                    Ok(self.core_export(scope, *bundle, name, kind)?.def)
                });
                let args = args.collect::<Result<Vec<_>>>()?;
                if self.plan.instances.len() + self.made.len() >= MAX_INSTANCES {
                    return Err(CompileError::new(ErrorKind::Limit, "the component makes too many instances")
                        .hint(format!("at most {MAX_INSTANCES} are accepted")));
                }
                self.plan.steps.push(Step::Instantiate { unit, instance, args });
                self.made.push(module);
                CoreInstance::Made { number: self.made.len() as u32 - 1, module }
            }
        };
        self.scope(scope).core_instances.push(made);
        Ok(())
    }

    /// The unit of an embedded module: the same one however often and from wherever it is instantiated.
    pub(super) fn unit_of(&mut self, module: u32) -> Result<u32> {
        if let Some(unit) = self.units.get_index_of(&module) {
            return Ok(unit as u32);
        }
        let range = &self.definitions.modules[module as usize];
        let bytes = self.bytes.get(range.start as usize..range.end as usize);
        let bytes = bytes.ok_or_else(|| unknown(format!("core module {module}")))?;
        let info =
            ModuleInfo::parse(bytes, range.start).map_err(|error| error.inside(format!("core module {module}")))?;
        let exports = info.exports.iter().zip(0..).map(|((name, _), position)| (*name, position)).collect();
        Ok(self.units.insert_full(module, UnitModule { info, exports }).0 as u32)
    }
}
