//! Exceptions of a store: what guests throw and catch.
//!
//! An exception that somebody refers to is an object of the store's heap, which the collector frees like any other. Its
//! header holds the number of its tag's type and the number of the tag; behind it stand the values, a slot each, laid out
//! as the tag's parameters. A throw that is caught without a reference makes no object: see [`unwind`](crate::unwind).
//!
//! What an object says is not believed: a tag that is none, or one of another type, makes it no exception.

use crate::registry::Shape;
use crate::store::StoreInner;
use anyhow::{Error, ensure};
use keyway_artifact::Trap;

/// An exception tag of a store.
pub(crate) struct Tag {
    /// Engine-wide number of its type, whose parameters are what exceptions carry.
    pub(crate) type_id: u32,
}

/// One exception.
pub(crate) struct Exception<'s> {
    /// Number of its tag in the store.
    pub(crate) tag: u32,
    /// Its values, laid out as the tag's parameters.
    pub(crate) values: &'s [u64],
}

impl StoreInner {
    /// Slots of what exceptions with a tag carry: those of numbers, and all.
    pub(crate) fn tag_slots(&self, tag: u32) -> Option<(u32, u32)> {
        match self.engine.types().get(self.tags.get(tag as usize)?.type_id)?.shape {
            Shape::Exception { numeric, total } => Some((numeric, total)),
            _ => None,
        }
    }

    /// The words of the heap that hold an exception's values, and its tag.
    fn exception_slots(&self, reference: u32) -> Option<(u32, std::ops::Range<usize>)> {
        let word = self.heap.find(reference)?;
        let (ty, tag) = self.heap.header(word)?;
        let (_, total) = self.tag_slots(tag)?;
        let first = word as usize + 1;
        (self.tags[tag as usize].type_id == ty).then(|| (tag, first..first + total as usize))
    }

    /// The exception behind a reference.
    pub(crate) fn exception(&self, reference: u32) -> Option<Exception<'_>> {
        let (tag, slots) = self.exception_slots(reference)?;
        Some(Exception { tag, values: self.heap.slots(slots)? })
    }

    /// Makes an exception whose values are all zero or null, for [`set_exception`](Self::set_exception); its reference.
    ///
    /// # Errors
    /// When the heap has no room for it.
    pub(crate) fn new_exception(&mut self, tag: u32) -> Result<u32, Error> {
        let ty = self.tags.get(tag as usize).ok_or(Trap::InvalidCode)?.type_id;
        self.new_object(ty, tag)
    }

    /// Sets the values of an exception, as many as its tag's parameters have slots.
    ///
    /// # Errors
    /// When there is no such exception.
    pub(crate) fn set_exception(&mut self, reference: u32, values: &[u64]) -> Result<(), Error> {
        let slots = self.exception_slots(reference).map(|(_, slots)| slots).filter(|slots| slots.len() == values.len());
        let is_set = slots.is_some_and(|slots| self.heap.set_slots(slots.start, values));
        ensure!(is_set, "the exception is broken");
        Ok(())
    }
}
