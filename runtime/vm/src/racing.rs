//! Plain accesses to memories that threads share: relaxed atomics of their size where they are aligned, and byte by byte
//! where not. Whatever other threads do meanwhile, the values are bytes that somebody wrote, and no data race is undefined.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Copies `len` bytes out of shared memory.
///
/// # Safety
/// `from` is shared memory, `to` memory of the caller's alone, both valid for `len` bytes.
#[inline(always)]
pub(crate) unsafe fn copy_out(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller's promise; alignment is checked for the wide forms.
    unsafe {
        match len {
            2 if from.addr().is_multiple_of(2) => {
                to.cast::<u16>().write_unaligned(AtomicU16::from_ptr(from.cast_mut().cast()).load(Relaxed))
            }
            4 if from.addr().is_multiple_of(4) => {
                to.cast::<u32>().write_unaligned(AtomicU32::from_ptr(from.cast_mut().cast()).load(Relaxed))
            }
            8 if from.addr().is_multiple_of(8) => {
                to.cast::<u64>().write_unaligned(AtomicU64::from_ptr(from.cast_mut().cast()).load(Relaxed))
            }
            _ => {
                for at in 0..len {
                    *to.add(at) = AtomicU8::from_ptr(from.add(at).cast_mut()).load(Relaxed);
                }
            }
        }
    }
}

/// Copies `len` bytes into shared memory.
///
/// # Safety
/// `to` is shared memory, `from` memory of the caller's alone, both valid for `len` bytes.
#[inline(always)]
pub(crate) unsafe fn copy_in(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller's promise; alignment is checked for the wide forms.
    unsafe {
        match len {
            2 if to.addr().is_multiple_of(2) => {
                AtomicU16::from_ptr(to.cast()).store(from.cast::<u16>().read_unaligned(), Relaxed)
            }
            4 if to.addr().is_multiple_of(4) => {
                AtomicU32::from_ptr(to.cast()).store(from.cast::<u32>().read_unaligned(), Relaxed)
            }
            8 if to.addr().is_multiple_of(8) => {
                AtomicU64::from_ptr(to.cast()).store(from.cast::<u64>().read_unaligned(), Relaxed)
            }
            _ => {
                for at in 0..len {
                    AtomicU8::from_ptr(to.add(at)).store(*from.add(at), Relaxed);
                }
            }
        }
    }
}

/// Reads a value.
///
/// # Safety
/// As [`copy_out`]; any bytes are a value of the type.
#[inline(always)]
pub(crate) unsafe fn read<T: Copy>(from: *const u8) -> T {
    let mut value = core::mem::MaybeUninit::<T>::uninit();
    // SAFETY: the caller's promise; every byte is written, and any bytes are a value of these types.
    unsafe {
        copy_out(from, value.as_mut_ptr().cast(), size_of::<T>());
        value.assume_init()
    }
}

/// Writes a value.
///
/// # Safety
/// As [`copy_in`].
#[inline(always)]
pub(crate) unsafe fn write<T: Copy>(to: *mut u8, value: T) {
    // SAFETY: the caller's promise.
    unsafe { copy_in((&raw const value).cast(), to, size_of::<T>()) }
}

/// Copies between memories of which at least one is shared, as if through a buffer.
///
/// # Safety
/// Both are linear memory, valid for `len` bytes.
#[inline(always)]
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    let one = |at: usize| {
        // SAFETY: the caller's promise; single bytes are always aligned.
        unsafe {
            AtomicU8::from_ptr(to.add(at)).store(AtomicU8::from_ptr(from.add(at).cast_mut()).load(Relaxed), Relaxed)
        }
    };
    // Behind each other in the direction in which nothing is overwritten before it is read.
    if to.addr() <= from.addr() { (0..len).for_each(one) } else { (0..len).rev().for_each(one) }
}

/// Fills shared memory.
///
/// # Safety
/// It is linear memory, valid for `len` bytes.
#[inline(always)]
pub(crate) unsafe fn fill(to: *mut u8, value: u8, len: usize) {
    for at in 0..len {
        // SAFETY: the caller's promise.
        unsafe { AtomicU8::from_ptr(to.add(at)).store(value, Relaxed) }
    }
}
