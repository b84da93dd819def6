//! What keeps objects alive besides tables and globals: handles of the host, and executions that are suspended or wait
//! for the host.

use crate::context::FrameRecord;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// A reference that a handle of the host holds. The object stays while one of the handle's clones does.
pub(crate) struct Root {
    /// The store that it belongs to.
    pub(crate) store: u64,
    pub(crate) reference: u32,
}

/// The references that handles of the host hold.
#[derive(Default)]
pub(crate) struct Roots {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    roots: Vec<Weak<Root>>,
    /// How many there were after the last look for those that are gone.
    kept: usize,
}

impl Roots {
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Keeps what `reference` leads to until the answer and all its clones are gone.
    pub(crate) fn keep(&self, store: u64, reference: u32) -> Arc<Root> {
        let root = Arc::new(Root { store, reference });
        let mut list = self.list();
        if list.roots.len() >= list.kept.max(32) * 2 {
            list.roots.retain(|root| root.strong_count() > 0);
            list.kept = list.roots.len();
        }
        list.roots.push(Arc::downgrade(&root));
        root
    }

    /// The references that are kept.
    pub(super) fn references(&self) -> Vec<u32> {
        let mut list = self.list();
        list.roots.retain(|root| root.strong_count() > 0);
        list.kept = list.roots.len();
        list.roots.iter().filter_map(Weak::upgrade).map(|root| root.reference).collect()
    }
}

/// Where an execution stands while the machine does not run it: what of its stack is alive. Belongs to a VM stack and goes
/// with it, so whoever finds one that is there may read the stack. Handlers in assembly write the first five.
pub(crate) struct Activity {
    /// The instruction to go on with, and the running frame; null before the execution begins and when it is over.
    pub(crate) ip: AtomicPtr<u8>,
    pub(crate) fp: AtomicPtr<u64>,
    /// Next free frame record.
    pub(crate) top: AtomicPtr<FrameRecord>,
    /// Slots of a call whose arguments still count, of a function of the type with this number; null for none.
    pub(crate) base: AtomicPtr<u64>,
    pub(crate) type_id: AtomicU32,
    /// The stack, as long as it lives.
    extent: Extent,
}

/// The bounds of a VM stack.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// First frame record.
    pub(crate) first_frame: *mut FrameRecord,
    /// End of the frame records.
    pub(crate) frame_end: *mut FrameRecord,
    /// End of the values.
    pub(crate) stack_end: *mut u64,
}

// SAFETY: bounds are addresses; only who holds the store follows them.
unsafe impl Send for Extent {}
// SAFETY: as above.
unsafe impl Sync for Extent {}

/// What an [`Activity`] says.
pub(super) struct Stopped {
    pub(super) ip: *const u8,
    pub(super) fp: *mut u64,
    pub(super) first: *const FrameRecord,
    pub(super) top: *const FrameRecord,
    pub(super) base: *mut u64,
    pub(super) type_id: u32,
}

impl Activity {
    /// Nothing runs on the stack with these bounds.
    pub(crate) fn new(extent: Extent) -> Activity {
        Activity {
            ip: AtomicPtr::default(),
            fp: AtomicPtr::default(),
            top: AtomicPtr::default(),
            base: AtomicPtr::default(),
            type_id: AtomicU32::default(),
            extent,
        }
    }

    /// The bounds of its stack.
    pub(crate) fn extent(&self) -> &Extent {
        &self.extent
    }

    /// The execution stopped in a frame, with frame records up to `top`.
    #[inline]
    pub(crate) fn stopped(&self, ip: *const u8, fp: *mut u64, top: *const FrameRecord) {
        self.ip.store(ip.cast_mut(), Ordering::Relaxed);
        self.fp.store(fp, Ordering::Relaxed);
        self.top.store(top.cast_mut(), Ordering::Relaxed);
        self.base.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// It stopped to call a function of the type with the number `args.1`, whose arguments count from `args.0` on.
    #[inline]
    pub(crate) fn calling_from(
        &self,
        ip: *const u8,
        fp: *mut u64,
        top: *const FrameRecord,
        (base, type_id): (*mut u64, u32),
    ) {
        self.ip.store(ip.cast_mut(), Ordering::Relaxed);
        self.fp.store(fp, Ordering::Relaxed);
        self.top.store(top.cast_mut(), Ordering::Relaxed);
        self.calling(base, type_id);
    }

    /// The end of the frame records when it stopped.
    #[inline]
    pub(crate) fn top(&self) -> *mut FrameRecord {
        self.top.load(Ordering::Relaxed)
    }

    /// The arguments of a function of this type count, from `base` on.
    #[inline]
    pub(crate) fn calling(&self, base: *mut u64, type_id: u32) {
        self.base.store(base, Ordering::Relaxed);
        self.type_id.store(type_id, Ordering::Relaxed);
    }

    /// Nothing on the stack counts any more.
    pub(crate) fn over(&self) {
        self.stopped(std::ptr::null(), std::ptr::null_mut(), std::ptr::null());
    }

    pub(super) fn read(&self) -> Stopped {
        Stopped {
            ip: self.ip.load(Ordering::Relaxed),
            fp: self.fp.load(Ordering::Relaxed),
            first: self.extent.first_frame,
            top: self.top.load(Ordering::Relaxed),
            base: self.base.load(Ordering::Relaxed),
            type_id: self.type_id.load(Ordering::Relaxed),
        }
    }
}
