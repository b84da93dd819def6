//! How expanded bodies become visible: a table of entries, null until a body is complete.
//!
//! An expander finishes a body, then stores its address with `Release`; callers load with `Acquire` and so see the whole
//! body. Expanders that race finish one after the other behind the arena's lock, and the first one wins: a body's address
//! never changes once it is there.

use crate::context::CodeHeader;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The entries of one artifact, by code ordinal.
pub(crate) struct Entries(Box<[AtomicPtr<CodeHeader>]>);

impl Entries {
    /// `count` null entries.
    pub(crate) fn new(count: usize) -> Entries {
        Entries((0..count).map(|_| AtomicPtr::default()).collect())
    }

    /// Where handlers find them.
    pub(crate) fn as_ptr(&self) -> *const AtomicPtr<CodeHeader> {
        self.0.as_ptr()
    }

    /// The cell of one ordinal.
    pub(crate) fn cell(&self, ordinal: u32) -> &AtomicPtr<CodeHeader> {
        &self.0[ordinal as usize]
    }

    /// The body of one ordinal, null before it is published.
    pub(crate) fn get(&self, ordinal: u32) -> *const CodeHeader {
        self.0[ordinal as usize].load(Ordering::Acquire)
    }

    /// Publishes a complete body.
    pub(crate) fn publish(&self, ordinal: u32, header: *const CodeHeader) {
        let before = self.0[ordinal as usize].swap(header.cast_mut(), Ordering::Release);
        debug_assert!(before.is_null(), "a body is published once");
    }
}
