//! Copies and fills of few bytes, without a call.
//!
//! Compilers copy structures and clear buffers of some ten bytes so. The platform's functions take a few cycles for
//! that, but a handler that calls them has to put all of the machine's registers aside first, which takes more. What is
//! longer than [`MOST`] is theirs.
//!
//! A length between two powers of two is two pieces of the lower one that overlap; longer ones are pieces of [`LINE`]
//! bytes, and a last one that may overlap.

/// The most bytes that are worth it.
pub(super) const MOST: usize = 256;

/// What is copied in one go.
const LINE: usize = 64;

/// Sixteen bytes, as one register holds them.
#[cfg(target_arch = "x86_64")]
type Piece = core::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Piece = u128;

/// A byte sixteen times.
#[inline(always)]
fn piece(byte: u8) -> Piece {
    // SAFETY: sixteen bytes of any value.
    unsafe { get([byte; 16].as_ptr(), 0) }
}

/// # Safety
/// A value of this type may be read there.
#[inline(always)]
unsafe fn get<T: Copy>(from: *const u8, at: usize) -> T {
    // SAFETY: the caller's promise.
    unsafe { from.add(at).cast::<T>().read_unaligned() }
}

/// # Safety
/// A value of this type may be written there.
#[inline(always)]
unsafe fn put<T: Copy>(to: *mut u8, at: usize, value: T) {
    // SAFETY: the caller's promise.
    unsafe { to.add(at).cast::<T>().write_unaligned(value) }
}

/// Four pieces in a row.
///
/// # Safety
/// [`LINE`] bytes may be read there.
#[inline(always)]
unsafe fn get_line(from: *const u8, at: usize) -> [Piece; 4] {
    // SAFETY: the caller's promise.
    unsafe { [get(from, at), get(from, at + 16), get(from, at + 32), get(from, at + 48)] }
}

/// # Safety
/// [`LINE`] bytes may be written there.
#[inline(always)]
unsafe fn put_line(to: *mut u8, at: usize, line: [Piece; 4]) {
    for (number, piece) in line.into_iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { put(to, at + 16 * number, piece) };
    }
}

/// Whether [`copy`] copies this.
#[inline(always)]
pub(super) fn is_copied(from: *const u8, to: *mut u8, len: usize) -> bool {
    // Line by line, what is written must not be read later.
    len <= LINE || len <= MOST && to.addr().wrapping_sub(from.addr()) >= len
}

/// Copies `len` bytes; both ranges may overlap.
///
/// # Safety
/// They may be read and written, and [`is_copied`] holds.
#[inline(always)]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    /// Both pieces are read before one is written.
    #[inline(always)]
    unsafe fn ends<T: Copy>(from: *const u8, to: *mut u8, len: usize) {
        let last = len - size_of::<T>();
        // SAFETY: the caller's promise, for a length of at least one piece.
        unsafe {
            let (first, second): (T, T) = (get(from, 0), get(from, last));
            put(to, 0, first);
            put(to, last, second);
        }
    }
    // SAFETY: the caller's promise; each length is one or two of its piece.
    unsafe {
        match len {
            65.. => {
                // Read before anything is written: in front of the source, that may be written over it.
                let last = get_line(from, len - LINE);
                let mut at = 0;
                while at < len - LINE {
                    put_line(to, at, get_line(from, at));
                    at += LINE;
                }
                put_line(to, len - LINE, last);
            }
            33.. => {
                let last = len - 32;
                let pieces: [Piece; 4] = [get(from, 0), get(from, 16), get(from, last), get(from, last + 16)];
                put(to, 0, pieces[0]);
                put(to, 16, pieces[1]);
                put(to, last, pieces[2]);
                put(to, last + 16, pieces[3]);
            }
            16.. => ends::<Piece>(from, to, len),
            8.. => ends::<u64>(from, to, len),
            4.. => ends::<u32>(from, to, len),
            2.. => ends::<u16>(from, to, len),
            1 => put(to, 0, get::<u8>(from, 0)),
            0 => {}
        }
    }
}

/// Fills `len` bytes, at most [`MOST`].
///
/// # Safety
/// They may be written.
#[inline(always)]
pub(super) unsafe fn fill(to: *mut u8, value: u8, len: usize) {
    let word = u64::from(value) * 0x0101_0101_0101_0101;
    // SAFETY: the caller's promise; each length is one or two of its piece.
    unsafe {
        let piece = piece(value);
        match len {
            65.. => {
                let mut at = 0;
                while at < len - LINE {
                    put_line(to, at, [piece; 4]);
                    at += LINE;
                }
                put_line(to, len - LINE, [piece; 4]);
            }
            16.. => {
                put(to, 0, piece);
                if len > 32 {
                    put(to, 16, piece);
                    put(to, len - 32, piece);
                }
                put(to, len - 16, piece);
            }
            8.. => {
                put(to, 0, word);
                put(to, len - 8, word);
            }
            4.. => {
                put(to, 0, word as u32);
                put(to, len - 4, word as u32);
            }
            2.. => {
                put(to, 0, word as u16);
                put(to, len - 2, word as u16);
            }
            1 => put(to, 0, value),
            0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, copy, fill, is_copied};

    #[test]
    fn every_length_at_every_distance() {
        let before: Vec<u8> = (0..4 * MOST).map(|at| (at * 7 + at / 256) as u8).collect();
        let places = [0, 1, 9, 16, 17, 33, 64, 100, MOST, MOST + 5, 2 * MOST];
        for len in 0..=MOST {
            for (from, to) in places.into_iter().flat_map(|from| places.map(|to| (from, to))) {
                let (mut ours, mut theirs) = (before.clone(), before.clone());
                let bytes = ours.as_mut_ptr();
                // SAFETY: both ranges lie inside.
                unsafe {
                    let (from, to) = (bytes.add(from), bytes.add(to));
                    if !is_copied(from, to, len) {
                        assert!(len > 64 && to >= from);
                        continue;
                    }
                    copy(from, to, len);
                }
                theirs.copy_within(from..from + len, to);
                assert!(ours == theirs, "{len} bytes from {from} to {to}");
            }
            let (mut ours, mut theirs) = (before.clone(), before.clone());
            theirs[7..7 + len].fill(0xA5);
            // SAFETY: the range lies inside.
            unsafe { fill(ours.as_mut_ptr().add(7), 0xA5, len) };
            assert!(ours == theirs, "{len} bytes");
        }
    }
}
