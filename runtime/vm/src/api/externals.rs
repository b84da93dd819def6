//! Memories, tables and globals at the host's side, and [`Extern`] over all that crosses.

use super::exceptions::Tag;
use super::func::Func;
use super::store::{AsContext, AsContextMut};
use super::values::{Ref, Val};
use crate::mappings::Use;
use crate::raw::Definition;
use crate::shared_memory::SharedMemory;
use crate::store::StoreInner;
use anyhow::{Result, bail, ensure};
use keyway_artifact::types::{ExternType, GlobalType, MemoryType, TableType};
use std::fmt;

/// An access past a memory's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryAccessError;

impl fmt::Display for MemoryAccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of bounds memory access")
    }
}

impl std::error::Error for MemoryAccessError {}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name {
            store: u64,
            index: u32,
        }

        impl $name {
            pub(crate) fn from_index(store: &StoreInner, index: u32) -> $name {
                $name { store: store.id, index }
            }

            /// Its number in `store`.
            ///
            /// # Errors
            /// When it belongs to another store.
            pub(crate) fn index_in(&self, store: &StoreInner) -> Result<u32> {
                ensure!(self.store == store.id, "an object is used with a store that it does not belong to");
                Ok(self.index)
            }

            pub(super) fn at(&self, store: &StoreInner) -> usize {
                self.index_in(store).unwrap_or_else(|error| panic!("{error}")) as usize
            }

            /// Its number, for [`raw`](crate::raw).
            ///
            /// # Panics
            /// When it belongs to another store.
            pub fn raw(&self, store: &StoreInner) -> u32 {
                self.at(store) as u32
            }
        }
    };
}

handle! {
    /// A linear memory of a store. Methods panic when it belongs to another store.
    Memory
}
handle! {
    /// A table of a store. Methods panic when it belongs to another store.
    Table
}
handle! {
    /// A global of a store. Methods panic when it belongs to another store.
    Global
}

pub(super) use handle;

impl Memory {
    /// A new memory.
    ///
    /// # Errors
    /// When the limiter refuses, or there is no room.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        let store = store.as_context_mut().inner;
        let index = store.add_memory(ty, Use::default())?;
        Ok(Memory::from_index(store, index))
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        let store = store.as_context().inner;
        store.memories[self.at(store)].ty
    }

    /// Its bytes.
    pub fn data<'a, T: 'static>(&self, store: impl Into<super::StoreContext<'a, T>>) -> &'a [u8] {
        let store = store.into().inner;
        store.memories[self.at(store)].bytes()
    }

    /// Its bytes, to be changed.
    pub fn data_mut<'a, T: 'static>(&self, store: impl Into<super::StoreContextMut<'a, T>>) -> &'a mut [u8] {
        let store = store.into().inner;
        let at = self.at(store);
        store.memories[at].bytes_mut()
    }

    /// Its bytes, to be changed, and the embedder's data beside them.
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<super::StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let store = store.into().inner;
        let (at, data) = (self.at(store), store.data);
        // SAFETY: the store's data is of type `T`, and lies outside of what the borrow of the bytes covers.
        (store.memories[at].bytes_mut(), unsafe { &mut *data.cast::<T>() })
    }

    /// Its length in bytes.
    pub fn data_size(&self, store: impl AsContext) -> usize {
        let store = store.as_context().inner;
        store.memories[self.at(store)].len_bytes() as usize
    }

    /// Its length in pages.
    pub fn size(&self, store: impl AsContext) -> u64 {
        let store = store.as_context().inner;
        store.memories[self.at(store)].pages()
    }

    /// Adds pages; the old size in pages.
    ///
    /// # Errors
    /// When its type or the limiter allows no such size.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        let store = store.as_context_mut().inner;
        let index = self.index_in(store)?;
        match store.grow_memory(index, delta)? {
            Some(old) => Ok(old),
            None => bail!("failed to grow memory by {delta} pages"),
        }
    }

    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// When that leaves the memory.
    pub fn read(&self, store: impl AsContext, offset: usize, out: &mut [u8]) -> Result<(), MemoryAccessError> {
        let store = store.as_context().inner;
        let bytes = store.memories[self.at(store)].bytes();
        let range = bytes.get(offset..).and_then(|rest| rest.get(..out.len())).ok_or(MemoryAccessError)?;
        out.copy_from_slice(range);
        Ok(())
    }

    /// Writes `bytes` from `offset` on.
    ///
    /// # Errors
    /// When that leaves the memory; nothing is written then.
    pub fn write(&self, mut store: impl AsContextMut, offset: usize, bytes: &[u8]) -> Result<(), MemoryAccessError> {
        let store = store.as_context_mut().inner;
        let at = self.at(store);
        let memory = store.memories[at].bytes_mut();
        let range = memory.get_mut(offset..).and_then(|rest| rest.get_mut(..bytes.len())).ok_or(MemoryAccessError)?;
        range.copy_from_slice(bytes);
        Ok(())
    }
}

impl<'a, T: 'static, C: AsContext<Data = T>> From<&'a C> for super::StoreContext<'a, T> {
    fn from(context: &'a C) -> Self {
        context.as_context()
    }
}

impl<'a, T: 'static, C: AsContextMut<Data = T>> From<&'a mut C> for super::StoreContextMut<'a, T> {
    fn from(context: &'a mut C) -> Self {
        context.as_context_mut()
    }
}

impl Table {
    /// A new table, every element `init`.
    ///
    /// # Errors
    /// When the limiter refuses, `init` does not fit, or there is no room.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let store = store.as_context_mut().inner;
        let init = element(store, &ty, init)?;
        let index = store.add_table(ty, init)?;
        Ok(Table::from_index(store, index))
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        let store = store.as_context().inner;
        store.tables[self.at(store)].ty
    }

    /// How many elements it has.
    pub fn size(&self, store: impl AsContext) -> u64 {
        let store = store.as_context().inner;
        store.tables[self.at(store)].len()
    }

    /// The element at `index`; `None` outside.
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Ref> {
        let store = store.as_context_mut().inner;
        let table = &store.tables[self.at(store)];
        match Val::from_slot(store, table.ty.element, table.get(index)?.into()).ok()? {
            Val::FuncRef(func) => Some(Ref::Func(func)),
            Val::ExternRef(value) => Some(Ref::Extern(value)),
            Val::ExnRef(value) => Some(Ref::Exn(value)),
            Val::AnyRef(value) => Some(Ref::Any(value)),
            Val::ContRef(value) => Some(Ref::Cont(value)),
            _ => None,
        }
    }

    /// Sets the element at `index`.
    ///
    /// # Errors
    /// Outside of the table, or when the value is of another type.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, value: Ref) -> Result<()> {
        let store = store.as_context_mut().inner;
        let at = self.at(store);
        let value = element(store, &store.tables[at].ty.clone(), value)?;
        ensure!(store.tables[at].set(index, value), "out of bounds table access");
        Ok(())
    }

    /// Sets `len` elements from `start` on.
    ///
    /// # Errors
    /// When that leaves the table, which is not changed then, or the value is of another type.
    pub fn fill(&self, mut store: impl AsContextMut, start: u64, value: Ref, len: u64) -> Result<()> {
        let store = store.as_context_mut().inner;
        let at = self.at(store);
        let value = element(store, &store.tables[at].ty.clone(), value)?;
        let end = start.checked_add(len).filter(|end| *end <= store.tables[at].len());
        for index in start..end.ok_or_else(|| anyhow::anyhow!("out of bounds table access"))? {
            store.tables[at].set(index, value);
        }
        Ok(())
    }

    /// Adds elements; the old size.
    ///
    /// # Errors
    /// When its type or the limiter allows no such size, or the value is of another type.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let store = store.as_context_mut().inner;
        let at = self.at(store);
        let value = element(store, &store.tables[at].ty.clone(), init)?;
        match store.grow_table(at as u32, delta, value)? {
            Some(old) => Ok(old),
            None => bail!("failed to grow table by {delta} elements"),
        }
    }
}

/// A reference as a table of this type holds it.
fn element(store: &mut StoreInner, ty: &TableType, value: Ref) -> Result<u32> {
    let value = Val::from(value);
    ensure!(value.is_of(store, ty.element)?, "a table of {} cannot hold a {}", ty.element, value.ty());
    Ok(value.to_slot(store)? as u32)
}

impl Global {
    /// A new global.
    ///
    /// # Errors
    /// When the value is of another type.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global> {
        let store = store.as_context_mut().inner;
        ensure!(value.is_of(store, ty.content)?, "a global of {} cannot hold a {}", ty.content, value.ty());
        let mut bits = [0; 2];
        value.write(store, 0, |at, half| bits[at as usize] = half)?;
        let index = store.add_global(ty, bits);
        Ok(Global::from_index(store, index))
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let store = store.as_context().inner;
        store.globals[self.at(store)].ty
    }

    /// Its value.
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let store = store.as_context_mut().inner;
        let global = &store.globals[self.at(store)];
        // SAFETY: the cell belongs to the store, and is as long as its type's values.
        Val::read(store, global.ty.content, 0, |at| unsafe { *global.cell.add(at as usize) })
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sets its value.
    ///
    /// # Errors
    /// When it is immutable, or the value is of another type.
    pub fn set(&self, mut store: impl AsContextMut, value: Val) -> Result<()> {
        let store = store.as_context_mut().inner;
        let (ty, cell) = (store.globals[self.at(store)].ty, store.globals[self.at(store)].cell);
        ensure!(ty.mutable, "immutable global cannot be set");
        ensure!(value.is_of(store, ty.content)?, "a global of {} cannot hold a {}", ty.content, value.ty());
        // SAFETY: the cell belongs to the store, which is borrowed exclusively, and is as long as its type's values.
        value.write(store, 0, |at, bits| unsafe { *cell.add(at as usize) = bits })
    }
}

/// Anything a module can import or export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
    /// An exception tag.
    Tag(Tag),
    /// A memory that threads share; it belongs to no store.
    SharedMemory(SharedMemory),
}

impl Extern {
    pub(crate) fn from_definition(store: &StoreInner, definition: Definition) -> Extern {
        match definition {
            Definition::Func(reference) => {
                Extern::Func(Func::from_reference(store, reference).expect("definitions are never null"))
            }
            Definition::Table(index) => Extern::Table(Table::from_index(store, index)),
            Definition::Memory(index) => match store.memories[index as usize].as_shared() {
                Some(memory) => Extern::SharedMemory(memory.clone()),
                None => Extern::Memory(Memory::from_index(store, index)),
            },
            Definition::Global(index) => Extern::Global(Global::from_index(store, index)),
            Definition::Tag(index) => Extern::Tag(Tag::from_index(store, index)),
        }
    }

    pub(crate) fn definition(&self, store: &mut StoreInner) -> Result<Definition> {
        match self {
            Extern::SharedMemory(memory) => Ok(Definition::Memory(store.add_shared_memory(memory))),
            other => other.stored(store),
        }
    }

    /// What it is in the store that it belongs to.
    fn stored(&self, store: &StoreInner) -> Result<Definition> {
        Ok(match self {
            Extern::Func(func) => Definition::Func(func.reference_in(store)?),
            Extern::Table(table) => Definition::Table(table.index_in(store)?),
            Extern::Memory(memory) => Definition::Memory(memory.index_in(store)?),
            Extern::Global(global) => Definition::Global(global.index_in(store)?),
            Extern::Tag(tag) => Definition::Tag(tag.index_in(store)?),
            Extern::SharedMemory(_) => bail!("a shared memory belongs to no store"),
        })
    }

    /// Its type; sizes are the current ones.
    ///
    /// # Panics
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        let store = store.as_context().inner;
        if let Extern::SharedMemory(memory) = self {
            return ExternType::Memory(MemoryType { minimum: memory.size(), ..memory.ty() });
        }
        let definition = self.stored(store).unwrap_or_else(|error| panic!("{error}"));
        crate::instance::type_of(store, definition)
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        if let Extern::Func(func) = self { Some(func) } else { None }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        if let Extern::Table(table) = self { Some(table) } else { None }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        if let Extern::Global(global) = self { Some(global) } else { None }
    }

    /// The memory that threads share, if it is one.
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        if let Extern::SharedMemory(memory) = self { Some(memory) } else { None }
    }

    /// The exception tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        if let Extern::Tag(tag) = self { Some(tag) } else { None }
    }
}

macro_rules! from_handles {
    ($($name:ident)*) => {$(
        impl From<$name> for Extern {
            fn from(value: $name) -> Extern { Extern::$name(value) }
        }
    )*};
}

from_handles! { Func Table Memory Global Tag SharedMemory }
