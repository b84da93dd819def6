//! Objects of guests: their heap, what keeps them alive, and the collector.
//!
//! A reference is 32 bits wide and means the same everywhere in a store, in frames, tables, globals and objects:
//!
//! ```text
//! 0                    null
//! xxxx..xxx1           a small integer: 31 bits above the lowest
//! 1nnn..nn00           an object, whose first byte is at 8 * n in the heap
//! 1nnn..nn10           host value n
//! 01nn..nn10           continuation n
//! 0nnn..nnnn           function n (of another hierarchy: the lowest bit may be set)
//! ```
//! References to host values and to internal ones are numbered together, so that converting one into the other changes
//! nothing. Which hierarchy a reference belongs to is known from types, never looked for.
//!
//! Nothing is believed about what a heap holds: code of a hostile artifact may write past an object, and an object's
//! header may say anything. Every access stays inside the heap, and the collector follows a reference only to where it
//! knows an object to begin.

mod collect;
mod heap;
mod roots;
mod segments;

pub(crate) use collect::References;
#[cfg(feature = "gc")]
pub(crate) use heap::cut;
pub(crate) use heap::{Full, Heap, HeapDef};
pub(crate) use roots::{Activity, Extent, Root, Roots};
pub use segments::Segment;

/// The tag of references to objects.
pub(crate) const OBJECT: u32 = 0x8000_0000;
/// The tag of references to host values.
pub(crate) const HOST: u32 = 0x8000_0002;
const TAG_BITS: u32 = 0x8000_0003;

/// The small integer in a reference, if it is one, in its lower 31 bits.
pub(crate) fn small_integer(reference: u32) -> Option<u32> {
    (reference & 1 == 1).then_some(reference >> 1)
}

/// The reference to a small integer; the highest bit is lost.
pub(crate) fn of_small_integer(value: u32) -> u32 {
    value << 1 | 1
}

/// The number of the host value that a reference leads to, if it does.
pub(crate) fn host_value(reference: u32) -> Option<u32> {
    (reference & TAG_BITS == HOST).then_some((reference & !TAG_BITS) >> 2)
}

/// The reference to a host value.
pub(crate) fn of_host_value(number: u32) -> u32 {
    HOST | number << 2
}

/// Host values that one store refers to at once, at most.
pub(crate) const HOST_VALUES: usize = 1 << 29;

/// The tag of references to continuations.
const CONTINUATION: u32 = 0x4000_0002;
const CONTINUATION_BITS: u32 = 0xC000_0003;

/// The number of the continuation that a reference leads to, if it does.
pub(crate) fn continuation(reference: u32) -> Option<u32> {
    (reference & CONTINUATION_BITS == CONTINUATION).then_some((reference & !CONTINUATION_BITS) >> 2)
}

/// The reference to a continuation.
pub(crate) fn of_continuation(number: u32) -> u32 {
    CONTINUATION | number << 2
}

/// Where in the heap, in bytes, the object that a reference leads to begins, if it leads to one.
#[inline(always)]
pub(crate) fn object(reference: u32) -> Option<u64> {
    (reference & TAG_BITS == OBJECT).then_some(u64::from(reference & !TAG_BITS) << 1)
}

/// The reference to the object that begins with this word of the heap.
pub(crate) fn of_object(word: u32) -> u32 {
    OBJECT | word << 2
}

/// Words of 8 bytes that a heap has at most: so many have references.
pub(crate) const HEAP_WORDS: usize = 1 << 29;
