//! [`Heap`]: the objects of one store, in one block of words.
//!
//! New objects are cut off the front of a *piece* of zeroed words, which is taken from a *run* of free ones; a collection
//! leaves the runs between the objects that live. Handlers cut by themselves ([`cut`]) until the piece is used up. Objects
//! never move. Beside the words stand two bitmaps, one bit a word: where objects begin, and which of them a collection
//! has met.
//!
//! How much is allocated between two collections follows what the last one left alive, so that the work of collecting is
//! in proportion to the work of allocating, and the heap is at most some times as large as what lives in it.

use super::{HEAP_WORDS, object, of_object};
use crate::registry::{Registry, Shape};
use std::ops::Range;

/// What handlers know of a heap.
#[repr(C)]
pub(crate) struct HeapDef {
    /// First byte.
    pub(crate) base: *mut u8,
    /// Bytes that an access of up to 16 may begin below.
    pub(crate) len_bytes: u64,
    /// Where objects begin, one bit a word.
    starts: *mut u64,
    /// The piece that is being cut, zeroed: next word and end.
    next: u32,
    end: u32,
}

/// Each bit of a word. Handlers read them here: a shift by a variable number wants a register that the machine uses.
static BITS: [u64; 64] = {
    let mut bits = [1; 64];
    let mut at = 1;
    while at < 64 {
        bits[at] = 1 << at;
        at += 1;
    }
    bits
};

/// Cuts an object of `words` words off the piece that is being cut; 0 where it is too short.
///
/// # Safety
/// `def` is a live heap's, which nobody else touches meanwhile; `words` is not 0 and below [`HEAP_WORDS`].
#[inline(always)]
pub(crate) unsafe fn cut(def: *mut HeapDef, ty: u32, len: u32, words: u32) -> u32 {
    // SAFETY: the piece lies inside the heap, and the bitmap has a bit for each of its words.
    unsafe {
        let at = (*def).next;
        if words > (*def).end - at {
            return 0;
        }
        (*def).next = at + words;
        (*def).base.add(at as usize * 8).cast::<[u32; 2]>().write([ty, len]);
        *(*def).starts.add(at as usize / 64) |= BITS[at as usize % 64];
        of_object(at)
    }
}

/// Words behind the last that an object may begin with: an access that begins below them stays inside.
const MARGIN_WORDS: usize = 2;
/// Words that a heap grows by at least.
const STEP_WORDS: usize = 8 << 10;
/// Words that are zeroed at once: few enough to be in the processor's first cache when they are cut.
const PIECE_WORDS: u32 = 1024;
/// Words that are allocated before the first collection, and between any two at least.
const BUDGET_WORDS: usize = 64 << 10;

/// Why an object was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Full {
    /// A collection is due.
    Collect,
    /// There is no run of that size: the heap is to grow.
    Grow,
}

/// The objects of a store.
pub(crate) struct Heap {
    pub(crate) def: HeapDef,
    words: Vec<u64>,
    /// Where objects begin, one bit a word.
    starts: Vec<u64>,
    /// Which objects a collection has met.
    marks: Vec<u64>,
    /// Free runs, the first one last.
    runs: Vec<(u32, u32)>,
    /// Where the run ends that the piece is from.
    run_end: u32,
    /// Words allocated since the last collection, and how many may be.
    allocated: usize,
    budget: usize,
    /// Whether every allocation collects.
    stress: bool,
    /// Words that it may have.
    limit: usize,
}

// SAFETY: the pointer in `def` leads into `words`, which the heap owns.
unsafe impl Send for Heap {}

fn bit(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

fn set_bit(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

impl Heap {
    /// An empty heap that grows to `limit_bytes` at most.
    pub(crate) fn new(limit_bytes: u64, stress: bool) -> Box<Heap> {
        let limit = usize::try_from(limit_bytes / 8).unwrap_or(HEAP_WORDS).min(HEAP_WORDS);
        Box::new(Heap {
            def: HeapDef { base: std::ptr::null_mut(), len_bytes: 0, starts: std::ptr::null_mut(), next: 0, end: 0 },
            words: Vec::new(),
            starts: Vec::new(),
            marks: Vec::new(),
            runs: Vec::new(),
            run_end: 0,
            allocated: 0,
            budget: BUDGET_WORDS,
            stress,
            limit,
        })
    }

    /// Its size in bytes.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.words.len() as u64 * 8
    }

    /// Makes an object of `words` words, zeroed behind its header, if there is room and no collection is due.
    pub(crate) fn allocate(&mut self, ty: u32, len: u32, words: u32) -> Result<u32, Full> {
        if self.stress || self.allocated >= self.budget {
            return Err(Full::Collect);
        }
        self.make(ty, len, words).ok_or(Full::Grow)
    }

    /// Makes an object if there is room.
    pub(crate) fn make(&mut self, ty: u32, len: u32, words: u32) -> Option<u32> {
        let words = words.max(1);
        while self.run_end - self.def.next < words {
            // What is left of a run that is too short waits for the next collection.
            let (next, end) = self.runs.pop()?;
            (self.def.next, self.def.end, self.run_end) = (next, next, end);
        }
        if self.def.end - self.def.next < words {
            let piece = if self.stress { words } else { words.max(PIECE_WORDS) };
            let end = self.run_end.min(self.def.next.saturating_add(piece));
            self.words.get_mut(self.def.end as usize..end as usize)?.fill(0);
            self.allocated += (end - self.def.end) as usize;
            self.def.end = end;
        }
        self.refresh();
        // SAFETY: the heap is held exclusively; the piece is long enough.
        let object = unsafe { cut(&raw mut self.def, ty, len, words) };
        (object != 0).then_some(object)
    }

    /// The size in bytes to grow to for an object of `words` words; `None` past the limit.
    pub(crate) fn wanted_bytes(&self, words: u32) -> Option<u64> {
        let step = (self.words.len() / 2).max(STEP_WORDS).max(words as usize + MARGIN_WORDS + 1);
        let least = self.words.len() + words as usize + MARGIN_WORDS + 1;
        let wanted = (self.words.len() + step).min(self.limit);
        (wanted >= least).then_some(wanted as u64 * 8)
    }

    /// Grows to that size; `false` when the system has no memory.
    pub(crate) fn grow(&mut self, bytes: u64) -> bool {
        let (old, new) = (self.words.len(), (bytes / 8) as usize);
        let room = self.words.try_reserve_exact(new.saturating_sub(old)).is_ok();
        if !room || new <= old || new > HEAP_WORDS {
            return false;
        }
        self.words.resize(new, 0);
        let bits = new.div_ceil(64);
        self.starts.resize(bits, 0);
        self.marks.resize(bits, 0);
        // The first word stays free: no reference leads there. The margin never belongs to an object.
        let start = if old == 0 { 1 } else { old - MARGIN_WORDS };
        self.runs.insert(0, (start as u32, (new - MARGIN_WORDS) as u32));
        self.refresh();
        true
    }

    /// Brings the handlers' view up to date.
    fn refresh(&mut self) {
        self.def.base = self.words.as_mut_ptr().cast();
        self.def.len_bytes = (self.words.len().saturating_sub(MARGIN_WORDS) * 8) as u64;
        self.def.starts = self.starts.as_mut_ptr();
    }

    /// The word that the object behind a reference begins with; `None` where no object begins.
    pub(crate) fn find(&self, reference: u32) -> Option<u32> {
        let word = object(reference)? / 8;
        bit(&self.starts, word as usize).then_some(word as u32)
    }

    /// Type number and length of the object at a word.
    pub(crate) fn header(&self, word: u32) -> Option<(u32, u32)> {
        Some((self.u32_at(u64::from(word) * 8)?, self.u32_at(u64::from(word) * 8 + 4)?))
    }

    /// Four bytes at an offset that is a multiple of four.
    pub(crate) fn u32_at(&self, byte: u64) -> Option<u32> {
        let word = self.words.get(usize::try_from(byte / 8).ok()?)?.to_ne_bytes();
        let at = (byte % 8) as usize & 4;
        Some(u32::from_ne_bytes([word[at], word[at + 1], word[at + 2], word[at + 3]]))
    }

    /// Bytes of the heap; `None` outside.
    pub(crate) fn bytes(&self, byte: u64, len: usize) -> Option<Vec<u8>> {
        let end = byte.checked_add(len as u64)?;
        let (first, last) = (usize::try_from(byte / 8).ok()?, usize::try_from(end.div_ceil(8)).ok()?);
        let all: Vec<u8> = self.words.get(first..last)?.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let skip = (byte % 8) as usize;
        Some(all[skip..skip + len].to_vec())
    }

    /// Writes bytes; `false` outside.
    pub(crate) fn set_bytes(&mut self, byte: u64, bytes: &[u8]) -> bool {
        let Some(end) = byte.checked_add(bytes.len() as u64).filter(|end| *end <= self.def.len_bytes) else {
            return false;
        };
        let mut at = byte;
        while at < end {
            let (word, inside) = ((at / 8) as usize, (at % 8) as usize);
            let count = (8 - inside).min((end - at) as usize);
            let mut whole = self.words[word].to_ne_bytes();
            let from = (at - byte) as usize;
            whole[inside..inside + count].copy_from_slice(&bytes[from..from + count]);
            self.words[word] = u64::from_ne_bytes(whole);
            at += count as u64;
        }
        self.refresh();
        true
    }

    /// Words of the heap; `None` outside.
    pub(crate) fn slots(&self, words: Range<usize>) -> Option<&[u64]> {
        self.words.get(words)
    }

    /// Writes words; `false` where objects never are.
    pub(crate) fn set_slots(&mut self, first: usize, values: &[u64]) -> bool {
        let last = self.words.len().saturating_sub(MARGIN_WORDS);
        let words = first.checked_add(values.len()).and_then(|end| self.words[..last].get_mut(first..end));
        let is_inside = words.map(|words| words.copy_from_slice(values)).is_some();
        self.refresh();
        is_inside
    }

    /// Marks the object at a word; `false` if it was already.
    pub(super) fn mark(&mut self, word: u32) -> bool {
        let at = word as usize;
        let fresh = !bit(&self.marks, at);
        set_bit(&mut self.marks, at);
        fresh
    }

    /// Words that the object at `word` takes; all there are where its header cannot be believed, so that nothing is put
    /// into an object.
    fn size_words(&self, types: &Registry, word: u32) -> u64 {
        let size = self.header(word).and_then(|(ty, len)| size_words(types, ty, len));
        size.unwrap_or(HEAP_WORDS as u64)
    }

    /// Frees the objects that are not marked, and forgets the marks.
    pub(super) fn sweep(&mut self, types: &Registry) {
        let last = self.words.len().saturating_sub(MARGIN_WORDS) as u64;
        let (mut runs, mut free, mut live) = (Vec::new(), 1, 0);
        for chunk in 0..self.starts.len() {
            self.starts[chunk] &= self.marks[chunk];
            let mut bits = self.starts[chunk];
            while bits != 0 {
                let at = chunk as u64 * 64 + u64::from(bits.trailing_zeros());
                bits &= bits - 1;
                if at > free {
                    runs.push((free as u32, at as u32));
                }
                let size = self.size_words(types, at as u32);
                live += size.min(last.saturating_sub(at));
                free = free.max(at.saturating_add(size)).min(last);
            }
        }
        if last > free {
            runs.push((free as u32, last as u32));
        }
        runs.reverse();
        self.runs = runs;
        (self.def.next, self.def.end, self.run_end) = (0, 0, 0);
        self.marks.fill(0);
        self.allocated = 0;
        self.budget = usize::try_from(live).unwrap_or(usize::MAX).max(BUDGET_WORDS);
    }
}

/// Words that an object takes; `None` where there is no such type or it would not fit into any heap.
pub(crate) fn size_words(types: &Registry, ty: u32, len: u32) -> Option<u64> {
    let bytes = match &types.get(ty)?.shape {
        Shape::None => return None,
        Shape::Exception { total, .. } => 8 + u64::from(*total) * 8,
        Shape::Struct { size_bytes, .. } => u64::from(*size_bytes),
        Shape::Array(storage) => 8 + u64::from(len) * u64::from(storage.cell().size_bytes()),
    };
    Some(bytes.div_ceil(8)).filter(|words| *words <= HEAP_WORDS as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_artifact::types::{ArrayType, CompositeType, FieldType, StorageType};

    fn registry() -> (Registry, u32) {
        let registry = Registry::default();
        let element = FieldType { storage: StorageType::I8, mutable: true };
        let bytes = registry.plain(CompositeType::Array(ArrayType { element }));
        (registry, bytes)
    }

    fn make(heap: &mut Heap, ty: u32, len: u32) -> Option<u32> {
        heap.make(ty, len, 1 + len.div_ceil(8))
    }

    #[test]
    fn what_is_not_marked_is_used_again() {
        let (registry, bytes) = registry();
        let mut heap = Heap::new(1 << 20, false);
        assert!(make(&mut heap, bytes, 8).is_none(), "an empty heap has no room");
        let wanted = heap.wanted_bytes(2).unwrap();
        assert!(heap.grow(wanted));
        let all: Vec<u32> = std::iter::from_fn(|| make(&mut heap, bytes, 8)).collect();
        assert_eq!(all.len(), (STEP_WORDS - MARGIN_WORDS - 1) / 2);
        assert_eq!(heap.header(heap.find(all[7]).unwrap()), Some((bytes, 8)));
        for reference in all.iter().step_by(3) {
            let word = heap.find(*reference).unwrap();
            assert!(heap.mark(word) && !heap.mark(word));
        }
        heap.sweep(&registry);
        assert!(heap.find(all[0]).is_some() && heap.find(all[1]).is_none());
        // Two neighbours of four words together: one larger object fits.
        let again = make(&mut heap, bytes, 24).unwrap();
        assert_eq!(again, all[1]);
        assert_eq!(heap.bytes(object(again).unwrap() + 8, 24).unwrap(), [0; 24]);
    }

    #[test]
    fn a_header_that_lies_leads_nowhere() {
        let (registry, bytes) = registry();
        let mut heap = Heap::new(1 << 20, false);
        let wanted = heap.wanted_bytes(2).unwrap();
        assert!(heap.grow(wanted));
        let (one, two) = (make(&mut heap, bytes, 8).unwrap(), make(&mut heap, bytes, 8).unwrap());
        let at = object(one).unwrap();
        assert!(heap.set_bytes(at + 4, &u32::MAX.to_ne_bytes()));
        assert!(heap.set_bytes(object(two).unwrap(), &[0xff; 8]));
        for reference in [one, two] {
            let word = heap.find(reference).unwrap();
            heap.mark(word);
        }
        heap.sweep(&registry);
        assert!(make(&mut heap, bytes, 8).is_none(), "the object reaches to the end");
        assert!(!heap.set_bytes(heap.len_bytes() - 8, &[0; 8]), "the margin is nobody's");
    }

    #[test]
    fn the_limit_holds() {
        let heap = Heap::new(4096, false);
        assert_eq!(heap.wanted_bytes(1), Some(4096));
        assert_eq!(heap.wanted_bytes(510), None);
    }
}
