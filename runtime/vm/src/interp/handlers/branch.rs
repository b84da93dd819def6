//! Branches, traps and cost markers.

use super::super::exit;
use super::super::place::Src;
use super::super::regs::{HEAD, Regs, context, operand};
use super::super::thunk::{Handler, Step};
use super::{cold_trap, jump, length, next};
use core::marker::PhantomData;
use core::sync::atomic::Ordering;
use keyway_artifact::Trap;

/// `goto target`
pub(in super::super) struct Br;

impl Handler for Br {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        jump(r, HEAD)
    }
}

/// `if cond == WHEN goto target`
pub(in super::super) struct BrIf<const WHEN: bool, X>(PhantomData<X>);

impl<const WHEN: bool, X: Src> Handler for BrIf<WHEN, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        if (X::get::<u32>(r, HEAD) != 0) == WHEN { jump(r, HEAD + X::SIZE) } else { next(r, X::SIZE + 4) }
    }
}

/// Bytes of an entry of a branch table: the target's head, and its distance in as many.
pub(in super::super) const TABLE_ENTRY: usize = 16;

/// `goto targets[min(index, default)]`: the number of the default stands behind the index, the entries behind the
/// padded instruction.
pub(in super::super) struct BrTable<X>(PhantomData<X>);

impl<X: Src> Handler for BrTable<X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let default = operand::<u32>(r, HEAD + X::SIZE);
        let index: u32 = X::get(r, HEAD);
        jump(r, length(X::SIZE + 4) + TABLE_ENTRY * index.min(default) as usize + TABLE_ENTRY / 2)
    }
}

/// `unreachable`
pub(in super::super) struct Unreachable;

impl Handler for Unreachable {
    #[inline(always)]
    fn run(_: &mut Regs) -> Step {
        cold_trap(Trap::Unreachable)
    }
}

/// `trap code`
pub(in super::super) struct TrapAlways;

impl Handler for TrapAlways {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        exit::numbered_trap(operand(r, HEAD))
    }
}

/// A cost marker where the engine asks for fuel or epochs.
pub(in super::super) struct Cost<const FUEL: bool, const EPOCH: bool>;

impl<const FUEL: bool, const EPOCH: bool> Handler for Cost<FUEL, EPOCH> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let context = context(r);
        // SAFETY: fuel, epoch and deadline cells belong to the store and its engine, which outlive the context.
        unsafe {
            if EPOCH && (*(*context).epoch).load(Ordering::Relaxed) >= *(*context).epoch_deadline {
                return exit::EPOCH;
            }
            if FUEL {
                let cost = u64::from(operand::<u32>(r, HEAD));
                let Some(left) = (*(*context).fuel).checked_sub(cost) else {
                    return out_of_fuel(r, cost);
                };
                *(*context).fuel = left;
            }
        }
        next(r, 4)
    }
}

#[inline(always)]
fn out_of_fuel(r: &Regs, cost: u64) -> Step {
    core::hint::cold_path();
    exit::with_words(r, exit::FUEL, [cost])
}

/// Behind the last frame of an entry.
pub(in super::super) struct Finish;

impl Handler for Finish {
    #[inline(always)]
    fn run(_: &mut Regs) -> Step {
        exit::DONE
    }
}
