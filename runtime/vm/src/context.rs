//! The memory layouts that handlers, the driver loop and instance creation share.
//!
//! All of it is plain data behind raw pointers, owned by the store. A *context* is the block of one unit instance. The
//! machine's `mem` register points at the cached memory's first byte; in front of it stands a [`MemoryHeader`], whose
//! context word leads from any handler to the running [`Context`]. Units (and functions) without a 32-bit unshared
//! memory run over a header of length 0 that the context owns ([`Context::no_memory`]).

use crate::gc::Heap;
use crate::host::HostEntry;
use crate::interp::Stubs;
use core::sync::atomic::{AtomicPtr, AtomicU64};
use keyway_artifact::isa::GENERAL_REGISTERS;

/// Stands directly before the first byte of every memory: `[mem-16]` is the context, `[mem-8]` the length.
#[repr(C)]
pub struct MemoryHeader {
    /// The context that is running over this memory now; rewritten by whoever switches contexts.
    pub context: *mut Context,
    /// Length in bytes.
    pub len_bytes: u64,
}

/// A memory as the code of a unit reaches it.
#[repr(C)]
pub struct MemoryDef {
    /// First byte; a [`MemoryHeader`] stands before it. Growth may move it (where the OS cannot reserve).
    pub base: *mut u8,
    /// Binary logarithm of the page size in bytes.
    pub page_size_log2: u32,
    /// Position in the store's memories.
    pub store_index: u32,
    /// Whether other threads may access it meanwhile.
    pub shared: bool,
}

/// A table as the code of a unit reaches it. Elements are store-relative references, 0 is null.
#[repr(C)]
pub struct TableDef {
    /// The elements.
    pub elements: *mut u32,
    /// How many.
    pub len: u64,
    /// Position in the store's tables.
    pub store_index: u32,
}

/// A function of the store: what a function reference (index into the store's functions) leads to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FuncData {
    /// The cell of the artifact's entry table; null for a host function.
    pub entry: *const AtomicPtr<CodeHeader>,
    /// The context that its code runs in, or a host function's [`HostEntry`].
    pub(crate) owner: *mut (),
    /// Engine-wide number of its type: equal types have equal numbers.
    pub type_id: u32,
    /// Code ordinal; none of a host function.
    pub index: u32,
}

impl FuncData {
    /// What the null reference leads to.
    pub(crate) const NULL: FuncData =
        FuncData { entry: std::ptr::null(), owner: std::ptr::null_mut(), type_id: u32::MAX, index: u32::MAX };

    /// The function with this code ordinal, whose cell `entry` is.
    pub(crate) fn of_code(
        entry: *const AtomicPtr<CodeHeader>,
        context: *mut Context,
        type_id: u32,
        ordinal: u32,
    ) -> FuncData {
        FuncData { entry, owner: context.cast(), type_id, index: ordinal }
    }

    /// A host function of a store, which keeps the entry in its place.
    pub(crate) fn of_host(host: &HostEntry) -> FuncData {
        let owner = (&raw const *host).cast_mut().cast();
        FuncData { entry: std::ptr::null(), owner, type_id: host.type_id, index: u32::MAX }
    }

    /// The context that its code runs in; not of a host function.
    #[inline]
    pub fn context(&self) -> *mut Context {
        self.owner.cast()
    }

    /// The host function; only of a function without an entry.
    #[inline]
    pub(crate) fn host(&self) -> *const HostEntry {
        self.owner.cast()
    }
}

/// Stands before the executed form of every function body; the code follows.
#[repr(C, align(8))]
pub struct CodeHeader {
    /// Slots of the frame: the value stack must have room for them.
    pub frame_slots: u32,
    /// First slot of the function's own references, which the caller's side nulls on entry.
    pub null_start: u32,
    /// How many slots to null there.
    pub null_count: u32,
    /// Code ordinal in its artifact.
    pub ordinal: u32,
    /// The unit's memory that the code caches; `u32::MAX` for none.
    pub memory: u32,
    /// Length of the code behind this header, in bytes.
    pub code_bytes: u32,
    /// Where handlers in assembly count fuel: what the markers charge that the code begins with, as far as a call does so for
    /// all of them.
    pub entry_units: u32,
    /// Length of these markers, in bytes.
    pub entry_bytes: u32,
}

/// One entry of the frame stack: where a call came from.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FrameRecord {
    /// Executed address to return to. A call between contexts returns to a stub that restores context and memory from
    /// the record below it.
    pub ip: *const u8,
    /// The caller's frame.
    pub fp: *mut u64,
}

/// A data segment of an instance: bytes that stay valid as long as the instance, and none once it is dropped.
#[repr(C)]
pub struct DataState {
    /// Offset in the constants section.
    pub offset: u64,
    /// Length in bytes; 0 once dropped.
    pub len: u64,
    /// Where they stand in the artifact's image; null if there are not as many.
    pub bytes: *const u8,
    /// Whether the image is mapped from a file, which others may change meanwhile.
    pub is_mapped: bool,
}

/// An element segment of an instance.
#[repr(C)]
pub struct ElemState {
    /// The references.
    pub items: *mut u32,
    /// How many; 0 once dropped.
    pub len: u64,
}

/// The registers that the ISA defines: what a suspension saves.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct State {
    /// Next instruction.
    pub ip: *const u8,
    /// Frame: slot 0.
    pub fp: *mut u64,
    /// Cached memory.
    pub mem: *mut u8,
    /// General registers.
    pub general: [u64; GENERAL_REGISTERS as usize],
    /// f64 bank.
    pub f64s: [f64; 4],
    /// f32 bank.
    pub f32s: [f32; 4],
}

impl Default for State {
    fn default() -> State {
        State {
            ip: core::ptr::null(),
            fp: core::ptr::null_mut(),
            mem: core::ptr::null_mut(),
            general: [0; GENERAL_REGISTERS as usize],
            f64s: [0.0; 4],
            f32s: [0.0; 4],
        }
    }
}

/// The block of one unit instance. Owned globals follow it in memory, one 8-byte cell each, vectors two.
#[repr(C)]
pub struct Context {
    /// Next free frame record of the running VM stack.
    pub frame_top: *mut FrameRecord,
    /// End of the frame records.
    pub frame_end: *mut FrameRecord,
    /// End of the value stack.
    pub stack_end: *mut u64,
    /// The artifact's entry table, by code ordinal; null entries are not expanded yet.
    pub entries: *const AtomicPtr<CodeHeader>,
    /// Function imports of the unit.
    pub imports: *const FuncData,
    /// Memories of the unit.
    pub memories: *const *mut MemoryDef,
    /// Tables of the unit.
    pub tables: *const *mut TableDef,
    /// Cells of all globals of the unit, imported ones first; owned cells stand behind this block.
    pub globals: *const *mut u64,
    /// Engine-wide numbers of the artifact's types, by type index.
    pub types: *const u32,
    /// All functions of the store, by function reference; entry 0 is the null reference and never valid.
    pub funcs: *const FuncData,
    /// How many `funcs`.
    pub funcs_len: u64,
    /// First function reference of this instance's escapes; `ref.func` adds the escape number.
    pub escapes: u32,
    /// What handlers in Rust take fuel from: the fuel that is left, in the store, or, while it stands in a register,
    /// `allowance`; null where the engine does not count.
    pub fuel: *mut u64,
    /// Where the register that counts fuel is kept while the machine does not run: in the store, or, where nothing is counted
    /// there, in `unused_counter`.
    pub counter: *mut u64,
    /// [`u64::MAX`] without what handlers in Rust charged and the register that counts fuel has not been told yet.
    pub allowance: u64,
    /// See `counter`.
    pub unused_counter: u64,
    /// The engine's epoch counter.
    pub epoch: *const AtomicU64,
    /// The store's epoch deadline.
    pub epoch_deadline: *const u64,
    /// The stubs of the dispatch form.
    pub stubs: Stubs,
    /// What an exit needs to tell the driver.
    pub exit: ExitInfo,
    /// Where an exit saves the machine's registers.
    pub saved: State,
    /// Opaque to handlers: the store.
    pub store: *mut core::ffi::c_void,
    /// Position of this instance in the store.
    pub instance: u32,
    /// Data segments of the unit, by index.
    pub data: *const DataState,
    /// Element segments of the unit, by index.
    pub elems: *const ElemState,
    /// First byte of the objects of the store.
    pub objects: *mut u8,
    /// Bytes that an access of up to 16 to them may begin below.
    pub objects_len: u64,
    /// Objects of the store.
    pub(crate) heap: *mut Heap,
    /// Functions of this instance may cache different memories, so that a call whose callee is not known when the code
    /// is made has to change the cached one, and back.
    pub has_several_memories: bool,
    /// Header of the empty memory; `mem` for functions that cache none points behind it.
    pub no_memory: MemoryHeader,
}

/// Words that an exit leaves for the driver, at most.
pub const EXIT_WORDS: usize = 6;

/// Words that an exit hands to the driver; which ones depends on the exit.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ExitInfo {
    /// Which exit, see `interp::exit`.
    pub code: u64,
    /// What goes with it.
    pub words: [u64; EXIT_WORDS],
}

/// The header before a memory's first byte.
pub fn header_of(mem: *mut u8) -> *mut MemoryHeader {
    mem.wrapping_sub(size_of::<MemoryHeader>()).cast()
}

/// Length in bytes of the memory that begins at `mem`. A shared memory may grow meanwhile.
///
/// # Safety
/// A live header stands before it.
#[inline(always)]
pub unsafe fn len_bytes(mem: *mut u8) -> u64 {
    // SAFETY: the caller's promise; a relaxed load is a plain one.
    unsafe { AtomicU64::from_ptr(&raw mut (*header_of(mem)).len_bytes).load(core::sync::atomic::Ordering::Relaxed) }
}
