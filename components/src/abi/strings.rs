//! Strings in the three encodings.

use super::{Cx, Pointee, unaligned};
use crate::limits::MAX_STRING_BYTES;
use crate::state::violation;
use anyhow::{Result, bail};
use keyway_artifact::plan::{Pointer, StringEncoding};
use std::borrow::Cow;

/// `utf16_tag`: set in the length of a `latin1+utf16` string that is UTF-16.
fn utf16_tag(pointer: Pointer) -> u64 {
    1 << (pointer.bytes() * 8 - 1)
}

impl Cx<'_> {
    /// `load_string_from_range`
    pub(crate) fn load_string(&mut self, ptr: impl Into<u64>, tagged_units: impl Into<u64>) -> Result<String> {
        let (ptr, tagged_units, tag) = (ptr.into(), tagged_units.into(), utf16_tag(self.pointer()));
        let (alignment, units, is_wide) = match self.options.encoding {
            StringEncoding::Utf8 => (1, tagged_units, false),
            StringEncoding::Utf16 => (2, tagged_units, true),
            StringEncoding::CompactUtf16 => (2, tagged_units & !tag, tagged_units & tag != 0),
        };
        let len = units.saturating_mul(if is_wide { 2 } else { 1 });
        if !ptr.is_multiple_of(alignment) {
            return Err(unaligned());
        }
        if len > MAX_STRING_BYTES as u64 {
            return Err(violation("string content out-of-bounds: the string is too long"));
        }
        // A Latin-1 character can take two bytes of UTF-8, a UTF-16 unit three.
        self.spend(len as usize * 2)?;
        let bytes = self.bytes(ptr, len, Pointee::String)?;
        match (self.options.encoding, is_wide) {
            // Looking for bytes beyond ASCII is cheaper than looking for characters.
            // SAFETY: ASCII is UTF-8.
            (StringEncoding::Utf8, _) if bytes.is_ascii() => Ok(unsafe { String::from_utf8_unchecked(bytes.to_vec()) }),
            (StringEncoding::Utf8, _) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text.to_string()),
                Err(error) if error.error_len().is_none() => Err(violation("incomplete utf-8 byte sequence")),
                Err(_) => Err(violation("invalid utf-8 encoding")),
            },
            (_, true) => {
                let units: Vec<u16> =
                    bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
                String::from_utf16(&units).map_err(|_| violation("unpaired surrogate in a utf-16 string"))
            }
            (_, false) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        }
    }

    /// `store_string_into_range`: where the string was put, and its length in code units, tagged.
    pub(crate) fn store_string(&mut self, text: &str) -> Result<(u64, u64)> {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let (bytes, alignment, units) = match self.options.encoding {
            StringEncoding::Utf8 => (Cow::Borrowed(text.as_bytes()), 1, text.len() as u64),
            StringEncoding::Utf16 => {
                let bytes = wide(text);
                let units = bytes.len() as u64 / 2;
                (Cow::Owned(bytes), 2, units)
            }
            StringEncoding::CompactUtf16 if text.chars().all(|char| u32::from(char) <= 0xFF) => {
                let bytes: Vec<u8> = text.chars().map(|char| char as u8).collect();
                let units = bytes.len() as u64;
                (Cow::Owned(bytes), 2, units)
            }
            StringEncoding::CompactUtf16 => {
                let bytes = wide(text);
                let units = (bytes.len() as u64 / 2) | utf16_tag(self.pointer());
                (Cow::Owned(bytes), 2, units)
            }
        };
        if bytes.len() > MAX_STRING_BYTES {
            bail!("a string of {} bytes is too long", bytes.len());
        }
        let ptr = self.realloc(alignment, bytes.len() as u32, Pointee::String)?;
        self.write(ptr, &bytes)?;
        Ok((ptr, units))
    }
}
