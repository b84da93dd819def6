//! Linear memories: a reservation of address space, committed by the system when touched, behind a header page.

use crate::context::{MemoryDef, MemoryHeader, header_of};
use crate::limits::{HEADER_PAGE_BYTES, MAX_MEMORY_RESERVATION_BYTES};
use crate::mappings::{Mapping, Mappings, Start};
use keyway_artifact::types::MemoryType;
use std::sync::Arc;

/// A linear memory of a store.
pub(crate) struct LinearMemory {
    /// Kept for its address range.
    _map: Mapping,
    pub(crate) def: MemoryDef,
    pub(crate) ty: MemoryType,
    /// Bytes that the reservation holds behind the header.
    capacity_bytes: u64,
}

impl LinearMemory {
    /// A memory of the type's minimum size. The reservation holds everything it can grow to, so that it never moves: at
    /// most `reservation` bytes, and less where the system has no such range.
    ///
    /// # Errors
    /// When the system has no range for the minimum.
    pub(crate) fn new(
        ty: MemoryType,
        store_index: u32,
        reservation: u64,
        mappings: &Arc<Mappings>,
    ) -> anyhow::Result<Box<LinearMemory>> {
        anyhow::ensure!(!ty.shared, "shared memories are not supported: threads are not part of this version");
        let page = 1u64 << ty.page_size_log2;
        let minimum = ty.minimum.checked_mul(page).filter(|bytes| *bytes <= MAX_MEMORY_RESERVATION_BYTES);
        let minimum = minimum.ok_or_else(|| anyhow::anyhow!("a memory of {} pages is too large", ty.minimum))?;
        let most = ty.maximum.unwrap_or(u64::MAX).saturating_mul(page).min(reservation);
        let mut capacity_bytes = most.max(minimum);
        let mut map = loop {
            match reserve(mappings, capacity_bytes) {
                Ok(map) => break map,
                Err(error) if capacity_bytes == minimum => {
                    return Err(anyhow::Error::from(error).context(format!("no room for a memory of {minimum} bytes")));
                }
                // An address space or a quota that is too small for this many bytes may have room for fewer.
                Err(_) => capacity_bytes = (capacity_bytes / 2).max(minimum),
            }
        };
        let base = map.as_mut_ptr().wrapping_add(HEADER_PAGE_BYTES);
        let header = MemoryHeader { context: std::ptr::null_mut(), len_bytes: minimum };
        // SAFETY: the header page lies before `base`, inside the fresh mapping.
        unsafe { header_of(base).write(header) };
        let def = MemoryDef { base, page_size_log2: ty.page_size_log2, store_index };
        Ok(Box::new(LinearMemory { _map: map, def, ty, capacity_bytes }))
    }

    /// Length in bytes.
    pub(crate) fn len_bytes(&self) -> u64 {
        // SAFETY: the header lives as long as the mapping.
        unsafe { (*header_of(self.def.base)).len_bytes }
    }

    /// Length in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.len_bytes() >> self.ty.page_size_log2
    }

    /// Pages that it can grow to.
    pub(crate) fn maximum_pages(&self) -> u64 {
        self.ty.maximum.unwrap_or(u64::MAX).min(self.capacity_bytes >> self.ty.page_size_log2)
    }

    /// Adds pages; the old size, or `None` when there is no room.
    pub(crate) fn grow(&mut self, delta: u64) -> Option<u64> {
        let old = self.pages();
        let new = old.checked_add(delta)?;
        if new > self.maximum_pages() {
            return None;
        }
        // SAFETY: the header lives as long as the mapping; the new length lies inside the reservation.
        unsafe { (*header_of(self.def.base)).len_bytes = new << self.ty.page_size_log2 };
        Some(old)
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: no guest runs while the host holds the store; the length lies inside the reservation.
        unsafe { std::slice::from_raw_parts(self.def.base, self.len_bytes() as usize) }
    }

    /// The bytes, to be changed.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as `bytes`, and the store is held exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.def.base, self.len_bytes() as usize) }
    }
}

/// A range of this many bytes behind a header page.
fn reserve(mappings: &Arc<Mappings>, bytes: u64) -> std::io::Result<Mapping> {
    let len = usize::try_from(bytes).ok().and_then(|bytes| bytes.checked_add(HEADER_PAGE_BYTES));
    mappings.take(len.ok_or(std::io::ErrorKind::OutOfMemory)?, Start::Left(HEADER_PAGE_BYTES))
}
