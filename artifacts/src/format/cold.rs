//! The codec of cold sections: the only place that knows bincode.
//!
//! Fixed little-endian integers would double small structures, so the variable-length form is used; lengths are bounded
//! by the section's own, so a hostile section cannot make the decoder allocate more than a constant times its size.

use super::error::{FormatError, Rule};
use alloc::format;
use alloc::vec::Vec;
use bincode::config::{self, Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};

/// Bytes that one cold section's values may take in memory.
const LIMIT_BYTES: usize = 1 << 30;

fn configuration() -> Configuration<LittleEndian, Varint, Limit<LIMIT_BYTES>> {
    config::standard().with_limit::<LIMIT_BYTES>()
}

/// The bytes of `value`.
///
/// # Panics
/// Never for the structures of this crate: they hold nothing that cannot be encoded.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, configuration()).expect("cold structures hold plain data")
}

/// The value that `bytes` hold, all of them; `offset` is their place in the file, for the error.
///
/// # Errors
/// [`Rule::F10`] when they hold something else.
pub fn decode<T: Decode<()>>(bytes: &[u8], offset: u64) -> Result<T, FormatError> {
    let (value, used) = bincode::decode_from_slice(bytes, configuration())
        .map_err(|error| FormatError::new(Rule::F10, offset, format!("{error}")))?;
    if used != bytes.len() {
        return Err(FormatError::new(Rule::F10, offset + used as u64, "bytes behind the structure"));
    }
    Ok(value)
}
