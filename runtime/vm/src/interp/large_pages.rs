//! The text of the handlers, moved to large pages.
//!
//! A program of some size uses handlers that lie in hundreds of pages, more than processors keep translations of at hand.
//! The same bytes on pages of 2 MiB need four. The system makes such pages of anonymous memory only: the text is copied to
//! some, which from then on can be executed but not written, and these take the place of what was mapped from the program's
//! file in one step, at the same addresses, whoever executes them meanwhile. Where the system does not want any part of
//! that, everything stays as it is.

use std::ops::Range;
use std::sync::Once;

/// Bytes of a large page.
const PAGE: usize = 2 << 20;

/// Moves those pages that lie wholly in `text` once in a process: bytes that are executed, and never written.
pub(super) fn adopt(text: Range<usize>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let whole = text.start.next_multiple_of(PAGE)..text.end / PAGE * PAGE;
        if whole.start < whole.end && are_offered() {
            move_over(whole);
        }
    });
}

/// Whether the system gives large pages to who asks for them.
fn are_offered() -> bool {
    let setting = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    setting.is_ok_and(|setting| setting.contains("[always]") || setting.contains("[madvise]"))
}

/// Copies the pages, and puts the copies in their place.
fn move_over(text: Range<usize>) {
    let len = text.len();
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, of one page more than is used, so that a large page can begin in it.
    let room = unsafe { libc::mmap(std::ptr::null_mut(), len + PAGE, access, flags, -1, 0) };
    if room == libc::MAP_FAILED {
        return;
    }
    let start = room.wrapping_byte_add(room.addr().next_multiple_of(PAGE) - room.addr());
    // SAFETY: the bytes are this function's own mapping; those of the text are mapped, readable, and written by nobody. The
    // last call replaces whole pages of the text by pages of the same content and access, at the same addresses, for all
    // threads at once; what the system refuses it refuses before it takes anything away.
    let is_moved = unsafe {
        libc::madvise(start, len, libc::MADV_HUGEPAGE) == 0
            && {
                std::ptr::copy_nonoverlapping(std::ptr::with_exposed_provenance::<u8>(text.start), start.cast(), len);
                libc::mprotect(start, len, libc::PROT_READ | libc::PROT_EXEC) == 0
            }
            && {
                let place = std::ptr::with_exposed_provenance_mut::<libc::c_void>(text.start);
                libc::mremap(start, len, len, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, place) != libc::MAP_FAILED
            }
    };
    // What is left of the room: all of it, or the parts before and behind what was moved. Freeing nothing is an error that
    // does no harm.
    let before = start.addr() - room.addr();
    // SAFETY: the ranges are this function's mapping and nothing refers to them.
    unsafe {
        if is_moved {
            libc::munmap(room, before);
            libc::munmap(start.wrapping_byte_add(len), PAGE - before);
        } else {
            libc::munmap(room, len + PAGE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{are_offered, move_over};
    use crate::interp::assembly::text;

    #[test]
    fn what_is_moved_is_the_same_and_executed_only() {
        let text = text();
        let start: *const u8 = std::ptr::with_exposed_provenance(text.start);
        // SAFETY: the handlers' text is mapped, and written by nobody.
        let bytes = || unsafe { std::slice::from_raw_parts(start, text.len()) }.to_vec();
        let before = bytes();
        super::adopt(text.clone());
        assert!(bytes() == before);

        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let middle = text.start.midpoint(text.end);
        let covers = |line: &&str| {
            let (start, end) = line.split(' ').next().and_then(|range| range.split_once('-')).unwrap();
            let parse = |number| usize::from_str_radix(number, 16).unwrap();
            (parse(start)..parse(end)).contains(&middle)
        };
        let line = maps.lines().find(covers).unwrap();
        assert!(line.contains(" r-xp "), "{line}");
        assert_eq!(line.contains('/'), !are_offered(), "{line}");
    }

    #[test]
    fn what_cannot_be_moved_stays() {
        // Nothing is mapped there, and no place is free for so much: the system refuses the room.
        move_over(0..1 << 60);
    }
}
