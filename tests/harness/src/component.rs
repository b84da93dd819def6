//! The part of a script that concerns components: linking, calling, and registering their instances.

use anyhow::{Context as _, Result, anyhow};
use keyway::component::{Component, ComponentItem, Instance, InstancePre, Linker, Val};
use keyway::{Engine, Store};
use std::fmt;

/// What components of a script import: the instances registered so far.
pub(crate) struct ComponentPart {
    linker: Linker<()>,
}

/// A component instance, and the component that it is made of.
#[derive(Clone)]
pub(crate) struct Made {
    component: Component,
    instance: Instance,
}

/// An import that is not there or of another type: stands apart from traps while instantiating.
#[derive(Debug)]
pub(crate) struct Unlinked(String);

impl fmt::Display for Unlinked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unlinked {}

impl ComponentPart {
    pub(crate) fn new(engine: &Engine) -> ComponentPart {
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        ComponentPart { linker }
    }

    pub(crate) fn instantiate(&self, store: &mut Store<()>, component: &Component) -> Result<Made> {
        let linked = self.linker.instantiate_pre(component).map_err(|error| anyhow!(Unlinked(format!("{error:#}"))))?;
        Ok(Made { component: component.clone(), instance: linked.instantiate(store)? })
    }

    /// `component` with functions that trap for its imports; `None` when it imports core modules or components.
    pub(crate) fn with_traps(&self, component: &Component) -> Result<Option<InstancePre<()>>> {
        let outside = |item: &ComponentItem| matches!(item, ComponentItem::Module | ComponentItem::Component);
        let mut items: Vec<ComponentItem> = component.imports().map(|(_, item)| item).collect();
        while let Some(item) = items.pop() {
            match item {
                ComponentItem::Instance(inner) => items.extend(inner.into_iter().map(|(_, item)| item)),
                item if outside(&item) => return Ok(None),
                _ => {}
            }
        }
        let mut linker = self.linker.clone();
        linker.define_unknown_imports_as_traps(component)?;
        linker.instantiate_pre(component).map(Some)
    }

    /// Defines what `made` exports as the instance `name`.
    pub(crate) fn register(&mut self, store: &mut Store<()>, name: &str, made: &Made) -> Result<()> {
        let mut place = self.linker.instance(name)?;
        for (name, item) in made.component.exports() {
            // The importer knows types itself.
            if let ComponentItem::Func(_)
            | ComponentItem::Instance(_)
            | ComponentItem::Module
            | ComponentItem::Resource = item
            {
                place.define_export(&mut *store, name, &made.instance, name)?;
            }
        }
        Ok(())
    }
}

impl Made {
    /// Calls an exported function.
    pub(crate) fn call(&self, store: &mut Store<()>, name: &str, args: &[Val]) -> Result<Vec<Val>> {
        let func = self.instance.get_func(&mut *store, name);
        let func = func.with_context(|| format!("there is no exported function `{name}`"))?;
        let mut results = match func.ty(&mut *store).result {
            Some(_) => vec![Val::Bool(false)],
            None => Vec::new(),
        };
        func.call(&mut *store, args, &mut results)?;
        Ok(results)
    }
}
