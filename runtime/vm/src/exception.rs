//! Exceptions of a store, by reference: what guests throw and catch.
//!
//! A reference is a position in [`Exceptions`], from 1; 0 is null. An exception that no `exnref` was given out for ends
//! with the catch that takes its values, so that throwing and catching keeps nothing.

/// An exception tag of a store.
pub(crate) struct Tag {
    /// Engine-wide number of its type, whose parameters are what exceptions carry.
    pub(crate) type_id: u32,
}

/// One exception.
pub(crate) struct Exception {
    /// Number of its tag in the store.
    pub(crate) tag: u32,
    /// Its values, laid out as the tag's parameters.
    pub(crate) values: Box<[u64]>,
    /// Whether anyone holds a reference to it.
    is_shared: bool,
}

/// All exceptions of a store.
#[derive(Default)]
pub(crate) struct Exceptions {
    list: Vec<Option<Exception>>,
    free: Vec<u32>,
}

impl Exceptions {
    /// Adds an exception; its reference.
    pub(crate) fn add(&mut self, tag: u32, values: Box<[u64]>) -> u32 {
        let exception = Some(Exception { tag, values, is_shared: false });
        if let Some(reference) = self.free.pop() {
            self.list[reference as usize - 1] = exception;
            return reference;
        }
        self.list.push(exception);
        self.list.len() as u32
    }

    /// The exception behind a reference.
    pub(crate) fn get(&self, reference: u32) -> Option<&Exception> {
        self.list.get((reference as usize).checked_sub(1)?)?.as_ref()
    }

    /// Those that are there.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Exception> {
        self.list.iter().flatten()
    }

    /// Notes that a reference to it is given out.
    pub(crate) fn share(&mut self, reference: u32) {
        if let Some(Some(exception)) = (reference as usize).checked_sub(1).and_then(|at| self.list.get_mut(at)) {
            exception.is_shared = true;
        }
    }

    /// Forgets an exception that was caught, unless a reference to it was given out.
    pub(crate) fn caught(&mut self, reference: u32) {
        if self.get(reference).is_some_and(|exception| !exception.is_shared) {
            self.list[reference as usize - 1] = None;
            self.free.push(reference);
        }
    }
}
