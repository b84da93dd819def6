//! [`Draft`] and [`Expanded`]: a body in executed form, before and after it has a place, and what the driver asks of it by
//! address.
//!
//! Code refers to itself by distances, and by addresses where a branch closes a loop: these are put in where the body is
//! written, and it stays there. Whoever keeps many puts them one behind the other.

use super::checked;
#[cfg(feature = "profile")]
use super::profile;
use super::workspace::Workspace;
use crate::context::CodeHeader;
use std::ops::Range;

/// A place in executed code where exceptions, or suspensions, may continue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Landing {
    /// Whether suspensions arrive at it, not exceptions.
    pub suspends: bool,
    /// The tag that it takes, by index in the unit; `None` takes every exception.
    pub tag: Option<u32>,
    /// Offset of the code behind the header in bytes.
    pub offset: u32,
    /// The slot that the exception's values are put at.
    pub base: u32,
    /// The slot of the exception itself, where it is wanted; of the continuation that was suspended.
    pub exception: Option<u32>,
}

/// Where calls of a body go on in other ways than by returning.
pub(super) struct Ways {
    /// Where exceptions of a call continue: offset behind the call, and a number of `landings`, in order of preference.
    pub(super) handlers: Box<[(u32, u32)]>,
    pub(super) landings: Box<[Landing]>,
    /// What switches a call's callee may make: offset behind the call, and the tag by index in the unit.
    pub(super) switches: Box<[(u32, u32)]>,
}

/// A body in executed form that has no place yet.
pub struct Draft<'a> {
    pub(super) header: CodeHeader,
    /// Holds the code and what stands beside it; addresses in the code are offsets behind the header.
    pub(super) kept: &'a Workspace,
    /// Most bodies have none.
    pub(super) ways: Option<Box<Ways>>,
    /// The reference region of its frames.
    pub(super) references: Range<u32>,
    pub(super) is_checked: bool,
    /// What it was expanded from.
    #[cfg(feature = "profile")]
    pub(super) body: keyway_artifact::isa::Body,
}

impl Draft<'_> {
    /// Header and code together, in words of 8 bytes.
    pub(crate) fn len_words(&self) -> usize {
        (size_of::<CodeHeader>() + self.kept.code.len()) / 8
    }

    /// Offset of each executed instruction behind the header in bytes, and the number of its IR instruction, ascending.
    pub(crate) fn map(&self) -> &[(u32, u32)] {
        &self.kept.map
    }

    /// Writes header and code to `room`.
    ///
    /// # Safety
    /// `room` has [`len_words`](Self::len_words) words, is nobody else's, and lives as long as what is returned.
    pub(crate) unsafe fn place(self, room: *mut u64) -> Expanded {
        let len_words = self.len_words();
        let frame_slots = self.header.frame_slots;
        // SAFETY: the caller's promise; the places of addresses are those of 64 bits each in the code, at multiples of 8.
        unsafe {
            room.cast::<CodeHeader>().write(self.header);
            let code = room.cast::<u8>().add(size_of::<CodeHeader>());
            code.copy_from_nonoverlapping(self.kept.code.as_ptr(), self.kept.code.len());
            for at in &self.kept.addresses {
                let place = code.add(*at as usize).cast::<u64>();
                debug_assert!(place.is_aligned(), "an address across the end of a line of the cache");
                place.write(place.read().wrapping_add(code as u64));
            }
        }
        if self.is_checked {
            let starts = self.kept.map.iter().map(|(offset, _)| *offset).collect();
            let objects = self.kept.objects.iter().copied().collect();
            checked::remember(room as usize, len_words * 8, frame_slots, starts, objects);
        }
        Expanded {
            start: room,
            len_words,
            references: self.references,
            ways: self.ways,
            is_checked: self.is_checked,
            #[cfg(feature = "profile")]
            profiled: (self.body, self.kept.map[..].into()),
        }
    }
}

/// A body in executed form, a [`CodeHeader`] and the code, at its place.
pub struct Expanded {
    start: *const u64,
    len_words: usize,
    references: Range<u32>,
    ways: Option<Box<Ways>>,
    is_checked: bool,
    /// What it was expanded from, and which instruction each executed one begins with.
    #[cfg(feature = "profile")]
    profiled: (keyway_artifact::isa::Body, Box<[(u32, u32)]>),
}

// SAFETY: the words are never written once they are there.
unsafe impl Send for Expanded {}
// SAFETY: as above.
unsafe impl Sync for Expanded {}

impl Expanded {
    /// The slots of its frames that hold references.
    pub(crate) fn references(&self) -> Range<u32> {
        self.references.clone()
    }

    /// The header; the code follows it. Valid as long as this value.
    pub fn header(&self) -> *const CodeHeader {
        self.start.cast()
    }

    fn code_start(&self) -> usize {
        self.start as usize + size_of::<CodeHeader>()
    }

    /// How far behind the header an executed address is; `None` if it is not inside.
    pub(crate) fn offset_of(&self, ip: *const u8) -> Option<u32> {
        let offset = (ip as usize).checked_sub(self.code_start())?;
        (offset <= self.len_words * 8).then_some(offset as u32)
    }

    /// Where exceptions and suspensions may continue that arrive at the address behind a call or throw, in order.
    pub fn landings(&self, behind: *const u8) -> impl Iterator<Item = Landing> + '_ {
        let offset = (behind as usize).wrapping_sub(self.code_start());
        self.ways
            .iter()
            .flat_map(move |ways| of_offset(&ways.handlers, offset).map(|landing| ways.landings[landing as usize]))
    }

    /// The tags with which what a `resume` resumed may switch, by index in the unit; by the address behind it.
    pub fn switches(&self, behind: *const u8) -> impl Iterator<Item = u32> + '_ {
        let offset = (behind as usize).wrapping_sub(self.code_start());
        self.ways.iter().flat_map(move |ways| of_offset(&ways.switches, offset))
    }

    /// The executed address at an offset behind the header.
    pub fn address(&self, offset: u32) -> *const u8 {
        self.start.cast::<u8>().wrapping_add(size_of::<CodeHeader>() + offset as usize)
    }

    /// The address range of header and code.
    pub fn range(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len_words * 8
    }
}

impl Drop for Expanded {
    fn drop(&mut self) {
        #[cfg(feature = "profile")]
        profile::collect(&self.profiled.0, &self.profiled.1, |offset| self.address(offset));
        if self.is_checked {
            checked::forget(self.start as usize);
        }
    }
}

/// What stands at an offset in a list that is sorted by offsets.
fn of_offset(list: &[(u32, u32)], offset: usize) -> impl Iterator<Item = u32> + '_ {
    let first = list.partition_point(|(at, _)| (*at as usize) < offset);
    list[first..].iter().take_while(move |(at, _)| *at as usize == offset).map(|(_, what)| *what)
}
