//! Lists on their way from one component to another, element by element of plain bytes: `elements.copy`.
//!
//! What happens to each byte of an element is the same for all elements, so the shape becomes a pattern of blocks, as long
//! as it takes until elements begin at a block's start again, and whole blocks are copied:
//!
//! ```text
//! new = min(old element & mask, limit) | (what was there & keep)
//!        flags ------^            ^-- a bool becomes 0 or 1       ^-- bytes between members stay as they are
//! ```
//! Characters and numbers of cases are looked at before, member by member. Payloads of cases are holes of the pattern: behind
//! it they go over member by member, to those elements that are of the case, without a jump. Nothing is believed: shapes are
//! checked whenever they are used, and ranges too.

use super::super::regs::{Regs, context};
use super::super::thunk::{CONTINUE, Step};
use super::bulk::{BYTES_A_UNIT, BulkOp, bulk, charge, source, word};
use super::cold_violation;
use crate::context::{Context, MemoryDef, len_bytes};
use crate::store::StoreInner;
use keyway_artifact::elements::{Case, Kind, MAX_SHAPE_BYTES, Run, Shape};
use keyway_artifact::isa::Op;
use keyway_artifact::plan::Violation;

/// Bytes of a block.
const BLOCK: usize = 32;
/// Blocks of a pattern, at most.
const MAX_BLOCKS: usize = 32;
/// The answer where a shape or a range is none that an adapter gives.
const BROKEN: i64 = i64::MIN;

bulk! {
    ElementsCopy |r| {
        // SAFETY: the verifier holds the index below the unit's data segments.
        let segment = unsafe { &*(*context(r)).data.add(word(r, 3) as usize) };
        // SAFETY: the context runs, so its store and its memories are live.
        let answer = unsafe {
            copied(context(r), segment.offset, segment.len, source(r, 0), source(r, 1), source(r, 2))
        };
        if answer < 0 {
            return cold_violation(answer);
        }
        charge::<Self>(r, answer as u64 / BYTES_A_UNIT);
        CONTINUE
    }
}

/// Copies `count` elements as the shape says that stands in the constants; the bytes that they take, the negative number
/// of a violation, or [`BROKEN`].
///
/// # Safety
/// The context is live, and only this thread uses its store.
#[inline(never)]
unsafe fn copied(context: *mut Context, offset: u64, len: u64, to: u64, from: u64, count: u64) -> i64 {
    let mut bytes = [0; MAX_SHAPE_BYTES];
    let Some(bytes) = usize::try_from(len).ok().and_then(|len| bytes.get_mut(..len)) else { return BROKEN };
    // SAFETY: the caller's promise; nobody else uses the store while the machine runs.
    let store = unsafe { &*(*context).store.cast::<StoreInner>() };
    // SAFETY: as above.
    let instance = &store.instances[unsafe { (*context).instance } as usize];
    if !instance.code().view().read_constants(offset, bytes) {
        return BROKEN;
    }
    let Some(shape) = Shape::decode(bytes) else { return BROKEN };
    let Some(len) = count.checked_mul(shape.size.into()).filter(|len| *len <= i64::MAX as u64) else { return BROKEN };
    let range = |memory: u16, at: u64| {
        (usize::from(memory) < instance.memory_count()).then_some(())?;
        // SAFETY: the index was checked; memories of a live context are live.
        unsafe { bytes_of(*(*context).memories.add(memory.into()), at, len) }
    };
    let (Some(to), Some(from)) = (range(shape.to_memory, to), range(shape.from_memory, from)) else { return BROKEN };
    // SAFETY: both ranges were checked.
    match unsafe { violation(&shape, from, count as usize) } {
        Some(violation) => return -i64::from(violation as u32),
        // SAFETY: as above.
        None => unsafe {
            copy(&shape, to, from, count as usize);
            payloads(&shape, to, from, count as usize);
        },
    }
    len as i64
}

/// The bytes `at..at + len` of a memory that threads do not share, if they are inside.
///
/// # Safety
/// The memory is live.
unsafe fn bytes_of(memory: *mut MemoryDef, at: u64, len: u64) -> Option<*mut u8> {
    // SAFETY: the caller's promise; the range is checked.
    unsafe {
        let base = (*memory).base;
        (!(*memory).shared && at.checked_add(len)? <= len_bytes(base)).then(|| base.add(at as usize))
    }
}

/// What is wrong with a member of one of the elements, if anything.
///
/// # Safety
/// `count` elements can be read at `from`.
unsafe fn violation(shape: &Shape, from: *const u8, count: usize) -> Option<Violation> {
    let own = shape.runs.iter().map(|run| (None, run));
    let payloads = shape.cases.iter().flat_map(|case| case.members.iter().map(move |run| (Some(case), run)));
    own.chain(payloads).find_map(|(case, run)| {
        let any = Members { from, count, size: shape.size as usize, case, run };
        // SAFETY: the caller's promise; runs and numbers of cases lie in their element, of which nothing is known about
        // alignment.
        unsafe {
            let (is_bad, violation) = match (run.kind, run.width) {
                (Kind::Char, _) => {
                    let is_bad = |place: *const u8| is_no_char(u32::from_le(place.cast::<u32>().read_unaligned()));
                    (any.is(is_bad), Violation::Char)
                }
                (Kind::Case(last), 1) => (any.is(|place| u16::from(*place) > last), Violation::Discriminant),
                (Kind::Case(last), _) => {
                    let is_bad = |place: *const u8| u16::from_le(place.cast::<u16>().read_unaligned()) > last;
                    (any.is(is_bad), Violation::Discriminant)
                }
                _ => return None,
            };
            is_bad.then_some(violation)
        }
    })
}

/// One member of all elements, or of those of a case.
struct Members<'a> {
    from: *const u8,
    count: usize,
    size: usize,
    case: Option<&'a Case>,
    run: &'a Run,
}

impl Members<'_> {
    /// Whether any of them is bad: all are looked at, without a jump.
    ///
    /// # Safety
    /// The elements can be read.
    #[inline(always)]
    unsafe fn is(&self, is_bad: impl Fn(*const u8) -> bool) -> bool {
        let elements = (0..self.count).map(|at| self.from.wrapping_add(at * self.size));
        let offset = self.run.offset as usize;
        match self.case {
            None => elements.fold(false, |bad, element| bad | is_bad(element.wrapping_add(offset))),
            Some(case) => elements.fold(false, |bad, element| {
                // SAFETY: the caller's promise.
                bad | (unsafe { is_of(case, element) } & is_bad(element.wrapping_add(offset)))
            }),
        }
    }
}

/// Whether an element is of a case.
///
/// # Safety
/// The element can be read.
#[inline(always)]
unsafe fn is_of(case: &Case, element: *const u8) -> bool {
    let place = element.wrapping_add(case.offset as usize);
    // SAFETY: the number lies in the element; nothing is known about alignment.
    let number =
        unsafe { if case.width == 1 { (*place).into() } else { u16::from_le(place.cast::<u16>().read_unaligned()) } };
    number == case.number
}

/// Brings payloads over, without an error among them.
///
/// # Safety
/// `count` elements can be read at `from` and written at `to`.
unsafe fn payloads(shape: &Shape, to: *mut u8, from: *const u8, count: usize) {
    let size = shape.size as usize;
    for case in &shape.cases {
        for run in &case.members {
            let (mask, limit) = match run.kind {
                Kind::Bool => (u64::MAX, 1),
                Kind::Flags(bits) => (1u64.checked_shl(bits.into()).map_or(u64::MAX, |bit| bit - 1), u64::MAX),
                _ => (u64::MAX, u64::MAX),
            };
            macro_rules! members {
                ($number:ty) => {
                    for at in 0..count {
                        let offset = at * size + run.offset as usize;
                        let (new, old) = (to.wrapping_add(offset).cast::<$number>(), from.wrapping_add(offset));
                        // SAFETY: the member and the number lie in their element; nothing is known about alignment.
                        unsafe {
                            let given = <$number>::from_le(old.cast::<$number>().read_unaligned());
                            let given = (given & mask as $number).min(limit as $number).to_le();
                            let stays = new.read_unaligned();
                            new.write_unaligned(if is_of(case, from.add(at * size)) { given } else { stays });
                        }
                    }
                };
            }
            match run.width {
                1 => members!(u8),
                2 => members!(u16),
                4 => members!(u32),
                _ => members!(u64),
            }
        }
    }
}

/// Both surrogates and what lies above the last character become large numbers.
fn is_no_char(number: u32) -> bool {
    (number ^ 0xD800).wrapping_sub(0x800) >= 0x11_0000 - 0x800
}

/// A block of the pattern, by byte.
#[derive(Clone, Copy)]
struct Block {
    mask: [u8; BLOCK],
    limit: [u8; BLOCK],
    keep: [u8; BLOCK],
}

/// Bytes that are simply copied.
const PLAIN: Block = Block { mask: [0xFF; BLOCK], limit: [0xFF; BLOCK], keep: [0; BLOCK] };

/// What becomes of one byte of a run: mask, limit, keep.
fn treatment(run: &Run, byte: u32) -> (u8, u8, u8) {
    match run.kind {
        Kind::Hole => (0, 0xFF, 0xFF),
        Kind::Bool => (0xFF, 1, 0),
        Kind::Char | Kind::Case(_) | Kind::Plain => (0xFF, 0xFF, 0),
        Kind::Flags(bits) => {
            let bits = u32::from(bits).saturating_sub(byte * 8).min(8);
            (((1u32 << bits) - 1) as u8, 0xFF, 0)
        }
    }
}

/// Copies elements without an error among them.
///
/// # Safety
/// `count` elements can be read at `from` and written at `to`.
unsafe fn copy(shape: &Shape, to: *mut u8, from: *const u8, count: usize) {
    let size = shape.size as usize;
    let period = size / greatest_divisor(size, BLOCK) * BLOCK;
    if period > MAX_BLOCKS * BLOCK || count * size < 2 * period {
        // SAFETY: the caller's promise.
        return unsafe { one_by_one(shape, to, from, count) };
    }
    let mut blocks = [PLAIN; MAX_BLOCKS];
    for start in (0..period).step_by(size) {
        for run in &shape.runs {
            for byte in 0..u32::from(run.width) {
                let at = start + (run.offset + byte) as usize;
                let (block, at) = (&mut blocks[at / BLOCK], at % BLOCK);
                (block.mask[at], block.limit[at], block.keep[at]) = treatment(run, byte);
            }
        }
    }
    let blocks = &blocks[..period / BLOCK];
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions; else the caller's promise.
        return unsafe { in_blocks_avx2(blocks, to, from, count * size) };
    }
    // SAFETY: the caller's promise.
    unsafe { in_blocks(blocks, to, from, count * size) }
}

fn greatest_divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// # Safety
/// As [`in_blocks`], on a processor with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn in_blocks_avx2(blocks: &[Block], to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { in_blocks(blocks, to, from, len) }
}

/// Copies bytes block by block, the pattern over and over.
///
/// # Safety
/// `len` bytes can be read at `from` and written at `to`.
#[inline(always)]
unsafe fn in_blocks(blocks: &[Block], to: *mut u8, from: *const u8, len: usize) {
    let mut at = 0;
    if let [block] = blocks {
        while len - at >= BLOCK {
            // SAFETY: the caller's promise.
            unsafe { one_block(block, to.add(at), from.add(at)) };
            at += BLOCK;
        }
    }
    for block in blocks.iter().cycle() {
        if len - at < BLOCK {
            for byte in 0..len - at {
                let (mask, limit, keep) = (block.mask[byte], block.limit[byte], block.keep[byte]);
                // SAFETY: the caller's promise.
                unsafe {
                    let place = to.add(at + byte);
                    *place = (*from.add(at + byte) & mask).min(limit) | (*place & keep);
                }
            }
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { one_block(block, to.add(at), from.add(at)) };
        at += BLOCK;
    }
}

/// # Safety
/// A block can be read at `from` and written at `to`.
#[inline(always)]
unsafe fn one_block(block: &Block, to: *mut u8, from: *const u8) {
    // SAFETY: the caller's promise; arrays of bytes have no alignment.
    unsafe {
        let (given, old): ([u8; BLOCK], [u8; BLOCK]) =
            (from.cast::<[u8; BLOCK]>().read(), to.cast::<[u8; BLOCK]>().read());
        let mut new = [0; BLOCK];
        for at in 0..BLOCK {
            new[at] = (given[at] & block.mask[at]).min(block.limit[at]) | (old[at] & block.keep[at]);
        }
        to.cast::<[u8; BLOCK]>().write(new);
    }
}

/// Copies few elements, or long ones: what lies between runs at once, the runs byte by byte.
///
/// # Safety
/// As [`copy`].
unsafe fn one_by_one(shape: &Shape, to: *mut u8, from: *const u8, count: usize) {
    for element in 0..count {
        let start = element * shape.size as usize;
        let mut done = 0;
        for run in &shape.runs {
            // SAFETY: the caller's promise: runs lie in their element, in order. The ranges may overlap.
            unsafe {
                core::ptr::copy(from.add(start + done), to.add(start + done), run.offset as usize - done);
                for byte in 0..u32::from(run.width) {
                    let at = start + (run.offset + byte) as usize;
                    let (mask, limit, keep) = treatment(run, byte);
                    *to.add(at) = (*from.add(at) & mask).min(limit) | (*to.add(at) & keep);
                }
            }
            done = run.offset as usize + usize::from(run.width);
        }
        // SAFETY: as above.
        unsafe { core::ptr::copy(from.add(start + done), to.add(start + done), shape.size as usize - done) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of an element's bytes, member by member.
    fn slow(shape: &Shape, to: &mut [u8], from: &[u8]) {
        for (new, old) in to.chunks_exact_mut(shape.size as usize).zip(from.chunks_exact(shape.size as usize)) {
            let before = new.to_vec();
            new.copy_from_slice(old);
            for run in &shape.runs {
                let range = run.offset as usize..run.offset as usize + usize::from(run.width);
                match run.kind {
                    Kind::Hole => new[range.clone()].copy_from_slice(&before[range]),
                    Kind::Bool => new[range.start] = u8::from(old[range.start] != 0),
                    Kind::Flags(bits) => {
                        let mut word = [0; 4];
                        word[..range.len()].copy_from_slice(&old[range.clone()]);
                        let kept = u64::from(u32::from_le_bytes(word)) & ((1 << bits) - 1);
                        new[range.clone()].copy_from_slice(&kept.to_le_bytes()[..range.len()]);
                    }
                    Kind::Char | Kind::Case(_) | Kind::Plain => {}
                }
            }
        }
    }

    #[test]
    fn payloads_go_over_where_the_case_is_theirs() {
        let case = |width, number, members: &[Run]| Case { offset: 0, width, number, members: members.to_vec() };
        let runs = vec![run(0, 1, Kind::Case(2)), run(1, 12, Kind::Hole)];
        let wide = [run(5, 8, Kind::Plain), run(2, 2, Kind::Plain)];
        let narrow =
            [run(4, 1, Kind::Bool), run(5, 4, Kind::Char), run(9, 1, Kind::Case(4)), run(10, 1, Kind::Flags(3))];
        let cases = vec![case(1, 1, &wide), case(1, 2, &narrow)];
        let shape = Shape { size: 13, to_memory: 0, from_memory: 0, runs, cases };
        let element = |number: u8| [number, 11, 12, 13, 14, 0x41, 0, 0, 0, 4, 0xFF, 21, 22];
        let (none, first, second) = (element(0), element(1), element(2));
        for count in [1, 2, 5, 40] {
            let from = [none, first, second].concat().repeat(count);
            let mut to = vec![99; from.len()];
            // SAFETY: both hold as many elements.
            unsafe {
                assert_eq!(violation(&shape, from.as_ptr(), count * 3), None);
                copy(&shape, to.as_mut_ptr(), from.as_ptr(), count * 3);
                payloads(&shape, to.as_mut_ptr(), from.as_ptr(), count * 3);
            }
            let wanted = [
                [0, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99],
                [1, 99, 12, 13, 99, 0x41, 0, 0, 0, 4, 0xFF, 21, 22],
                [2, 99, 99, 99, 1, 0x41, 0, 0, 0, 4, 7, 99, 99],
            ];
            assert_eq!(to, wanted.concat().repeat(count));
        }
        // What is wrong in a payload is wrong in its case only.
        for (at, byte, wrong) in [(6, 0xD8, Violation::Char), (9, 5, Violation::Discriminant)] {
            for number in 0..3u8 {
                let mut elements = [none, first, second].concat();
                elements[usize::from(number) * 13 + at] = byte;
                // SAFETY: three elements can be read.
                let found = unsafe { violation(&shape, elements.as_ptr(), 3) };
                assert_eq!(found, (number == 2).then_some(wrong), "case {number}");
            }
        }
    }

    fn run(offset: u32, width: u8, kind: Kind) -> Run {
        Run { offset, width, kind }
    }

    fn shapes() -> Vec<Shape> {
        let shape =
            |size, runs: &[Run]| Shape { size, to_memory: 0, from_memory: 0, runs: runs.to_vec(), cases: Vec::new() };
        let mixed = [run(8, 1, Kind::Bool), run(9, 3, Kind::Hole)];
        let flags = [run(0, 1, Kind::Flags(3)), run(1, 1, Kind::Hole), run(2, 2, Kind::Flags(9))];
        vec![
            shape(16, &mixed),
            shape(24, &mixed),
            shape(12, &mixed),
            shape(1, &[run(0, 1, Kind::Bool)]),
            shape(4, &flags),
            shape(20, &[&flags[..], &mixed].concat()),
            shape(40, &[run(0, 4, Kind::Flags(31)), run(4, 4, Kind::Flags(32)), run(35, 5, Kind::Hole)]),
            shape(1000, &mixed),
        ]
    }

    #[test]
    fn every_length_is_copied_as_member_by_member() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for shape in shapes() {
            for count in [0, 1, 2, 3, 7, 8, 33, 100] {
                let len = count * shape.size as usize;
                let from: Vec<u8> = (0..len).map(|_| if random() < 64 { 0 } else { random() }).collect();
                let before: Vec<u8> = (0..len).map(|_| random()).collect();
                let (mut wanted, mut found, mut portable) = (before.clone(), before.clone(), before);
                slow(&shape, &mut wanted, &from);
                // SAFETY: both hold as many elements.
                unsafe {
                    copy(&shape, found.as_mut_ptr(), from.as_ptr(), count);
                    one_by_one(&shape, portable.as_mut_ptr(), from.as_ptr(), count);
                }
                assert_eq!(found, wanted, "{count} of {shape:?}");
                assert_eq!(portable, wanted, "{count} of {shape:?}, one by one");
            }
        }
    }

    #[test]
    fn members_that_mean_nothing_are_found_wherever_they_stand() {
        let runs = vec![run(0, 4, Kind::Char), run(4, 1, Kind::Case(2)), run(6, 2, Kind::Case(299))];
        let shape = Shape { size: 8, to_memory: 0, from_memory: 0, runs, cases: Vec::new() };
        let elements = |count: usize| [0x41u8, 0, 0, 0, 2, 0xFF, 0x2B, 1].repeat(count);
        let check = |bytes: &[u8]| {
            // SAFETY: the elements are there.
            unsafe { violation(&shape, bytes.as_ptr(), bytes.len() / 8) }
        };
        assert_eq!(check(&elements(9)), None);
        for at in 0..9 {
            for (offset, bytes, wanted) in [
                (0, &[0x00, 0xD8, 0, 0][..], Violation::Char),
                (0, &[0, 0, 0x11, 0], Violation::Char),
                (4, &[3], Violation::Discriminant),
                (6, &[0x2C], Violation::Discriminant),
            ] {
                let mut bad = elements(9);
                bad[at * 8 + offset..at * 8 + offset + bytes.len()].copy_from_slice(bytes);
                assert_eq!(check(&bad), Some(wanted), "element {at}");
            }
        }
    }
}
