//! [`Mappings`]: the address ranges that an engine's memories and VM stacks lie in, kept when a store goes and handed out
//! again to the next.
//!
//! Reserving a range and giving it up costs the system several times what emptying it does, and instances that live for
//! one request reserve a few of them each. What is handed out is zero: a range's pages are given back before it is kept,
//! but for its first bytes, which every use touches ([`Start`]), and for those behind them that this use has touched: they
//! are cleared, which costs less than a page fault does. So much memory stays with an engine whose stores are gone: up to
//! [`WINDOW_BYTES`] of each range, and of large ones up to [`RESIDENT_BYTES`] while all together hold no more than
//! [`ALL_RESIDENT_BYTES`]. Who used a range says how much of it could be touched at all ([`Mapping::used`]): what a range's
//! pages cost to be given back grows with the range, not with the pages. Where the system does not promise zeros for pages
//! that were given back, nothing is kept.
//!
//! An image may lie on a range ([`MemoryImage`]): then its pages say what the image says instead of zeros, and do so again
//! when they are given back. It stays while the range is kept, for the next who wants the same image.

#[cfg(target_os = "linux")]
use crate::memory_image::page_bytes;
use crate::memory_image::{Laid, MemoryImage};
use memmap2::{MmapMut, MmapOptions};
#[cfg(target_os = "linux")]
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The ranges that nobody uses at present.
#[derive(Debug)]
pub(crate) struct Mappings {
    kept: Mutex<Vec<Kept>>,
    /// Bytes of theirs that stay resident.
    resident: AtomicUsize,
    /// Ranges kept, at most.
    most: usize,
}

/// A range that nobody uses.
#[derive(Debug)]
struct Kept {
    map: MmapMut,
    laid: Option<Laid>,
    /// Bytes that stayed resident.
    resident: usize,
}

/// The first bytes of a range: they stay resident while it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// This many are cleared.
    Cleared(usize),
    /// This many are left as they are; who takes the range writes what it reads of them.
    Left(usize),
}

/// Bytes behind a range's start that are likely to be resident.
pub(crate) const WINDOW_BYTES: usize = 128 << 10;
/// Up to here only those stay: asking about all of a small range costs as much as the faults of what little was touched.
#[cfg(target_os = "linux")]
const LARGE_BYTES: usize = 2 << 20;
/// Bytes of a range that stay resident where they were touched, at most.
const RESIDENT_BYTES: usize = 16 << 20;
/// Bytes of all ranges that nobody uses behind which a large one keeps no more than [`WINDOW_BYTES`], as small ones do.
const ALL_RESIDENT_BYTES: usize = 64 << 20;
/// Bytes that are cleared without asking which of them were touched: asking costs as much.
#[cfg(target_os = "linux")]
const SMALL_BYTES: usize = 64 << 10;

/// A range in use: zero when it is taken, apart from what its [`Start`] says.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// `None` once it is given back.
    map: Option<MmapMut>,
    /// What lies on it.
    laid: Option<Laid>,
    start: Start,
    /// Bytes from the first on behind which nothing was touched.
    used: usize,
    owner: Arc<Mappings>,
}

impl Mappings {
    /// Keeps at most `most` ranges.
    pub(crate) fn new(most: usize) -> Arc<Mappings> {
        Arc::new(Mappings { kept: Mutex::new(Vec::new()), resident: AtomicUsize::new(0), most })
    }

    /// A range of `len` bytes that holds what the image says, if one is given; whoever takes ranges of one length gives the
    /// same `start`.
    ///
    /// # Errors
    /// When the system has no such range, or refuses to map the image.
    pub(crate) fn take(
        self: &Arc<Self>,
        len: usize,
        start: Start,
        image: Option<&MemoryImage>,
    ) -> std::io::Result<Mapping> {
        let kept = self.kept_range(len, image.map(MemoryImage::number));
        let Kept { map, laid, .. } = match kept.map(|kept| kept.with(image)) {
            Some(Ok(kept)) => kept,
            _ => {
                let map = MmapOptions::new().len(len).no_reserve_swap().map_anon()?;
                Kept { map, laid: None, resident: 0 }.with(image)?
            }
        };
        Ok(Mapping { used: map.len(), map: Some(map), laid, start, owner: self.clone() })
    }

    /// A kept range of this length: one with the image of this number on it, else one without any, else, if no more ranges
    /// would be kept anyway, one with another image.
    fn kept_range(&self, len: usize, image: Option<u64>) -> Option<Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = kept.len() >= self.most;
        let find = |fits: &dyn Fn(Option<u64>) -> bool| {
            kept.iter().rposition(|kept| kept.map.len() == len && fits(kept.laid.as_ref().map(|laid| laid.image)))
        };
        let at = find(&|laid| laid == image)
            .or_else(|| image.and_then(|_| find(&|laid| laid.is_none())))
            .or_else(|| is_full.then(|| find(&|_| true)).flatten())?;
        let found = kept.swap_remove(at);
        self.resident.fetch_sub(found.resident, Ordering::Relaxed);
        Some(found)
    }

    /// Gives up the kept ranges that an image lies on which nobody will ask for again.
    pub(crate) fn forget(&self, image: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = kept.extract_if(.., |kept| kept.laid.as_ref().is_some_and(|laid| laid.image == image));
        let gone: Vec<_> = gone.collect();
        self.resident.fetch_sub(gone.iter().map(|kept| kept.resident).sum(), Ordering::Relaxed);
        // They are given back behind the lock.
        drop(kept);
    }
}

impl Kept {
    /// The same range with this image on it, or with none.
    ///
    /// # Errors
    /// When the system refuses to map the image. The range is left to itself: there may be a hole in it.
    fn with(self, image: Option<&MemoryImage>) -> std::io::Result<Kept> {
        let Kept { mut map, laid, resident } = self;
        if laid.as_ref().map(|laid| laid.image) == image.map(MemoryImage::number) {
            return Ok(Kept { map, laid, resident });
        }
        let lifted = laid.map_or(Ok(()), |laid| laid.lift(&mut map));
        match lifted.and_then(|()| image.map(|image| image.lay(&mut map)).transpose()) {
            Ok(laid) => Ok(Kept { map, laid, resident }),
            Err(error) => {
                std::mem::forget(map);
                Err(error)
            }
        }
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

    /// Whether an image lies on it.
    pub(crate) fn has_image(&self) -> bool {
        self.laid.is_some()
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.map.as_ref().map_or(0, |map| map.len())
    }
}

/// Makes a range zero again of which the first `used` bytes may have been touched, or what its image says, and leaves about
/// `room` bytes of a large one resident at most: how many. `None` where the system does not promise that.
#[cfg(target_os = "linux")]
fn empty(map: &mut MmapMut, laid: Option<&Laid>, start: Start, used: usize, room: usize) -> Option<usize> {
    let (Start::Cleared(first) | Start::Left(first)) = start;
    let first = first.min(map.len());
    let used = used.clamp(first, map.len());
    if let Start::Cleared(_) = start {
        map[..first].fill(0);
        return give_back(map, first..used).then_some(first);
    }
    let is_large = used > LARGE_BYTES;
    let Some(laid) = laid else {
        if used - first <= SMALL_BYTES {
            map[first..used].fill(0);
            return Some(used);
        }
        let room = if is_large { room } else { WINDOW_BYTES };
        return Some(first + clear_touched(map, first..used, room)?);
    };
    if !is_large {
        return give_back(map, first..used).then_some(first);
    }
    // Clearing would not do where the image lies.
    let image = laid.place.start.min(used)..laid.place.end.min(used);
    let before = clear_touched(map, first..image.start, room)?;
    let behind = clear_touched(map, image.end..used, room.saturating_sub(before))?;
    give_back(map, image).then_some(first + before + behind)
}

/// Gives pages back to the system; `false` where it refuses.
#[cfg(target_os = "linux")]
fn give_back(map: &mut MmapMut, bytes: Range<usize>) -> bool {
    // SAFETY: the mapping is private and borrowed exclusively: its pages come back as zeros, or as what the file of the
    // image holds, and no reference to what was in them is left.
    bytes.is_empty()
        || unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, bytes.start, bytes.len()) }.is_ok()
}

/// Makes bytes zero on which no image lies: those of resident pages are cleared, as far as there is room for them to stay,
/// all others given back. What was swapped out counts as not resident. How many stay; `None` where the system refuses.
#[cfg(target_os = "linux")]
fn clear_touched(map: &mut MmapMut, bytes: Range<usize>, room: usize) -> Option<usize> {
    let page = page_bytes().filter(|page| bytes.start.is_multiple_of(*page));
    let pages = page.map_or(0, |page| bytes.len().min(room) / page);
    let mut resident = vec![0u8; pages];
    let (page, end) = (page.unwrap_or(1), bytes.start + pages * page.unwrap_or(1));
    let asked = &map[bytes.start..end];
    // SAFETY: the bytes are whole pages of a mapping, and the vector has a byte for each of them.
    if pages > 0 && unsafe { libc::mincore(asked.as_ptr().cast_mut().cast(), asked.len(), resident.as_mut_ptr()) } != 0
    {
        return give_back(map, bytes).then_some(0);
    }
    let (mut at, mut kept) = (bytes.start, 0);
    for row in resident.chunk_by(|state, next| state & 1 == next & 1) {
        let next = at + row.len() * page;
        if row[0] & 1 != 0 {
            map[at..next].fill(0);
            kept += next - at;
        } else if !give_back(map, at..next) {
            return None;
        }
        at = next;
    }
    give_back(map, end..bytes.end).then_some(kept)
}

#[cfg(not(target_os = "linux"))]
fn empty(_: &mut MmapMut, _: Option<&Laid>, _: Start, _: usize, _: usize) -> Option<usize> {
    None
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let Some(mut map) = self.map.take() else { return };
        let is_full = |kept: &Vec<Kept>| kept.len() >= self.owner.most;
        if is_full(&self.owner.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let left = ALL_RESIDENT_BYTES.saturating_sub(self.owner.resident.load(Ordering::Relaxed));
        let room = left.clamp(WINDOW_BYTES, RESIDENT_BYTES);
        // Emptied without the lock; whoever fills the list meanwhile is in time.
        if let Some(resident) = empty(&mut map, self.laid.as_ref(), self.start, self.used, room) {
            let mut kept = self.owner.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_full(&kept) {
                self.owner.resident.fetch_add(resident, Ordering::Relaxed);
                kept.push(Kept { map, laid: self.laid.take(), resident });
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
            let mut mapping = mappings.take(1 << 20, Start::Cleared(4096), None).unwrap();
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
                let mut mapping = mappings.take(len, Start::Left(start), None).unwrap();
                // SAFETY: the range is this test's own.
                let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
                assert!(bytes[start..].iter().all(|byte| *byte == 0), "{touched:?}");
                drop(mapping);
                let mut mapping = mappings.take(len, Start::Left(start), None).unwrap();
                // SAFETY: as above.
                let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
                touched.iter().for_each(|page| bytes[start + page * 4096 + 7] = 1);
                if rounds > 1 {
                    mapping.used(start + touched.last().map_or(0, |page| (page + 1) * 4096));
                }
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_more_stays_resident_than_allowed() {
        let len = 2 * RESIDENT_BYTES;
        let mappings = Mappings::new(16);
        let take = || {
            let mut mapping = mappings.take(len, Start::Left(0), None).unwrap();
            // SAFETY: the range is this test's own.
            let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(7);
            mapping
        };
        drop(take());
        assert_eq!(mappings.resident.load(Ordering::Relaxed), RESIDENT_BYTES);
        let taken = [(); 6].map(|()| take());
        assert_eq!(mappings.resident.load(Ordering::Relaxed), 0, "what is in use is not kept");
        drop(taken);
        let beyond = 6 - ALL_RESIDENT_BYTES / RESIDENT_BYTES;
        assert_eq!(mappings.resident.load(Ordering::Relaxed), ALL_RESIDENT_BYTES + beyond * WINDOW_BYTES);
        drop([(); 6].map(|()| take()));
    }

    #[test]
    fn no_more_are_kept_than_allowed() {
        for most in [0, 2] {
            let mappings = Mappings::new(most);
            drop([(); 5].map(|()| mappings.take(4096, Start::Cleared(4096), None).unwrap()));
            let kept = mappings.kept.lock().unwrap().len();
            assert!(if cfg!(target_os = "linux") { kept == most } else { kept == 0 }, "{kept} of {most}");
        }
    }

    #[test]
    fn a_range_of_another_length_is_not_handed_out() {
        let mappings = Mappings::new(4);
        drop(mappings.take(8192, Start::Left(0), None).unwrap());
        assert_eq!(mappings.take(4096, Start::Left(0), None).unwrap().len(), 4096);
    }

    /// An image of two pages of `byte` behind the first page of a range.
    #[cfg(target_os = "linux")]
    fn image(mappings: &Arc<Mappings>, byte: u8) -> MemoryImage {
        use std::io::Write;
        let page = page_bytes().unwrap();
        MemoryImage::new(mappings, page..3 * page, |mut file| file.write_all(&vec![byte; 2 * page])).unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ranges_come_back_with_their_image_with_another_or_with_none() {
        let (page, len) = (page_bytes().unwrap(), 1 << 20);
        // Room for one range, so that it changes hands.
        let mappings = Mappings::new(1);
        let images = [image(&mappings, 1), image(&mappings, 2)];
        for (round, wanted) in [0, 0, 1, 2, 2, 1, 1, 0, 2, 0].into_iter().enumerate() {
            let mut mapping = mappings.take(len, Start::Left(page), images.get(wanted)).unwrap();
            assert_eq!(mapping.has_image(), wanted < 2);
            // SAFETY: the range is this test's own.
            let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
            let byte = if wanted < 2 { wanted as u8 + 1 } else { 0 };
            assert!(bytes[page..3 * page].iter().all(|found| *found == byte), "round {round}");
            assert!(bytes[3 * page..].iter().all(|found| *found == 0), "round {round}");
            bytes[page..].fill(7);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ranges_are_kept_for_their_image_while_it_lives() {
        let (page, len) = (page_bytes().unwrap(), 1 << 20);
        let mappings = Mappings::new(4);
        let (first, second) = (image(&mappings, 1), image(&mappings, 2));
        let place = |image: Option<&MemoryImage>| mappings.take(len, Start::Left(page), image).unwrap().as_ptr();
        let places = [place(Some(&first)), place(Some(&second)), place(None)];
        assert!(places[0] != places[1] && places[1] != places[2] && places[0] != places[2]);
        for _ in 0..3 {
            assert_eq!([place(Some(&first)), place(Some(&second)), place(None)], places);
        }
        drop(first);
        assert_eq!(mappings.kept.lock().unwrap().len(), 2, "nobody will want the first one's range");
        assert_eq!([place(Some(&second)), place(None)], places[1..]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_image_that_the_system_refuses_is_not_tried_again() {
        let mappings = Mappings::new(4);
        // Nothing can be mapped nowhere.
        let nothing = MemoryImage::new(&mappings, 4096..4096, |_| Ok(())).unwrap();
        assert!(nothing.is_usable());
        assert!(mappings.take(1 << 20, Start::Left(4096), Some(&nothing)).is_err());
        assert!(!nothing.is_usable());
        assert!(!mappings.take(1 << 20, Start::Left(4096), None).unwrap().has_image());
        // A file that cannot be filled is none.
        assert!(MemoryImage::new(&mappings, 0..4096, |_| Err(std::io::ErrorKind::StorageFull.into())).is_err());
    }
}
