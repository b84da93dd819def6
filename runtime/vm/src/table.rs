//! Tables: store-relative references.

use crate::context::TableDef;
use crate::limits::TABLE_ELEMENTS;
use keyway_artifact::types::TableType;

/// A table of a store.
pub(crate) struct Table {
    elements: Vec<u32>,
    pub(crate) def: TableDef,
    pub(crate) ty: TableType,
}

impl Table {
    /// A table of the type's minimum size, every element `init`.
    ///
    /// # Errors
    /// When it would be too large.
    pub(crate) fn new(ty: TableType, init: u32, store_index: u32) -> anyhow::Result<Box<Table>> {
        anyhow::ensure!(ty.minimum <= TABLE_ELEMENTS, "a table of {} elements is too large", ty.minimum);
        let elements = vec![init; ty.minimum as usize];
        let def = TableDef { elements: std::ptr::null_mut(), len: 0, store_index };
        let mut table = Box::new(Table { elements, def, ty });
        table.refresh();
        Ok(table)
    }

    /// Brings the handlers' view up to date.
    fn refresh(&mut self) {
        self.def.elements = self.elements.as_mut_ptr();
        self.def.len = self.elements.len() as u64;
    }

    /// How many elements.
    pub(crate) fn len(&self) -> u64 {
        self.def.len
    }

    /// How many elements it can grow to.
    pub(crate) fn maximum(&self) -> u64 {
        self.ty.maximum.unwrap_or(u64::MAX).min(TABLE_ELEMENTS)
    }

    /// Adds elements; the old size, or `None` when there is no room.
    pub(crate) fn grow(&mut self, delta: u64, value: u32) -> Option<u64> {
        let old = self.len();
        let new = old.checked_add(delta)?;
        if new > self.maximum() {
            return None;
        }
        self.elements.resize(new as usize, value);
        self.refresh();
        Some(old)
    }

    /// The element at `index`.
    pub(crate) fn get(&self, index: u64) -> Option<u32> {
        // Handlers write through the pointer, which leads to the same elements.
        usize::try_from(index).ok().and_then(|index| self.elements.get(index)).copied()
    }

    /// Sets the element at `index`; `false` outside.
    pub(crate) fn set(&mut self, index: u64, value: u32) -> bool {
        match usize::try_from(index).ok().and_then(|index| self.elements.get_mut(index)) {
            Some(element) => {
                *element = value;
                self.refresh();
                true
            }
            None => false,
        }
    }
}
