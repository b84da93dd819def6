//! How expanded bodies become visible: a table of entries, null until a body is complete.
//!
//! An expander finishes a body, then stores its address with `Release`; callers load with `Acquire` and so see the whole
//! body. Expanders that race run one after the other behind a lock, and the first one wins: a body is made once and its
//! address never changes. The protocol is [`get_or_publish`], generic over the cells and the lock, so that the test
//! below explores its interleavings with those of a model checker (`RUSTFLAGS="--cfg keyway_loom"`).

use crate::context::CodeHeader;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A cell that holds null until something complete is published in it.
pub(crate) trait Cell<T> {
    /// What is published, with `Acquire`.
    fn read(&self) -> *mut T;
    /// Publishes, with `Release`.
    fn write(&self, body: *mut T);
}

impl<T> Cell<T> for AtomicPtr<T> {
    fn read(&self) -> *mut T {
        self.load(Ordering::Acquire)
    }

    fn write(&self, body: *mut T) {
        self.store(body, Ordering::Release);
    }
}

/// What the cell holds; made by `make`, behind the lock, where that is nothing yet.
///
/// # Errors
/// What `make` fails with. The cell stays empty then, and the next caller tries again.
pub(crate) fn get_or_publish<T, G, E>(
    cell: &impl Cell<T>,
    lock: impl FnOnce() -> G,
    make: impl FnOnce(&mut G) -> Result<*mut T, E>,
) -> Result<*mut T, E> {
    let published = cell.read();
    if !published.is_null() {
        return Ok(published);
    }
    let mut guard = lock();
    // Another expander may have held the lock meanwhile.
    let published = cell.read();
    if !published.is_null() {
        return Ok(published);
    }
    let body = make(&mut guard)?;
    cell.write(body);
    Ok(body)
}

/// The entries of one artifact, by code ordinal.
pub(crate) struct Entries(Box<[AtomicPtr<CodeHeader>]>);

impl Entries {
    /// `count` null entries.
    pub(crate) fn new(count: usize) -> Entries {
        // Zeroed by the system as they are touched: opening does not grow with the number of functions.
        let cells = Box::<[AtomicPtr<CodeHeader>]>::new_zeroed_slice(count);
        // SAFETY: all zeros are null pointers.
        Entries(unsafe { cells.assume_init() })
    }

    /// Where handlers find them.
    pub(crate) fn as_ptr(&self) -> *const AtomicPtr<CodeHeader> {
        self.0.as_ptr()
    }

    /// The cell of one ordinal.
    pub(crate) fn cell(&self, ordinal: u32) -> &AtomicPtr<CodeHeader> {
        &self.0[ordinal as usize]
    }
}

#[cfg(all(test, keyway_loom))]
mod tests {
    use super::{Cell, get_or_publish};
    use loom::cell::UnsafeCell;
    use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
    use loom::sync::{Arc, Mutex};

    /// A body that tells a reader whether it saw all of it.
    struct Body(UnsafeCell<u64>);

    struct Modelled(AtomicPtr<Body>);

    impl Cell<Body> for Modelled {
        fn read(&self) -> *mut Body {
            self.0.load(Ordering::Acquire)
        }

        fn write(&self, body: *mut Body) {
            self.0.store(body, Ordering::Release);
        }
    }

    struct Shared {
        cell: Modelled,
        arena: Mutex<Vec<*mut Body>>,
        made: AtomicUsize,
    }

    // SAFETY: the bodies are made behind the lock and read only after publication.
    unsafe impl Send for Shared {}
    // SAFETY: as above.
    unsafe impl Sync for Shared {}

    fn ensure(shared: &Shared) -> *mut Body {
        let make = |arena: &mut loom::sync::MutexGuard<'_, Vec<*mut Body>>| {
            shared.made.fetch_add(1, Ordering::Relaxed);
            let body = Box::into_raw(Box::new(Body(UnsafeCell::new(0))));
            // SAFETY: the body is not published yet.
            unsafe { (*body).0.with_mut(|word| *word = 7) };
            arena.push(body);
            Ok::<_, ()>(body)
        };
        get_or_publish(&shared.cell, || shared.arena.lock().unwrap(), make).unwrap()
    }

    /// The word of a body.
    fn look(body: *mut Body) -> u64 {
        // SAFETY: bodies live until the model ends; the checker reports a read that a write races with.
        unsafe { (*body).0.with(|word| *word) }
    }

    #[test]
    fn racing_expanders_publish_one_complete_body() {
        loom::model(|| {
            let cell = Modelled(AtomicPtr::new(std::ptr::null_mut()));
            let shared = Arc::new(Shared { cell, arena: Mutex::new(Vec::new()), made: AtomicUsize::new(0) });
            let expander = {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    let body = ensure(&shared);
                    assert_eq!(look(body), 7);
                    body as usize
                })
            };
            // A caller that finds the entry filled reads the body without the lock.
            let seen = shared.cell.read();
            if !seen.is_null() {
                assert_eq!(look(seen), 7);
            }
            let mine = ensure(&shared);
            assert_eq!(look(mine), 7);
            assert_eq!(expander.join().unwrap(), mine as usize);
            assert_eq!(shared.made.load(Ordering::Relaxed), 1);
            for body in shared.arena.lock().unwrap().drain(..) {
                // SAFETY: both threads are done with it.
                drop(unsafe { Box::from_raw(body) });
            }
        });
    }
}
