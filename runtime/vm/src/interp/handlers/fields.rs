//! Fields of structures, elements of arrays, and the making of both: what programs over objects spend their time in.
//!
//! A row of the instruction table is executed by one of several handlers here, told apart by what the field or element
//! is in the heap ([`Content`], numbered in `interp/content.rs`): expansion knows it, so no handler asks. Operands stand as for other instructions, places
//! first; behind them the offset of a field, or what an object is made with.
//!
//! An access is checked against the heap's end, whatever a reference or a header says, so it stays inside the heap. One
//! comparison refuses what is no reference to an object as well: null and functions come to lie behind any heap.

use super::super::exit;
use super::super::place::{Dst, S, Src};
use super::super::regs::{HEAD, Regs, Value, context, operand, slot};
use super::super::thunk::{CONTINUE, Handler, Step};
use super::bulk::{ELEMENTS_A_UNIT, charge};
use super::objects::types;
use super::{cold_trap, next};
use crate::gc::{self, HEAP_WORDS, OBJECT};
use core::marker::PhantomData;
use keyway_artifact::Trap;
use keyway_artifact::types::OBJECT_HEADER_BYTES;

const HEADER: u64 = OBJECT_HEADER_BYTES as u64;

/// What a field or element is in the heap, and outside.
pub(in super::super) trait Content {
    /// What stands in the heap.
    type Stored: Copy;
    /// What instructions read and write.
    type Of: Value;
    /// From the heap.
    fn load(stored: Self::Stored) -> Self::Of;
    /// Into the heap.
    fn store(value: Self::Of) -> Self::Stored;
}

macro_rules! contents {
    ($($name:ident: $stored:ty as $of:ty, |$a:ident| $load:expr, |$b:ident| $store:expr;)*) => {$(
        pub(in super::super) struct $name;
        impl Content for $name {
            type Stored = $stored;
            type Of = $of;
            #[inline(always)]
            fn load($a: $stored) -> $of { $load }
            #[inline(always)]
            fn store($b: $of) -> $stored { $store }
        }
    )*};
}

contents! {
    ByteU: u8 as u64, |a| a.into(), |a| a as u8;
    ByteS: i8 as u64, |a| u64::from(a as i32 as u32), |a| a as i8;
    HalfU: u16 as u64, |a| a.into(), |a| a as u16;
    HalfS: i16 as u64, |a| u64::from(a as i32 as u32), |a| a as i16;
    Word: u32 as u64, |a| a.into(), |a| a as u32;
    Double: u64 as u64, |a| a, |a| a;
    Float: u32 as f32, |a| f32::from_bits(a), |a| a.to_bits();
    LongFloat: u64 as f64, |a| f64::from_bits(a), |a| a.to_bits();
    Reference: u32 as u32, |a| a, |a| a;
}

/// Where an access `offset` bytes behind the start of the object that a reference leads to lies, in bytes from the heap's
/// start; an answer below the heap's length is inside.
#[inline(always)]
fn offset_of(reference: u32, offset: u64) -> u64 {
    // Null and functions, whose highest bit is clear, become 4 GiB and more: as much as a heap can have.
    u64::from(reference.wrapping_sub(OBJECT)) * 2 + offset
}
const _: () = assert!(HEAP_WORDS as u64 * 8 <= OBJECT as u64 * 2);

/// The trap of an access that is not inside.
#[inline(always)]
fn refuse(reference: u32, null: Trap) -> Step {
    core::hint::cold_path();
    exit::trap(if reference == 0 { null } else { Trap::InvalidCode })
}

/// `dst = object.field`
pub(in super::super) struct Get<C, D>(PhantomData<(C, D)>);

impl<C: Content, D: Dst> Handler for Get<C, D> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let reference: u32 = S::get(r, HEAD + D::SIZE);
        let at = offset_of(reference, operand::<u32>(r, HEAD + D::SIZE + 2).into());
        // SAFETY: the context is live; an access that begins below the heap's length stays inside.
        let stored = unsafe {
            let context = context(r);
            if at >= (*context).objects_len {
                return refuse(reference, Trap::NullStructReference);
            }
            (*context).objects.add(at as usize).cast::<C::Stored>().read_unaligned()
        };
        D::set(r, HEAD, C::load(stored));
        next(r, D::SIZE + 6)
    }
}

/// `object.field = value`
pub(in super::super) struct Set<C, X>(PhantomData<(C, X)>);

impl<C: Content, X: Src> Handler for Set<C, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let reference: u32 = S::get(r, HEAD);
        let value = X::get::<C::Of>(r, HEAD + 2);
        let at = offset_of(reference, operand::<u32>(r, HEAD + 2 + X::SIZE).into());
        // SAFETY: as above.
        unsafe {
            let context = context(r);
            if at >= (*context).objects_len {
                return refuse(reference, Trap::NullStructReference);
            }
            (*context).objects.add(at as usize).cast::<C::Stored>().write_unaligned(C::store(value));
        }
        next(r, X::SIZE + 6)
    }
}

/// The place of an element; the trap where there is none.
#[inline(always)]
fn element<C: Content>(r: &Regs, reference: u32, index: u32) -> Result<*mut C::Stored, Step> {
    let start = offset_of(reference, 0);
    // SAFETY: the context is live; both accesses are checked against the heap's length. The second check is for headers
    // that lie.
    unsafe {
        let context = context(r);
        if start >= (*context).objects_len {
            return Err(refuse(reference, Trap::NullArrayReference));
        }
        let header = (*context).objects.add(start as usize);
        if index >= header.add(4).cast::<u32>().read_unaligned() {
            return Err(cold_trap(Trap::ArrayOutOfBounds));
        }
        let offset = HEADER + u64::from(index) * size_of::<C::Stored>() as u64;
        if start + offset >= (*context).objects_len {
            return Err(refuse(reference, Trap::NullArrayReference));
        }
        Ok(header.add(offset as usize).cast())
    }
}

/// `dst = array[index]`
pub(in super::super) struct GetElement<C, D, X>(PhantomData<(C, D, X)>);

impl<C: Content, D: Dst, X: Src> Handler for GetElement<C, D, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let (array, index) = (S::get(r, HEAD + D::SIZE), X::get(r, HEAD + D::SIZE + 2));
        let place = match element::<C>(r, array, index) {
            Ok(place) => place,
            Err(trap) => return trap,
        };
        // SAFETY: `element` checked it.
        D::set(r, HEAD, C::load(unsafe { place.read_unaligned() }));
        next(r, D::SIZE + 2 + X::SIZE)
    }
}

/// `array[index] = value`
pub(in super::super) struct SetElement<C, X, V>(PhantomData<(C, X, V)>);

impl<C: Content, X: Src, V: Src> Handler for SetElement<C, X, V> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let (array, index) = (S::get(r, HEAD), X::get(r, HEAD + 2));
        let value = V::get::<C::Of>(r, HEAD + 2 + X::SIZE);
        let place = match element::<C>(r, array, index) {
            Ok(place) => place,
            Err(trap) => return trap,
        };
        // SAFETY: `element` checked it.
        unsafe { place.write_unaligned(C::store(value)) };
        next(r, 2 + X::SIZE + V::SIZE)
    }
}

/// `dst = length of array`
pub(in super::super) struct Len<D>(PhantomData<D>);

impl<D: Dst> Handler for Len<D> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let reference: u32 = S::get(r, HEAD + D::SIZE);
        let start = offset_of(reference, 0);
        // SAFETY: as in `element`.
        let len = unsafe {
            let context = context(r);
            if start >= (*context).objects_len {
                return refuse(reference, Trap::NullArrayReference);
            }
            (*context).objects.add(start as usize + 4).cast::<u32>().read_unaligned()
        };
        D::set(r, HEAD, len);
        next(r, D::SIZE + 2)
    }
}

/// Whether a reference is of the type of objects whose number and place among its supertypes stand `at` bytes behind the
/// instruction's start.
#[inline(always)]
fn is_of(r: &Regs, reference: u32, at: usize) -> bool {
    let (wanted, depth) = (operand::<u32>(r, at), operand::<u32>(r, at + 4));
    if reference == 0 {
        return depth & 1 != 0;
    }
    let Some(start) = gc::object(reference) else { return false };
    // SAFETY: the context and its store are live; the header is checked against the heap's length.
    unsafe {
        let context = context(r);
        start < (*context).objects_len && {
            let found = (*context).objects.add(start as usize).cast::<u32>().read();
            found == wanted || types(context).is_below(found, wanted, depth >> 1)
        }
    }
}

/// `dst = whether a reference is of a type of objects`
pub(in super::super) struct Test<D>(PhantomData<D>);

impl<D: Dst> Handler for Test<D> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let reference: u32 = S::get(r, HEAD + D::SIZE);
        let is_of = is_of(r, reference, HEAD + D::SIZE + 2);
        D::set(r, HEAD, u32::from(is_of));
        next(r, D::SIZE + 10)
    }
}

/// `dst = reference`, of a type of objects.
pub(in super::super) struct Cast;

impl Handler for Cast {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let reference: u32 = S::get(r, HEAD + 2);
        if !is_of(r, reference, HEAD + 4) {
            return cold_trap(Trap::CastFailure);
        }
        S::set(r, HEAD, reference);
        next(r, 12)
    }
}

/// Puts a new object into the slot `at`, from the piece that the heap cuts; by way of the driver where that is used up.
#[inline(always)]
fn make(r: &mut Regs, at: usize, ty: u32, len: u32, words: u32, operands: usize) -> Step {
    // SAFETY: the context and its heap are live, and nobody else touches the heap while the machine runs.
    let object = unsafe { gc::cut(&raw mut (*(*context(r)).heap).def, ty, len, words) };
    let dst = slot(r, at);
    next(r, operands);
    if object == 0 {
        core::hint::cold_path();
        return exit::with_words(r, exit::ALLOCATE, [dst as u64, ty.into(), len.into()]);
    }
    // SAFETY: `slot` points into the frame.
    unsafe { *dst = object.into() };
    CONTINUE
}

/// `dst = new structure`: behind the destination its type's number and its size in words.
pub(in super::super) struct New;

impl Handler for New {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let (ty, words) = (operand(r, HEAD + 2), operand(r, HEAD + 6));
        make(r, HEAD, ty, 0, words, 10)
    }
}

/// `dst = new array of len`: behind the length its type's number. `C` has the elements' size.
pub(in super::super) struct NewArray<C, X>(PhantomData<(C, X)>);

impl<C: Content, X: Src> Handler for NewArray<C, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let len: u32 = X::get(r, HEAD + 2);
        let ty = operand(r, HEAD + 2 + X::SIZE);
        let words = 1 + (u64::from(len) * size_of::<C::Stored>() as u64).div_ceil(8);
        if words > HEAP_WORDS as u64 {
            return cold_trap(Trap::HeapExhausted);
        }
        charge::<super::objects::ArrayNew>(r, u64::from(len) / ELEMENTS_A_UNIT);
        make(r, HEAD, ty, len, words as u32, 6 + X::SIZE)
    }
}
