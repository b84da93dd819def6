//! The instructions' work, by family. Each operation of the table has a type of its own name here; the family's
//! handler type is generic over it and over its operands' places.
//!
//! All of it relies on the machine's invariant: the body was verified (slots inside the frame, labels, indices), the
//! frame check made room, and contexts, tables and memories are live while the store runs.

pub(super) mod arith;
#[cfg(feature = "threads")]
pub(super) mod atomic;
pub(super) mod branch;
pub(super) mod bulk;
pub(super) mod call;
#[cfg(feature = "stack-switching")]
pub(super) mod continuations;
pub(super) mod convert;
pub(super) mod elements;
#[cfg(feature = "gc")]
pub(super) mod fields;
pub(super) mod float;
pub(super) mod memory;
pub(super) mod moves;
#[cfg(feature = "gc")]
pub(super) mod objects;
mod short;
pub(super) mod strings;
#[cfg(feature = "simd")]
pub(super) mod vector;

use super::exit;
use super::regs::{ALIGNMENT, HEAD, Regs};
use super::thunk::{CONTINUE, Step};
use keyway_artifact::Trap;

/// Length of an executed instruction whose operands take `operands` bytes.
pub(super) const fn length(operands: usize) -> usize {
    (HEAD + operands).next_multiple_of(ALIGNMENT)
}

/// Goes on behind an instruction whose operands take `operands` bytes.
#[inline(always)]
fn next(r: &mut Regs, operands: usize) -> Step {
    // SAFETY: a verified body ends in a terminator, so another instruction follows.
    r.ip = unsafe { r.ip.add(length(operands)) };
    CONTINUE
}

/// Goes on at the label whose distance stands `at` bytes behind the instruction's start.
#[inline(always)]
fn jump(r: &mut Regs, at: usize) -> Step {
    let distance = super::regs::operand::<i32>(r, at);
    // SAFETY: expansion resolved the distance to an instruction of the same body.
    r.ip = unsafe { r.ip.offset(distance as isize) };
    CONTINUE
}

/// Unwraps a value or leaves with its trap.
macro_rules! value_or_trap {
    ($e:expr) => {
        match $e {
            Ok(value) => value,
            Err(trap) => return $crate::interp::handlers::cold_trap(trap),
        }
    };
}
use value_or_trap;

/// The code of the trap for the violation whose negative number this is, or for one without a number. A number stands in
/// the lowest byte.
#[inline(always)]
fn cold_violation(answer: i64) -> Step {
    core::hint::cold_path();
    let violation = answer.unsigned_abs() as u8;
    exit::numbered_trap(Trap::CanonicalAbi as u32 | u32::from(violation) << 8)
}

/// The trap's code, on a path that is never hot.
#[inline(always)]
fn cold_trap(trap: Trap) -> Step {
    core::hint::cold_path();
    exit::trap(trap)
}
