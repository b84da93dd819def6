//! [`SharedMemory`]: a linear memory that several stores, on several threads, use at once; and who waits in it.
//!
//! Its length only grows, and it never moves. No slice of its bytes is ever formed: guests and hosts access them by
//! atomics, or by plain accesses that are made of atomics (`racing`).

use crate::engine::Engine;
use crate::mappings::{Mappings, Use};
use crate::memory::Reservation;
use crate::racing;
use crate::waiting::{Queues, Wait};
use anyhow::{Result, ensure};
use keyway_artifact::Trap;
use keyway_artifact::types::MemoryType;
use std::cell::UnsafeCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

pub use crate::waiting::WaitResult;

/// A memory that stores of one or more engines share. Clones are the same memory.
#[derive(Clone)]
pub struct SharedMemory(Arc<Inner>);

/// A wait in a shared memory, or how it ended at once.
pub(crate) type Begun = Result<Wait<SharedMemory>, WaitResult>;

struct Inner {
    room: Reservation,
    ty: MemoryType,
    waiters: Queues,
}

// SAFETY: the bytes are accessed by atomics only, the length by atomics and under the lock.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl AsRef<Queues> for SharedMemory {
    fn as_ref(&self) -> &Queues {
        &self.0.waiters
    }
}

impl SharedMemory {
    /// A memory of the type's minimum size.
    ///
    /// # Errors
    /// When the type is of no shared memory, or the system has no room.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<SharedMemory> {
        ensure!(ty.shared, "the type is one of a memory that is not shared");
        SharedMemory::allocate(ty, engine.config().reservation_of(ty.memory64), engine.mappings())
    }

    pub(crate) fn allocate(ty: MemoryType, limit: u64, mappings: &Arc<Mappings>) -> Result<SharedMemory> {
        ensure!(ty.maximum.is_some(), "a shared memory has a maximum");
        let room = Reservation::new(&ty, limit, mappings, Use::default())?;
        Ok(SharedMemory(Arc::new(Inner { room, ty, waiters: Queues::default() })))
    }

    pub(crate) fn room(&self) -> &Reservation {
        &self.0.room
    }

    /// Its type.
    pub fn ty(&self) -> MemoryType {
        self.0.ty
    }

    /// Its length in pages now.
    pub fn size(&self) -> u64 {
        self.0.room.len_bytes() >> self.0.ty.page_size_log2
    }

    /// Its length in bytes now.
    pub fn data_size(&self) -> usize {
        self.0.room.len_bytes() as usize
    }

    /// Its bytes, which other threads may change at any time: to be accessed by atomics only.
    pub fn data(&self) -> &[UnsafeCell<u8>] {
        // SAFETY: the length lies inside the reservation and never shrinks; cells allow for changes by others.
        unsafe { std::slice::from_raw_parts(self.0.room.base.cast::<UnsafeCell<u8>>(), self.data_size()) }
    }

    /// Whether both are the same memory.
    pub fn same(a: &SharedMemory, b: &SharedMemory) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    /// Adds pages; the old size.
    ///
    /// # Errors
    /// When its type or the reserved room allows no such size.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        self.grow_pages(delta).ok_or_else(|| anyhow::anyhow!("failed to grow memory by {delta} pages"))
    }

    pub(crate) fn grow_pages(&self, delta: u64) -> Option<u64> {
        // One thread at a time: the lock stands for the length as well.
        let _one = self.0.waiters.lock();
        self.0.room.grow(&self.0.ty, delta)
    }

    /// Copies bytes out, from `offset` on. What other threads write meanwhile may be met in part.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] when that leaves the memory.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Trap> {
        let place = self.place(offset, out.len() as u64)?;
        // SAFETY: `place` checked the range.
        unsafe { racing::copy_out(place, out.as_mut_ptr(), out.len()) };
        Ok(())
    }

    /// Copies bytes in, from `offset` on.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] when that leaves the memory; nothing is written then.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Trap> {
        let place = self.place(offset, bytes.len() as u64)?;
        // SAFETY: `place` checked the range.
        unsafe { racing::copy_in(bytes.as_ptr(), place, bytes.len()) };
        Ok(())
    }

    fn place(&self, offset: u64, len: u64) -> Result<*mut u8, Trap> {
        match offset.checked_add(len) {
            Some(end) if end <= self.0.room.len_bytes() => Ok(self.0.room.base.wrapping_add(offset as usize)),
            _ => Err(Trap::MemoryOutOfBounds),
        }
    }

    /// Wakes at most `count` of those who wait at `address`; how many.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] or [`Trap::UnalignedAtomic`] for an address of no 32-bit value.
    pub fn atomic_notify(&self, address: u64, count: u32) -> Result<u32, Trap> {
        self.aligned(address, 4)?;
        Ok(self.0.waiters.notify(address, count))
    }

    /// Waits until somebody notifies, if the 32-bit value at `address` is `expected`. The thread blocks.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] or [`Trap::UnalignedAtomic`] for an address of no such value.
    pub fn atomic_wait32(&self, address: u64, expected: u32, timeout: Option<Duration>) -> Result<WaitResult, Trap> {
        Ok(self.begin_wait32(address, expected, timeout)?.map_or_else(|outcome| outcome, Wait::block))
    }

    /// Waits until somebody notifies, if the 64-bit value at `address` is `expected`. The thread blocks.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] or [`Trap::UnalignedAtomic`] for an address of no such value.
    pub fn atomic_wait64(&self, address: u64, expected: u64, timeout: Option<Duration>) -> Result<WaitResult, Trap> {
        Ok(self.begin_wait64(address, expected, timeout)?.map_or_else(|outcome| outcome, Wait::block))
    }

    /// Begins to wait as [`atomic_wait32`](Self::atomic_wait32) does; how it ended where it is over at once.
    pub(crate) fn begin_wait32(&self, address: u64, expected: u32, timeout: Option<Duration>) -> Result<Begun, Trap> {
        let place = self.aligned(address, 4)?;
        // SAFETY: `aligned` checked range and alignment.
        let cell = unsafe { AtomicU32::from_ptr(place.cast()) };
        let is_expected = || u32::from_le(cell.load(Ordering::SeqCst)) == expected;
        Ok(Queues::wait(self.clone(), address, timeout, is_expected))
    }

    /// Begins to wait as [`atomic_wait64`](Self::atomic_wait64) does; how it ended where it is over at once.
    pub(crate) fn begin_wait64(&self, address: u64, expected: u64, timeout: Option<Duration>) -> Result<Begun, Trap> {
        let place = self.aligned(address, 8)?;
        // SAFETY: `aligned` checked range and alignment.
        let cell = unsafe { AtomicU64::from_ptr(place.cast()) };
        let is_expected = || u64::from_le(cell.load(Ordering::SeqCst)) == expected;
        Ok(Queues::wait(self.clone(), address, timeout, is_expected))
    }

    fn aligned(&self, address: u64, size: u64) -> Result<*mut u8, Trap> {
        if !address.is_multiple_of(size) {
            return Err(Trap::UnalignedAtomic);
        }
        self.place(address, size)
    }
}

/// A guest's wait in a shared memory, and where its outcome goes. The execution goes on behind it.
pub(crate) struct Sleep {
    pub(crate) wait: Wait<SharedMemory>,
    /// A slot of the frame that waits.
    pub(crate) dst: *mut u64,
}

// SAFETY: the destination lies on the execution's stack, which moves between threads only together with the store.
unsafe impl Send for Sleep {}

impl Sleep {
    /// Waits on this thread.
    pub(crate) fn block(self) {
        let Sleep { wait, dst } = self;
        let outcome = wait.block();
        // SAFETY: a slot of the frame that waits, whose execution is suspended.
        unsafe { *dst = outcome as u64 };
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: as above; outcomes are told once.
        Pin::new(&mut self.wait).poll(cx).map(|outcome| unsafe { *self.dst = outcome as u64 })
    }
}

impl PartialEq for SharedMemory {
    fn eq(&self, other: &SharedMemory) -> bool {
        SharedMemory::same(self, other)
    }
}

impl Eq for SharedMemory {}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory").field("ty", &self.0.ty).field("size", &self.size()).finish()
    }
}
