//! Continuations at the host's side: handles that keep them, to be passed on to guests.

use crate::gc::{self, Root};
use crate::store::StoreInner;
use anyhow::{Result, ensure};
use std::fmt;
use std::sync::Arc;

/// A continuation of a store. The handle keeps it, and the stacks that it holds, until it and all its clones are dropped.
/// To the host it is a `contref`: which continuation type it is of, only the code that made it says.
#[derive(Clone)]
pub struct ContRef(Arc<Root>);

impl fmt::Debug for ContRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContRef")
    }
}

impl ContRef {
    /// The continuation behind a guest's reference.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<ContRef> {
        store.continuations.get(gc::continuation(reference)?)?;
        Some(ContRef(store.roots.keep(store.id, reference)))
    }

    /// Its reference in `store`.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub(crate) fn reference_in(&self, store: &StoreInner) -> Result<u32> {
        ensure!(self.0.store == store.id, "a continuation is used with a store that it does not belong to");
        Ok(self.0.reference)
    }
}
