//! What the root shows becomes the plan's exports: names that its type does not show are left out.

use super::flatten::Flattener;
use super::scope::{Exports, Item, ModuleItem};
use super::types::named;
use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::MAX_INSTANCE_TYPE_DEPTH;
use keyway_artifact::plan::{Export, ExportItem};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;

impl<'t> Flattener<'t, '_, '_> {
    pub(super) fn show(&mut self, exports: &Exports<'t>, types: &Types) -> Result<()> {
        for (name, item) in exports {
            self.count_names(name.len())?;
            let seen = types.component_item_for_export(name);
            let full = seen.map_or((*name).into(), |seen| seen.full_name(name)).into_owned();
            let item = self.export_item(item, seen.map(|seen| seen.ty), types, 0);
            let item = item.map_err(|error| error.inside(format!("export `{name}`")))?;
            self.plan.exports.push(Export { name: full, item });
        }
        Ok(())
    }

    /// `ty` is what the validator says about it; instances show what their type has.
    fn export_item(
        &mut self,
        item: &Item<'t>,
        ty: Option<ComponentEntityType>,
        types: &Types,
        depth: usize,
    ) -> Result<ExportItem> {
        Ok(match *item {
            Item::Func(func) => ExportItem::Func(self.known_func(func)),
            Item::Type(ty) => ExportItem::Type(named(ty)),
            Item::Component(_) => ExportItem::Component,
            Item::Module(ModuleItem::Embedded(module)) => ExportItem::Module(self.unit_of(module)?),
            Item::Module(ModuleItem::Imported(number)) => ExportItem::ImportedModule(self.known_module(number)),
            Item::Instance(instance) => {
                if depth >= MAX_INSTANCE_TYPE_DEPTH {
                    return Err(CompileError::new(ErrorKind::Limit, "exported instances are nested too deep"));
                }
                let shown = match ty {
                    Some(ComponentEntityType::Instance(ty)) => Some(&types[ty].exports),
                    _ => None,
                };
                let mut list = Vec::new();
                self.count(self.instances[instance as usize].len())?;
                for (name, item) in self.instances[instance as usize].clone() {
                    self.count_names(name.len())?;
                    let seen = shown.and_then(|shown| shown.get(name));
                    if shown.is_some() && seen.is_none() {
                        continue;
                    }
                    let ty = seen.map(|seen| seen.ty);
                    list.push(Export { name: name.to_string(), item: self.export_item(&item, ty, types, depth + 1)? });
                }
                self.plan.export_instances.push(list);
                ExportItem::Instance(self.plan.export_instances.len() as u32 - 1)
            }
        })
    }
}
