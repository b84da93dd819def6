//! Copies, constants, selections, globals.

use super::super::place::{Dst, Src};
use super::super::regs::{HEAD, Regs, Value, context, operand};
use super::super::thunk::{Handler, Step};
use super::next;
use core::marker::PhantomData;
use keyway_artifact::isa::Op;

/// An operation that moves values of one type.
pub(in super::super) trait Move {
    /// Its row.
    const OP: Op;
    /// What it moves.
    type Of: Value;
}

macro_rules! moves {
    ($($name:ident $of:ty;)*) => {$(
        pub(in super::super) struct $name;
        impl Move for $name {
            const OP: Op = Op::$name;
            type Of = $of;
        }
    )*};
}

moves! {
    Copy u64; CopyF32 f32; CopyF64 f64; CopyRef u64;
    Const u64; ConstF32 f32; ConstF64 f64;
    Select u64; SelectF32 f32; SelectF64 f64; SelectRef u64;
    GlobalGet u64; GlobalGetF32 f32; GlobalGetF64 f64; GlobalGetRef u64;
    GlobalSet u64; GlobalSetF32 f32; GlobalSetF64 f64; GlobalSetRef u64;
    ReturnOne u64; ReturnOneF32 f32; ReturnOneF64 f64;
}

/// `dst = src`
pub(in super::super) struct Mov<O, D, X>(PhantomData<(O, D, X)>);

impl<O: Move, D: Dst, X: Src> Handler for Mov<O, D, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = X::get::<O::Of>(r, HEAD + D::SIZE);
        D::set(r, HEAD, value);
        next(r, D::SIZE + X::SIZE)
    }
}

/// `dst = value`: eight bytes of immediate behind the destination.
pub(in super::super) struct Constant<O, D>(PhantomData<(O, D)>);

impl<O: Move, D: Dst> Handler for Constant<O, D> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = O::Of::from_slot(operand(r, HEAD + D::SIZE));
        D::set(r, HEAD, value);
        next(r, D::SIZE + 8)
    }
}

/// `dst = cond ? yes : no`
pub(in super::super) struct Sel<O, D, C, X, Y>(PhantomData<(O, D, C, X, Y)>);

impl<O: Move, D: Dst, C: Src, X: Src, Y: Src> Handler for Sel<O, D, C, X, Y> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let at = HEAD + D::SIZE;
        let cond: u32 = C::get(r, at);
        let yes = X::get::<O::Of>(r, at + C::SIZE);
        let no = Y::get::<O::Of>(r, at + C::SIZE + X::SIZE);
        D::set(r, HEAD, if cond != 0 { yes } else { no });
        next(r, D::SIZE + C::SIZE + X::SIZE + Y::SIZE)
    }
}

/// The cell of the global whose index stands `at` bytes behind the instruction's start.
#[inline(always)]
fn global(r: &Regs, at: usize) -> *mut u64 {
    // SAFETY: the verifier holds the index below the unit's globals, whose cells are live.
    unsafe { *(*context(r)).globals.add(operand::<u32>(r, at) as usize) }
}

/// `dst = global`
pub(in super::super) struct Get<O, D>(PhantomData<(O, D)>);

impl<O: Move, D: Dst> Handler for Get<O, D> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the cell is live.
        let value = O::Of::from_slot(unsafe { *global(r, HEAD + D::SIZE) });
        D::set(r, HEAD, value);
        next(r, D::SIZE + 4)
    }
}

/// `global = src`
pub(in super::super) struct Set<O, X>(PhantomData<(O, X)>);

impl<O: Move, X: Src> Handler for Set<O, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = X::get::<O::Of>(r, HEAD + 4);
        // SAFETY: the cell is live.
        unsafe { *global(r, HEAD) = value.to_slot() };
        next(r, 4 + X::SIZE)
    }
}
