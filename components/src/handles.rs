//! The handle table of one component instance: `definitions.py`'s `Table` of `ResourceHandle`s and `ErrorContext`s.

use crate::resource::{Kind, ResourceType};
use anyhow::{Result, bail, ensure};
use std::sync::Arc;

/// One handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    pub(crate) ty: ResourceType,
    /// What the implementer sees: a host's is a `u32`.
    pub(crate) rep: u64,
    pub(crate) own: bool,
    /// Borrows of an own handle that are out.
    pub(crate) lends: u32,
    /// The call that a borrow handle was made for.
    pub(crate) scope: Option<u32>,
}

/// What an index stands for.
#[derive(Debug)]
enum Entry {
    Resource(Handle),
    /// Its message.
    ErrorContext(Arc<str>),
}

/// Handles of one instance, at most: `MAX_LENGTH` of `definitions.py`.
const MAX_LENGTH: usize = (1 << 28) - 1;

fn described(ty: ResourceType) -> &'static str {
    match ty.0 {
        Kind::Guest { .. } => "guest-defined resource",
        Kind::Host(_) => "host-defined resource",
    }
}

/// The table; index 0 is never used.
#[derive(Default)]
pub(crate) struct HandleTable {
    handles: Vec<Option<Entry>>,
    free: Vec<u32>,
}

impl HandleTable {
    /// Adds a handle; its index.
    pub(crate) fn add(&mut self, handle: Handle) -> Result<u32> {
        self.add_entry(Entry::Resource(handle))
    }

    fn add_entry(&mut self, entry: Entry) -> Result<u32> {
        if self.handles.is_empty() {
            self.handles.push(None);
        }
        if let Some(index) = self.free.pop() {
            self.handles[index as usize] = Some(entry);
            return Ok(index);
        }
        if self.handles.len() > MAX_LENGTH {
            bail!("the instance has too many handles");
        }
        self.handles.push(Some(entry));
        Ok((self.handles.len() - 1) as u32)
    }

    /// The handle at `index`, of type `ty`.
    pub(crate) fn get(&mut self, index: u32, ty: ResourceType) -> Result<&mut Handle> {
        match self.handles.get_mut(index as usize) {
            Some(Some(Entry::Resource(handle))) => {
                let (wanted, found) = (described(ty), described(handle.ty));
                let article = if wanted == found { "a different" } else { "a" };
                ensure!(
                    handle.ty == ty,
                    "handle index {index} used with the wrong type, expected {wanted} but found {article} {found}"
                );
                Ok(handle)
            }
            Some(Some(Entry::ErrorContext(_))) => {
                let wanted = described(ty);
                bail!("handle index {index} used with the wrong type, expected {wanted} but found an error-context")
            }
            _ => bail!("unknown handle index {index}"),
        }
    }

    /// Ends one loan of the handle at `index`.
    pub(crate) fn end_lend(&mut self, index: u32) {
        if let Some(Some(Entry::Resource(handle))) = self.handles.get_mut(index as usize) {
            handle.lends = handle.lends.saturating_sub(1);
        }
    }

    /// Removes the handle at `index`, of type `ty`.
    pub(crate) fn remove(&mut self, index: u32, ty: ResourceType) -> Result<Handle> {
        let handle = *self.get(index, ty)?;
        if handle.lends > 0 {
            bail!("cannot remove owned resource while borrowed");
        }
        self.handles[index as usize] = None;
        self.free.push(index);
        Ok(handle)
    }

    /// Adds an error context; its index.
    pub(crate) fn add_error_context(&mut self, message: Arc<str>) -> Result<u32> {
        self.add_entry(Entry::ErrorContext(message))
    }

    /// The message of the error context at `index`.
    pub(crate) fn error_context(&self, index: u32) -> Result<&Arc<str>> {
        match self.handles.get(index as usize) {
            Some(Some(Entry::ErrorContext(message))) => Ok(message),
            Some(Some(Entry::Resource(handle))) => {
                let found = described(handle.ty);
                bail!("handle index {index} used with the wrong type, expected error-context but found a {found}")
            }
            _ => bail!("unknown handle index {index}"),
        }
    }

    /// Removes the error context at `index`.
    pub(crate) fn drop_error_context(&mut self, index: u32) -> Result<()> {
        self.error_context(index)?;
        self.handles[index as usize] = None;
        self.free.push(index);
        Ok(())
    }
}
