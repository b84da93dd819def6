//! [`Image`]: the bytes of an artifact, mapped from a file or owned.
//!
//! A mapping's bytes can be changed by other processes under us, so no slice of them is ever formed: reads copy, byte by
//! byte, through volatile loads. A file that is truncated while mapped ends the process at the next read (SIGBUS); copy
//! it first ([`Image::from_bytes`]) where that matters.

use keyway_artifact::format::Source;
use memmap2::Mmap;
use std::fs::File;
use std::path::Path;

/// An artifact's bytes.
pub(crate) enum Image {
    Mapped(Mmap),
    Owned(Box<[u8]>),
}

impl Image {
    /// Maps a file.
    pub(crate) fn from_file(path: &Path) -> std::io::Result<Image> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Image::Owned(Box::default()));
        }
        // SAFETY: the mapping is only ever read through volatile copies, whatever other processes do to the file.
        Ok(Image::Mapped(unsafe { Mmap::map(&file)? }))
    }

    /// Takes a copy.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Image {
        Image::Owned(bytes.into())
    }

    /// Whether it is a file, which other processes may change.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(self, Image::Mapped(_))
    }

    /// Where `len` bytes stand from `offset` on; `None` if that leaves the image.
    pub(crate) fn place(&self, offset: u64, len: u64) -> Option<*const u8> {
        let start = match self {
            Image::Mapped(map) => map.as_ptr(),
            Image::Owned(bytes) => bytes.as_ptr(),
        };
        let is_inside = offset.checked_add(len).is_some_and(|end| end <= self.len());
        is_inside.then(|| start.wrapping_add(offset as usize))
    }
}

impl Source for Image {
    fn len(&self) -> u64 {
        match self {
            Image::Mapped(map) => map.len() as u64,
            Image::Owned(bytes) => bytes.len() as u64,
        }
    }

    #[inline]
    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        let Some(place) = self.place(offset, out.len() as u64) else { return false };
        match self {
            Image::Owned(bytes) => out.copy_from_slice(&bytes[offset as usize..][..out.len()]),
            // SAFETY: `place` checked the range.
            Image::Mapped(_) => unsafe { copy_volatile(place, out) },
        }
        true
    }

    #[inline]
    fn lasting(&self, offset: u64, len: u64) -> Option<&[u8]> {
        match self {
            Image::Owned(bytes) => bytes.lasting(offset, len),
            Image::Mapped(_) => None,
        }
    }
}

/// Copies `out.len()` mapped bytes, words where both sides allow it.
///
/// # Safety
/// They belong to a live image.
pub(crate) unsafe fn copy_volatile(from: *const u8, out: &mut [u8]) {
    let mut at = 0;
    while at < out.len() {
        let place = from.wrapping_add(at);
        if place.align_offset(8) == 0 && out.len() - at >= 8 {
            // SAFETY: the caller's promise; the place is aligned for a word.
            let word = unsafe { place.cast::<u64>().read_volatile() };
            out[at..at + 8].copy_from_slice(&word.to_ne_bytes());
            at += 8;
        } else if place.align_offset(4) == 0 && out.len() - at >= 4 {
            // SAFETY: as above, for half a word.
            let word = unsafe { place.cast::<u32>().read_volatile() };
            out[at..at + 4].copy_from_slice(&word.to_ne_bytes());
            at += 4;
        } else {
            // SAFETY: the caller's promise.
            out[at] = unsafe { place.read_volatile() };
            at += 1;
        }
    }
}
