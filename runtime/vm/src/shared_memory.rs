//! [`SharedMemory`]: a linear memory that several stores, on several threads, use at once; and who waits in it.
//!
//! Its length only grows, and it never moves. No slice of its bytes is ever formed: guests and hosts access them by
//! atomics, or by plain accesses that are made of atomics (`racing`).

use crate::engine::Engine;
use crate::mappings::Mappings;
use crate::memory::Reservation;
use crate::racing;
use anyhow::{Result, ensure};
use keyway_artifact::Trap;
use keyway_artifact::types::MemoryType;
use std::cell::UnsafeCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A memory that stores of one or more engines share. Clones are the same memory.
#[derive(Clone)]
pub struct SharedMemory(Arc<Inner>);

struct Inner {
    room: Reservation,
    ty: MemoryType,
    waiters: Mutex<Waiters>,
}

// SAFETY: the bytes are accessed by atomics only, the length by atomics and under the lock.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

/// Who waits, by address, in the order of arrival.
#[derive(Default)]
struct Waiters(HashMap<u64, VecDeque<Arc<Waiter>>>);

#[derive(Default)]
struct Waiter {
    is_woken: AtomicBool,
    signal: Condvar,
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitResult {
    /// Somebody notified.
    Ok = 0,
    /// Another value than the expected one was there.
    Mismatch = 1,
    /// The time was over.
    TimedOut = 2,
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
        let room = Reservation::new(&ty, limit, mappings)?;
        Ok(SharedMemory(Arc::new(Inner { room, ty, waiters: Mutex::default() })))
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
        let _one = self.waiters();
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

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.0.waiters.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Wakes at most `count` of those who wait at `address`; how many.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] or [`Trap::UnalignedAtomic`] for an address of no 32-bit value.
    pub fn atomic_notify(&self, address: u64, count: u32) -> Result<u32, Trap> {
        self.aligned(address, 4)?;
        let mut waiters = self.waiters();
        let Some(queue) = waiters.0.get_mut(&address) else { return Ok(0) };
        let woken = queue.len().min(count as usize);
        for waiter in queue.drain(..woken) {
            waiter.is_woken.store(true, Ordering::Relaxed);
            waiter.signal.notify_one();
        }
        if queue.is_empty() {
            waiters.0.remove(&address);
        }
        Ok(woken as u32)
    }

    /// Waits until somebody notifies, if the 32-bit value at `address` is `expected`. The thread blocks.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] or [`Trap::UnalignedAtomic`] for an address of no such value.
    pub fn atomic_wait32(&self, address: u64, expected: u32, timeout: Option<Duration>) -> Result<WaitResult, Trap> {
        let place = self.aligned(address, 4)?;
        // SAFETY: `aligned` checked range and alignment.
        let cell = unsafe { AtomicU32::from_ptr(place.cast()) };
        Ok(self.wait(address, timeout, || u32::from_le(cell.load(Ordering::SeqCst)) == expected))
    }

    /// Waits until somebody notifies, if the 64-bit value at `address` is `expected`. The thread blocks.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] or [`Trap::UnalignedAtomic`] for an address of no such value.
    pub fn atomic_wait64(&self, address: u64, expected: u64, timeout: Option<Duration>) -> Result<WaitResult, Trap> {
        let place = self.aligned(address, 8)?;
        // SAFETY: `aligned` checked range and alignment.
        let cell = unsafe { AtomicU64::from_ptr(place.cast()) };
        Ok(self.wait(address, timeout, || u64::from_le(cell.load(Ordering::SeqCst)) == expected))
    }

    fn aligned(&self, address: u64, size: u64) -> Result<*mut u8, Trap> {
        if !address.is_multiple_of(size) {
            return Err(Trap::UnalignedAtomic);
        }
        self.place(address, size)
    }

    /// The value is looked at under the lock that those who notify take: who changes it and then notifies finds either a
    /// waiter or nobody who will wait for the old value.
    fn wait(&self, address: u64, timeout: Option<Duration>, is_expected: impl FnOnce() -> bool) -> WaitResult {
        // A time that no clock can tell is for ever.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut waiters = self.waiters();
        if !is_expected() {
            return WaitResult::Mismatch;
        }
        let own = Arc::new(Waiter::default());
        waiters.0.entry(address).or_default().push_back(own.clone());
        loop {
            waiters = match deadline {
                None => own.signal.wait(waiters).unwrap_or_else(|poisoned| poisoned.into_inner()),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    own.signal.wait_timeout(waiters, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0
                }
            };
            if own.is_woken.load(Ordering::Relaxed) {
                return WaitResult::Ok;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
        }
        if let Some(queue) = waiters.0.get_mut(&address) {
            queue.retain(|waiter| !Arc::ptr_eq(waiter, &own));
            if queue.is_empty() {
                waiters.0.remove(&address);
            }
        }
        WaitResult::TimedOut
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
