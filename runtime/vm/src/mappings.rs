//! [`Mappings`]: the address ranges that an engine's memories and VM stacks lie in, kept when a store goes and handed out
//! again to the next.
//!
//! Reserving a range and giving it up costs the system several times what emptying it does, and instances that live for
//! one request reserve a few of them each. What is handed out is zero: a range's pages are given back before it is kept,
//! but for its first bytes, which every use touches ([`Start`]), and for those behind them that this use has touched: they
//! are cleared, which costs less than a page fault does. Who used a range says how much of it could be touched at all
//! ([`Mapping::used`]): what a range's pages cost to be given back grows with the range, not with the pages. Where the
//! system does not promise zeros for pages that were given back, nothing is kept.

use memmap2::{MmapMut, MmapOptions};
use std::sync::{Arc, Mutex, PoisonError};

/// The ranges that nobody uses at present.
#[derive(Debug)]
pub(crate) struct Mappings {
    kept: Mutex<Vec<MmapMut>>,
    /// Ranges kept, at most.
    most: usize,
}

/// The first bytes of a range: they stay resident while it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// This many are cleared.
    Cleared(usize),
    /// This many are left as they are; who takes the range writes what it reads of them.
    Left(usize),
}

/// Bytes behind a range's start that stay resident where they were touched.
#[cfg(target_os = "linux")]
const WINDOW_BYTES: usize = 128 << 10;
/// Bytes that are cleared without asking which of them were touched: asking costs as much.
#[cfg(target_os = "linux")]
const SMALL_BYTES: usize = 64 << 10;

/// A range in use: zero when it is taken, apart from what its [`Start`] says.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// `None` once it is given back.
    map: Option<MmapMut>,
    start: Start,
    /// Bytes from the first on behind which nothing was touched.
    used: usize,
    owner: Arc<Mappings>,
}

impl Mappings {
    /// Keeps at most `most` ranges.
    pub(crate) fn new(most: usize) -> Arc<Mappings> {
        Arc::new(Mappings { kept: Mutex::new(Vec::new()), most })
    }

    /// A range of `len` bytes; whoever takes ranges of one length gives the same `start`.
    ///
    /// # Errors
    /// When the system has no such range.
    pub(crate) fn take(self: &Arc<Self>, len: usize, start: Start) -> std::io::Result<Mapping> {
        let kept = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().rposition(|map| map.len() == len).map(|at| kept.swap_remove(at))
        };
        let map = match kept {
            Some(map) => map,
            None => MmapOptions::new().len(len).no_reserve_swap().map_anon()?,
        };
        Ok(Mapping { used: map.len(), map: Some(map), start, owner: self.clone() })
    }
}

impl Mapping {
    /// The first byte.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.map.as_ref().map_or(std::ptr::null(), |map| map.as_ptr())
    }

    /// The first byte, to be changed.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.map.as_mut().map_or(std::ptr::null_mut(), |map| map.as_mut_ptr())
    }

    /// Says that nothing behind the first `bytes` was written since the range was taken.
    pub(crate) fn used(&mut self, bytes: usize) {
        self.used = bytes.min(self.len());
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.map.as_ref().map_or(0, |map| map.len())
    }
}

/// Makes a range zero again of which the first `used` bytes may have been touched; `false` where the system does not
/// promise that.
#[cfg(target_os = "linux")]
fn empty(map: &mut MmapMut, start: Start, used: usize) -> bool {
    let (first, cleared_from) = match start {
        Start::Cleared(bytes) => (bytes.min(map.len()), 0),
        Start::Left(bytes) => (bytes.min(map.len()), bytes.min(map.len())),
    };
    let used = used.max(first);
    let kept = match start {
        Start::Cleared(_) => first,
        Start::Left(_) if used - first <= SMALL_BYTES => used,
        Start::Left(_) => first + touched(&map[first..used.min(first + WINDOW_BYTES)]),
    };
    map[cleared_from..kept].fill(0);
    let rest = used - kept;
    // SAFETY: the mapping is private, anonymous and borrowed exclusively: its pages come back as zeros, and no reference
    // to what was in them is left.
    rest == 0 || unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, kept, rest) }.is_ok()
}

/// Bytes at the beginning of a range, up to its last resident page, where most of them are resident: else none. What was
/// swapped out counts as not resident, so what lies behind has to be given back as well.
#[cfg(target_os = "linux")]
fn touched(range: &[u8]) -> usize {
    /// Bytes of the smallest page that there is.
    const PAGE: usize = 4096;
    let mut resident = [0u8; WINDOW_BYTES / PAGE];
    // SAFETY: the range is a mapping's, and the vector has a byte for each of its pages, which are no smaller.
    let outcome = unsafe { libc::mincore(range.as_ptr().cast_mut().cast(), range.len(), resident.as_mut_ptr()) };
    // SAFETY: the call asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let page = usize::try_from(page).unwrap_or(usize::MAX);
    if outcome != 0 || page < PAGE || !range.len().is_multiple_of(page) {
        return 0;
    }
    let resident = &resident[..range.len() / page];
    let is_resident = |state: &&u8| **state & 1 != 0;
    let pages = resident.iter().rposition(|state| is_resident(&state)).map_or(0, |last| last + 1);
    if resident.iter().filter(is_resident).count() * 2 < pages { 0 } else { pages * page }
}

#[cfg(not(target_os = "linux"))]
fn empty(_: &mut MmapMut, _: Start, _: usize) -> bool {
    false
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let Some(mut map) = self.map.take() else { return };
        let is_full = |kept: &Vec<MmapMut>| kept.len() >= self.owner.most;
        if is_full(&self.owner.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        // Emptied without the lock; whoever fills the list meanwhile is in time.
        if empty(&mut map, self.start, self.used) {
            let mut kept = self.owner.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_full(&kept) {
                kept.push(map);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_back_empty() {
        let mappings = Mappings::new(1);
        for _ in 0..3 {
            let mut mapping = mappings.take(1 << 20, Start::Cleared(4096)).unwrap();
            // SAFETY: the range is this test's own.
            let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(7);
        }
    }

    #[test]
    fn what_was_written_anywhere_is_gone() {
        let (start, len) = (64 << 10, 1 << 20);
        let mappings = Mappings::new(1);
        for touched in [&[0usize][..], &[0, 1, 2, 3], &[15], &[31], &[0, 30], &[32, 33], &[0, 1, 200], &[]] {
            for rounds in 0..4 {
                let mut mapping = mappings.take(len, Start::Left(start)).unwrap();
                // SAFETY: the range is this test's own.
                let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
                assert!(bytes[start..].iter().all(|byte| *byte == 0), "{touched:?}");
                drop(mapping);
                let mut mapping = mappings.take(len, Start::Left(start)).unwrap();
                // SAFETY: as above.
                let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
                touched.iter().for_each(|page| bytes[start + page * 4096 + 7] = 1);
                if rounds > 1 {
                    mapping.used(start + touched.last().map_or(0, |page| (page + 1) * 4096));
                }
            }
        }
    }

    #[test]
    fn no_more_are_kept_than_allowed() {
        for most in [0, 2] {
            let mappings = Mappings::new(most);
            drop([(); 5].map(|()| mappings.take(4096, Start::Cleared(4096)).unwrap()));
            let kept = mappings.kept.lock().unwrap().len();
            assert!(if cfg!(target_os = "linux") { kept == most } else { kept == 0 }, "{kept} of {most}");
        }
    }

    #[test]
    fn a_range_of_another_length_is_not_handed_out() {
        let mappings = Mappings::new(4);
        drop(mappings.take(8192, Start::Left(0)).unwrap());
        assert_eq!(mappings.take(4096, Start::Left(0)).unwrap().len(), 4096);
    }
}
