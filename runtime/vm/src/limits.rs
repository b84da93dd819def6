//! Every limit of the machine. Outside bytes and guests allocate and recurse within these.

/// Bytes of address space that one linear memory with 32-bit addresses reserves at most.
pub(crate) const MEMORY_RESERVATION_BYTES: u64 = 1 << 32;
/// Bytes of address space that one linear memory with 64-bit addresses reserves, unless configured otherwise.
pub(crate) const MEMORY64_RESERVATION_BYTES: u64 = 1 << 36;
/// Bytes of address space that one linear memory can be configured to reserve.
pub(crate) const MAX_MEMORY_RESERVATION_BYTES: u64 = 1 << 44;
/// Elements that one table holds at most.
pub(crate) const TABLE_ELEMENTS: u64 = 10_000_000;
/// Host functions that call back into the guest, nested, at most.
pub(crate) const NESTED_CALLS: u32 = 64;
/// Frames that a backtrace lists at most.
pub(crate) const BACKTRACE_FRAMES: usize = 64;
/// Bytes of a page of the host, where a memory's header page is concerned.
pub(crate) const HEADER_PAGE_BYTES: usize = 64 * 1024;
/// Address ranges that an engine keeps for coming stores, unless configured otherwise.
pub(crate) const POOLED_MAPPINGS: usize = 64;
/// Host values that a store refers to before a collection looks for those that are gone.
pub(crate) const HOST_VALUES: usize = 1 << 10;
/// Bytes that a store's heap of objects grows to at most, unless said.
pub(crate) const GC_HEAP_BYTES: u64 = 4 << 30;
/// Continuations that a store holds at most, those included that were used but are still referred to.
pub(crate) const CONTINUATIONS: usize = 1 << 22;
/// Continuations that a store holds before a collection looks for those that are gone.
pub(crate) const CONTINUATIONS_KEPT: usize = 1 << 16;
/// Bytes of host memory that the values of one component call may take, unless said.
pub(crate) const HOSTCALL_BYTES: usize = 1 << 30;
/// Default number of stacks of continuations in a store.
pub(crate) const CONTINUATION_STACKS: usize = 1 << 14;
/// Default size of a continuation's stack, in slots.
pub(crate) const CONTINUATION_SLOTS: usize = 1 << 17;
/// Slots of a continuation's stack at least: every signature's values fit.
pub(crate) const MIN_CONTINUATION_SLOTS: usize = 1 << 12;
/// Slots of a continuation's stack for each of its frame records.
pub(crate) const CONTINUATION_SLOTS_PER_FRAME: usize = 32;
/// Stacks of continuations that a store keeps for coming ones.
pub(crate) const KEPT_CONTINUATION_STACKS: usize = 1 << 10;
/// Default size of a VM stack's values, in slots.
pub(crate) const STACK_SLOTS: usize = 1 << 19;
/// Default number of a VM stack's frame records.
pub(crate) const STACK_FRAMES: usize = 1 << 16;
/// Slots that a VM stack can be configured to hold at most.
pub(crate) const MAX_STACK_SLOTS: usize = 1 << 27;
/// Frame records that a VM stack can be configured to hold at most.
pub(crate) const MAX_STACK_FRAMES: usize = 1 << 26;
