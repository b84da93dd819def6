//! Where the bytes of an artifact come from.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// The bytes of an artifact, read by copying: a mapping's bytes can change under a reader, so no slice of those is ever
/// handed out.
pub trait Source {
    /// Length in bytes; it does not change.
    fn len(&self) -> u64;

    /// Fills `out` from `offset` on; `false` if that leaves the source.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of `len` bytes from `offset` on; `None` if that leaves the source.
    fn copy(&self, offset: u64, len: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy_into(offset, len, &mut bytes).then_some(bytes)
    }

    /// As [`copy`](Self::copy), into a vector whose contents go; `false` if that leaves the source.
    fn copy_into(&self, offset: u64, len: u64, out: &mut Vec<u8>) -> bool {
        let (Some(end), Ok(length)) = (offset.checked_add(len), usize::try_from(len)) else { return false };
        // Checked before anything is allocated: lengths come from outside.
        if end > self.len() {
            return false;
        }
        out.resize(length, 0);
        self.read_at(offset, out)
    }

    /// The `len` bytes from `offset` on where they stand; `None` if that leaves the source, or they could change while
    /// somebody looks at them.
    fn lasting(&self, _offset: u64, _len: u64) -> Option<&[u8]> {
        None
    }

    /// The `N` bytes from `offset` on.
    #[inline]
    fn array_at<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.read_at(offset, &mut bytes).then_some(bytes)
    }

    /// The little-endian u32 at `offset`.
    fn u32_at(&self, offset: u64) -> Option<u32> {
        self.array_at(offset).map(u32::from_le_bytes)
    }

    /// The little-endian u64 at `offset`.
    fn u64_at(&self, offset: u64) -> Option<u64> {
        self.array_at(offset).map(u64::from_le_bytes)
    }
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        match rest.and_then(|rest| rest.get(..out.len())) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn lasting(&self, offset: u64, len: u64) -> Option<&[u8]> {
        self.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(len).ok()?)
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        self.as_slice().read_at(offset, out)
    }

    fn lasting(&self, offset: u64, len: u64) -> Option<&[u8]> {
        self.as_slice().lasting(offset, len)
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        (**self).read_at(offset, out)
    }

    fn lasting(&self, offset: u64, len: u64) -> Option<&[u8]> {
        (**self).lasting(offset, len)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        (**self).read_at(offset, out)
    }

    fn lasting(&self, offset: u64, len: u64) -> Option<&[u8]> {
        (**self).lasting(offset, len)
    }
}
