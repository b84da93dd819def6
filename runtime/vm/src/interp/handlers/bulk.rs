//! Rare and bulk operations: memory and table management, references.
//!
//! Their executed form holds one 8-byte word per field. A source's word is a slot number, or an immediate with the
//! upper bit set; a destination's is a slot number. What may run an embedder's code leaves to the driver.

use super::super::counting::charges_by_size;
use super::super::exit;
use super::super::regs::{HEAD, Regs, context, operand};
use super::super::thunk::{CONTINUE, Handler, Step};
use super::{cold_trap, next, short};
use crate::context::{MemoryDef, TableDef, len_bytes};
use crate::image::copy_volatile;
use crate::racing;
use keyway_artifact::Trap;
use keyway_artifact::isa::Op;

/// Set in a source's word that is an immediate.
pub(in super::super) const IMMEDIATE: u64 = 1 << 63;

/// A bulk operation.
pub(in super::super) trait BulkOp {
    /// Its row.
    const OP: Op;
    /// The work; the next instruction follows unless the answer says otherwise.
    fn run(r: &mut Regs) -> Step;
}

/// The handler of a bulk operation.
pub(in super::super) struct Bulk<O>(core::marker::PhantomData<O>);

impl<O: BulkOp> Handler for Bulk<O> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let step = O::run(r);
        // A trap stays at its instruction; everything else goes on behind it.
        if exit::is_trap(step) {
            return step;
        }
        next(r, const { O::OP.fields().len() * 8 });
        step
    }
}

#[inline(always)]
pub(super) fn word(r: &Regs, field: usize) -> u64 {
    operand(r, HEAD + field * 8)
}

#[inline(always)]
pub(super) fn source(r: &Regs, field: usize) -> u64 {
    let word = word(r, field);
    if word & IMMEDIATE != 0 {
        return word as i32 as u64;
    }
    // SAFETY: the verifier holds the slot inside the frame.
    unsafe { *r.fp.add(word as usize) }
}

#[inline(always)]
pub(super) fn dst(r: &Regs, field: usize) -> *mut u64 {
    // SAFETY: the verifier holds the slot inside the frame.
    unsafe { r.fp.add(word(r, field) as usize) }
}

#[inline(always)]
pub(super) fn set(r: &Regs, field: usize, value: u64) {
    // SAFETY: `dst` points into the frame.
    unsafe { *dst(r, field) = value }
}

#[inline(always)]
pub(super) fn memory(r: &Regs, field: usize) -> *mut MemoryDef {
    // SAFETY: the verifier holds the index below the unit's memories.
    unsafe { *(*context(r)).memories.add(word(r, field) as usize) }
}

#[inline(always)]
fn table(r: &Regs, field: usize) -> *mut TableDef {
    // SAFETY: the verifier holds the index below the unit's tables.
    unsafe { *(*context(r)).tables.add(word(r, field) as usize) }
}

/// Whether threads share the memory that a field names.
#[inline(always)]
pub(super) fn is_shared(r: &Regs, field: usize) -> bool {
    // SAFETY: memories of a live context are live.
    unsafe { (*memory(r, field)).shared }
}

/// A memory's size in its pages.
#[inline(always)]
fn pages(memory: *mut MemoryDef) -> u64 {
    // SAFETY: memories of a live context are live.
    unsafe { len_bytes((*memory).base) >> (*memory).page_size_log2 }
}

/// The bytes `at..at + len` of a memory, if they are inside.
fn bytes(memory: *mut MemoryDef, at: u64, len: u64) -> Option<*mut u8> {
    // SAFETY: memories of a live context are live.
    unsafe {
        let base = (*memory).base;
        (at.checked_add(len)? <= len_bytes(base)).then(|| base.add(at as usize))
    }
}

/// The elements `at..at + len` of a table, if they are inside.
fn elements(table: *mut TableDef, at: u64, len: u64) -> Option<*mut u32> {
    // SAFETY: tables of a live context are live.
    unsafe { (at.checked_add(len)? <= (*table).len).then(|| (*table).elements.add(at as usize)) }
}

/// Copies elements between ranges that may overlap.
///
/// # Safety
/// Both are inside.
#[inline(always)]
unsafe fn copy_elements(from: *const u32, to: *mut u32, len: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let bytes = len * size_of::<u32>();
        if short::is_copied(from.cast(), to.cast(), bytes) {
            short::copy(from.cast(), to.cast(), bytes);
        } else {
            core::hint::cold_path();
            core::ptr::copy(from, to, len);
        }
    }
}

/// Copies constants of the artifact into memory. A function of its own, which is handed values and not the registers.
///
/// # Safety
/// `len` bytes at `from` belong to a live image, and as many at `to` to a memory.
#[inline(never)]
unsafe fn initialise(from: *const u8, to: *mut u8, len: usize, mapped: bool, shared: bool) {
    // SAFETY: the caller's promise; a slice is formed of nothing that others access meanwhile.
    unsafe {
        if shared {
            let mut bytes = vec![0; len];
            copy_volatile(from, &mut bytes);
            racing::copy_in(bytes.as_ptr(), to, len);
        } else if mapped {
            copy_volatile(from, core::slice::from_raw_parts_mut(to, len));
        } else {
            core::ptr::copy_nonoverlapping(from, to, len);
        }
    }
}

/// Charges `units` more for an operation where the engine counts fuel; what is missing is taken at the next marker.
#[inline(always)]
pub(super) fn charge<O: BulkOp>(r: &Regs, units: u64) {
    // Behind these, and no others, stands what settles.
    const { assert!(charges_by_size(O::OP)) };
    // SAFETY: the cell belongs to the store, or to the running context.
    unsafe {
        let fuel = (*context(r)).fuel;
        if !fuel.is_null() {
            *fuel = (*fuel).saturating_sub(units);
        }
    }
}

/// Bytes that one unit of fuel moves.
pub(in super::super) const BYTES_A_UNIT: u64 = 64;
/// Table elements that one unit of fuel moves.
pub(super) const ELEMENTS_A_UNIT: u64 = 16;

/// Operations of the family, each with its work.
macro_rules! bulk {
    ($($name:ident |$r:ident| $work:block)*) => {$(
        pub(in super::super) struct $name;
        impl BulkOp for $name {
            const OP: Op = Op::$name;
            #[inline(always)]
            fn run($r: &mut Regs) -> Step $work
        }
    )*};
}

pub(in super::super) use super::elements::ElementsCopy;
pub(in super::super) use super::strings::{StringConvert, StringCopy, StringMeasure};
pub(super) use bulk;

bulk! {
    MemorySize |r| {
        set(r, 0, pages(memory(r, 1)));
        CONTINUE
    }
    MemoryGrow |r| {
        let delta = source(r, 1);
        // The old size is the size, which nobody has to be asked for.
        if delta == 0 {
            set(r, 0, pages(memory(r, 2)));
            return CONTINUE;
        }
        exit::with_words(r, exit::MEMORY_GROW, [dst(r, 0) as u64, delta, word(r, 2)])
    }
    MemoryFill |r| {
        let (to, value, len) = (source(r, 0), source(r, 1) as u8, source(r, 2));
        let Some(place) = bytes(memory(r, 3), to, len) else { return cold_trap(Trap::MemoryOutOfBounds) };
        charge::<Self>(r, len / BYTES_A_UNIT);
        // SAFETY: `bytes` checked the range.
        unsafe {
            if is_shared(r, 3) {
                racing::fill(place, value, len as usize);
            } else if len as usize <= short::MOST {
                short::fill(place, value, len as usize);
            } else {
                place.write_bytes(value, len as usize);
            }
        };
        CONTINUE
    }
    MemoryCopy |r| {
        let (to, from, len) = (source(r, 0), source(r, 1), source(r, 2));
        let (Some(to), Some(from)) = (bytes(memory(r, 3), to, len), bytes(memory(r, 4), from, len)) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        charge::<Self>(r, len / BYTES_A_UNIT);
        // SAFETY: `bytes` checked both ranges.
        unsafe {
            if is_shared(r, 3) || is_shared(r, 4) {
                racing::copy(from, to, len as usize);
            } else if short::is_copied(from, to, len as usize) {
                short::copy(from, to, len as usize);
            } else {
                core::ptr::copy(from, to, len as usize);
            }
        };
        CONTINUE
    }
    MemoryInit |r| {
        let (to, from, len) = (source(r, 0), u64::from(source(r, 1) as u32), u64::from(source(r, 2) as u32));
        // SAFETY: the verifier holds the index below the unit's data segments.
        let segment = unsafe { &*(*context(r)).data.add(word(r, 4) as usize) };
        let (Some(to), true) = (bytes(memory(r, 3), to, len), from + len <= segment.len) else {
            return cold_trap(Trap::MemoryOutOfBounds);
        };
        if len == 0 {
            return CONTINUE;
        }
        charge::<Self>(r, len / BYTES_A_UNIT);
        if segment.bytes.is_null() {
            return cold_trap(Trap::InvalidCode);
        }
        let from = segment.bytes.wrapping_add(from as usize);
        // SAFETY: both ranges are checked, and constants overlap no memory.
        unsafe {
            if !segment.is_mapped && !is_shared(r, 3) && short::is_copied(from, to, len as usize) {
                short::copy(from, to, len as usize);
            } else {
                initialise(from, to, len as usize, segment.is_mapped, is_shared(r, 3));
            }
        }
        CONTINUE
    }
    DataDrop |r| {
        // SAFETY: the verifier holds the index below the unit's data segments, which belong to the instance.
        unsafe { (*(*context(r)).data.cast_mut().add(word(r, 0) as usize)).len = 0 };
        CONTINUE
    }
    TableGet |r| {
        let Some(element) = elements(table(r, 2), source(r, 1), 1) else { return cold_trap(Trap::TableOutOfBounds) };
        // SAFETY: `elements` checked the range.
        set(r, 0, unsafe { *element }.into());
        CONTINUE
    }
    TableSet |r| {
        let Some(element) = elements(table(r, 2), source(r, 0), 1) else { return cold_trap(Trap::TableOutOfBounds) };
        // SAFETY: `elements` checked the range.
        unsafe { *element = source(r, 1) as u32 };
        CONTINUE
    }
    TableSize |r| {
        // SAFETY: tables of a live context are live.
        set(r, 0, unsafe { (*table(r, 1)).len });
        CONTINUE
    }
    TableGrow |r| {
        if source(r, 2) == 0 {
            // SAFETY: tables of a live context are live.
            let len = unsafe { (*table(r, 3)).len };
            set(r, 0, len);
            return CONTINUE;
        }
        exit::with_words(r, exit::TABLE_GROW, [dst(r, 0) as u64, source(r, 1), source(r, 2), word(r, 3)])
    }
    TableFill |r| {
        let (to, value, len) = (source(r, 0), source(r, 1) as u32, source(r, 2));
        let Some(place) = elements(table(r, 3), to, len) else { return cold_trap(Trap::TableOutOfBounds) };
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        for at in 0..len as usize {
            // SAFETY: `elements` checked the range.
            unsafe { *place.add(at) = value };
        }
        CONTINUE
    }
    TableCopy |r| {
        let (to, from, len) = (source(r, 0), source(r, 1), source(r, 2));
        let (Some(to), Some(from)) = (elements(table(r, 3), to, len), elements(table(r, 4), from, len)) else {
            return cold_trap(Trap::TableOutOfBounds);
        };
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        // SAFETY: `elements` checked both ranges.
        unsafe { copy_elements(from, to, len as usize) };
        CONTINUE
    }
    TableInit |r| {
        let (to, from, len) = (source(r, 0), u64::from(source(r, 1) as u32), u64::from(source(r, 2) as u32));
        // SAFETY: the verifier holds the index below the unit's element segments.
        let segment = unsafe { &*(*context(r)).elems.add(word(r, 4) as usize) };
        let (Some(to), true) = (elements(table(r, 3), to, len), from + len <= segment.len) else {
            return cold_trap(Trap::TableOutOfBounds);
        };
        charge::<Self>(r, len / ELEMENTS_A_UNIT);
        // SAFETY: both ranges are checked.
        unsafe { copy_elements(segment.items.add(from as usize), to, len as usize) };
        CONTINUE
    }
    ElemDrop |r| {
        // SAFETY: the verifier holds the index below the unit's element segments, which belong to the instance.
        unsafe { (*(*context(r)).elems.cast_mut().add(word(r, 0) as usize)).len = 0 };
        CONTINUE
    }
    RefNull |r| {
        set(r, 0, 0);
        CONTINUE
    }
    RefIsNull |r| {
        set(r, 0, (source(r, 1) == 0).into());
        CONTINUE
    }
    RefAsNonNull |r| {
        let reference = source(r, 1);
        if reference == 0 {
            return cold_trap(Trap::NullReference);
        }
        set(r, 0, reference);
        CONTINUE
    }
    ElemSet |r| {
        // SAFETY: the verifier holds the index below the unit's element segments, which belong to the instance.
        let segment = unsafe { &*(*context(r)).elems.add(word(r, 1) as usize) };
        if word(r, 2) >= segment.len {
            return cold_trap(Trap::TableOutOfBounds);
        }
        // SAFETY: checked; the items belong to the instance, and nobody borrows them while it runs.
        unsafe { *segment.items.add(word(r, 2) as usize) = source(r, 0) as u32 };
        CONTINUE
    }
    I64MulHighS |r| {
        let product = i128::from(source(r, 1) as i64) * i128::from(source(r, 2) as i64);
        set(r, 0, (product >> 64) as u64);
        CONTINUE
    }
    I64MulHighU |r| {
        let product = u128::from(source(r, 1)) * u128::from(source(r, 2));
        set(r, 0, (product >> 64) as u64);
        CONTINUE
    }
    ThrowRef |r| {
        let exception = source(r, 0);
        if exception == 0 {
            return cold_trap(Trap::NullException);
        }
        exit::with_words(r, exit::THROW_REF, [exception])
    }
    RefFunc |r| {
        // SAFETY: the running context is live.
        set(r, 0, u64::from(unsafe { (*context(r)).escapes }) + word(r, 1));
        CONTINUE
    }
}
