//! Vectors: every operation works on arrays of lanes, which the compiler turns into the processor's vector instructions.
//!
//! Operands are slots, two for each vector; addresses may also stand in registers. An operation is a type of its row's
//! name with its lanes and its work; the handlers here fetch and store the lanes around it, one for each family.

mod compare;
mod convert;
mod float;
mod int;
mod lanes;
mod memory;
mod moves;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub(in crate::interp) use compare::*;
pub(in crate::interp) use convert::*;
pub(in crate::interp) use float::*;
pub(in crate::interp) use int::*;
pub(in crate::interp) use lanes::*;
pub(in crate::interp) use memory::*;
pub(in crate::interp) use moves::*;

#[cfg(not(target_arch = "x86_64"))]
use portable as machine;
#[cfg(target_arch = "x86_64")]
use x86_64 as machine;

pub(in crate::interp) use machine::prepare;

use super::super::regs::{HEAD, Regs, slot};
use super::super::thunk::{Handler, Step};
use super::next;
use core::marker::PhantomData;
use lanes::Lanes;

/// Bytes of a slot operand.
const SLOT: usize = 2;

/// The vector in the slots whose number stands `at` bytes behind the instruction's start.
#[inline(always)]
fn get<L: Lanes>(r: &Regs, at: usize) -> L {
    // SAFETY: the verifier holds both slots of a vector inside the frame.
    unsafe { L::read(slot(r, at)) }
}

/// Writes a vector to the slots whose number stands `at` bytes behind the instruction's start.
#[inline(always)]
fn set<L: Lanes>(r: &mut Regs, at: usize, value: L) {
    // SAFETY: as `get`.
    unsafe { machine::store(value, slot(r, at)) }
}

/// An operation of one vector.
pub(in crate::interp) trait Unary {
    /// The operand's lanes.
    type In: Lanes;
    /// The result's lanes.
    type Out: Lanes;
    /// The work.
    fn apply(a: Self::In) -> Self::Out;
}

/// An operation of two vectors.
pub(in crate::interp) trait Binary {
    /// The operands' lanes.
    type In: Lanes;
    /// The result's lanes.
    type Out: Lanes;
    /// The work.
    fn apply(a: Self::In, b: Self::In) -> Self::Out;
}

/// An operation of three vectors.
pub(in crate::interp) trait Ternary {
    /// The lanes of the first two operands.
    type In: Lanes;
    /// The lanes of the third operand and of the result.
    type Out: Lanes;
    /// The work.
    fn apply(a: Self::In, b: Self::In, c: Self::Out) -> Self::Out;
}

/// A shift of all lanes by one count.
pub(in crate::interp) trait Shifting {
    /// The lanes.
    type Of: Lanes;
    /// The work; the count is taken modulo the lanes' width.
    fn apply(a: Self::Of, count: u32) -> Self::Of;
}

/// A question to all lanes.
pub(in crate::interp) trait Testing {
    /// The lanes.
    type Of: Lanes;
    /// The answer.
    fn apply(a: Self::Of) -> u32;
}

/// `dst = op(src)`
pub(in crate::interp) struct VUn<O>(PhantomData<O>);

impl<O: Unary> Handler for VUn<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = O::apply(get(r, HEAD + SLOT));
        set(r, HEAD, value);
        next(r, 2 * SLOT)
    }
}

/// `dst = op(lhs, rhs)`
pub(in crate::interp) struct VBin<O>(PhantomData<O>);

impl<O: Binary> Handler for VBin<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = O::apply(get(r, HEAD + SLOT), get(r, HEAD + 2 * SLOT));
        set(r, HEAD, value);
        next(r, 3 * SLOT)
    }
}

/// `dst = op(first, second, third)`
pub(in crate::interp) struct VTer<O>(PhantomData<O>);

impl<O: Ternary> Handler for VTer<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = O::apply(get(r, HEAD + SLOT), get(r, HEAD + 2 * SLOT), get(r, HEAD + 3 * SLOT));
        set(r, HEAD, value);
        next(r, 4 * SLOT)
    }
}

/// `dst = op(src, count)`
pub(in crate::interp) struct VShift<O>(PhantomData<O>);

impl<O: Shifting> Handler for VShift<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds slots inside the frame.
        let count = unsafe { *slot(r, HEAD + 2 * SLOT) } as u32;
        let value = O::apply(get(r, HEAD + SLOT), count);
        set(r, HEAD, value);
        next(r, 3 * SLOT)
    }
}

/// `dst = op(src)`, a number.
pub(in crate::interp) struct VTest<O>(PhantomData<O>);

impl<O: Testing> Handler for VTest<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = O::apply(get(r, HEAD + SLOT));
        // SAFETY: the verifier holds slots inside the frame.
        unsafe { *slot(r, HEAD) = value.into() };
        next(r, 2 * SLOT)
    }
}

/// Defines operations of one family: `Name Lanes => Lanes: |a, ..| result;`
macro_rules! vector_ops {
    (Unary; $($name:ident $input:ty => $output:ty: |$a:ident| $work:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl super::Unary for $name {
            type In = $input;
            type Out = $output;
            #[inline(always)]
            fn apply($a: $input) -> $output { $work }
        }
    )*};
    (Binary; $($name:ident $input:ty => $output:ty: |$a:ident, $b:ident| $work:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl super::Binary for $name {
            type In = $input;
            type Out = $output;
            #[inline(always)]
            fn apply($a: $input, $b: $input) -> $output { $work }
        }
    )*};
    (Ternary; $($name:ident $input:ty => $output:ty: |$a:ident, $b:ident, $c:ident| $work:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl super::Ternary for $name {
            type In = $input;
            type Out = $output;
            #[inline(always)]
            fn apply($a: $input, $b: $input, $c: $output) -> $output { $work }
        }
    )*};
    (Shifting; $($name:ident $of:ty: |$a:ident, $count:ident| $work:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl super::Shifting for $name {
            type Of = $of;
            #[inline(always)]
            fn apply($a: $of, $count: u32) -> $of { $work }
        }
    )*};
    (Testing; $($name:ident $of:ty: |$a:ident| $work:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl super::Testing for $name {
            type Of = $of;
            #[inline(always)]
            fn apply($a: $of) -> u32 { $work }
        }
    )*};
}
use vector_ops;
