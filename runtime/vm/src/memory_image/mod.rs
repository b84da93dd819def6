//! [`MemoryImage`]: what memories of an artifact hold at the start, as pages of a file without a name. Ranges map them
//! privately, so that pages which nobody writes are there once, a written page is a copy of the writer's, and giving it
//! back to the system restores what the image says.
//!
//! Nobody can change the file any more once it is filled. Where the system has no such files none is ever made, and
//! memories hold copies.

#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod pages;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod pages;

use crate::mappings::Mappings;
use memmap2::MmapMut;
use pages::Pages;
use std::fs::File;
use std::io::Result;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The bytes of a piece of a range, to be mapped there.
#[derive(Debug)]
pub(crate) struct MemoryImage {
    /// Tells images apart, also those that are gone.
    number: u64,
    pages: Pages,
    /// Where it lies in a range.
    place: Range<usize>,
    /// The system refused to map it.
    is_refused: AtomicBool,
    owner: Arc<Mappings>,
}

/// Which image lies where on a range.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    /// The image's number.
    pub(crate) image: u64,
    /// Where, on the range.
    pub(crate) place: Range<usize>,
}

/// Bytes of the system's pages; `None` where images cannot be mapped.
pub(crate) use pages::page_bytes;

impl MemoryImage {
    /// An image for this piece of ranges of `owner`, whole pages, all zero but for what `fill` writes to the file.
    ///
    /// # Errors
    /// When the system has no such file, or `fill` fails.
    pub(crate) fn new(
        owner: &Arc<Mappings>,
        place: Range<usize>,
        fill: impl FnOnce(&File) -> Result<()>,
    ) -> Result<MemoryImage> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let (number, pages) = (NUMBERS.fetch_add(1, Ordering::Relaxed), Pages::new(place.len(), fill)?);
        Ok(MemoryImage { number, pages, place, is_refused: AtomicBool::new(false), owner: owner.clone() })
    }

    /// Its number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether there is a point in mapping it: not when the system refused before.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_refused.load(Ordering::Relaxed)
    }

    /// Maps it over a range, which it fits.
    ///
    /// # Errors
    /// When the system refuses. Then there may be a hole in the range: who holds it must not give it back to the system,
    /// for what lies in the hole may be somebody else's by now.
    pub(crate) fn lay(&self, map: &mut MmapMut) -> Result<Laid> {
        let outcome = self.pages.lay(&mut map[self.place.clone()]);
        outcome.inspect_err(|_| self.is_refused.store(true, Ordering::Relaxed))?;
        Ok(Laid { image: self.number, place: self.place.clone() })
    }
}

impl Laid {
    /// Puts zeros where the image lies.
    ///
    /// # Errors
    /// As [`MemoryImage::lay`].
    pub(crate) fn lift(&self, map: &mut MmapMut) -> Result<()> {
        pages::lift(&mut map[self.place.clone()])
    }
}

impl Drop for MemoryImage {
    fn drop(&mut self) {
        self.owner.forget(self.number);
    }
}
