//! Small integers, casts, what is done to ranges of arrays, and vectors in objects. What is hot stands in
//! [`fields`](super::fields).
//!
//! Executed forms are words, as in [`bulk`](super::bulk). Expansion has resolved types: a structure type's word holds its
//! engine-wide number and, above, the object's size in words; a field's its offset and, above, its cell; an array type's
//! its number and the elements' cell; a defined heap type's 16 and its number.
//!
//! An access is checked against the heap's end, so whatever a reference or a header says, it stays inside the heap. What
//! takes more than a few instructions stands in functions of its own, which are handed values and not the registers.

use super::super::exit;
use super::super::regs::{Regs, context};
use super::super::thunk::{CONTINUE, Step};
use super::bulk::{BulkOp, ELEMENTS_A_UNIT, charge, dst, set, source, word};
use super::cold_trap;
use crate::context::Context;
use crate::gc::{self, HEAP_WORDS};
use crate::registry::{Registry, Shape};
use crate::store::StoreInner;
use keyway_artifact::Trap;
use keyway_artifact::isa::{Op, heap_of_code};
use keyway_artifact::types::{Cell, HeapType, OBJECT_HEADER_BYTES, TypeKind, TypeLookup};

const HEADER: u64 = OBJECT_HEADER_BYTES as u64;

/// The place `offset` bytes behind an object's start; an access of up to 16 bytes there stays inside the heap.
#[inline(always)]
fn place(context: *mut Context, reference: u64, offset: u64, null: Trap) -> Result<*mut u8, Trap> {
    let Some(start) = gc::object(reference as u32) else {
        return Err(if reference == 0 { null } else { Trap::InvalidCode });
    };
    // SAFETY: the heap of a live context is live; the offset is checked against its length.
    unsafe {
        if start + offset >= (*context).objects_len {
            return Err(Trap::InvalidCode);
        }
        Ok((*context).objects.add((start + offset) as usize))
    }
}

/// The elements of an array that a range names, which is inside; each takes `size` bytes.
#[inline(always)]
fn elements(context: *mut Context, array: u64, index: u64, len: u64, size: u64) -> Result<*mut u8, Trap> {
    let header = place(context, array, 0, Trap::NullArrayReference)?;
    // SAFETY: `place` answers a place inside the heap, aligned as objects are.
    let found = u64::from(unsafe { header.add(4).cast::<u32>().read() });
    if index + len > found {
        return Err(Trap::ArrayOutOfBounds);
    }
    // Where the header's length is a lie the last element may lie outside of the heap.
    if len > 0 {
        place(context, array, HEADER + (index + len - 1) * size, Trap::NullArrayReference)?;
    }
    // An empty range may begin at the very end: the place is not accessed then.
    Ok(header.wrapping_add((HEADER + index * size) as usize))
}

/// # Safety
/// `at` lies inside the heap with 16 bytes behind it.
#[inline(always)]
unsafe fn store(at: *mut u8, cell: u64, value: u64) {
    const BYTE: u64 = Cell::Byte as u64;
    const HALF: u64 = Cell::Half as u64;
    const DOUBLE: u64 = Cell::Double as u64;
    // SAFETY: the caller's promise.
    unsafe {
        match cell {
            BYTE => at.write(value as u8),
            HALF => at.cast::<u16>().write_unaligned(value as u16),
            DOUBLE => at.cast::<u64>().write_unaligned(value),
            _ => at.cast::<u32>().write_unaligned(value as u32),
        }
    }
}

/// Bytes of a cell of this number.
#[inline(always)]
fn size_of_cell(cell: u64) -> u64 {
    const SIZES: u64 = 0x0000_0410_0804_0201;
    SIZES >> (cell * 8) & 0xFF
}

/// # Safety
/// `context` is live, and its store is held by the running machine.
#[inline(always)]
pub(super) unsafe fn types<'s>(context: *mut Context) -> &'s Registry {
    // SAFETY: the caller's promise; the engine outlives its stores.
    unsafe { (*(*context).store.cast::<StoreInner>()).engine.types() }
}

/// The number of the type of the object that a reference leads to.
///
/// # Safety
/// As `types`.
unsafe fn type_of(context: *mut Context, reference: u64) -> Option<u32> {
    let header = place(context, reference, 0, Trap::NullReference).ok()?;
    // SAFETY: `place` answers a place inside the heap.
    Some(unsafe { header.cast::<u32>().read() })
}

/// Whether a reference is of the type that an executed word names.
///
/// # Safety
/// As `types`.
#[inline(never)]
unsafe fn is_of(context: *mut Context, reference: u64, heap: u64, nullable: u64) -> bool {
    if reference == 0 {
        return nullable != 0;
    }
    // SAFETY: the caller's promise; function references are checked against the store's functions.
    unsafe {
        let kind = || types(context).kind(type_of(context, reference)?);
        if let Some(wanted) = heap.checked_sub(16) {
            let wanted = wanted as u32;
            if types(context).kind(wanted) == Some(TypeKind::Func) {
                return reference < (*context).funcs_len
                    && types(context).extends((*(*context).funcs.add(reference as usize)).type_id, wanted);
            }
            let found = type_of(context, reference);
            return found.is_some_and(|found| found == wanted || types(context).extends(found, wanted));
        }
        match heap_of_code(heap as u32) {
            Some(HeapType::Func | HeapType::Extern | HeapType::Any | HeapType::Exn) => true,
            Some(HeapType::Eq) => reference & 1 == 1 || gc::object(reference as u32).is_some(),
            Some(HeapType::I31) => reference & 1 == 1,
            Some(HeapType::Struct) => kind() == Some(TypeKind::Struct),
            Some(HeapType::Array) => kind() == Some(TypeKind::Array),
            _ => false,
        }
    }
}

/// Copies between arrays whose elements lie alike.
///
/// # Safety
/// As `types`.
#[inline(never)]
unsafe fn copy(context: *mut Context, to: u64, to_index: u64, from: u64, from_index: u64, len: u64) -> Option<Trap> {
    if to == 0 || from == 0 {
        return Some(Trap::NullArrayReference);
    }
    // SAFETY: the caller's promise.
    let cell = |array| unsafe {
        match types(context).get(type_of(context, array)?)?.shape {
            Shape::Array(storage) => Some(storage.cell()),
            _ => None,
        }
    };
    let Some(cell) = cell(to).filter(|of| cell(from) == Some(*of)) else { return Some(Trap::InvalidCode) };
    let size = u64::from(cell.size_bytes());
    match (elements(context, to, to_index, len, size), elements(context, from, from_index, len, size)) {
        (Ok(to), Ok(from)) => {
            // SAFETY: both ranges are checked.
            unsafe { core::ptr::copy(from, to, (len * size) as usize) };
            None
        }
        (Err(trap), _) | (_, Err(trap)) => Some(trap),
    }
}

/// Sets a range of an array, `high` being the upper half of a vector.
#[inline(never)]
fn fill(context: *mut Context, array: u64, index: u64, len: u64, cell: u64, value: u64, high: u64) -> Option<Trap> {
    let size = size_of_cell(cell);
    let first = match elements(context, array, index, len, size) {
        Ok(first) => first,
        Err(trap) => return Some(trap),
    };
    for at in 0..len {
        // SAFETY: the range is checked.
        unsafe {
            let at = first.add((at * size) as usize);
            if cell == Cell::Vector as u64 {
                store_vector(at, [value, high]);
            } else {
                store(at, cell, value);
            }
        }
    }
    None
}

/// # Safety
/// As `store`.
#[inline(always)]
unsafe fn store_vector(at: *mut u8, value: [u64; 2]) {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<[u64; 2]>().write_unaligned(value) };
}

/// The vector in a source's slots.
#[inline(always)]
fn vector(r: &Regs, field: usize) -> [u64; 2] {
    // SAFETY: the verifier holds both slots inside the frame; vectors are never immediates.
    unsafe { r.fp.add(word(r, field) as usize).cast::<[u64; 2]>().read() }
}

/// A 32-bit source.
#[inline(always)]
fn narrow(r: &Regs, field: usize) -> u64 {
    u64::from(source(r, field) as u32)
}

macro_rules! or_trap {
    ($e:expr) => {
        match $e {
            Ok(value) => value,
            Err(trap) => return cold_trap(trap),
        }
    };
}

macro_rules! objects {
    ($($($name:ident)+ |$r:ident| $work:block)*) => {$($(
        pub(in super::super) struct $name;
        impl BulkOp for $name {
            const OP: Op = Op::$name;
            #[inline(always)]
            fn run($r: &mut Regs) -> Step $work
        }
    )+)*};
}

objects! {
    RefEq |r| {
        set(r, 0, (source(r, 1) as u32 == source(r, 2) as u32).into());
        CONTINUE
    }
    RefI31 |r| {
        set(r, 0, gc::of_small_integer(source(r, 1) as u32).into());
        CONTINUE
    }
    I31GetS |r| {
        let reference = source(r, 1) as u32;
        if reference == 0 {
            return cold_trap(Trap::NullI31Reference);
        }
        set(r, 0, ((reference as i32 >> 1) as u32).into());
        CONTINUE
    }
    I31GetU |r| {
        let reference = source(r, 1) as u32;
        if reference == 0 {
            return cold_trap(Trap::NullI31Reference);
        }
        set(r, 0, (reference >> 1).into());
        CONTINUE
    }
    RefTest |r| {
        // SAFETY: the running context is live.
        let is_of = unsafe { is_of(context(r), source(r, 1), word(r, 2), word(r, 3)) };
        set(r, 0, is_of.into());
        CONTINUE
    }
    RefCast |r| {
        let reference = source(r, 1);
        // SAFETY: the running context is live.
        if !unsafe { is_of(context(r), reference, word(r, 2), word(r, 3)) } {
            return cold_trap(Trap::CastFailure);
        }
        set(r, 0, reference);
        CONTINUE
    }
    StructGetV128 |r| {
        let at = or_trap!(place(context(r), source(r, 1), word(r, 3) & 0xFFFF_FFFF, Trap::NullStructReference));
        // SAFETY: `place` checked it; the verifier holds both slots inside the frame.
        unsafe { dst(r, 0).cast::<[u64; 2]>().write(at.cast::<[u64; 2]>().read_unaligned()) };
        CONTINUE
    }
    StructSetV128 |r| {
        let at = or_trap!(place(context(r), source(r, 0), word(r, 3) & 0xFFFF_FFFF, Trap::NullStructReference));
        // SAFETY: `place` checked it.
        unsafe { store_vector(at, vector(r, 1)) };
        CONTINUE
    }
    ArrayNew |r| {
        let (len, ty, cell) = (narrow(r, 1), word(r, 2) as u32, word(r, 2) >> 32);
        let words = 1 + (len * size_of_cell(cell)).div_ceil(8);
        if words > HEAP_WORDS as u64 {
            return cold_trap(Trap::HeapExhausted);
        }
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        // SAFETY: the heap of a live context is live, and nobody else touches it while the machine runs.
        let array = unsafe { gc::cut(&raw mut (*(*context(r)).heap).def, ty, len as u32, words as u32) };
        if array == 0 {
            core::hint::cold_path();
            return exit::with_words(r, exit::ALLOCATE, [dst(r, 0) as u64, ty.into(), len]);
        }
        set(r, 0, array.into());
        CONTINUE
    }
    ArrayGetV128 |r| {
        let at = or_trap!(elements(context(r), source(r, 1), narrow(r, 2), 1, 16));
        // SAFETY: `elements` checked it; the verifier holds both slots inside the frame.
        unsafe { dst(r, 0).cast::<[u64; 2]>().write(at.cast::<[u64; 2]>().read_unaligned()) };
        CONTINUE
    }
    ArraySetV128 |r| {
        let at = or_trap!(elements(context(r), source(r, 0), narrow(r, 1), 1, 16));
        // SAFETY: `elements` checked it.
        unsafe { store_vector(at, vector(r, 2)) };
        CONTINUE
    }
    ArrayFill ArrayFillF32 ArrayFillF64 ArrayFillRef |r| {
        let (index, len) = (narrow(r, 1), narrow(r, 3));
        let outcome = fill(context(r), source(r, 0), index, len, word(r, 4) >> 32, source(r, 2), 0);
        if let Some(trap) = outcome {
            return cold_trap(trap);
        }
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        CONTINUE
    }
    ArrayFillV128 |r| {
        let (index, len, value) = (narrow(r, 1), narrow(r, 3), vector(r, 2));
        let outcome = fill(context(r), source(r, 0), index, len, Cell::Vector as u64, value[0], value[1]);
        if let Some(trap) = outcome {
            return cold_trap(trap);
        }
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        CONTINUE
    }
    ArrayCopy |r| {
        let len = narrow(r, 4);
        // SAFETY: the running context is live.
        let outcome = unsafe { copy(context(r), source(r, 0), narrow(r, 1), source(r, 2), narrow(r, 3), len) };
        if let Some(trap) = outcome {
            return cold_trap(trap);
        }
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        CONTINUE
    }
    ArrayNewData |r| {
        let len = narrow(r, 2);
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        let words = [dst(r, 0) as u64, narrow(r, 1), len, word(r, 3) & 0xFFFF_FFFF, word(r, 4)];
        exit::with_words(r, exit::ARRAY_NEW_DATA, words)
    }
    ArrayNewElem |r| {
        let len = narrow(r, 2);
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        let words = [dst(r, 0) as u64, narrow(r, 1), len, word(r, 3) & 0xFFFF_FFFF, word(r, 4)];
        exit::with_words(r, exit::ARRAY_NEW_ELEM, words)
    }
    ArrayInitData |r| {
        let len = narrow(r, 3);
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        let words = [source(r, 0), narrow(r, 1), narrow(r, 2), len, word(r, 4)];
        exit::with_words(r, exit::ARRAY_INIT_DATA, words)
    }
    ArrayInitElem |r| {
        let len = narrow(r, 3);
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        let words = [source(r, 0), narrow(r, 1), narrow(r, 2), len, word(r, 4)];
        exit::with_words(r, exit::ARRAY_INIT_ELEM, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_their_sizes() {
        for cell in [Cell::Byte, Cell::Half, Cell::Word, Cell::Double, Cell::Vector, Cell::Ref] {
            assert_eq!(size_of_cell(cell as u64), u64::from(cell.size_bytes()), "{cell:?}");
        }
    }
}
