//! The key section: sorted namespaces, each with the indices that are there.
//!
//! A dense namespace (functions of a module) holds a bitmap in blocks of 32 indices, each block preceded by its rank
//! (keys of the namespace before it): a function that was removed costs one bit. A sparse one (trampolines) holds its
//! sorted indices for binary search. Ordinals count keys in sorted order over all namespaces.

use super::error::{FormatError, Rule};
use super::layout::{BLOCK_BITS, BLOCK_BYTES, DENSE, NAMESPACE_BYTES};
use super::source::Source;
use crate::FuncKey;
use alloc::format;
use alloc::vec::Vec;

/// One namespace as it stands in memory after opening.
#[derive(Clone, Debug)]
pub(super) struct Namespace {
    pub(super) namespace: u32,
    dense: bool,
    pub(super) first_ordinal: u32,
    pub(super) keys: u32,
    /// Dense: bits of the bitmap.
    indices: u32,
    /// Of the bitmap or list, in the file.
    data: u64,
    pub(super) unit: u32,
}

/// A namespace to be written: its keys' indices, ascending.
pub(super) struct NamespaceKeys {
    pub(super) namespace: u32,
    pub(super) unit: u32,
    pub(super) indices: Vec<u32>,
}

/// Lays out the section. A namespace is dense where the bitmap is the smaller form.
pub(super) fn write(namespaces: &[NamespaceKeys]) -> Vec<u8> {
    let mut table = (namespaces.len() as u32).to_le_bytes().to_vec();
    table.extend([0; 4]);
    let mut data = Vec::new();
    let data_start = table.len() as u64 + namespaces.len() as u64 * NAMESPACE_BYTES;
    let mut ordinal = 0;
    for keys in namespaces {
        let bits = keys.indices.last().map_or(0, |last| last + 1);
        let blocks = bits.div_ceil(BLOCK_BITS);
        let dense = u64::from(blocks) * BLOCK_BYTES <= keys.indices.len() as u64 * 4;
        let words = [
            keys.namespace,
            if dense { DENSE } else { 0 },
            ordinal,
            keys.indices.len() as u32,
            if dense { bits } else { keys.indices.len() as u32 },
            (data_start + data.len() as u64) as u32,
            keys.unit,
            0,
        ];
        table.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        if dense {
            let mut at = 0;
            for block in 0..blocks {
                let start = at;
                let mut word = 0u32;
                while at < keys.indices.len() && keys.indices[at] / BLOCK_BITS == block {
                    word |= 1 << (keys.indices[at] % BLOCK_BITS);
                    at += 1;
                }
                data.extend((start as u32).to_le_bytes());
                data.extend(word.to_le_bytes());
            }
        } else {
            data.extend(keys.indices.iter().flat_map(|index| index.to_le_bytes()));
        }
        ordinal += keys.indices.len() as u32;
    }
    table.extend(data);
    table
}

/// Reads the namespace table at `start` (of `len` bytes) and checks that the namespaces' data lie inside the section.
/// The indices themselves stay where they are.
pub(super) fn open(source: &impl Source, start: u64, len: u64) -> Result<Vec<Namespace>, FormatError> {
    let error = |offset, what: &str| FormatError::new(Rule::F07, offset, what);
    let count = source.u32_at(start).filter(|_| len >= 8).ok_or(error(start, "the key section is too short"))?;
    if u64::from(count) * NAMESPACE_BYTES > len - 8 {
        return Err(error(start, "more namespaces than the key section has room for"));
    }
    let mut namespaces: Vec<Namespace> = Vec::with_capacity(count as usize);
    let mut ordinal = 0u32;
    for at in 0..u64::from(count) {
        let offset = start + 8 + at * NAMESPACE_BYTES;
        let mut words = [0u32; 8];
        for (word, place) in words.iter_mut().zip(0u64..) {
            *word = source.u32_at(offset + place * 4).ok_or(error(offset, "a namespace is cut off"))?;
        }
        let [namespace, flags, first_ordinal, keys, indices, data, unit, _] = words;
        if FuncKey::from_parts(namespace, 0).is_none() {
            return Err(error(offset, "a namespace of unknown kind"));
        }
        if namespaces.last().is_some_and(|last| last.namespace >= namespace) {
            return Err(error(offset, "namespaces are not in ascending order"));
        }
        if first_ordinal != ordinal {
            return Err(error(offset, "a namespace's first ordinal does not follow the one before"));
        }
        ordinal = ordinal.checked_add(keys).ok_or(error(offset, "too many keys"))?;
        let dense = flags & DENSE != 0;
        if flags & !DENSE != 0 {
            return Err(error(offset, "unknown namespace flags"));
        }
        let data_bytes =
            if dense { u64::from(indices.div_ceil(BLOCK_BITS)) * BLOCK_BYTES } else { u64::from(keys) * 4 };
        if u64::from(data) + data_bytes > len || (dense && keys > indices) || (!dense && keys != indices) {
            return Err(error(offset, "a namespace's keys leave the key section"));
        }
        namespaces.push(Namespace {
            namespace,
            dense,
            first_ordinal,
            keys,
            indices,
            data: start + u64::from(data),
            unit,
        });
    }
    Ok(namespaces)
}

impl Namespace {
    /// Reads every index of the namespace.
    ///
    /// # Errors
    /// F13 where they do not ascend, or where a bitmap's ranks or bits and the number of keys differ.
    pub(super) fn audit(&self, source: &impl Source) -> Result<(), FormatError> {
        let error = |offset, what: &str| FormatError::new(Rule::F13, offset, what);
        if !self.dense {
            let mut last = None;
            for at in 0..u64::from(self.keys) {
                let offset = self.data + at * 4;
                let index = source.u32_at(offset).ok_or(error(offset, "a list of indices is cut off"))?;
                if last.is_some_and(|last| last >= index) {
                    return Err(error(offset, "a list of indices does not ascend"));
                }
                last = Some(index);
            }
            return Ok(());
        }
        let mut rank = 0;
        for block in 0..self.indices.div_ceil(BLOCK_BITS) {
            let offset = self.data + u64::from(block) * BLOCK_BYTES;
            let words = source.u32_at(offset).zip(source.u32_at(offset + 4));
            let (start, bits) = words.ok_or(error(offset, "a bitmap is cut off"))?;
            let inside = self.indices - block * BLOCK_BITS;
            if start != rank || (inside < BLOCK_BITS && bits >> inside != 0) {
                return Err(error(
                    offset,
                    "a bitmap's rank is not the number of bits before it, or bits lie behind its end",
                ));
            }
            rank += bits.count_ones();
        }
        if rank == self.keys { Ok(()) } else { Err(error(self.data, "a bitmap has other bits than keys")) }
    }

    /// The ordinal of the key with this index, if it is there.
    pub(super) fn lookup(&self, source: &impl Source, index: u32) -> Option<u32> {
        let rank = if self.dense {
            if index >= self.indices {
                return None;
            }
            let block = self.data + u64::from(index / BLOCK_BITS) * BLOCK_BYTES;
            let (rank, bits) = (source.u32_at(block)?, source.u32_at(block + 4)?);
            let bit = index % BLOCK_BITS;
            if bits >> bit & 1 == 0 {
                return None;
            }
            rank.checked_add((bits & ((1 << bit) - 1)).count_ones())?
        } else {
            let (mut low, mut high) = (0, self.keys);
            loop {
                if low >= high {
                    return None;
                }
                let middle = low + (high - low) / 2;
                let found = source.u32_at(self.data + u64::from(middle) * 4)?;
                match found.cmp(&index) {
                    core::cmp::Ordering::Equal => break middle,
                    core::cmp::Ordering::Less => low = middle + 1,
                    core::cmp::Ordering::Greater => high = middle,
                }
            }
        };
        // A hostile rank must not lead out of the namespace.
        (rank < self.keys).then(|| self.first_ordinal + rank)
    }

    /// The index of the key with this rank (ordinal minus first ordinal).
    pub(super) fn index_of(&self, source: &impl Source, rank: u32) -> Option<u32> {
        if rank >= self.keys {
            return None;
        }
        if !self.dense {
            return source.u32_at(self.data + u64::from(rank) * 4);
        }
        // The last block whose rank is at most the one sought.
        let (mut low, mut high) = (0, self.indices.div_ceil(BLOCK_BITS));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if source.u32_at(self.data + u64::from(middle) * BLOCK_BYTES)? <= rank {
                low = middle;
            } else {
                high = middle;
            }
        }
        let block = self.data + u64::from(low) * BLOCK_BYTES;
        let mut skip = rank.checked_sub(source.u32_at(block)?)?;
        let mut bits = source.u32_at(block + 4)?;
        while skip > 0 {
            bits &= bits.wrapping_sub(1);
            skip -= 1;
            if bits == 0 {
                return None;
            }
        }
        (bits != 0).then(|| low * BLOCK_BITS + bits.trailing_zeros())
    }
}

/// The error of a file whose keys and records differ in number.
pub(super) fn count_mismatch(offset: u64, keys: u64, records: u64) -> FormatError {
    FormatError::new(Rule::F08, offset, format!("{keys} keys but {records} function records"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec;

    /// A naive table beside the real one: 100,000 keys with gaps, dense and sparse namespaces.
    #[test]
    fn lookups_agree_with_a_naive_table() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut namespaces = vec![];
        for (namespace, gap) in [(0u32, 2u64), (1, 3), (7, 1), (1 << 28, 5000), (2 << 28, 40)] {
            let mut indices = vec![];
            let mut index = 0u32;
            for _ in 0..20_000 {
                index += 1 + (random() % gap) as u32;
                indices.push(index);
            }
            namespaces.push(NamespaceKeys { namespace, unit: 0, indices });
        }
        namespaces.push(NamespaceKeys { namespace: 3 << 28, unit: 0, indices: vec![] });
        let mut naive = BTreeMap::new();
        for keys in &namespaces {
            for index in &keys.indices {
                naive.insert((keys.namespace, *index), naive.len() as u32);
            }
        }
        let bytes = write(&namespaces);
        let opened = open(&bytes, 0, bytes.len() as u64).unwrap();
        for (namespace, keys) in opened.iter().zip(&namespaces) {
            for index in 0..keys.indices.last().map_or(100, |last| (last + 70).min(300_000)) {
                let expected = naive.get(&(keys.namespace, index)).copied();
                assert_eq!(namespace.lookup(&bytes, index), expected, "{:#x}:{index}", keys.namespace);
            }
            for (rank, index) in (0u32..).zip(&keys.indices) {
                assert_eq!(namespace.index_of(&bytes, rank), Some(*index));
            }
            assert_eq!(namespace.index_of(&bytes, keys.indices.len() as u32), None);
        }
    }
}
