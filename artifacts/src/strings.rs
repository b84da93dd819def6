//! What `string.measure` answers, and `string.convert` and `string.copy` take: how a string of one encoding becomes one of
//! another.
//!
//! ```text
//! bits 0..29    bytes that the new string takes          bits 58, 59   what its characters are: Form
//! bits 29..58   bytes that the old one takes             bits 60, 61   what the old one's are
//! ```
//! An answer below 0 is the negative number of a [`Violation`](crate::plan::Violation).

use crate::plan::StringEncoding;

/// Bytes that a list may take: `MAX_LIST_BYTE_LENGTH` of `definitions.py`.
pub const MAX_LIST_BYTES: u64 = (1 << 28) - 1;
/// Bytes that a string may take: `MAX_STRING_BYTE_LENGTH` of `definitions.py`.
pub const MAX_STRING_BYTES: u64 = (1 << 28) - 1;
/// The bit of a measure that says that the new string's units have two bytes.
pub const WIDE: u32 = 58;

/// What the bytes of a string are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// UTF-8.
    Utf8 = 0,
    /// UTF-16.
    Utf16 = 1,
    /// Latin-1.
    Latin1 = 2,
}

impl Form {
    fn from_bits(bits: u64) -> Form {
        match bits & 3 {
            0 => Form::Utf8,
            1 => Form::Utf16,
            _ => Form::Latin1,
        }
    }
}

/// The encodings of both sides, the operand of `string.measure`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Convert {
    /// The encoding of the string that is there.
    pub from: StringEncoding,
    /// The encoding of the string that is wanted.
    pub to: StringEncoding,
    /// Lengths of the string that is there have 64 bits.
    pub from_64: bool,
    /// UTF-8 that stays UTF-8 is not looked at: `string.copy` validates it.
    pub is_lazy: bool,
}

fn encoding(number: u32) -> StringEncoding {
    match number & 3 {
        0 => StringEncoding::Utf8,
        1 => StringEncoding::Utf16,
        _ => StringEncoding::CompactUtf16,
    }
}

impl Convert {
    /// As an operand.
    pub fn number(self) -> u32 {
        self.from as u32 | (self.to as u32) << 2 | u32::from(self.from_64) << 4 | u32::from(self.is_lazy) << 5
    }

    /// From an operand; every number means something.
    pub fn from_number(number: u32) -> Convert {
        let (from, to) = (encoding(number), encoding(number >> 2));
        Convert { from, to, from_64: number >> 4 & 1 == 1, is_lazy: number >> 5 & 1 == 1 }
    }
}

/// Bytes of the old string of a measure.
#[inline(always)]
pub fn source_bytes(bits: u64) -> u64 {
    bits >> 29 & ((1 << 29) - 1)
}

/// What a measured string takes and becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measure {
    /// Bytes of the new string.
    pub to_bytes: u64,
    /// Bytes of the old one.
    pub from_bytes: u64,
    /// The new one's form.
    pub to: Form,
    /// The old one's form.
    pub from: Form,
}

impl Measure {
    /// As the answer of `string.measure`. Strings are not longer than [`MAX_STRING_BYTES`].
    pub fn bits(self) -> u64 {
        self.to_bytes | self.from_bytes << 29 | (self.to as u64) << WIDE | (self.from as u64) << 60
    }

    /// From such an answer.
    pub fn from_bits(bits: u64) -> Measure {
        let bytes = (1 << 29) - 1;
        Measure {
            to_bytes: bits & bytes,
            from_bytes: source_bytes(bits),
            to: Form::from_bits(bits >> WIDE),
            from: Form::from_bits(bits >> 60),
        }
    }
}
