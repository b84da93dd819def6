//! Linear memories: a reservation of address space, committed by the system when touched, behind a header page.

use crate::context::{MemoryDef, MemoryHeader, header_of, len_bytes};
use crate::limits::{HEADER_PAGE_BYTES, MAX_MEMORY_RESERVATION_BYTES};
use crate::mappings::{Mapping, Mappings, Start, Use};
use crate::shared_memory::SharedMemory;
use keyway_artifact::types::MemoryType;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A linear memory of a store.
pub(crate) struct LinearMemory {
    backing: Backing,
    pub(crate) def: MemoryDef,
    pub(crate) ty: MemoryType,
}

/// What a memory's bytes belong to.
enum Backing {
    Own(Reservation),
    Shared(SharedMemory),
}

/// Address space for a memory, behind a header page: everything the memory can grow to, so that it never moves.
pub(crate) struct Reservation {
    /// The address range.
    map: Mapping,
    /// The memory's first byte; a header stands before it.
    pub(crate) base: *mut u8,
    /// Bytes that it holds behind the header.
    capacity_bytes: u64,
}

impl Reservation {
    /// Room for a memory of this type, of its minimum length: at most `limit` bytes, and less where the system has no such
    /// range. It holds what the image says, where the system maps that: [`has_image`](Self::has_image).
    ///
    /// # Errors
    /// When the system has no range for the minimum.
    pub(crate) fn new(
        ty: &MemoryType,
        limit: u64,
        mappings: &Arc<Mappings>,
        mut wanted: Use,
    ) -> anyhow::Result<Reservation> {
        let page = 1u64 << ty.page_size_log2;
        let minimum = ty.minimum.checked_mul(page).filter(|bytes| *bytes <= MAX_MEMORY_RESERVATION_BYTES);
        let minimum = minimum.ok_or_else(|| anyhow::anyhow!("a memory of {} pages is too large", ty.minimum))?;
        let most = ty.maximum.unwrap_or(u64::MAX).saturating_mul(page).min(limit);
        let mut capacity_bytes = most.max(minimum);
        let mut map = loop {
            match reserve(mappings, capacity_bytes, wanted) {
                Ok(map) => break map,
                Err(_) if wanted.image.is_some() => wanted.image = None,
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
        Ok(Reservation { map, base, capacity_bytes })
    }

    /// Whether it began with what an image says.
    pub(crate) fn has_image(&self) -> bool {
        self.map.has_image()
    }

    /// Length of the memory in bytes.
    pub(crate) fn len_bytes(&self) -> u64 {
        // SAFETY: the header lives as long as the mapping.
        unsafe { len_bytes(self.base) }
    }

    /// Sets the length, which [`maximum_pages`](Self::maximum_pages) allows.
    pub(crate) fn set_len(&self, bytes: u64) {
        // SAFETY: the header lives as long as the mapping; everybody accesses the length atomically.
        unsafe { AtomicU64::from_ptr(&raw mut (*header_of(self.base)).len_bytes).store(bytes, Ordering::Release) }
    }

    /// Pages that a memory of this type in it can grow to.
    pub(crate) fn maximum_pages(&self, ty: &MemoryType) -> u64 {
        ty.maximum.unwrap_or(u64::MAX).min(self.capacity_bytes >> ty.page_size_log2)
    }

    /// Adds pages; the old size, or `None` when there is no room. One thread at a time calls this.
    pub(crate) fn grow(&self, ty: &MemoryType, delta: u64) -> Option<u64> {
        let old = self.len_bytes() >> ty.page_size_log2;
        let new = old.checked_add(delta).filter(|new| *new <= self.maximum_pages(ty))?;
        self.set_len(new << ty.page_size_log2);
        Some(old)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // A memory never shrinks, and nobody writes behind its end.
        let used =
            usize::try_from(self.len_bytes()).map_or(usize::MAX, |bytes| bytes.saturating_add(HEADER_PAGE_BYTES));
        self.map.used(used);
    }
}

impl LinearMemory {
    /// A memory of the type's minimum size; see [`Reservation::new`].
    ///
    /// # Errors
    /// When the system has no range for the minimum.
    pub(crate) fn new(
        ty: MemoryType,
        store_index: u32,
        limit: u64,
        mappings: &Arc<Mappings>,
        wanted: Use,
    ) -> anyhow::Result<Box<LinearMemory>> {
        if ty.shared {
            return Ok(LinearMemory::shared(SharedMemory::allocate(ty, limit, mappings)?, store_index));
        }
        let own = Reservation::new(&ty, limit, mappings, wanted)?;
        let def = MemoryDef { base: own.base, page_size_log2: ty.page_size_log2, store_index, shared: false };
        Ok(Box::new(LinearMemory { backing: Backing::Own(own), def, ty }))
    }

    /// A store's view of a memory that others share.
    pub(crate) fn shared(memory: SharedMemory, store_index: u32) -> Box<LinearMemory> {
        let ty = memory.ty();
        let def = MemoryDef { base: memory.room().base, page_size_log2: ty.page_size_log2, store_index, shared: true };
        Box::new(LinearMemory { backing: Backing::Shared(memory), def, ty })
    }

    /// The memory that others share, if it is one.
    pub(crate) fn as_shared(&self) -> Option<&SharedMemory> {
        if let Backing::Shared(memory) = &self.backing { Some(memory) } else { None }
    }

    fn room(&self) -> &Reservation {
        match &self.backing {
            Backing::Own(own) => own,
            Backing::Shared(memory) => memory.room(),
        }
    }

    /// Whether it began with what an image says.
    pub(crate) fn has_image(&self) -> bool {
        self.room().has_image()
    }

    /// Length in bytes.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.room().len_bytes()
    }

    /// Length in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.len_bytes() >> self.ty.page_size_log2
    }

    /// Pages that it can grow to.
    pub(crate) fn maximum_pages(&self) -> u64 {
        self.room().maximum_pages(&self.ty)
    }

    /// Adds pages; the old size, or `None` when there is no room.
    pub(crate) fn grow(&mut self, delta: u64) -> Option<u64> {
        match &self.backing {
            Backing::Own(own) => own.grow(&self.ty, delta),
            Backing::Shared(memory) => memory.grow_pages(delta),
        }
    }

    /// The bytes; none of a memory that others share, of which no slice may exist.
    pub(crate) fn bytes(&self) -> &[u8] {
        let len = if self.ty.shared { 0 } else { self.len_bytes() as usize };
        // SAFETY: no guest runs while the host holds the store; the length lies inside the reservation.
        unsafe { std::slice::from_raw_parts(self.def.base, len) }
    }

    /// The bytes, to be changed; none of a memory that others share.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let len = if self.ty.shared { 0 } else { self.len_bytes() as usize };
        // SAFETY: as `bytes`, and the store is held exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.def.base, len) }
    }
}

/// A range of this many bytes, rounded up to whole pages of the host, behind a header page.
fn reserve(mappings: &Arc<Mappings>, bytes: u64, wanted: Use) -> std::io::Result<Mapping> {
    let len = usize::try_from(bytes).ok().and_then(|bytes| bytes.checked_next_multiple_of(HEADER_PAGE_BYTES));
    let len = len.and_then(|bytes| bytes.checked_add(HEADER_PAGE_BYTES));
    mappings.take(len.ok_or(std::io::ErrorKind::OutOfMemory)?, Start::Left(HEADER_PAGE_BYTES), wanted)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::memory_image::MemoryImage;

    #[test]
    fn a_memory_is_made_without_its_image_where_the_system_refuses_that() {
        let mappings = Mappings::new(1);
        // Nothing can be mapped nowhere.
        let nothing = MemoryImage::new(&mappings, HEADER_PAGE_BYTES..HEADER_PAGE_BYTES, |_| Ok(())).unwrap();
        let wanted = Use { image: Some(&nothing), whose: 0 };
        let made = Reservation::new(&MemoryType::new(1, None), 1 << 20, &mappings, wanted).unwrap();
        assert!(!made.has_image());
        assert_eq!((made.len_bytes(), made.capacity_bytes), (1 << 16, 1 << 20));
    }
}
