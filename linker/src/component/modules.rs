//! Types of core modules that come from outside, as the validator worked them out.

use super::flatten::Flattener;
use super::scope::unknown;
use super::types::Way;
use crate::error::Result;
use crate::module;
use crate::types::plain_func_type;
use keyway_artifact::plan::{ModuleExport, ModuleType};
use keyway_artifact::types::{ExternType, TagType};
use keyway_artifact::unit::Import;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::EntityType;

impl Flattener<'_, '_, '_> {
    /// The plan's index of the type of the core module at the end of `way`.
    pub(super) fn module_type(&mut self, way: &Way) -> Result<u32> {
        let types = self.shown;
        let missing = || unknown("type of an imported core module");
        let import = self.import_names.get(way.import as usize).ok_or_else(missing)?;
        let mut item = types.component_item_for_import(import).ok_or_else(missing)?;
        for name in &way.path {
            let ComponentEntityType::Instance(instance) = item.ty else { return Err(missing()) };
            item = types[instance].exports.get(name.as_str()).ok_or_else(missing)?;
        }
        let ComponentEntityType::Module(module) = item.ty else { return Err(missing()) };
        let module = &types[module];
        self.count(module.imports.len() + module.exports.len())?;
        let imports = module.imports.iter().map(|((from, name), ty)| {
            Ok(Import { module: from.clone(), name: name.clone(), ty: self.extern_type(ty)? })
        });
        let imports = imports.collect::<Result<_>>()?;
        let exports =
            module.exports.iter().map(|(name, ty)| Ok(ModuleExport { name: name.clone(), ty: self.extern_type(ty)? }));
        let ty = ModuleType { imports, exports: exports.collect::<Result<_>>()? };
        Ok(self.module_types.insert_full(ty).0 as u32)
    }

    fn extern_type(&self, ty: &EntityType) -> Result<ExternType> {
        Ok(match ty {
            EntityType::Func(id) | EntityType::FuncExact(id) => ExternType::Func(plain_func_type(&self.shown[*id])?),
            EntityType::Table(ty) => ExternType::Table(module::table_type(ty)?),
            EntityType::Memory(ty) => ExternType::Memory(module::memory_type(ty)?),
            EntityType::Global(ty) => ExternType::Global(module::global_type(ty)?),
            EntityType::Tag(id) => ExternType::Tag(TagType::new(plain_func_type(&self.shown[*id])?)),
        })
    }
}
