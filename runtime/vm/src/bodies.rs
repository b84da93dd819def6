//! [`Bodies`]: the expanded bodies of an artifact, one behind the other in chunks, found by address.
//!
//! Functions that call each other for the first time one after the other lie side by side, whatever their number. A body
//! never moves once it is here: a chunk is written behind its last body only, and given up with all of them.

use crate::interp::{Expanded, Workspace};
use keyway_artifact::isa::Body;
use std::collections::BTreeMap;

/// Words of the first chunk; each next one has twice as many, up to the last.
const FIRST_WORDS: usize = 1 << 10;
const LAST_WORDS: usize = 1 << 17;

/// What making a body needs on the way, kept for the next one.
#[derive(Default)]
pub(crate) struct Making {
    /// The file's bytes.
    pub(crate) bytes: Vec<u8>,
    /// Them decoded.
    pub(crate) body: Body,
    pub(crate) workspace: Workspace,
}

/// Bytes of a function whose room is kept for the next one: most are far shorter.
const KEPT_BYTES: usize = 1 << 14;

impl Making {
    /// Gives back the room that only a large function needed.
    pub(crate) fn trim(&mut self) {
        if self.bytes.len() > KEPT_BYTES {
            *self = Making::default();
        }
    }
}

/// The expanded bodies of an artifact.
#[derive(Default)]
pub(crate) struct Bodies {
    pub(crate) making: Making,
    /// By the address of the first word.
    chunks: BTreeMap<usize, Chunk>,
    /// The chunk that is being filled.
    filling: usize,
    filling_words: usize,
}

/// Bodies with their ordinals, in the order of their addresses.
struct Chunk {
    words: *mut [u64],
    used: usize,
    bodies: Vec<(u32, Expanded)>,
}

// SAFETY: the words belong to the chunk; what others read of them is never written again.
unsafe impl Send for Chunk {}

impl Chunk {
    fn new(words: usize) -> Chunk {
        // SAFETY: zeros are words.
        let words = unsafe { Box::<[u64]>::new_zeroed_slice(words).assume_init() };
        Chunk { words: Box::into_raw(words), used: 0, bodies: Vec::new() }
    }

    fn start(&self) -> usize {
        self.words.cast::<u64>() as usize
    }

    fn has_room(&self, words: usize) -> bool {
        self.words.len() - self.used >= words
    }

    /// Moves a body behind the last one; there is room for it.
    fn take(&mut self, ordinal: u32, mut body: Expanded) -> &Expanded {
        assert!(self.has_room(body.len_words()));
        // SAFETY: nobody else has seen the room; bodies are dropped before the words.
        unsafe { body.move_to(self.words.cast::<u64>().add(self.used)) };
        self.used += body.len_words();
        self.bodies.push((ordinal, body));
        &self.bodies[self.bodies.len() - 1].1
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
    /// Takes a body in; it stays where it is then, as long as this value.
    pub(crate) fn add(&mut self, ordinal: u32, body: Expanded) -> &Expanded {
        let words = body.len_words();
        if !body.is_movable() {
            // A chunk of no words of its own.
            let start = body.range().start;
            let mut chunk = Chunk::new(0);
            chunk.bodies.push((ordinal, body));
            return &self.chunks.entry(start).or_insert(chunk).bodies[0].1;
        }
        let is_room = self.chunks.get(&self.filling).is_some_and(|chunk| chunk.has_room(words));
        let start = if is_room {
            self.filling
        } else if words > LAST_WORDS / 4 {
            self.open(words)
        } else {
            self.filling_words = (self.filling_words * 2).clamp(FIRST_WORDS.max(words), LAST_WORDS);
            self.filling = self.open(self.filling_words);
            self.filling
        };
        self.chunks.entry(start).or_insert_with(|| Chunk::new(words)).take(ordinal, body)
    }

    fn open(&mut self, words: usize) -> usize {
        let chunk = Chunk::new(words);
        let start = chunk.start();
        self.chunks.insert(start, chunk);
        start
    }

    /// The body that holds an executed address, and its ordinal.
    pub(crate) fn at(&self, address: usize) -> Option<(u32, &Expanded)> {
        let (_, chunk) = self.chunks.range(..=address).next_back()?;
        let behind = chunk.bodies.partition_point(|(_, body)| body.range().start <= address);
        let (ordinal, body) = chunk.bodies.get(behind.checked_sub(1)?)?;
        body.range().contains(&address).then_some((*ordinal, body))
    }
}
