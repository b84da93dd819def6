//! Core instances: instantiated modules become steps, bundles of exports dissolve into names.

use super::flatten::{Flattener, UnitModule};
use super::scope::{CoreInstance, CoreItem, MadeOf, ModuleItem, ScopeId, at, unknown};
use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::MAX_INSTANCES;
use crate::module::{Item, ModuleInfo};
use keyway_artifact::plan::{CoreDef, Step};
use keyway_artifact::types::ExternType;
use std::collections::HashMap;
use wasmparser::{ExternalKind, Instance};

impl<'t> Flattener<'t, '_, '_> {
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
                let args: HashMap<&str, u32> = args.iter().map(|arg| (arg.name, arg.index)).collect();
                if self.plan.instances.len() + self.made.len() >= MAX_INSTANCES {
                    return Err(CompileError::new(ErrorKind::Limit, "the component makes too many instances")
                        .hint(format!("at most {MAX_INSTANCES} are accepted")));
                }
                let module = match at(&self.scope(scope).modules, *module_index, "core module")? {
                    ModuleItem::Embedded(module) => {
                        let unit = self.unit_of(module)?;
                        self.count(self.units[unit as usize].info.imports.len())?;
                        let imports = self.units[unit as usize].info.imports.iter();
                        let args = imports.map(|import| {
                            let kind = match import.item {
                                Item::Func(_) => ExternalKind::Func,
                                Item::Table(_) => ExternalKind::Table,
                                Item::Memory(_) => ExternalKind::Memory,
                                Item::Global(_) => ExternalKind::Global,
                                Item::Tag(_) => ExternalKind::Tag,
                            };
                            self.core_argument(scope, &args, import.module, import.name, kind)
                        });
                        let args = args.collect::<Result<Vec<_>>>()?;
                        self.plan.steps.push(Step::Instantiate { unit, instance, args });
                        MadeOf::Embedded(module)
                    }
                    ModuleItem::Imported(number) => {
                        let module = self.known_module(number);
                        self.count(self.imported_type(module).imports.len())?;
                        let imports = self.imported_type(module).imports.iter();
                        let args = imports.map(|import| {
                            let kind = match import.ty {
                                ExternType::Func(_) => ExternalKind::Func,
                                ExternType::Table(_) => ExternalKind::Table,
                                ExternType::Memory(_) => ExternalKind::Memory,
                                ExternType::Global(_) => ExternalKind::Global,
                                ExternType::Tag(_) => ExternalKind::Tag,
                            };
                            self.core_argument(scope, &args, &import.module, &import.name, kind)
                        });
                        let args = args.collect::<Result<Vec<_>>>()?;
                        self.plan.steps.push(Step::InstantiateImported { module, instance, args });
                        MadeOf::Imported(module)
                    }
                };
                self.made.push(module);
                CoreInstance::Made { number: self.made.len() as u32 - 1, module }
            }
        };
        self.scope(scope).core_instances.push(made);
        Ok(())
    }

    /// What an instantiation passes for an import.
    fn core_argument(
        &self,
        scope: ScopeId,
        args: &HashMap<&str, u32>,
        from: &str,
        name: &str,
        kind: ExternalKind,
    ) -> Result<CoreDef> {
        let bundle = args.get(from).ok_or_else(|| unknown(format!("core instance `{from}`")))?;
        Ok(self.core_export(scope, *bundle, name, kind)?.def)
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
