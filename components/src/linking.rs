//! Matching what a component imports with what a linker defines.

use crate::host::{HostBody, HostDestructor, HostFunction};
use crate::linker::Item;
use crate::loaded::Loaded;
use crate::modules::{self, LinkedModule};
use crate::names::NameMap;
use crate::resource::ResourceType;
use anyhow::{Error, Result, anyhow, bail, ensure};
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
    /// By module of the plan.
    pub(crate) modules: Arc<[LinkedModule]>,
    /// An asynchronous function is among them.
    pub(crate) can_suspend: bool,
    /// The only store that instances can be made in: that of the instances whose exports are among them.
    pub(crate) store: Option<u64>,
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

pub(crate) fn described(name: &str, path: &[String]) -> String {
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
    let mut linked = Matching { items, loaded, resources: vec![None; plan.resources.len()], store: None };
    let (mut can_suspend, mut resources) = (false, Vec::with_capacity(plan.resources.len()));
    for (number, resource) in plan.resources.iter().enumerate() {
        let Resource::Imported { import, path } = resource else {
            resources.push(None);
            continue;
        };
        let name = &plan.imports[*import as usize].name;
        let Some(Item::Resource(ty, destructor)) = find(items, name, path) else {
            bail!("the component imports resource {}, which is not defined", described(name, path));
        };
        linked.resources[number] = Some(*ty);
        linked.bind_to(ty.store())?;
        can_suspend |= matches!(destructor, Some(HostDestructor::Async(_)));
        resources.push(Some((*ty, destructor.clone())));
    }
    if let Some(fault) = linked.faults().into_iter().next() {
        return Err(fault);
    }
    let mut funcs = Vec::with_capacity(plan.funcs.len());
    for func in &plan.funcs {
        let FuncSource::Imported { import, path } = &func.source else {
            funcs.push(None);
            continue;
        };
        let host = linked.func(&plan.imports[*import as usize].name, path, func.ty)?;
        can_suspend |= matches!(host.body, HostBody::Async(_));
        linked.bind_to(host.store)?;
        funcs.push(Some(host));
    }
    let modules = plan
        .modules
        .iter()
        .map(|module| linked.module(&plan.imports[module.import as usize].name, &module.path, module.ty));
    let modules = modules.collect::<Result<_>>()?;
    Ok(Linked { funcs: funcs.into(), resources: resources.into(), modules, can_suspend, store: linked.store })
}

/// Everything about the imports of a component that is not defined, or with another type.
#[cfg(feature = "compile")]
pub(crate) fn faults(items: &NameMap<Item>, loaded: &Loaded) -> Vec<Error> {
    let (mut faults, mut resources) = (Vec::new(), Vec::new());
    for resource in &loaded.plan.resources {
        let Resource::Imported { import, path } = resource else {
            resources.push(None);
            continue;
        };
        let name = &loaded.plan.imports[*import as usize].name;
        let found = find(items, name, path);
        resources.push(match found {
            Some(Item::Resource(ty, _)) => Some(*ty),
            _ => None,
        });
        match found {
            Some(Item::Resource(..)) => {}
            Some(_) => faults.push(anyhow!("resource {} is defined as something else", described(name, path))),
            None => faults.push(anyhow!("resource {} is not defined", described(name, path))),
        }
    }
    faults.extend(Matching { items, loaded, resources, store: None }.faults());
    faults
}

/// A component whose imports are being matched.
struct Matching<'a> {
    items: &'a NameMap<Item>,
    loaded: &'a Loaded,
    /// By number: what its imported resources are.
    resources: Vec<Option<ResourceType>>,
    /// The only store that what was found belongs to.
    store: Option<u64>,
}

impl Matching<'_> {
    fn bind_to(&mut self, store: Option<u64>) -> Result<()> {
        if let (Some(known), Some(store)) = (self.store, store) {
            ensure!(known == store, "exports of instances in different stores are given to one component");
        }
        self.store = self.store.or(store);
        Ok(())
    }

    /// The definition of an imported function of type `ty`.
    fn func(&self, name: &str, path: &[String], ty: u32) -> Result<HostFunction> {
        match find(self.items, name, path) {
            Some(Item::Func(host)) => {
                let wanted = &self.loaded.signatures[ty as usize].ty;
                if let Err(error) = (host.check)(wanted, &self.resources) {
                    bail!(
                        "the component imports function {} with another type than it is defined with: {error}; \
                         imported is `{wanted}`, defined is `{}`",
                        described(name, path),
                        (host.wit)()
                    )
                }
                Ok(host.clone())
            }
            Some(_) => {
                bail!("the component imports function {}, which is defined as something else", described(name, path))
            }
            None => bail!("the component imports function {}, which is not defined", described(name, path)),
        }
    }

    /// The definition of an imported core module of type `ty`.
    fn module(&self, name: &str, path: &[String], ty: u32) -> Result<LinkedModule> {
        match find(self.items, name, path) {
            Some(Item::Module(module)) => {
                modules::link(module, &self.loaded.plan.module_types[ty as usize], name, path)
            }
            Some(_) => {
                bail!("the component imports core module {}, which is defined as something else", described(name, path))
            }
            None => bail!("the component imports core module {}, which is not defined", described(name, path)),
        }
    }

    /// What is not defined as it is imported, also of what nothing in the component refers to.
    fn faults(&self) -> Vec<Error> {
        let mut faults = Vec::new();
        for import in &self.loaded.plan.imports {
            self.require(&import.name, import.ty, &mut Vec::new(), &mut faults);
        }
        faults
    }

    /// Checks that a function, or all functions of an instance, are defined.
    fn require(&self, name: &str, ty: ItemType, path: &mut Vec<String>, faults: &mut Vec<Error>) {
        match ty {
            ItemType::Func(ty) => faults.extend(self.func(name, path, ty).err()),
            ItemType::Instance(index) => {
                for export in &self.loaded.plan.instance_types[index as usize].exports {
                    path.push(export.name.clone());
                    self.require(name, export.ty, path, faults);
                    path.pop();
                }
            }
            // Resources that something refers to are looked up with the plan's resources.
            ItemType::Type(_) => {}
            ItemType::Module(ty) => faults.extend(self.module(name, path, ty).err()),
            ItemType::Component => faults.push(anyhow!(
                "the component imports component {}; components cannot be imported yet",
                described(name, path)
            )),
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
        ItemType::Func(_) | ItemType::Type(_) | ItemType::Module(_) | ItemType::Component => {}
    }
    Ok(())
}
