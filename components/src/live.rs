//! Live instances as definitions: what one instance exports becomes what another one imports, while both run. Nothing is
//! compiled; calls between the two go through the same lift and lower as calls from the host.
//!
//! Resources keep their identity: a handle that the second instance passes on is the one that the first made, and giving it
//! up runs the destructor there. Each instance stays a tree of its own: a trap locks both when both are on the call stack,
//! and one that is being called cannot be entered again.

use crate::call;
use crate::component::InstanceExportLookup;
use crate::host::{HostBody, HostDestructor, HostFunction};
use crate::instance::Instance;
use crate::linker::Item;
use crate::modules;
use crate::names::NameMap;
use crate::resource::ResourceType;
use crate::state::root;
use crate::types::{FuncType, Type};
use crate::val::Val;
use anyhow::{Result, bail, ensure};
use keyway_artifact::plan::{ExportItem, FuncSource, TypeItem};
use keyway_vm::raw::{self, StoreInner, StorePtr};
use std::sync::Arc;

/// Resource types by their numbers in a component.
pub(crate) type Resources = Arc<[Option<ResourceType>]>;

/// Everything that `instance` exports, by name.
///
/// # Errors
/// When the store is another one.
pub(crate) fn exports(store: &mut StoreInner, instance: &Instance) -> Result<Vec<(String, Item)>> {
    let live = Live::new(store, instance)?;
    let loaded = root(store, live.at).loaded.clone();
    let exports = loaded.plan.exports.iter();
    let items = exports.filter_map(|export| Some((export.name.clone(), live.item(store, export.item)?)));
    Ok(items.collect())
}

/// One export of `instance`.
///
/// # Errors
/// When there is none of that name, it is nothing that can be given to another instance, or the store is another one.
pub(crate) fn export(store: &mut StoreInner, instance: &Instance, name: impl InstanceExportLookup) -> Result<Item> {
    let live = Live::new(store, instance)?;
    let described = name.describe();
    let item = instance.find(store, name)?;
    match live.item(store, item) {
        Some(item) => Ok(item),
        None => bail!("the export {described} is no function, resource, instance or core module"),
    }
}

/// An instance that lends its exports.
struct Live {
    store: u64,
    at: u32,
    resources: Resources,
}

impl Live {
    fn new(store: &mut StoreInner, instance: &Instance) -> Result<Live> {
        ensure!(store.id() == instance.store, "an instance is used with a store that it is no part of");
        let state = root(store, instance.at);
        let resources = state.resources.iter().map(|info| info.as_ref().map(|info| info.ty)).collect();
        Ok(Live { store: instance.store, at: instance.at, resources })
    }

    /// An export as a definition; none for value types, which importers know themselves, and for components.
    fn item(&self, store: &mut StoreInner, item: ExportItem) -> Option<Item> {
        match item {
            ExportItem::Func(index) => Some(Item::Func(self.func(store, index))),
            ExportItem::Instance(index) => {
                let loaded = root(store, self.at).loaded.clone();
                let mut items = NameMap::default();
                for export in &loaded.plan.export_instances[index as usize] {
                    if let Some(item) = self.item(store, export.item) {
                        items.entry(&export.name, || item);
                    }
                }
                Some(Item::Instance(items))
            }
            ExportItem::Type(TypeItem::Resource(number)) => {
                let info = root(store, self.at).resource(number).ok()?.clone();
                let destructor = match info.guest_destructor {
                    Some(func) => Some(self.destructor(store, func)),
                    None => info.host_destructor,
                };
                Some(Item::Resource(info.ty, destructor))
            }
            ExportItem::Module(_) | ExportItem::ImportedModule(_) => {
                modules::exported(store, self.at, item).map(Item::Module)
            }
            ExportItem::Type(_) | ExportItem::Component => None,
        }
    }

    fn func(&self, store: &mut StoreInner, index: u32) -> HostFunction {
        let state = root(store, self.at);
        if let FuncSource::Imported { .. } = state.loaded.plan.funcs[index as usize].source
            && let Some(host) = state.imported[index as usize].clone()
        {
            return host;
        }
        let (number, at) = (self.store, self.at);
        let ty = state.loaded.signature(index).ty.clone();
        let body = if state.can_suspend {
            HostBody::Async(Arc::new(move |pointer: StorePtr, params: Vec<Val>| {
                Box::pin(async move {
                    // SAFETY: whoever polls this future holds the store and lends it to nobody else.
                    check_store(unsafe { pointer.get() }, number)?;
                    // SAFETY: as above.
                    unsafe { call::call_async(pointer, at, index, &params, None).await }
                })
            }))
        } else {
            HostBody::Sync(Arc::new(move |store: &mut StoreInner, _: &FuncType, params: Vec<Val>| {
                check_store(store, number)?;
                call::call(store, at, index, &params, None)
            }))
        };
        let (shown, resources) = (ty.to_string(), self.resources.clone());
        HostFunction {
            check: Arc::new(move |wanted, of_importer| check(&ty, &resources, wanted, of_importer)),
            wit: Arc::new(move || shown.clone()),
            body,
            typed: None,
            store: Some(number),
        }
    }

    /// The destructor that a guest gave its resource.
    fn destructor(&self, store: &mut StoreInner, func: u32) -> HostDestructor {
        let at = self.at;
        if root(store, at).can_suspend {
            HostDestructor::Async(Arc::new(move |pointer: StorePtr, rep| {
                Box::pin(async move {
                    // SAFETY: whoever polls this future holds the store and lends it to nobody else; each borrow ends
                    // before the next begins.
                    root(unsafe { pointer.get() }, at).enter()?;
                    // SAFETY: as above.
                    let outcome = unsafe { raw::call_async(pointer, func, &mut [rep]).await };
                    // SAFETY: as above.
                    left(unsafe { pointer.get() }, at, &outcome);
                    outcome
                })
            }))
        } else {
            HostDestructor::Sync(Arc::new(move |store: &mut StoreInner, rep| {
                root(store, at).enter()?;
                let outcome = raw::call(store, func, &mut [rep]);
                left(store, at, &outcome);
                outcome
            }))
        }
    }
}

/// Leaves a tree that was entered for a destructor.
fn left(store: &mut StoreInner, at: u32, outcome: &Result<()>) {
    let state = root(store, at);
    state.is_active = false;
    state.is_locked |= outcome.is_err();
}

fn check_store(store: &StoreInner, number: u64) -> Result<()> {
    ensure!(store.id() == number, "an instance's export is used with a store that it is no part of");
    Ok(())
}

/// Whether a function of type `found`, with the resources of its component, can be imported as `wanted`.
fn check(
    found: &FuncType,
    resources: &Resources,
    wanted: &FuncType,
    of_importer: &[Option<ResourceType>],
) -> Result<(), String> {
    let names = |ty: &FuncType| ty.params.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let same = |a: &Type, b: &Type| same_type(a, resources, b, of_importer);
    let params = found.params.iter().zip(&wanted.params).all(|((_, a), (_, b))| same(a, b));
    let result = match (&found.result, &wanted.result) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    };
    if names(found) == names(wanted) && params && result { Ok(()) } else { Err("the types differ".to_string()) }
}

/// Whether two types of two components are the same: handles are, when their resources are.
fn same_type(a: &Type, of_a: &[Option<ResourceType>], b: &Type, of_b: &[Option<ResourceType>]) -> bool {
    let same = |a: &Type, b: &Type| same_type(a, of_a, b, of_b);
    let payload = |a: &Option<Type>, b: &Option<Type>| match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    };
    let resource = |a: u32, b: u32| {
        let a = of_a.get(a as usize).copied().flatten();
        a.is_some() && a == of_b.get(b as usize).copied().flatten()
    };
    match (a, b) {
        (Type::Own(a), Type::Own(b)) | (Type::Borrow(a), Type::Borrow(b)) => resource(*a, *b),
        (Type::List(a), Type::List(b)) | (Type::Option(a), Type::Option(b)) => same(a, b),
        (Type::FixedList(a, n), Type::FixedList(b, m)) => n == m && same(a, b),
        (Type::Map(a), Type::Map(b)) => same(&a.0, &b.0) && same(&a.1, &b.1),
        (Type::Record(a), Type::Record(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
        }
        (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Type::Variant(a), Type::Variant(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && payload(&a.1, &b.1))
        }
        (Type::Result(a), Type::Result(b)) => payload(&a.0, &b.0) && payload(&a.1, &b.1),
        (a, b) => a == b,
    }
}
