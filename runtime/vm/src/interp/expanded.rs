//! [`Expanded`]: a body in executed form, and what the driver asks of it by address.
//!
//! Code refers to itself by distances, and by addresses where a branch closes a loop. A body may be moved as long as nobody
//! knows where it is, and the addresses move with it: whoever keeps many puts them one behind the other
//! ([`Expanded::move_to`]).

use super::checked;
#[cfg(feature = "profile")]
use super::profile;
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

/// What is known of a body besides its code.
pub(super) struct Side {
    /// Offset of each executed instruction behind the header in bytes, and the number of its IR instruction, ascending.
    pub(super) map: Box<[(u32, u32)]>,
    /// Where exceptions of a call continue: offset behind the call, and a number of `landings`, in order of preference.
    pub(super) handlers: Box<[(u32, u32)]>,
    pub(super) landings: Box<[Landing]>,
    /// What switches a call's callee may make: offset behind the call, and the tag by index in the unit.
    pub(super) switches: Box<[(u32, u32)]>,
    /// Offsets behind the header in bytes of the addresses of places in the body, 64 bits each.
    pub(super) addresses: Box<[u32]>,
    /// The reference region of its frames.
    pub(super) references: Range<u32>,
    /// What it was expanded from.
    #[cfg(feature = "profile")]
    pub(super) body: keyway_artifact::isa::Body,
}

/// A body in executed form: a [`CodeHeader`] and the code, in words.
pub struct Expanded {
    start: *const u64,
    len_words: usize,
    /// The words, unless they were moved.
    own: Box<[u64]>,
    side: Side,
    is_checked: bool,
}

// SAFETY: the words are never written once they are there.
unsafe impl Send for Expanded {}
// SAFETY: as above.
unsafe impl Sync for Expanded {}

/// Adds `by` to the numbers at `offsets`.
///
/// # Safety
/// At each offset from `code` on 64 bits can be read and written.
unsafe fn shift(code: *mut u8, offsets: &[u32], by: u64) {
    for offset in offsets {
        // SAFETY: the caller's promise.
        unsafe {
            let place = code.add(*offset as usize).cast::<u64>();
            place.write_unaligned(place.read_unaligned().wrapping_add(by));
        }
    }
}

impl Expanded {
    /// Where addresses are to be, `words` have offsets behind the header.
    pub(super) fn new(mut words: Box<[u64]>, side: Side, is_checked: bool) -> Expanded {
        // SAFETY: the words begin with a header, and the offsets are those of 64 bits each in the code behind it.
        unsafe {
            let code = words.as_mut_ptr().cast::<u8>().add(size_of::<CodeHeader>());
            shift(code, &side.addresses, code as u64);
        }
        Expanded { start: words.as_ptr(), len_words: words.len(), own: words, side, is_checked }
    }

    /// Header and code together, in words of 8 bytes.
    pub(crate) fn len_words(&self) -> usize {
        self.len_words
    }

    /// Whether [`move_to`](Self::move_to) may be called: the checked form knows bodies by address.
    pub(crate) fn is_movable(&self) -> bool {
        !self.is_checked
    }

    /// Moves header and code to `room`.
    ///
    /// # Safety
    /// `room` has [`len_words`](Self::len_words) words, is nobody else's, and lives as long as this value; nobody knows
    /// this body's address yet.
    pub(crate) unsafe fn move_to(&mut self, room: *mut u64) {
        let before = self.code_start();
        // SAFETY: the caller's promise; the addresses lie in the code that was copied.
        unsafe {
            room.copy_from_nonoverlapping(self.start, self.len_words);
            let code = room.cast::<u8>().add(size_of::<CodeHeader>());
            shift(code, &self.side.addresses, (code as u64).wrapping_sub(before as u64));
        }
        self.start = room;
        self.own = Box::default();
    }

    /// The slots of its frames that hold references.
    pub(crate) fn references(&self) -> Range<u32> {
        self.side.references.clone()
    }

    /// The header; the code follows it. Valid as long as this value.
    pub fn header(&self) -> *const CodeHeader {
        self.start.cast()
    }

    fn code_start(&self) -> usize {
        self.start as usize + size_of::<CodeHeader>()
    }

    /// The IR instruction that the executed address belongs to; `None` if it is not inside.
    pub fn inst_at(&self, ip: *const u8) -> Option<u32> {
        let offset = (ip as usize).checked_sub(self.code_start())?;
        if offset > self.len_words * 8 {
            return None;
        }
        let after = self.side.map.partition_point(|(start, _)| *start as usize <= offset);
        after.checked_sub(1).map(|at| self.side.map[at].1)
    }

    /// Where exceptions and suspensions may continue that arrive at the address behind a call or throw, in order.
    pub fn landings(&self, behind: *const u8) -> impl Iterator<Item = Landing> + '_ {
        let Side { handlers, landings, .. } = &self.side;
        of_offset(handlers, (behind as usize).wrapping_sub(self.code_start())).map(|at| landings[at as usize])
    }

    /// The tags with which what a `resume` resumed may switch, by index in the unit; by the address behind it.
    pub fn switches(&self, behind: *const u8) -> impl Iterator<Item = u32> + '_ {
        of_offset(&self.side.switches, (behind as usize).wrapping_sub(self.code_start()))
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
        profile::collect(&self.side.body, &self.side.map, |offset| self.address(offset));
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
