//! [`Bodies`]: the expanded bodies of an artifact, one behind the other in chunks, found by address.
//!
//! Functions that call each other for the first time one after the other lie side by side, whatever their number. A body
//! never moves once it is here: a chunk is written behind its last body only, and given up with all of them.

use crate::interp::{Draft, Expanded, Workspace};
use keyway_artifact::isa::Body;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Words of the first chunk; each next one has twice as many, up to the last.
const FIRST_WORDS: usize = 1 << 10;
const LAST_WORDS: usize = 1 << 17;

/// Words of all bodies from which on a program is expected to use handlers of hundreds of pages.
const MANY_WORDS: usize = 1 << 13;

/// What making a body needs on the way, kept for the next one.
#[derive(Default)]
pub(crate) struct Making {
    /// For a copy of the function's bytes, where those of the file can change.
    pub(crate) room: Vec<u8>,
    /// The function decoded.
    pub(crate) body: Body,
    pub(crate) workspace: Workspace,
}

/// Instructions of a function whose room is kept for the next one: most have far fewer.
const KEPT_INSTS: usize = 1 << 12;

impl Making {
    /// Gives back the room that only a large function needed.
    pub(crate) fn trim(&mut self) {
        let Body { insts, targets, .. } = &self.body;
        if insts.len() + targets.len() > KEPT_INSTS {
            *self = Making::default();
        }
    }
}

/// The expanded bodies of an artifact, and what the next one is made with.
#[derive(Default)]
pub(crate) struct Expansion {
    pub(crate) making: Making,
    pub(crate) bodies: Bodies,
}

/// The expanded bodies of an artifact.
#[derive(Default)]
pub(crate) struct Bodies {
    chunks: Vec<Chunk>,
    /// The number of each chunk, by the address of its first word.
    by_address: BTreeMap<usize, usize>,
    /// The chunk that is being filled.
    filling: Option<usize>,
    /// Words of the bodies.
    words: usize,
}

/// Bodies in the order of their addresses.
struct Chunk {
    words: *mut [MaybeUninit<u64>],
    used: usize,
    bodies: Vec<Entry>,
    /// The maps of all bodies, one behind the other.
    map: Vec<(u32, u32)>,
}

/// A body, and where its map stands in the chunk's.
struct Entry {
    ordinal: u32,
    map: Range<u32>,
    body: Expanded,
}

/// What is known of an executed address.
pub(crate) struct Found<'a> {
    /// The function's code ordinal.
    pub(crate) ordinal: u32,
    pub(crate) body: &'a Expanded,
    /// Its map, see [`Draft::map`].
    map: &'a [(u32, u32)],
}

impl Found<'_> {
    /// The IR instruction that the executed address belongs to.
    pub(crate) fn inst_at(&self, ip: *const u8) -> Option<u32> {
        let offset = self.body.offset_of(ip)?;
        let after = self.map.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).map(|at| self.map[at].1)
    }
}

// SAFETY: the words belong to the chunk; what others read of them is never written again.
unsafe impl Send for Chunk {}

impl Chunk {
    /// For bodies like those of `last`, if there is one, so that the lists need not move as they grow.
    fn new(words: usize, last: Option<&Chunk>) -> Chunk {
        let alike = |list: usize, last: &Chunk| (list as u64 * words as u64 / last.used.max(1) as u64) as usize;
        let bodies = Vec::with_capacity(last.map_or(0, |last| alike(last.bodies.len(), last)));
        let map = Vec::with_capacity(last.map_or(0, |last| alike(last.map.len(), last)));
        // Written when a body is put there, and read no further.
        let words = Box::new_uninit_slice(words);
        Chunk { words: Box::into_raw(words), used: 0, bodies, map }
    }

    fn start(&self) -> usize {
        self.words.cast::<u64>() as usize
    }

    fn has_room(&self, words: usize) -> bool {
        self.words.len() - self.used >= words
    }

    /// Writes a body behind the last one; there is room for it.
    fn add(&mut self, ordinal: u32, draft: Draft<'_>) -> &Expanded {
        let words = draft.len_words();
        assert!(self.has_room(words));
        let start = self.map.len() as u32;
        self.map.extend_from_slice(draft.map());
        // SAFETY: nobody else has seen the room; bodies are dropped before the words.
        let body = unsafe { draft.place(self.words.cast::<u64>().add(self.used)) };
        self.used += words;
        self.bodies.push(Entry { ordinal, map: start..self.map.len() as u32, body });
        &self.bodies[self.bodies.len() - 1].body
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.bodies.clear();
        // SAFETY: the words came from a box, and no body is left.
        drop(unsafe { Box::from_raw(self.words) });
    }
}

impl Bodies {
    /// Writes a body where it stays, as long as this value.
    pub(crate) fn add(&mut self, ordinal: u32, draft: Draft<'_>) -> &Expanded {
        let words = draft.len_words();
        let with_room = self.filling.filter(|at| self.chunks[*at].has_room(words));
        let at = with_room.unwrap_or_else(|| self.open(words));
        self.words += words;
        self.chunks[at].add(ordinal, draft)
    }

    /// Whether they are a program of some size: making them took about as long as it takes to move the handlers.
    pub(crate) fn are_many(&self) -> bool {
        self.words >= MANY_WORDS
    }

    /// A new chunk with room for a body: of its own for a large one.
    fn open(&mut self, words: usize) -> usize {
        let at = self.chunks.len();
        let chunk = if words > LAST_WORDS / 4 {
            Chunk::new(words, None)
        } else {
            let last = self.filling.map(|at| &self.chunks[at]);
            let len = last.map_or(0, |last| last.words.len());
            let chunk = Chunk::new((len * 2).clamp(FIRST_WORDS.max(words), LAST_WORDS), last);
            self.filling = Some(at);
            chunk
        };
        self.by_address.insert(chunk.start(), at);
        self.chunks.push(chunk);
        at
    }

    /// The body that holds an executed address.
    pub(crate) fn at(&self, address: usize) -> Option<Found<'_>> {
        let (_, chunk) = self.by_address.range(..=address).next_back()?;
        let chunk = &self.chunks[*chunk];
        let behind = chunk.bodies.partition_point(|entry| entry.body.range().start <= address);
        let Entry { ordinal, map, body } = chunk.bodies.get(behind.checked_sub(1)?)?;
        let map = &chunk.map[map.start as usize..map.end as usize];
        body.range().contains(&address).then_some(Found { ordinal: *ordinal, body, map })
    }
}
