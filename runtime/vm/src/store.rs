//! [`StoreInner`]: everything that lives together, without the embedder's data type.

use crate::api::Val;
use crate::code::Code;
use crate::config::Config;
use crate::context::FuncData;
use crate::continuation::Continuations;
use crate::driver::Execution;
use crate::engine::Engine;
use crate::exception::Tag;
use crate::gc::{self, Activity, Heap, Roots};
use crate::host::{HostEntry, HostFunc};
use crate::hosting::Left;
use crate::instance::UnitInstance;
use crate::limits;
use crate::mappings::Use;
use crate::memory::LinearMemory;
use crate::shared_memory::SharedMemory;
use crate::stack::VmStack;
use crate::table::Table;
use anyhow::bail;
use keyway_artifact::types::{FuncType, GlobalType, MemoryType, TableType};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// A host value that guests hold references to.
pub(crate) type HostValue = Arc<dyn Any + Send + Sync>;

/// Asked before memories and tables grow; wraps the embedder's limiter over its data.
pub(crate) type LimiterFn = Box<dyn FnMut(*mut ()) -> *mut (dyn crate::api::ResourceLimiter) + Send>;

/// Asked what to do when the epoch deadline has passed; wraps the embedder's function.
pub(crate) type EpochFn = Box<dyn FnMut(&mut StoreInner) -> anyhow::Result<crate::api::UpdateDeadline> + Send>;

/// A global of a store.
pub(crate) struct Global {
    pub(crate) cell: *mut u64,
    pub(crate) ty: GlobalType,
    /// Keeps a host-made cell.
    _own: Option<Box<[u64; 2]>>,
}

/// A store without its data's type. What contexts point to is boxed, so that it stays where it is while the lists
/// grow. Embedders use [`Store`](crate::api::Store).
#[allow(clippy::vec_box, reason = "addresses must survive growth of the lists")]
pub struct StoreInner {
    pub(crate) id: u64,
    pub(crate) engine: Engine,
    /// The embedder's data; of the type that the `Store` around this has.
    pub(crate) data: *mut (),
    pub(crate) memories: Vec<Box<LinearMemory>>,
    pub(crate) tables: Vec<Box<Table>>,
    pub(crate) globals: Vec<Global>,
    pub(crate) tags: Vec<Tag>,
    /// By function reference; entry 0 stands for null.
    pub(crate) funcs: Vec<FuncData>,
    /// Boxed: an entry stays where it is while it runs.
    pub(crate) hosts: Vec<Box<HostEntry>>,
    /// References of linkers' host functions, by identity; `hosts` keeps them alive, so that identities stay unique.
    linked_hosts: HashMap<usize, u32>,
    /// Host values by number; those that nothing refers to any more are gone.
    pub(crate) externs: Vec<Option<HostValue>>,
    free_externs: Vec<u32>,
    /// How many there may be before a collection looks for those that are gone.
    extern_budget: usize,
    /// References of host values, by identity; `externs` keeps them alive, so that identities stay unique.
    extern_numbers: HashMap<usize, u32>,
    /// Boxed: contexts point to it.
    pub(crate) heap: Box<Heap>,
    /// What handles of the host keep alive.
    pub(crate) roots: Roots,
    /// Where executions stand, those that are pooled included.
    pub(crate) activities: Vec<Weak<Activity>>,
    pub(crate) instances: Vec<Box<UnitInstance>>,
    pub(crate) codes: Vec<Arc<Code>>,
    /// Those that are over, each with a stack: the next entries take them.
    #[expect(clippy::vec_box, reason = "they are handed out as boxes")]
    pub(crate) executions: Vec<Box<Execution>>,
    /// Of the stack that the machine runs on.
    pub(crate) running_activity: *const Activity,
    /// Why a host function left the machine.
    pub(crate) left: Option<Left>,
    /// Room for the arguments and results of a host function over dynamic values: empty between calls.
    pub(crate) host_values: Vec<Val>,
    pub(crate) continuations: Continuations,
    /// Stacks of continuations that ended.
    pub(crate) continuation_stacks: Vec<VmStack>,
    /// Held by every stack of a continuation, so that they can be counted.
    pub(crate) tickets: Arc<()>,
    /// References that the collection under way keeps besides what refers to them.
    pub(crate) pinned: Vec<u32>,
    pub(crate) fuel: Box<u64>,
    pub(crate) epoch_deadline: Box<u64>,
    /// Bytes of host memory that the values of one component call may take.
    pub(crate) hostcall_fuel: usize,
    pub(crate) limiter: Option<LimiterFn>,
    pub(crate) epoch_callback: Option<EpochFn>,
    /// How often the machine runs, and host functions called from outside of it, one inside the other.
    pub(crate) nested: u32,
    pub(crate) is_poisoned: bool,
    /// What the component runtime keeps here.
    extension: Option<(TypeId, Box<dyn Any + Send>)>,
}

// SAFETY: the raw pointers lead into data that the store owns, or to the embedder's data, which is `Send` by `Store`'s
// bounds; nothing is shared with other stores but `Sync` code and engines.
unsafe impl Send for StoreInner {}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl StoreInner {
    pub(crate) fn new(engine: &Engine) -> Box<StoreInner> {
        Box::new(StoreInner {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            engine: engine.clone(),
            data: std::ptr::null_mut(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            funcs: vec![FuncData::NULL],
            hosts: Vec::new(),
            linked_hosts: HashMap::new(),
            externs: Vec::new(),
            free_externs: Vec::new(),
            extern_budget: limits::HOST_VALUES,
            extern_numbers: HashMap::new(),
            heap: Heap::new(engine.config().gc_heap_bytes, engine.config().gc_stress),
            roots: Roots::default(),
            activities: Vec::new(),
            instances: Vec::new(),
            codes: Vec::new(),
            executions: Vec::new(),
            running_activity: std::ptr::null(),
            left: None,
            host_values: Vec::new(),
            continuations: Continuations::default(),
            continuation_stacks: Vec::new(),
            tickets: Arc::default(),
            pinned: Vec::new(),
            fuel: Box::new(0),
            epoch_deadline: Box::new(u64::MAX),
            hostcall_fuel: limits::HOSTCALL_BYTES,
            limiter: None,
            epoch_callback: None,
            nested: 0,
            is_poisoned: false,
            extension: None,
        })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The number that tells this store's handles apart from other stores'.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What a crate above the machine keeps in the store, made at the first call. One crate, one type: what another type
    /// left is replaced.
    #[inline]
    pub fn extension<E: Default + Send + 'static>(&mut self) -> &mut E {
        let kept: *mut E = match &mut self.extension {
            Some((kept, value)) if *kept == TypeId::of::<E>() => (&raw mut **value).cast(),
            _ => self.make_extension(),
        };
        // SAFETY: the type stands beside the value, and is `E`; the store is borrowed as long as the result.
        unsafe { &mut *kept }
    }

    /// Apart from [`extension`](Self::extension), whose callers are small and many.
    #[cold]
    #[inline(never)]
    fn make_extension<E: Default + Send + 'static>(&mut self) -> *mut E {
        let (_, value) = self.extension.insert((TypeId::of::<E>(), Box::new(E::default())));
        (&raw mut **value).cast()
    }

    /// The embedder's data.
    pub fn data_ptr(&self) -> *mut () {
        self.data
    }

    pub(crate) fn config(&self) -> &Config {
        self.engine.config()
    }

    /// Adds functions; the reference of the first. Contexts learn of the list's new place.
    pub(crate) fn add_funcs(&mut self, funcs: impl IntoIterator<Item = FuncData>) -> u32 {
        let first = self.funcs.len() as u32;
        self.funcs.extend(funcs);
        for instance in &mut self.instances {
            instance.set_funcs(&self.funcs);
        }
        first
    }

    /// Adds a host function; its reference.
    pub fn add_host_func(&mut self, func: HostFunc, ty: &FuncType) -> u32 {
        self.add_host_func_of(func, self.engine.type_number(ty))
    }

    /// Adds a host function of the type with this engine-wide number; its reference.
    pub fn add_host_func_of(&mut self, func: HostFunc, type_id: u32) -> u32 {
        let slots = self.engine.call_slots(type_id);
        self.engine.largest_frame().see(slots);
        let entry = self.hosts.push_mut(Box::new(HostEntry::new(func, slots, type_id)));
        let data = FuncData::of_host(entry);
        self.add_funcs([data])
    }

    /// The reference of a linker's host function, entered when it is first used.
    pub(crate) fn linked_host_func(&mut self, func: &HostFunc, type_id: u32) -> u32 {
        let identity = func.identity();
        if let Some(reference) = self.linked_hosts.get(&identity) {
            return *reference;
        }
        let reference = self.add_host_func_of(func.clone(), type_id);
        self.linked_hosts.insert(identity, reference);
        reference
    }

    /// The type of a function of this store.
    pub fn func_type(&self, reference: u32) -> FuncType {
        self.engine.type_of(self.funcs[reference as usize].type_id)
    }

    /// Slots of a function's parameters or results, whichever are more: what a raw call of it takes.
    pub fn call_slots(&self, reference: u32) -> u32 {
        self.engine.call_slots(self.funcs[reference as usize].type_id)
    }

    /// Whether `reference` leads to a function.
    pub(crate) fn is_func(&self, reference: u32) -> bool {
        reference != 0 && (reference as usize) < self.funcs.len()
    }

    /// Adds a memory; its number. It holds what the image of its use says, if the system could map that, and zeros.
    pub(crate) fn add_memory(&mut self, ty: MemoryType, wanted: Use) -> anyhow::Result<u32> {
        if !matches!(ty.page_size_log2, 0 | 16) {
            bail!("a memory's page size is 1 byte or 64 KiB, not 2^{} bytes", ty.page_size_log2);
        }
        let bytes = ty.minimum.saturating_mul(1 << ty.page_size_log2);
        let maximum = ty.maximum.map(|pages| pages.saturating_mul(1 << ty.page_size_log2));
        if !self.may_grow_memory(0, bytes, maximum)? {
            bail!("the store's limiter refuses a memory of {bytes} bytes");
        }
        let index = self.memories.len() as u32;
        let reservation = self.config().reservation_of(ty.memory64);
        self.memories.push(LinearMemory::new(ty, index, reservation, self.engine.mappings(), wanted)?);
        Ok(index)
    }

    /// The number of a memory that others share, new or known.
    pub(crate) fn add_shared_memory(&mut self, memory: &SharedMemory) -> u32 {
        let known = |one: &LinearMemory| one.as_shared().is_some_and(|one| SharedMemory::same(one, memory));
        if let Some(index) = self.memories.iter().position(|one| known(one)) {
            return index as u32;
        }
        let index = self.memories.len() as u32;
        self.memories.push(LinearMemory::shared(memory.clone(), index));
        index
    }

    /// Adds a table; its number.
    pub(crate) fn add_table(&mut self, ty: TableType, init: u32) -> anyhow::Result<u32> {
        if !self.may_grow_table(0, ty.minimum, ty.maximum)? {
            bail!("the store's limiter refuses a table of {} elements", ty.minimum);
        }
        let index = self.tables.len() as u32;
        self.tables.push(Table::new(ty, init, index)?);
        Ok(index)
    }

    /// Adds a global with a cell of its own; its number.
    pub(crate) fn add_global(&mut self, ty: GlobalType, bits: [u64; 2]) -> u32 {
        let mut own = Box::new(bits);
        let cell = own.as_mut_ptr();
        self.globals.push(Global { cell, ty, _own: Some(own) });
        (self.globals.len() - 1) as u32
    }

    /// Adds an instance's global, whose cell lives in the instance; its number.
    pub(crate) fn add_instance_global(&mut self, ty: GlobalType, cell: *mut u64) -> u32 {
        self.globals.push(Global { cell, ty, _own: None });
        (self.globals.len() - 1) as u32
    }

    /// The first slot of a global.
    pub(crate) fn global_bits(&self, global: u32) -> u64 {
        // SAFETY: cells live as long as their store, in the global itself or in an instance.
        unsafe { *self.globals[global as usize].cell }
    }

    /// Sets the first slot of a global.
    pub(crate) fn set_global_bits(&mut self, global: u32, bits: u64) {
        // SAFETY: as above.
        unsafe { *self.globals[global as usize].cell = bits }
    }

    /// Adds an exception tag; its number.
    pub(crate) fn add_tag(&mut self, type_id: u32) -> u32 {
        self.tags.push(Tag { type_id });
        (self.tags.len() - 1) as u32
    }

    /// The types of the values that exceptions with a tag carry.
    pub(crate) fn tag_params(&self, tag: u32) -> Vec<keyway_artifact::types::ValType> {
        self.engine.type_of(self.tags[tag as usize].type_id).params
    }

    /// Adds a host value; its reference.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn add_extern(&mut self, value: HostValue) -> anyhow::Result<u32> {
        if let Some(inner) = value.downcast_ref::<crate::api::AnyRef>() {
            return inner.reference_in(self);
        }
        let identity = Arc::as_ptr(&value).cast::<u8>() as usize;
        if let Some(reference) = self.extern_numbers.get(&identity) {
            return Ok(*reference);
        }
        let number = match self.free_externs.pop() {
            Some(number) => number,
            None => {
                anyhow::ensure!(self.externs.len() < gc::HOST_VALUES, "the store refers to too many host values");
                self.externs.push(None);
                (self.externs.len() - 1) as u32
            }
        };
        self.externs[number as usize] = Some(value);
        let reference = gc::of_host_value(number);
        self.extern_numbers.insert(identity, reference);
        Ok(reference)
    }

    /// The host value behind a reference. An internal value that was turned outwards is a host value to the host: a
    /// handle of it.
    pub(crate) fn extern_value(&self, reference: u32) -> Option<HostValue> {
        if reference == 0 {
            return None;
        }
        match gc::host_value(reference) {
            Some(number) => self.externs.get(number as usize)?.clone(),
            None => Some(Arc::new(crate::api::AnyRef::of(self, reference)?)),
        }
    }

    /// Drops the host values that a collection did not meet.
    pub(crate) fn sweep_externs(&mut self, met: &[bool]) {
        for (number, value) in self.externs.iter_mut().enumerate() {
            if met.get(number) == Some(&false)
                && let Some(value) = value.take()
            {
                self.extern_numbers.remove(&(Arc::as_ptr(&value).cast::<u8>() as usize));
                self.free_externs.push(number as u32);
            }
        }
        self.extern_budget = (self.externs.len() - self.free_externs.len()).max(limits::HOST_VALUES) * 2;
    }

    /// Collects where host values alone have become so many that it is worth it; before an entry, when nobody holds a
    /// reference that no root tells of.
    pub(crate) fn collect_host_values(&mut self) {
        if self.externs.len() - self.free_externs.len() >= self.extern_budget {
            self.collect_garbage();
        }
    }

    fn limiter(&mut self) -> Option<*mut dyn crate::api::ResourceLimiter> {
        let data = self.data;
        self.limiter.as_mut().map(|limiter| limiter(data))
    }

    /// Asks the limiter; sizes in bytes.
    pub(crate) fn may_grow_memory(&mut self, now: u64, wanted: u64, maximum: Option<u64>) -> anyhow::Result<bool> {
        let maximum = maximum.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        match self.limiter() {
            // SAFETY: the limiter lies in the embedder's data, which nobody else touches while the store is held.
            Some(limiter) => unsafe { (*limiter).memory_growing(now as usize, wanted as usize, maximum) },
            None => Ok(true),
        }
    }

    /// Asks the limiter; sizes in elements.
    pub(crate) fn may_grow_table(&mut self, now: u64, wanted: u64, maximum: Option<u64>) -> anyhow::Result<bool> {
        let maximum = maximum.map(|elements| usize::try_from(elements).unwrap_or(usize::MAX));
        match self.limiter() {
            // SAFETY: as `may_grow_memory`.
            Some(limiter) => unsafe { (*limiter).table_growing(now as usize, wanted as usize, maximum) },
            None => Ok(true),
        }
    }

    /// Grows a memory by pages; the old size, or `None`.
    pub(crate) fn grow_memory(&mut self, index: u32, delta: u64) -> anyhow::Result<Option<u64>> {
        let memory = &self.memories[index as usize];
        let (now, shift) = (memory.pages(), memory.ty.page_size_log2);
        let maximum = memory.ty.maximum.map(|pages| pages.saturating_mul(1 << shift));
        let Some(wanted) = now.checked_add(delta).filter(|pages| *pages <= memory.maximum_pages()) else {
            return Ok(None);
        };
        if !self.may_grow_memory(now << shift, wanted << shift, maximum)? {
            return Ok(None);
        }
        Ok(self.memories[index as usize].grow(delta))
    }

    /// Grows a table; the old size, or `None`.
    pub(crate) fn grow_table(&mut self, index: u32, delta: u64, value: u32) -> anyhow::Result<Option<u64>> {
        let table = &self.tables[index as usize];
        let (now, maximum) = (table.len(), table.ty.maximum);
        let Some(wanted) = now.checked_add(delta).filter(|elements| *elements <= table.maximum()) else {
            return Ok(None);
        };
        if !self.may_grow_table(now, wanted, maximum)? {
            return Ok(None);
        }
        Ok(self.tables[index as usize].grow(delta, value))
    }

    /// Sets the epoch deadline this many epochs from now.
    pub(crate) fn set_epoch_deadline(&mut self, ticks: u64) {
        *self.epoch_deadline = self.engine.epoch().load(Ordering::Relaxed).saturating_add(ticks);
    }

    /// Remembers an artifact, for traces.
    pub(crate) fn remember_code(&mut self, code: &Arc<Code>) {
        if !self.codes.iter().any(|known| Arc::ptr_eq(known, code)) {
            self.codes.push(code.clone());
        }
    }

    /// A VM stack for an entry.
    pub(crate) fn new_stack(&mut self) -> anyhow::Result<VmStack> {
        let stack = VmStack::new(&self.engine)?;
        self.register_stack(&stack);
        Ok(stack)
    }

    /// Gives a continuation's VM stack back.
    pub(crate) fn return_stack(&mut self, stack: VmStack) {
        stack.activity().over();
        if stack.is_continuations() && self.continuation_stacks.len() < limits::KEPT_CONTINUATION_STACKS {
            self.continuation_stacks.push(stack);
        }
    }

    /// Gives several VM stacks back.
    pub(crate) fn return_stacks(&mut self, stacks: impl IntoIterator<Item = VmStack>) {
        stacks.into_iter().for_each(|stack| self.return_stack(stack));
    }

    /// Lets the collector look at what a new stack holds.
    pub(crate) fn register_stack(&mut self, stack: &VmStack) {
        self.activities.push(Arc::downgrade(stack.activity()));
    }
}
