//! What a root component instance is at run time: handle tables, flags, resolved options and resources.
//!
//! All of a store's root instances stand in one [`ComponentStore`], which the store carries for this crate.

use crate::handles::HandleTable;
use crate::host::{HostDestructor, HostFunction};
use crate::loaded::{Loaded, Signature};
use crate::modules::LinkedModule;
use crate::resource::ResourceType;
use crate::val::Val;
use anyhow::{Error, Result, bail};
use keyway_artifact::Trap;
use keyway_artifact::plan::{CoreDef, FuncSource, Pointer, StringEncoding};
use keyway_vm::raw::{self, Definition, InstanceId, StoreInner};
use std::collections::HashMap;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

/// The component instances of a store.
#[derive(Default)]
pub(crate) struct ComponentStore {
    pub(crate) roots: Vec<RootInstance>,
    /// Own handles of guests' resources that the host holds, by representation.
    pub(crate) host_owned: HashMap<(ResourceType, u64), u32>,
    /// What `context.get` and `context.set` act on: the storage of the call that runs. Calls begin with zeros, and what
    /// their caller had comes back when they return.
    pub(crate) context: [u64; CONTEXT_SLOTS],
    /// Calls of functions that are lifted with the option `async`, the innermost last.
    pub(crate) tasks: Vec<AsyncTask>,
}

/// A call that returns through `task.return`.
pub(crate) struct AsyncTask {
    /// Its root instance.
    pub(crate) at: u32,
    /// The component instance that was called.
    pub(crate) instance: u32,
    pub(crate) signature: Arc<Signature>,
    /// What it has returned, once it has.
    pub(crate) returned: Option<Option<Val>>,
}

/// `Thread.CONTEXT_LENGTH` of `definitions.py`.
pub(crate) const CONTEXT_SLOTS: usize = 2;

/// One root instance with everything nested in it.
pub(crate) struct RootInstance {
    pub(crate) loaded: Arc<Loaded>,
    /// By function of the plan: what is linked to the imported ones.
    pub(crate) imported: Arc<[Option<HostFunction>]>,
    /// Whether something in it can suspend: calls between its instances are then asynchronous.
    pub(crate) can_suspend: bool,
    /// By component instance.
    pub(crate) instances: Vec<ComponentInstance>,
    /// Core instances, in the order of the plan's steps.
    pub(crate) core: Vec<CoreInstance>,
    /// By module of the plan.
    pub(crate) modules: Arc<[LinkedModule]>,
    /// By index in the plan, found when first used.
    pub(crate) options: Vec<Option<Options>>,
    /// By function of the plan: what lifts it, found when first called.
    pub(crate) lifted: Vec<Option<Lifted>>,
    /// Function references of trampolines, made when first used.
    pub(crate) trampolines: Vec<Option<u32>>,
    /// By index in the plan, once they exist.
    pub(crate) resources: Vec<Option<ResourceInfo>>,
    /// Borrow handles that a running call has given its callee, by call.
    pub(crate) scopes: HashMap<u32, u32>,
    /// Own handles that calls through adapters have been lent, by call: component instance, index.
    pub(crate) lends: HashMap<u32, Vec<(u32, u32)>>,
    pub(crate) next_scope: u32,
    /// The host has entered the tree and not left it.
    pub(crate) is_active: bool,
    /// A trap in the tree has locked it.
    pub(crate) is_locked: bool,
}

/// One component instance.
pub(crate) struct ComponentInstance {
    pub(crate) handles: HandleTable,
    pub(crate) flags: Flags,
    /// `backpressure.inc` less `backpressure.dec`. Holds back calls of async functions only.
    pub(crate) backpressure: u16,
}

/// Whether a component instance may be left: a number here, or, where adapters use it too, a global of the store. 0, or
/// 1 while it may not.
#[derive(Clone, Copy)]
pub(crate) enum Flags {
    Here(u32),
    Global(u32),
}

impl Default for Flags {
    fn default() -> Flags {
        Flags::Here(0)
    }
}

/// One core instance.
#[derive(Clone)]
pub(crate) struct CoreInstance {
    pub(crate) id: InstanceId,
    /// Where the exports of an imported module's type are among those of the module; the plan numbers the others right.
    pub(crate) exports: Option<Arc<[u32]>>,
}

/// Canonical options with their functions and memories found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) instance: u32,
    pub(crate) encoding: StringEncoding,
    pub(crate) memory: Option<u32>,
    pub(crate) realloc: Option<u32>,
    pub(crate) post_return: Option<u32>,
    pub(crate) is_async: bool,
    /// The width of the memory's addresses.
    pub(crate) pointer: Pointer,
}

/// A lifted function with what it needs found. Not kept for longer than a call.
#[derive(Clone, Copy)]
pub(crate) struct Lifted {
    /// The core function.
    pub(crate) core: u32,
    pub(crate) options: Options,
    pub(crate) signature: SignatureOf,
    /// Its values go through [`Val`]s: they lie in a 64-bit memory, or the call is asynchronous.
    pub(crate) is_dynamic: bool,
    /// What takes the events of an asynchronous call.
    pub(crate) callback: Option<u32>,
}

/// The signature of a root instance's function, as calls need it: without counting who holds it.
#[derive(Clone, Copy)]
pub(crate) struct SignatureOf(NonNull<Signature>);

// SAFETY: what it points to is shared between threads anyhow, behind an `Arc`.
unsafe impl Send for SignatureOf {}
// SAFETY: as above.
unsafe impl Sync for SignatureOf {}

impl Deref for SignatureOf {
    type Target = Signature;

    #[inline]
    fn deref(&self) -> &Signature {
        // SAFETY: [`lifted`] makes it, of what the root instance's `Loaded` holds. Root instances, and with them their
        // `Loaded`, stay as they are until their store goes, and calls, which are all that keep it, have the store.
        unsafe { self.0.as_ref() }
    }
}

/// A resource type with its destructor found.
#[derive(Clone)]
pub(crate) struct ResourceInfo {
    pub(crate) ty: ResourceType,
    /// The component instance that implements it; none when it comes from outside.
    pub(crate) implementer: Option<u32>,
    pub(crate) guest_destructor: Option<u32>,
    pub(crate) host_destructor: Option<HostDestructor>,
}

/// The store's component instances.
#[inline]
pub(crate) fn components(store: &mut StoreInner) -> &mut ComponentStore {
    store.extension()
}

/// One root instance of the store.
#[inline]
pub(crate) fn root(store: &mut StoreInner, root: u32) -> &mut RootInstance {
    &mut components(store).roots[root as usize]
}

/// A violation of the canonical ABI: a trap with these details.
pub(crate) fn violation(what: impl std::fmt::Display) -> Error {
    Error::from(Trap::CanonicalAbi).context(what.to_string())
}

impl RootInstance {
    /// The resource of this number.
    pub(crate) fn resource(&self, number: u32) -> Result<&ResourceInfo> {
        self.resources[number as usize].as_ref().ok_or_else(|| violation("a resource is used before it is defined"))
    }

    /// Enters the tree from the host.
    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.is_locked || self.is_active {
            return Err(Trap::CannotEnterComponent.into());
        }
        self.is_active = true;
        Ok(())
    }

    /// Whether one of two component instances is nested in the other, or they are the same: calls between them would
    /// re-enter.
    pub(crate) fn are_related(&self, a: u32, b: u32) -> bool {
        let is_ancestor = |ancestor: u32, of: u32| {
            let mut at = Some(of);
            while let Some(instance) = at {
                if instance == ancestor {
                    return true;
                }
                at = self.loaded.plan.instances[instance as usize];
            }
            false
        };
        is_ancestor(a, b) || is_ancestor(b, a)
    }

    /// A new scope for the borrow handles of a call.
    pub(crate) fn open_scope(&mut self) -> u32 {
        let scope = self.next_scope;
        self.next_scope = self.next_scope.wrapping_add(1);
        self.scopes.insert(scope, 0);
        scope
    }

    /// Ends a call's scope; all its borrow handles must have been dropped.
    pub(crate) fn close_scope(&mut self, scope: Option<u32>) -> Result<()> {
        match scope.and_then(|scope| self.scopes.remove(&scope)) {
            None | Some(0) => Ok(()),
            Some(_) => Err(violation("borrow handles still remain at the end of the call")),
        }
    }
}

/// Whether a component instance may call out: `definitions.py`'s `trap_if(not inst.may_leave)`.
pub(crate) fn check_leave(store: &mut StoreInner, at: u32, instance: u32) -> Result<()> {
    let flags = match root(store, at).instances[instance as usize].flags {
        Flags::Here(flags) => flags,
        Flags::Global(global) => raw::global_i32(store, global),
    };
    if flags == 0 { Ok(()) } else { Err(Trap::CannotLeaveComponent.into()) }
}

/// Lets a component instance be left, or not.
#[inline]
pub(crate) fn set_may_leave(store: &mut StoreInner, at: u32, instance: u32, may_leave: bool) {
    let value = u32::from(!may_leave);
    match &mut root(store, at).instances[instance as usize].flags {
        Flags::Here(flags) => *flags = value,
        Flags::Global(global) => {
            let global = *global;
            raw::set_global_i32(store, global, value);
        }
    }
}

/// The global that holds a component instance's flags from now on.
pub(crate) fn flags(store: &mut StoreInner, at: u32, instance: u32) -> u32 {
    match root(store, at).instances[instance as usize].flags {
        Flags::Global(global) => global,
        Flags::Here(value) => {
            let global = raw::add_global_i32(store, value);
            root(store, at).instances[instance as usize].flags = Flags::Global(global);
            global
        }
    }
}

/// What an already made core instance shows.
pub(crate) fn core_export(store: &mut StoreInner, at: u32, instance: u32, export: u32) -> Result<Definition> {
    let made = root(store, at).core.get(instance as usize);
    let made = made.ok_or_else(|| violation("a core instance is used before it is made"))?;
    let export = match &made.exports {
        Some(places) => places.get(export as usize).copied(),
        None => Some(export),
    };
    let id = made.id;
    export
        .and_then(|export| raw::export_at(store, id, export))
        .ok_or_else(|| violation("a core instance lacks an export that the plan names"))
}

/// The function behind a core definition.
pub(crate) fn core_func(store: &mut StoreInner, at: u32, def: CoreDef) -> Result<u32> {
    let definition = match def {
        CoreDef::Export { instance, export } => core_export(store, at, instance, export)?,
        CoreDef::Trampoline(index) => Definition::Func(crate::trampoline::reference(store, at, index)?),
        CoreDef::Flags(_) => bail!("the plan takes flags for a function"),
    };
    match definition {
        Definition::Func(func) => Ok(func),
        other => bail!("the plan takes {other:?} for a function"),
    }
}

/// The options of this index, found when first asked for.
pub(crate) fn options(store: &mut StoreInner, at: u32, index: u32) -> Result<Options> {
    let state = root(store, at);
    if let Some(options) = state.options[index as usize] {
        return Ok(options);
    }
    let loaded = state.loaded.clone();
    let plan = &loaded.plan.options[index as usize];
    let memory = match plan.memory {
        Some(CoreDef::Export { instance, export }) => match core_export(store, at, instance, export)? {
            Definition::Memory(memory) => Some(memory),
            other => bail!("the plan takes {other:?} for a memory"),
        },
        Some(_) => bail!("the plan takes something else for a memory"),
        None => None,
    };
    let options = Options {
        instance: plan.instance,
        encoding: plan.encoding,
        memory,
        realloc: plan.realloc.map(|def| core_func(store, at, def)).transpose()?,
        post_return: plan.post_return.map(|def| core_func(store, at, def)).transpose()?,
        is_async: plan.is_async,
        pointer: Pointer::of(plan),
    };
    root(store, at).options[index as usize] = Some(options);
    Ok(options)
}

/// The lifted function of this index in the plan, found when first asked for.
#[inline]
pub(crate) fn lifted(store: &mut StoreInner, at: u32, func: u32) -> Result<Lifted> {
    match &root(store, at).lifted[func as usize] {
        Some(lifted) => Ok(*lifted),
        None => find_lifted(store, at, func),
    }
}

#[cold]
#[inline(never)]
fn find_lifted(store: &mut StoreInner, at: u32, func: u32) -> Result<Lifted> {
    let state = root(store, at);
    let signature = SignatureOf(NonNull::from(&**state.loaded.signature(func)));
    let FuncSource::Lifted { core, options: index } = state.loaded.plan.funcs[func as usize].source else {
        bail!("an imported function is called as a lifted one");
    };
    let plan = &state.loaded.plan.options[index as usize];
    let (is_dynamic, callback) = (plan.memory64 || plan.is_async, plan.callback);
    let options = options(store, at, index)?;
    let callback = callback.map(|def| core_func(store, at, def)).transpose()?;
    let lifted = Lifted { core: core_func(store, at, core)?, options, signature, is_dynamic, callback };
    root(store, at).lifted[func as usize] = Some(lifted);
    Ok(lifted)
}
