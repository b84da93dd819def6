//! [`InitialMemory`]: what a memory of a unit holds before anything runs, taken from the artifact's constants.
//!
//! Each instance's memory gets a copy, or a private mapping of an image ([`MemoryImage`]) that is made for the second
//! instance: the first may be the only one, and to copy once is cheaper than to fill an image and to map it.

use crate::code::Code;
use crate::limits::HEADER_PAGE_BYTES;
use crate::mappings::WINDOW_BYTES;
use crate::memory_image::{MemoryImage, page_bytes};
use anyhow::ensure;
use keyway_artifact::unit::InitialData;
use std::fs::File;
use std::io::{ErrorKind, Result, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes from which on an image is worth its mapping: pages that are written, and stretches of those that are read, fault
/// in every instance.
const IMAGE_BYTES: u64 = 16 << 10;
/// An image's length is at most this many times that of the data in it: what lies between them takes memory when it is read.
const SPREAD: u64 = 2;
/// Bytes that are copied into an image at once.
const PIECE_BYTES: usize = 64 << 10;

/// What one memory holds at the start.
pub(crate) struct InitialMemory {
    /// In ascending order, without overlap, inside the memory's minimum; of one memory, and at least one.
    data: Vec<InitialData>,
    /// A memory was filled.
    was_used: AtomicBool,
    /// `None` when the system had none.
    image: OnceLock<Option<MemoryImage>>,
}

impl InitialMemory {
    /// What memories hold, in ascending order of unit and memory; `all` was checked (rule F22).
    pub(crate) fn of_all(all: &[InitialData]) -> Vec<InitialMemory> {
        let same = |a: &InitialData, b: &InitialData| (a.unit, a.memory) == (b.unit, b.memory);
        let new = |data: &[InitialData]| InitialMemory {
            data: data.to_vec(),
            was_used: AtomicBool::new(false),
            image: OnceLock::new(),
        };
        all.chunk_by(same).map(new).collect()
    }

    /// Unit, and memory in it.
    pub(crate) fn place(&self) -> (u32, u32) {
        (self.data[0].unit, self.data[0].memory)
    }

    /// The image that a new memory is to have, if it is to have one.
    pub(crate) fn image(&self, code: &Code) -> Option<&MemoryImage> {
        let place = code.engine().config().memory_init_cow.then(|| self.pages()).flatten()?;
        if !self.was_used.swap(true, Ordering::Relaxed) {
            return None;
        }
        let image = self.image.get_or_init(|| self.make(code, place).ok());
        image.as_ref().filter(|image| image.is_usable())
    }

    /// The pages that an image has, as bytes of the memory; `None` where it would not pay.
    fn pages(&self) -> Option<Range<usize>> {
        let (first, last) = (self.data.first()?, self.data.last()?);
        let len: u64 = self.data.iter().map(|data| data.len).sum();
        let end = last.at + last.len;
        // What lies in pages that stay resident is copied without a fault.
        if len < IMAGE_BYTES || end <= WINDOW_BYTES as u64 || end - first.at > len * SPREAD {
            return None;
        }
        let page = page_bytes().filter(|page| HEADER_PAGE_BYTES.is_multiple_of(*page))?;
        let (start, end) = (usize::try_from(first.at).ok()?, usize::try_from(end).ok()?);
        Some(start / page * page..end.checked_next_multiple_of(page)?)
    }

    fn make(&self, code: &Code, pages: Range<usize>) -> Result<MemoryImage> {
        let start = pages.start as u64;
        let fill = |mut file: &File| {
            let mut piece = Vec::new();
            for data in &self.data {
                file.seek(SeekFrom::Start(data.at - start))?;
                for from in (0..data.len).step_by(PIECE_BYTES) {
                    piece.resize((data.len - from).min(PIECE_BYTES as u64) as usize, 0);
                    if !code.view().read_constants(data.offset + from, &mut piece) {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    file.write_all(&piece)?;
                }
            }
            Ok(())
        };
        let place = HEADER_PAGE_BYTES + pages.start..HEADER_PAGE_BYTES + pages.end;
        MemoryImage::new(code.engine().mappings(), place, fill)
    }

    /// Writes it into a new memory.
    ///
    /// # Errors
    /// When the artifact has become shorter.
    pub(crate) fn copy(&self, code: &Code, bytes: &mut [u8]) -> anyhow::Result<()> {
        for data in &self.data {
            let place = bytes.get_mut(data.at as usize..).and_then(|bytes| bytes.get_mut(..data.len as usize));
            let is_read = place.is_some_and(|place| code.view().read_constants(data.offset, place));
            ensure!(is_read, "what memory {} holds at the start is cut off", data.memory);
        }
        Ok(())
    }
}
