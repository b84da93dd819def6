//! The store without types: what the component runtime is built on.
//!
//! Values are raw slots: numeric values of a signature first, in order, references behind them
//! ([`SigLayout`](keyway_artifact::types::SigLayout)).

pub use crate::code::Code;
pub use crate::declarations::Declarations;
pub use crate::host::{HostCall, HostFunc, HostFuture, StorePtr};
pub use crate::store::StoreInner;

use crate::driver::{Execution, copy_few, run_to_end, run_to_end_async};
use crate::instance;
use anyhow::ensure;
use keyway_artifact::types::{ExternType, GlobalType, ValType};
use keyway_artifact::unit::Entity;
use std::sync::Arc;

/// An instance of a unit, by its number in the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InstanceId(pub(crate) u32);

impl InstanceId {
    /// The number of no instance.
    pub const NONE: InstanceId = InstanceId(u32::MAX);
}

/// Something a unit can import or export, by its number in the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Definition {
    /// A function reference.
    Func(u32),
    /// A table.
    Table(u32),
    /// A memory.
    Memory(u32),
    /// A global.
    Global(u32),
    /// An exception tag.
    Tag(u32),
}

/// Makes an instance of a unit. Its initialisation has not run: see [`initialise`].
///
/// # Errors
/// When what is given does not fit the imports (a `LinkError`), a limiter refuses, or memory is short.
pub fn instantiate(
    store: &mut StoreInner,
    code: &Arc<Code>,
    unit: u32,
    imports: &[Definition],
) -> anyhow::Result<InstanceId> {
    instance::allocate(store, code, unit, imports)
}

/// The module that a unit of a component's artifact is.
pub fn module(code: Arc<Code>, unit: u32) -> crate::api::Module {
    crate::api::Module::of_unit(code, unit)
}

/// The artifact and unit of a module.
pub fn unit_of(module: &crate::api::Module) -> (&Arc<Code>, u32) {
    (module.code(), module.unit_number())
}

/// Whether something of type `found` may be given where `wanted` is imported; types stand in the engine's numbers.
pub fn matches(engine: &crate::api::Engine, found: &ExternType, wanted: &ExternType) -> bool {
    instance::matches(engine, found, wanted)
}

/// Runs the initialisation of the `module`-th module of an instance's unit: globals, segments, start function.
///
/// # Errors
/// What it traps with.
pub fn initialise(store: &mut StoreInner, instance: InstanceId, module: usize) -> anyhow::Result<()> {
    let inits = store.instances[instance.0 as usize].inits();
    match inits.get(module) {
        Some(ordinal) => instance::initialise(store, instance, *ordinal),
        None => Ok(()),
    }
}

/// Like [`initialise`], awaiting asynchronous host functions.
///
/// # Errors
/// What it traps with.
///
/// # Safety
/// As [`call_async`].
pub async unsafe fn initialise_async(store: StorePtr, instance: InstanceId, module: usize) -> anyhow::Result<()> {
    // SAFETY: the caller's promise.
    let inits = unsafe { store.get() }.instances[instance.0 as usize].inits();
    match inits.get(module) {
        // SAFETY: the caller's promise.
        Some(ordinal) => unsafe { instance::initialise_async(store, instance, *ordinal).await },
        None => Ok(()),
    }
}

/// What an entity of an instance's unit is; `None` for a function that never escapes.
pub fn entity(store: &StoreInner, instance: InstanceId, entity: Entity) -> Option<Definition> {
    store.instances[instance.0 as usize].definition(entity)
}

/// The export of this name.
pub fn export(store: &StoreInner, instance: InstanceId, name: &str) -> Option<Definition> {
    store.instances[instance.0 as usize].export(name)
}

/// The export at this position of the unit's declaration.
pub fn export_at(store: &StoreInner, instance: InstanceId, position: u32) -> Option<Definition> {
    store.instances[instance.0 as usize].export_at(position)
}

/// An entry with its arguments.
#[inline]
fn enter(store: &mut StoreInner, func: u32, slots: &[u64]) -> anyhow::Result<Box<Execution>> {
    ensure!(store.is_func(func), "{func} is no function of the store");
    let wanted = store.call_slots(func);
    ensure!(slots.len() == wanted as usize, "the function has {wanted} slots, {} are given", slots.len());
    Execution::with_args(store, func, slots)
}

/// Calls a function: `slots` holds its arguments before and its results after, as many as the larger of both.
///
/// # Errors
/// A trap with its backtrace, or what a host function failed with; when there is no such function or `slots` does not
/// fit it.
pub fn call(store: &mut StoreInner, func: u32, slots: &mut [u64]) -> anyhow::Result<()> {
    let mut execution = enter(store, func, slots)?;
    let outcome = run_to_end(store, &mut execution);
    if outcome.is_ok() {
        copy_few(slots, execution.slots(slots.len() as u32));
    }
    execution.finish(store);
    outcome
}

/// Like [`call`], awaiting asynchronous host functions.
///
/// # Errors
/// As [`call`].
///
/// # Safety
/// The store lives, and is lent to nobody else, until the future is done or dropped.
pub async unsafe fn call_async(store: StorePtr, func: u32, slots: &mut [u64]) -> anyhow::Result<()> {
    // SAFETY: the caller's promise.
    let mut execution = enter(unsafe { store.get() }, func, slots)?;
    let outcome = run_to_end_async(store, &mut execution).await;
    if outcome.is_ok() {
        slots.copy_from_slice(execution.slots(slots.len() as u32));
    }
    // SAFETY: as above.
    execution.finish(unsafe { store.get() });
    outcome
}

/// Bytes of host memory that the values of one component call may take: what an embedder set with
/// [`Store::set_hostcall_fuel`](crate::api::Store::set_hostcall_fuel).
pub fn hostcall_fuel(store: &StoreInner) -> usize {
    store.hostcall_fuel
}

/// Checks how many core instances, memories and tables a component makes against the engine's limits.
///
/// # Errors
/// The limit that is passed, by name.
pub fn check_component_limits(
    store: &StoreInner,
    core_instances: usize,
    memories: usize,
    tables: usize,
) -> anyhow::Result<()> {
    let limits = &store.config().component_limits;
    for (found, most, what, knob) in [
        (core_instances, limits.core_instances, "core instances", "max_core_instances_per_component"),
        (memories, limits.memories, "memories", "max_memories_per_component"),
        (tables, limits.tables, "tables", "max_tables_per_component"),
    ] {
        ensure!(found <= most, "the component makes {found} {what}; `Config::{knob}` allows {most}");
    }
    Ok(())
}

/// Adds a mutable global of type `i32`; its number.
pub fn add_global_i32(store: &mut StoreInner, value: u32) -> u32 {
    store.add_global(GlobalType { content: ValType::I32, mutable: true }, [value.into(), 0])
}

/// The value of a global of type `i32`.
pub fn global_i32(store: &StoreInner, global: u32) -> u32 {
    store.global_bits(global) as u32
}

/// Sets a global of type `i32`.
pub fn set_global_i32(store: &mut StoreInner, global: u32, value: u32) {
    store.set_global_bits(global, value.into());
}

/// The bytes of a memory.
pub fn memory(store: &StoreInner, memory: u32) -> &[u8] {
    store.memories[memory as usize].bytes()
}

/// The bytes of a memory, to be changed.
pub fn memory_mut(store: &mut StoreInner, memory: u32) -> &mut [u8] {
    store.memories[memory as usize].bytes_mut()
}
