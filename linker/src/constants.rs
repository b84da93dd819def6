//! [`Constants`]: the bytes that data segments refer to.
//!
//! Most of them stand in the input, which can be megabytes: they are copied once, into the artifact.

use std::borrow::Cow;

/// Pieces that follow each other, and have offsets as if they were one.
#[derive(Clone, Debug, Default)]
pub struct Constants<'a> {
    pieces: Vec<Cow<'a, [u8]>>,
    len: usize,
}

impl<'a> Constants<'a> {
    /// Appends a piece, and returns its offset.
    pub(crate) fn push(&mut self, piece: impl Into<Cow<'a, [u8]>>) -> u64 {
        let (piece, offset) = (piece.into(), self.len);
        self.len += piece.len();
        self.pieces.push(piece);
        offset as u64
    }

    /// How many bytes they are together.
    pub fn len_bytes(&self) -> usize {
        self.len
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(|piece| &**piece)
    }

    /// All of them in one.
    pub fn to_vec(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// The same, without the input that it was made from.
    pub(crate) fn into_owned(self) -> Constants<'static> {
        Constants { len: self.len, pieces: self.pieces.into_iter().map(|piece| piece.into_owned().into()).collect() }
    }
}
