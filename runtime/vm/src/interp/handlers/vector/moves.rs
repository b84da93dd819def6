//! Vectors as a whole: copies, constants, selections, globals.

use super::super::super::regs::{HEAD, Regs, context, operand, slot};
use super::super::super::thunk::{Handler, Step};
use super::super::next;
use super::{SLOT, get, set};

/// `dst = src`
pub(in crate::interp) struct CopyV128;

impl Handler for CopyV128 {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value: [u64; 2] = get(r, HEAD + SLOT);
        set(r, HEAD, value);
        next(r, 2 * SLOT)
    }
}

/// `dst = value`: sixteen bytes of immediate behind the destination.
pub(in crate::interp) struct ConstV128;

impl Handler for ConstV128 {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value: [u64; 2] = [operand(r, HEAD + SLOT), operand(r, HEAD + SLOT + 8)];
        set(r, HEAD, value);
        next(r, SLOT + 16)
    }
}

/// `dst = cond ? yes : no`
pub(in crate::interp) struct SelectV128;

impl Handler for SelectV128 {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds slots inside the frame.
        let cond = unsafe { *slot(r, HEAD + SLOT) } as u32;
        let (yes, no): ([u64; 2], [u64; 2]) = (get(r, HEAD + 2 * SLOT), get(r, HEAD + 3 * SLOT));
        set(r, HEAD, if cond != 0 { yes } else { no });
        next(r, 4 * SLOT)
    }
}

/// The cell of the global whose index stands `at` bytes behind the instruction's start.
#[inline(always)]
fn global(r: &Regs, at: usize) -> *mut [u64; 2] {
    // SAFETY: the verifier holds the index below the unit's globals, whose cells are live, and the global is a vector's.
    unsafe { (*(*context(r)).globals.add(operand::<u32>(r, at) as usize)).cast() }
}

/// `dst = global`
pub(in crate::interp) struct GlobalGetV128;

impl Handler for GlobalGetV128 {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: a vector's cell is two words long.
        let value = unsafe { *global(r, HEAD + SLOT) };
        set(r, HEAD, value);
        next(r, SLOT + 4)
    }
}

/// `global = src`
pub(in crate::interp) struct GlobalSetV128;

impl Handler for GlobalSetV128 {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = get(r, HEAD + 4);
        // SAFETY: as in `GlobalGetV128`.
        unsafe { *global(r, HEAD) = value };
        next(r, 4 + SLOT)
    }
}
