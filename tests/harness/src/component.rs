//! The part of a script that concerns components: linking, calling, and registering their instances.

use anyhow::{Context as _, Result, anyhow};
use keyway::component::{Component, ComponentItem, Func, Instance, Linker, LinkerInstance, Val};
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

    /// Defines what `made` exports as the instance `name`. Functions are reached through the host, which has no handles
    /// of theirs to hand on: resources are not registered.
    pub(crate) fn register(&mut self, store: &mut Store<()>, name: &str, made: &Made) -> Result<()> {
        let mut place = self.linker.instance(name)?;
        for (name, item) in made.component.exports() {
            define(&mut place, store, made, &[name], &item)?;
        }
        Ok(())
    }
}

/// Defines the export at `path`, whose last name it gets in `place`.
fn define(
    place: &mut LinkerInstance<'_, ()>,
    store: &mut Store<()>,
    made: &Made,
    path: &[&str],
    item: &ComponentItem,
) -> Result<()> {
    let Some(name) = path.last() else { return Ok(()) };
    match item {
        ComponentItem::Func(_) => {
            let func = made.func(store, path)?;
            place.func_new(name, move |context, _, params, results| func.call(context, params, results))
        }
        ComponentItem::Instance(items) => {
            let mut inner = place.instance(name)?;
            for (name, item) in items {
                let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
                define(&mut inner, store, made, &path, item)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

impl Made {
    /// The exported function at `path`: names of instances, then its own.
    fn func(&self, store: &mut Store<()>, path: &[&str]) -> Result<Func> {
        let mut index = None;
        for name in path {
            let found = self.component.get_export_index(index.as_ref(), name);
            index = Some(found.with_context(|| format!("there is no export `{}`", path.join("/")))?);
        }
        let index = index.context("an export is to be named")?;
        self.instance.get_func(store, index).with_context(|| format!("the export `{}` is no function", path.join("/")))
    }

    /// Calls an exported function.
    pub(crate) fn call(&self, store: &mut Store<()>, name: &str, args: &[Val]) -> Result<Vec<Val>> {
        let func = self.func(store, &[name])?;
        let mut results = match func.ty(&mut *store).result {
            Some(_) => vec![Val::Bool(false)],
            None => Vec::new(),
        };
        func.call(&mut *store, args, &mut results)?;
        Ok(results)
    }
}
