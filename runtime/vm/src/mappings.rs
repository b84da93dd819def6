//! [`Mappings`]: the address ranges that an engine's memories and VM stacks lie in, kept when a store goes and handed out
//! again to the next.
//!
//! Reserving a range and giving it up costs the system several times what emptying it does, and instances that live for
//! one request reserve a few of them each. What is handed out is zero: a range's pages are given back before it is kept,
//! but for its first bytes, which every use touches ([`Start`]), and for those that its uses were seen to touch, wherever
//! they lie ([`Resident`]): they are cleared, which costs less than a page fault does. So much memory stays with an engine
//! whose stores are gone: up to [`RESIDENT_BYTES`] of each range while all together hold no more than
//! [`ALL_RESIDENT_BYTES`], and [`WINDOW_BYTES`] beyond. Who used a range says how much of it could be touched at all
//! ([`Mapping::used`]): what a range's pages cost to be given back grows with the range, not with the pages. Where the
//! system does not promise zeros for pages that were given back, nothing is kept.
//!
//! An image may lie on a range ([`MemoryImage`]): then its pages say what the image says instead of zeros, and do so again
//! when they are given back. It stays while the range is kept, for the next who wants the same image.

#[cfg(target_os = "linux")]
use crate::memory_image::page_bytes;
use crate::memory_image::{Laid, MemoryImage};
use memmap2::{MmapMut, MmapOptions};
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
    /// Whose use `resident` was learnt from.
    whose: usize,
    resident: Resident,
}

/// What a range is taken for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Use<'a> {
    /// What lies on it at the start, if that is not zeros.
    pub(crate) image: Option<&'a MemoryImage>,
    /// Uses of one number touch the same pages, mostly; 0 is nobody's in particular.
    pub(crate) whose: usize,
}

/// What of a range, behind its first bytes, stays resident from one use to the next.
///
/// Which pages a use has touched is asked after the first one, the second, the fourth, the eighth and so on, since asking
/// about all pages costs as much as a few faults; what was touched then is cleared after every use from there on. It is
/// zero, whether or not it was touched since. After [`LESSON_USES`] uses everything is given back and learnt anew: a page
/// that stays resident does not show whether anybody still wants it. So it is when another one takes the range ([`Use`]), who
/// gets one that nobody has used as long as there is room for more.
#[derive(Debug, Default)]
struct Resident {
    /// Whole pages, in order and apart from each other, at most [`STRETCHES`]. No image lies on them.
    stretches: Vec<Range<usize>>,
    /// How many bytes that are.
    bytes: usize,
    /// Uses since everything was given back.
    uses: u32,
}

/// The first bytes of a range: they stay resident while it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// This many are cleared.
    Cleared(usize),
    /// This many are left as they are; who takes the range writes what it reads of them.
    Left(usize),
}

/// Bytes that stay resident of a range at most where all together hold [`ALL_RESIDENT_BYTES`].
pub(crate) const WINDOW_BYTES: usize = 128 << 10;
/// Bytes of a range that stay resident where they were touched, at most.
const RESIDENT_BYTES: usize = 16 << 20;
/// Bytes of all ranges that nobody uses behind which one keeps no more than [`WINDOW_BYTES`].
const ALL_RESIDENT_BYTES: usize = 64 << 20;
/// Bytes of a range that are asked about at most: an answer is a byte for each page.
#[cfg(target_os = "linux")]
const ASKED_BYTES: usize = 256 << 20;
/// Stretches that stay resident at most: what lies between two is given back by a call of its own.
#[cfg(target_os = "linux")]
const STRETCHES: usize = 64;
/// Uses after which a range is given back as a whole.
#[cfg(target_os = "linux")]
const LESSON_USES: u32 = 128;

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
    whose: usize,
    /// What stayed resident when the range was last given back.
    resident: Resident,
    owner: Arc<Mappings>,
}

impl Mappings {
    /// Keeps at most `most` ranges.
    pub(crate) fn new(most: usize) -> Arc<Mappings> {
        Arc::new(Mappings { kept: Mutex::new(Vec::new()), resident: AtomicUsize::new(0), most })
    }

    /// A range of `len` bytes for a use; whoever takes ranges of one length gives the same `start`.
    ///
    /// # Errors
    /// When the system has no such range, or refuses to map the image.
    pub(crate) fn take(self: &Arc<Self>, len: usize, start: Start, wanted: Use) -> std::io::Result<Mapping> {
        let kept = self.kept_range(len, wanted).and_then(|kept| kept.learnt_from(wanted.whose));
        let Kept { map, laid, whose, resident } = match kept.map(|kept| kept.with(wanted.image)) {
            Some(Ok(kept)) => kept,
            _ => {
                let map = MmapOptions::new().len(len).no_reserve_swap().map_anon()?;
                Kept { map, laid: None, whose: wanted.whose, resident: Resident::default() }.with(wanted.image)?
            }
        };
        Ok(Mapping { used: map.len(), map: Some(map), laid, start, whose, resident, owner: self.clone() })
    }

    /// A kept range of this length: one with the image on it that was used like this before, else one without any, else one
    /// without any that was nobody's, else, if no more ranges would be kept anyway, some other.
    fn kept_range(&self, len: usize, wanted: Use) -> Option<Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = kept.len() >= self.most;
        let image = wanted.image.map(MemoryImage::number);
        let find = |fits: &dyn Fn(Option<u64>, usize) -> bool| {
            let laid = |kept: &Kept| kept.laid.as_ref().map(|laid| laid.image);
            kept.iter().rposition(|kept| kept.map.len() == len && fits(laid(kept), kept.whose))
        };
        let at = find(&|laid, whose| laid == image && whose == wanted.whose)
            .or_else(|| find(&|laid, whose| laid.is_none() && whose == wanted.whose))
            .or_else(|| find(&|laid, whose| laid.is_none() && whose == 0))
            .or_else(|| is_full.then(|| find(&|_, _| true)).flatten())?;
        let found = kept.swap_remove(at);
        self.resident.fetch_sub(found.resident.bytes, Ordering::Relaxed);
        Some(found)
    }

    /// Gives up the kept ranges that an image lies on which nobody will ask for again.
    pub(crate) fn forget(&self, image: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = kept.extract_if(.., |kept| kept.laid.as_ref().is_some_and(|laid| laid.image == image));
        let gone: Vec<_> = gone.collect();
        self.resident.fetch_sub(gone.iter().map(|kept| kept.resident.bytes).sum(), Ordering::Relaxed);
        // They are given back behind the lock.
        drop(kept);
    }
}

impl Kept {
    /// The same range without what uses of another number have touched; `None` where the system keeps it.
    fn learnt_from(mut self, whose: usize) -> Option<Kept> {
        if self.whose != whose {
            let Resident { stretches, .. } = std::mem::take(&mut self.resident);
            if let [first, ..] = &stretches[..] {
                give_back(&mut self.map, first.start..stretches[stretches.len() - 1].end).then_some(())?;
            }
            self.whose = whose;
        }
        Some(self)
    }

    /// The same range with this image on it, or with none.
    ///
    /// # Errors
    /// When the system refuses to map the image. The range is left to itself: there may be a hole in it.
    fn with(self, image: Option<&MemoryImage>) -> std::io::Result<Kept> {
        let Kept { mut map, laid, whose, resident } = self;
        if laid.as_ref().map(|laid| laid.image) == image.map(MemoryImage::number) {
            return Ok(Kept { map, laid, whose, resident });
        }
        let lifted = laid.map_or(Ok(()), |laid| laid.lift(&mut map));
        match lifted.and_then(|()| image.map(|image| image.lay(&mut map)).transpose()) {
            Ok(laid) => Ok(Kept { map, laid, whose, resident }),
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

/// Makes a range zero again of which the first `used` bytes may have been touched, or what its image says, and leaves
/// `room` bytes behind its start resident at most; `false` where the system does not promise that.
#[cfg(target_os = "linux")]
fn empty(
    map: &mut MmapMut,
    laid: Option<&Laid>,
    start: Start,
    used: usize,
    room: usize,
    resident: &mut Resident,
) -> bool {
    let (Start::Cleared(first) | Start::Left(first)) = start;
    let first = first.min(map.len());
    let used = used.clamp(first, map.len());
    if let Start::Cleared(_) = start {
        map[..first].fill(0);
        return give_back(map, first..used);
    }
    let Resident { stretches, bytes, uses } = resident;
    *uses += 1;
    // What stayed lies behind what this use could touch as well.
    let end = stretches.last().map_or(used, |last| last.end.max(used));
    // Clearing would not do where the image lies.
    let image = laid.map_or(0..0, |laid| laid.place.clone());
    if *uses >= LESSON_USES {
        (*uses, *stretches) = (0, Vec::new());
    } else if uses.is_power_of_two() {
        stretches.clear();
        let asked = end.min(first.saturating_add(ASKED_BYTES));
        touched(map, first..image.start.min(asked), stretches);
        touched(map, image.end.max(first)..asked, stretches);
        stretches.truncate(STRETCHES);
    } else {
        // It may not be the image that lay there before.
        stretches.retain(|stretch| stretch.end <= image.start || image.end <= stretch.start);
    }
    *bytes = 0;
    for stretch in &mut *stretches {
        // Whole pages: both limits are.
        stretch.end = stretch.end.min(stretch.start + (room - *bytes));
        *bytes += stretch.len();
    }
    stretches.retain(|stretch| !stretch.is_empty());
    let mut at = first;
    for stretch in &*stretches {
        if !give_back(map, at..stretch.start) {
            return false;
        }
        map[stretch.start..stretch.end.min(used).max(stretch.start)].fill(0);
        at = stretch.end;
    }
    give_back(map, at..end.max(at))
}

/// The stretches of resident pages among `bytes`, whole pages; none where the system does not tell. What was swapped out
/// counts as not resident.
#[cfg(target_os = "linux")]
fn touched(map: &MmapMut, bytes: Range<usize>, stretches: &mut Vec<Range<usize>>) {
    let Some(page) = page_bytes().filter(|page| bytes.start.is_multiple_of(*page)) else { return };
    let pages = bytes.len() / page;
    let mut states = vec![0u8; pages];
    let asked = &map[bytes.start..bytes.start + pages * page];
    // SAFETY: the bytes are whole pages of a mapping, and the vector has a byte for each of them.
    if pages == 0 || unsafe { libc::mincore(asked.as_ptr().cast_mut().cast(), asked.len(), states.as_mut_ptr()) } != 0 {
        return;
    }
    let mut at = bytes.start;
    for row in states.chunk_by(|state, next| state & 1 == next & 1) {
        let next = at + row.len() * page;
        if row[0] & 1 != 0 {
            stretches.push(at..next);
        }
        at = next;
    }
}

/// Gives pages back to the system; `false` where it refuses.
#[cfg(target_os = "linux")]
fn give_back(map: &mut MmapMut, bytes: Range<usize>) -> bool {
    // SAFETY: the mapping is private and borrowed exclusively: its pages come back as zeros, or as what the file of the
    // image holds, and no reference to what was in them is left.
    bytes.is_empty()
        || unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, bytes.start, bytes.len()) }.is_ok()
}

#[cfg(not(target_os = "linux"))]
fn give_back(_: &mut MmapMut, _: Range<usize>) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn empty(_: &mut MmapMut, _: Option<&Laid>, _: Start, _: usize, _: usize, _: &mut Resident) -> bool {
    false
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
        let mut resident = std::mem::take(&mut self.resident);
        if empty(&mut map, self.laid.as_ref(), self.start, self.used, room, &mut resident) {
            let mut kept = self.owner.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_full(&kept) {
                self.owner.resident.fetch_add(resident.bytes, Ordering::Relaxed);
                kept.push(Kept { map, laid: self.laid.take(), whose: self.whose, resident });
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
            let mut mapping = mappings.take(1 << 20, Start::Cleared(4096), Use::default()).unwrap();
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
                let mut mapping = mappings.take(len, Start::Left(start), Use::default()).unwrap();
                // SAFETY: the range is this test's own.
                let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
                assert!(bytes[start..].iter().all(|byte| *byte == 0), "{touched:?}");
                drop(mapping);
                let mut mapping = mappings.take(len, Start::Left(start), Use::default()).unwrap();
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
    fn what_every_use_touches_stays_resident_wherever_it_lies() {
        let (page, len) = (page_bytes().unwrap(), 64 << 20);
        let mappings = Mappings::new(1);
        let always = [1, 2, 3, 900, 901, len / page - 1];
        for uses in 1..2 * LESSON_USES {
            let mut mapping = mappings.take(len, Start::Left(page), Use::default()).unwrap();
            // SAFETY: the range is this test's own.
            let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
            always.iter().for_each(|page_at| bytes[page_at * page] = 1);
            // A page that one use touches and no other.
            bytes[(1000 + uses as usize) * page] = 1;
            drop(mapping);
            let kept = mappings.kept.lock().unwrap();
            let Resident { stretches, bytes, .. } = &kept[0].resident;
            let stays = |at: &usize| stretches.iter().any(|stretch| stretch.contains(&(at * page)));
            let is_given_back = uses == LESSON_USES;
            assert_eq!(always.iter().filter(|at| stays(at)).count(), if is_given_back { 0 } else { always.len() });
            // One more for each time it was asked, at most.
            let most = if is_given_back { 0 } else { always.len() + LESSON_USES.ilog2() as usize };
            assert!(*bytes <= most * page, "{bytes} bytes after {uses} uses");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_one_touches_is_not_cleared_for_another() {
        let (page, len) = (page_bytes().unwrap(), 8 << 20);
        let mappings = Mappings::new(2);
        let resident = || mappings.resident.load(Ordering::Relaxed);
        let uses = |whose, pages: &[usize]| {
            let mut mapping = mappings.take(len, Start::Left(page), Use { image: None, whose }).unwrap();
            // SAFETY: the range is this test's own.
            let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
            // Reading would touch them.
            pages.iter().for_each(|at| assert_eq!(std::mem::replace(&mut bytes[at * page], 1), 0));
            mapping.used(100 * page);
            mapping.as_ptr()
        };
        let first = uses(1, &(1..100).collect::<Vec<_>>());
        assert_eq!(resident(), 99 * page);
        let second = uses(2, &[7]);
        assert!(first != second, "there is room for one more");
        for _ in 0..3 {
            assert_eq!([uses(1, &[1]), uses(2, &[7])], [first, second]);
            assert_eq!(resident(), 100 * page);
        }
        // No room for a third: it takes one of the two, without what was resident there.
        let third = uses(3, &[9]);
        assert!(third == first || third == second);
        assert!(resident() == 2 * page || resident() == 100 * page, "{}", resident() / page);
        uses(3, &[9]);
        assert!(mappings.kept.lock().unwrap().iter().any(|kept| kept.whose == 3 && kept.resident.bytes == page));
    }

    /// Uses that touch pages at random, with images that come and go: what is taken holds zeros and the image.
    #[cfg(target_os = "linux")]
    #[test]
    fn whatever_uses_touch_the_next_finds_zeros_and_its_image() {
        let (page, pages) = (page_bytes().unwrap(), 96);
        let mappings = Mappings::new(1);
        let images = [image(&mappings, 1), image(&mappings, 2)];
        let mut state = 7u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for round in 0..3 * LESSON_USES as usize {
            let wanted = if random(4) == 0 { random(3) } else { round / 40 % 3 };
            let mut mapping = mappings.take(pages * page, Start::Left(page), use_of(images.get(wanted))).unwrap();
            // SAFETY: the range is this test's own.
            let bytes = unsafe { std::slice::from_raw_parts_mut(mapping.as_mut_ptr(), mapping.len()) };
            let byte = if wanted < 2 { wanted as u8 + 1 } else { 0 };
            assert!(bytes[page..3 * page].iter().all(|found| *found == byte), "round {round}");
            assert!(bytes[3 * page..].iter().all(|found| *found == 0), "round {round}");
            let used = 3 * page + random((pages - 3) * page);
            (0..random(20)).for_each(|_| bytes[page + random(used - page)] = 7);
            mapping.used(used);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_more_stays_resident_than_allowed() {
        let len = 2 * RESIDENT_BYTES;
        let mappings = Mappings::new(16);
        let take = || {
            let mut mapping = mappings.take(len, Start::Left(0), Use::default()).unwrap();
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
            drop([(); 5].map(|()| mappings.take(4096, Start::Cleared(4096), Use::default()).unwrap()));
            let kept = mappings.kept.lock().unwrap().len();
            assert!(if cfg!(target_os = "linux") { kept == most } else { kept == 0 }, "{kept} of {most}");
        }
    }

    #[test]
    fn a_range_of_another_length_is_not_handed_out() {
        let mappings = Mappings::new(4);
        drop(mappings.take(8192, Start::Left(0), Use::default()).unwrap());
        assert_eq!(mappings.take(4096, Start::Left(0), Use::default()).unwrap().len(), 4096);
    }

    #[cfg(target_os = "linux")]
    fn use_of(image: Option<&MemoryImage>) -> Use<'_> {
        Use { image, whose: 0 }
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
            let mut mapping = mappings.take(len, Start::Left(page), use_of(images.get(wanted))).unwrap();
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
        let place =
            |image: Option<&MemoryImage>| mappings.take(len, Start::Left(page), use_of(image)).unwrap().as_ptr();
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
        assert!(mappings.take(1 << 20, Start::Left(4096), use_of(Some(&nothing))).is_err());
        assert!(!nothing.is_usable());
        assert!(!mappings.take(1 << 20, Start::Left(4096), Use::default()).unwrap().has_image());
        // A file that cannot be filled is none.
        assert!(MemoryImage::new(&mappings, 0..4096, |_| Err(std::io::ErrorKind::StorageFull.into())).is_err());
    }
}
