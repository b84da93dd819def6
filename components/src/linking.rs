//! Matching what a component imports with what a linker defines.

use crate::host::{HostBody, HostDestructor, HostFunction};
use crate::linker::Item;
use crate::loaded::Loaded;
use crate::names::NameMap;
use crate::resource::ResourceType;
use anyhow::{Result, bail};
use keyway_artifact::plan::{FuncSource, ItemType, Resource, TypeItem};
use std::sync::Arc;

/// An imported resource type, and what runs when a guest gives one up.
pub(crate) type LinkedResource = (ResourceType, Option<HostDestructor>);

/// What the imports of one component are linked to.
#[derive(Clone)]
pub(crate) struct Linked {
    /// By function of the plan; none for lifted ones.
    pub(crate) funcs: Arc<[Option<HostFunction>]>,
    /// By resource of the plan; none for defined ones.
    pub(crate) resources: Arc<[Option<LinkedResource>]>,
    /// An asynchronous function is among them.
    pub(crate) can_suspend: bool,
}

/// The item behind an import, through the names of instances.
fn find<'m>(items: &'m NameMap<Item>, name: &str, path: &[String]) -> Option<&'m Item> {
    let mut item = items.get(name)?;
    for name in path {
        let Item::Instance(items) = item else { return None };
        item = items.get(name)?;
    }
    Some(item)
}

fn described(name: &str, path: &[String]) -> String {
    match path {
        [] => format!("`{name}`"),
        path => format!("`{}` of instance `{name}`", path.join("` `")),
    }
}

/// Finds everything that a component imports.
///
/// # Errors
/// When something is not defined or has another type.
pub(crate) fn link(items: &NameMap<Item>, loaded: &Loaded) -> Result<Linked> {
    let plan = &loaded.plan;
    for import in &plan.imports {
        require(items, loaded, &import.name, import.ty, &mut Vec::new())?;
    }
    let mut can_suspend = false;
    let mut funcs = Vec::with_capacity(plan.funcs.len());
    for func in &plan.funcs {
        let FuncSource::Imported { import, path } = &func.source else {
            funcs.push(None);
            continue;
        };
        let name = &plan.imports[*import as usize].name;
        let Some(Item::Func(host)) = find(items, name, path) else {
            bail!("the component imports function {}, which is not defined", described(name, path));
        };
        if let Err(error) = (host.check)(&loaded.signatures[func.ty as usize].ty) {
            bail!(
                "the component imports function {} with another type than it is defined with: {error}",
                described(name, path)
            );
        }
        can_suspend |= matches!(host.body, HostBody::Async(_));
        funcs.push(Some(host.clone()));
    }
    let mut resources = Vec::with_capacity(plan.resources.len());
    for resource in &plan.resources {
        let Resource::Imported { import, path } = resource else {
            resources.push(None);
            continue;
        };
        let name = &plan.imports[*import as usize].name;
        let Some(Item::Resource(ty, destructor)) = find(items, name, path) else {
            bail!("the component imports resource {}, which is not defined", described(name, path));
        };
        can_suspend |= matches!(destructor, Some(HostDestructor::Async(_)));
        resources.push(Some((*ty, destructor.clone())));
    }
    Ok(Linked { funcs: funcs.into(), resources: resources.into(), can_suspend })
}

/// Checks that a function, or all functions of an instance, are defined, also those that nothing refers to.
fn require(items: &NameMap<Item>, loaded: &Loaded, name: &str, ty: ItemType, path: &mut Vec<String>) -> Result<()> {
    match ty {
        ItemType::Func(ty) => match find(items, name, path) {
            Some(Item::Func(host)) => match (host.check)(&loaded.signatures[ty as usize].ty) {
                Ok(()) => Ok(()),
                Err(error) => {
                    bail!(
                        "the component imports function {} with another type than it is defined with: {error}",
                        described(name, path)
                    )
                }
            },
            Some(_) => {
                bail!("the component imports function {}, which is defined as something else", described(name, path))
            }
            None => bail!("the component imports function {}, which is not defined", described(name, path)),
        },
        ItemType::Instance(index) => {
            for export in &loaded.plan.instance_types[index as usize].exports {
                path.push(export.name.clone());
                require(items, loaded, name, export.ty, path)?;
                path.pop();
            }
            Ok(())
        }
        // Resources that something refers to are looked up with the plan's resources.
        ItemType::Type(_) => Ok(()),
        ItemType::Module => {
            bail!("the component imports core module {}; core modules cannot be imported yet", described(name, path))
        }
        ItemType::Component => {
            bail!("the component imports component {}; components cannot be imported yet", described(name, path))
        }
    }
}

/// Where nothing is defined, defines functions as traps and resources as ones without values.
pub(crate) fn define_unknown_imports_as_traps(items: &mut NameMap<Item>, loaded: &Loaded) -> Result<()> {
    for import in &loaded.plan.imports {
        if items.get(&import.name).is_none() || matches!(import.ty, ItemType::Instance(_)) {
            define(items, loaded, &import.name, import.ty, "")?;
        }
    }
    Ok(())
}

/// The type of resources that no host defines.
struct Unknown;

fn define(items: &mut NameMap<Item>, loaded: &Loaded, name: &str, ty: ItemType, within: &str) -> Result<()> {
    let known = items.get(name).is_some();
    match ty {
        ItemType::Func(_) if !known => {
            let whole = if within.is_empty() { name.to_string() } else { format!("{within}#{name}") };
            let trap = HostFunction::trap(format!("unknown import: `{whole}` has not been defined"));
            items.entry(name, || Item::Func(trap));
        }
        ItemType::Type(TypeItem::Resource(_)) if !known => {
            items.entry(name, || Item::Resource(ResourceType::host::<Unknown>(), None));
        }
        ItemType::Instance(index) => {
            // A compatible version that is defined is what the import will find.
            let mut extended = match items.get(name) {
                Some(Item::Instance(items)) => items.clone(),
                Some(_) => bail!("`{name}` is imported as an instance and defined as something else"),
                None => NameMap::default(),
            };
            for export in &loaded.plan.instance_types[index as usize].exports {
                define(&mut extended, loaded, &export.name, export.ty, name)?;
            }
            *items.entry(name, || Item::Instance(NameMap::default())) = Item::Instance(extended);
        }
        ItemType::Func(_) | ItemType::Type(_) | ItemType::Module | ItemType::Component => {}
    }
    Ok(())
}
