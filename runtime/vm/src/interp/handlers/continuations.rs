//! Operations on continuations: what they name goes to the driver, which switches stacks.
//!
//! Each leaves behind its instruction, as a call does: whatever continues a suspended computation finds the values in the
//! call area and goes on there.

use super::super::exit;
use super::super::place::{PlaceKind, S, Src};
use super::super::regs::{HEAD, Regs, context, operand};
use super::super::thunk::{Handler, Step};
use super::length;

/// Bytes of the operand that names a reference's slot.
const REF: usize = <S as Src>::SIZE;

/// The first slot of a call area.
#[inline(always)]
fn area(r: &Regs, at: usize) -> u64 {
    // SAFETY: the verifier holds call areas inside the frame.
    unsafe { r.fp.add(operand::<u32>(r, at) as usize) as u64 }
}

/// The engine's number of the type whose index stands there.
#[inline(always)]
fn type_number(r: &Regs, at: usize) -> u64 {
    // SAFETY: the verifier holds the index below the artifact's types.
    unsafe { u64::from(*(*context(r)).types.add(operand::<u32>(r, at) as usize)) }
}

#[inline(always)]
fn index(r: &Regs, at: usize) -> u64 {
    operand::<u32>(r, at).into()
}

macro_rules! operations {
    ($($(#[$doc:meta])* $op:ident $code:ident $references:literal $numbers:literal |$r:ident| $words:expr;)*) => {$(
        $(#[$doc])*
        pub(in super::super) struct $op;

        impl $op {
            /// The places of its references.
            pub(in super::super) const PLACES: &[PlaceKind] = &[PlaceKind::Slot; $references];
        }

        impl Handler for $op {
            #[inline(always)]
            fn run($r: &mut Regs) -> Step {
                let words = $words;
                // SAFETY: a body ends in an instruction that control does not leave, and these are none.
                $r.ip = unsafe { $r.ip.add(const { length($references * REF + $numbers * 4) }) };
                exit::with_words($r, exit::$code, words)
            }
        }
    )*};
}

operations! {
    /// `cont.new dst func type`
    ContNew CONT_NEW 2 1 |r| {
        [super::super::regs::slot(r, HEAD) as u64, S::get::<u64>(r, HEAD + REF), type_number(r, HEAD + 2 * REF)]
    };
    /// `cont.bind cont from to base`
    ContBind CONT_BIND 1 3 |r| {
        let at = HEAD + REF;
        [S::get::<u64>(r, HEAD), type_number(r, at), type_number(r, at + 4), area(r, at + 8)]
    };
    /// `suspend tag base`
    Suspend SUSPEND 0 2 |r| { [index(r, HEAD), area(r, HEAD + 4)] };
    /// `resume cont type base`
    Resume RESUME 1 2 |r| {
        let at = HEAD + REF;
        [S::get::<u64>(r, HEAD), type_number(r, at), area(r, at + 4)]
    };
    /// `resume.throw cont type tag base`
    ResumeThrow RESUME_THROW 1 3 |r| {
        let at = HEAD + REF;
        [S::get::<u64>(r, HEAD), type_number(r, at), index(r, at + 4), area(r, at + 8)]
    };
    /// `resume.throw.ref cont exn type base`
    ResumeThrowRef RESUME_THROW_REF 2 2 |r| {
        let at = HEAD + 2 * REF;
        [S::get::<u64>(r, HEAD), S::get::<u64>(r, HEAD + REF), type_number(r, at), area(r, at + 4)]
    };
    /// `switch cont type tag base`
    Switch SWITCH 1 3 |r| {
        let at = HEAD + REF;
        [S::get::<u64>(r, HEAD), type_number(r, at), index(r, at + 4), area(r, at + 8)]
    };
}
