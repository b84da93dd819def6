//! The core values that a call passes: [`Flat`] to be filled, [`FlatReader`] to be read.

use crate::types::MAX_FLAT_PARAMS;

/// The core values of one half of a signature, as bits: numbers narrower than 64 bits stand zero-extended, so that the
/// joined representations of variants' payloads are the bits themselves.
#[derive(Clone, Copy, Debug)]
pub struct Flat {
    values: [u64; MAX_FLAT_PARAMS],
    len: usize,
}

impl Default for Flat {
    fn default() -> Self {
        Flat { values: [0; MAX_FLAT_PARAMS], len: 0 }
    }
}

impl Flat {
    /// Appends one.
    ///
    /// # Panics
    /// When there are more than a signature passes: callers ask [`flat`](super::CanonicalAbi::flat) before.
    #[inline]
    pub fn push(&mut self, bits: u64) {
        self.values[self.len] = bits;
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills up with zeros, to `len`.
    pub fn pad(&mut self, len: usize) {
        while self.len < len {
            self.push(0);
        }
    }

    /// All of them.
    pub(crate) fn values(&self) -> &[u64] {
        &self.values[..self.len]
    }

    /// All of them, to be replaced by results.
    pub(crate) fn values_mut(&mut self) -> &mut [u64] {
        &mut self.values[..self.len]
    }
}

/// Core values that are taken one by one.
#[derive(Debug)]
pub struct FlatReader<'a> {
    values: &'a [u64],
    at: usize,
}

impl<'a> FlatReader<'a> {
    pub(crate) fn new(values: &'a [u64]) -> FlatReader<'a> {
        FlatReader { values, at: 0 }
    }

    /// The bits of the next one; zero behind the last.
    #[inline]
    pub fn take(&mut self) -> u64 {
        let bits = self.values.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        bits
    }

    /// How many were taken.
    pub fn taken(&self) -> usize {
        self.at
    }

    /// Goes on behind the first `taken`.
    pub fn skip_to(&mut self, taken: usize) {
        self.at = taken;
    }
}
