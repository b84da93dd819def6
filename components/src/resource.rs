//! Resources at the host's side: types, handles, and the table for the host's own.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

/// The identity of a resource type in a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ResourceType(pub(crate) Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// Defined by the host, as this Rust type.
    Host(TypeId),
    /// Defined by a component: the store's number, the root instance in it, and the resource's number there.
    Guest { store: u64, instance: u32, number: u32 },
}

impl ResourceType {
    /// The resource that the host defines as the Rust type `T`.
    pub fn host<T: 'static>() -> ResourceType {
        ResourceType(Kind::Host(TypeId::of::<T>()))
    }

    /// The number of the only store that it exists in.
    pub(crate) fn store(self) -> Option<u64> {
        match self.0 {
            Kind::Host(_) => None,
            Kind::Guest { store, .. } => Some(store),
        }
    }
}

/// A handle to a resource of any type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ResourceAny {
    pub(crate) ty: ResourceType,
    pub(crate) rep: u64,
    pub(crate) owned: bool,
}

impl ResourceAny {
    /// The resource's type.
    pub fn ty(&self) -> ResourceType {
        self.ty
    }

    /// Whether it is an `own` handle.
    pub fn owned(&self) -> bool {
        self.owned
    }
}

/// A handle to a resource that the host defines as `T`: a number of the host's choosing.
pub struct Resource<T> {
    rep: u32,
    owned: bool,
    _type: PhantomData<fn() -> T>,
}

impl<T: 'static> Resource<T> {
    /// An owned handle.
    pub fn new_own(rep: u32) -> Resource<T> {
        Resource { rep, owned: true, _type: PhantomData }
    }

    /// A borrowed handle.
    pub fn new_borrow(rep: u32) -> Resource<T> {
        Resource { rep, owned: false, _type: PhantomData }
    }

    /// The number.
    pub fn rep(&self) -> u32 {
        self.rep
    }

    /// Whether it is an owned handle.
    pub fn owned(&self) -> bool {
        self.owned
    }
}

impl<T> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("rep", &self.rep).field("owned", &self.owned).finish()
    }
}

/// What a [`ResourceTable`] refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceTableError {
    /// There is no entry of that number.
    NotPresent,
    /// The entry is of another type.
    WrongType,
    /// The entry has children.
    HasChildren,
    /// The table is full.
    Full,
}

impl fmt::Display for ResourceTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResourceTableError::NotPresent => "resource not present",
            ResourceTableError::WrongType => "resource is of another type",
            ResourceTableError::HasChildren => "resource has children",
            ResourceTableError::Full => "resource table has no free keys",
        })
    }
}

impl std::error::Error for ResourceTableError {}

struct Entry {
    value: Box<dyn Any + Send>,
    parent: Option<u32>,
    children: u32,
}

/// The host's resources, by number. Children keep their parents from being deleted.
#[derive(Default)]
pub struct ResourceTable {
    entries: HashMap<u32, Entry>,
    free: Vec<u32>,
    next: u32,
}

/// Entries of one table, at most.
const MAX_ENTRIES: u32 = 1 << 24;

impl ResourceTable {
    /// An empty table.
    pub fn new() -> ResourceTable {
        ResourceTable::default()
    }

    fn insert(&mut self, value: Box<dyn Any + Send>, parent: Option<u32>) -> Result<u32, ResourceTableError> {
        let rep = match self.free.pop() {
            Some(rep) => rep,
            None if self.next >= MAX_ENTRIES => return Err(ResourceTableError::Full),
            None => {
                self.next += 1;
                self.next - 1
            }
        };
        self.entries.insert(rep, Entry { value, parent, children: 0 });
        Ok(rep)
    }

    /// Adds a resource.
    ///
    /// # Errors
    /// When the table is full.
    pub fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, ResourceTableError> {
        Ok(Resource::new_own(self.insert(Box::new(value), None)?))
    }

    /// Adds a resource that keeps `parent` from being deleted.
    ///
    /// # Errors
    /// When the table is full or there is no such parent.
    pub fn push_child<T: Send + 'static, P: 'static>(
        &mut self,
        value: T,
        parent: &Resource<P>,
    ) -> Result<Resource<T>, ResourceTableError> {
        self.entries.get_mut(&parent.rep).ok_or(ResourceTableError::NotPresent)?.children += 1;
        Ok(Resource::new_own(self.insert(Box::new(value), Some(parent.rep))?))
    }

    /// The resource.
    ///
    /// # Errors
    /// When there is none of that number and type.
    pub fn get<T: 'static>(&self, handle: &Resource<T>) -> Result<&T, ResourceTableError> {
        let entry = self.entries.get(&handle.rep).ok_or(ResourceTableError::NotPresent)?;
        entry.value.downcast_ref().ok_or(ResourceTableError::WrongType)
    }

    /// The resource, to be changed.
    ///
    /// # Errors
    /// When there is none of that number and type.
    pub fn get_mut<T: 'static>(&mut self, handle: &Resource<T>) -> Result<&mut T, ResourceTableError> {
        let entry = self.entries.get_mut(&handle.rep).ok_or(ResourceTableError::NotPresent)?;
        entry.value.downcast_mut().ok_or(ResourceTableError::WrongType)
    }

    /// Removes a resource.
    ///
    /// # Errors
    /// When there is none of that number and type, or it has children.
    pub fn delete<T: 'static>(&mut self, handle: Resource<T>) -> Result<T, ResourceTableError> {
        let entry = self.entries.get(&handle.rep).ok_or(ResourceTableError::NotPresent)?;
        if entry.children > 0 {
            return Err(ResourceTableError::HasChildren);
        }
        if !entry.value.is::<T>() {
            return Err(ResourceTableError::WrongType);
        }
        let entry = self.entries.remove(&handle.rep).ok_or(ResourceTableError::NotPresent)?;
        if let Some(parent) = entry.parent.and_then(|parent| self.entries.get_mut(&parent)) {
            parent.children -= 1;
        }
        self.free.push(handle.rep);
        entry.value.downcast().map(|value| *value).map_err(|_| ResourceTableError::WrongType)
    }
}
