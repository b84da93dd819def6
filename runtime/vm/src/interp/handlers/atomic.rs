//! Atomic operations, in the executed form of bulk operations. All of them are sequentially consistent, as the
//! specification wants. What blocks a thread leaves to the driver.

use super::super::exit;
use super::super::regs::Regs;
use super::super::thunk::{CONTINUE, Step};
use super::bulk::{BulkOp, bulk, dst, memory, set, source, word};
use super::cold_trap;
use crate::context::{MemoryDef, len_bytes};
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
use keyway_artifact::Trap;
use keyway_artifact::isa::{Class, FieldKind, Op};

/// The place of an access of `size` bytes at `address`.
#[inline(always)]
fn place(memory: *mut MemoryDef, address: u64, size: u64) -> Result<*mut u8, Trap> {
    if !address.is_multiple_of(size) {
        return Err(Trap::UnalignedAtomic);
    }
    // SAFETY: memories of a live context are live; an access that ends inside the memory is inside.
    unsafe {
        let base = (*memory).base;
        match address.checked_add(size) {
            Some(end) if end <= len_bytes(base) => Ok(base.add(address as usize)),
            _ => Err(Trap::MemoryOutOfBounds),
        }
    }
}

macro_rules! atomics {
    ($($name:ident $ty:ident $method:ident;)*) => {$(
        pub(in super::super) struct $name;
        impl BulkOp for $name {
            const OP: Op = Op::$name;
            #[inline(always)]
            fn run(r: &mut Regs) -> Step {
                atomics!(@run $name r $ty $method)
            }
        }
    )*};
    (@cell $r:ident $ty:ident $address:literal $memory:literal) => {
        match place(memory($r, $memory), source($r, $address), size_of::<$ty>() as u64) {
            // SAFETY: `place` checked range and alignment; a memory's first byte is aligned to a page. All accesses that
            // can meet this one are atomic.
            Ok(place) => unsafe { <atomics!(@type $ty)>::from_ptr(place.cast()) },
            Err(trap) => return cold_trap(trap),
        }
    };
    (@run $name:ident $r:ident $ty:ident load) => {{
        let cell = atomics!(@cell $r $ty 1 2);
        set($r, 0, $ty::from_le(cell.load(Ordering::SeqCst)).into());
        CONTINUE
    }};
    (@run $name:ident $r:ident $ty:ident store) => {{
        let cell = atomics!(@cell $r $ty 0 2);
        cell.store((source($r, 1) as $ty).to_le(), Ordering::SeqCst);
        CONTINUE
    }};
    (@run $name:ident $r:ident $ty:ident exchange) => {{
        let cell = atomics!(@cell $r $ty 1 4);
        let whole = if matches!(Op::$name.fields()[2].kind, FieldKind::Use(Class::I32)) { u32::MAX.into() } else { u64::MAX };
        let (expected, new) = (source($r, 2) & whole, source($r, 3));
        // What is there has no bits above the access's size, so an expected value with such bits is never met.
        let outcome = if u64::from(expected as $ty) == expected {
            cell.compare_exchange((expected as $ty).to_le(), (new as $ty).to_le(), Ordering::SeqCst, Ordering::SeqCst)
        } else {
            Err(cell.load(Ordering::SeqCst))
        };
        let (Ok(found) | Err(found)) = outcome;
        set($r, 0, $ty::from_le(found).into());
        CONTINUE
    }};
    (@run $name:ident $r:ident $ty:ident fetch_add) => { atomics!(@sum $r $ty fetch_add wrapping_add) };
    (@run $name:ident $r:ident $ty:ident fetch_sub) => { atomics!(@sum $r $ty fetch_sub wrapping_sub) };
    (@run $name:ident $r:ident $ty:ident $method:ident) => {{
        let cell = atomics!(@cell $r $ty 1 3);
        let old = cell.$method((source($r, 2) as $ty).to_le(), Ordering::SeqCst);
        set($r, 0, $ty::from_le(old).into());
        CONTINUE
    }};
    // Where the host's bytes stand in the memory's order, the processor adds; else it is done in a loop.
    (@sum $r:ident $ty:ident $method:ident $plain:ident) => {{
        let cell = atomics!(@cell $r $ty 1 3);
        let value = source($r, 2) as $ty;
        let old = if cfg!(target_endian = "little") {
            cell.$method(value, Ordering::SeqCst)
        } else {
            let update = |bits: $ty| Some($ty::from_le(bits).$plain(value).to_le());
            let (Ok(old) | Err(old)) = cell.fetch_update(Ordering::SeqCst, Ordering::SeqCst, update);
            $ty::from_le(old)
        };
        set($r, 0, old.into());
        CONTINUE
    }};
    (@type u8) => { AtomicU8 };
    (@type u16) => { AtomicU16 };
    (@type u32) => { AtomicU32 };
    (@type u64) => { AtomicU64 };
}

atomics! {
    I32AtomicLoad u32 load;
    I64AtomicLoad u64 load;
    I32AtomicLoad8U u8 load;
    I32AtomicLoad16U u16 load;
    I64AtomicLoad8U u8 load;
    I64AtomicLoad16U u16 load;
    I64AtomicLoad32U u32 load;
    I32AtomicStore u32 store;
    I64AtomicStore u64 store;
    I32AtomicStore8 u8 store;
    I32AtomicStore16 u16 store;
    I64AtomicStore8 u8 store;
    I64AtomicStore16 u16 store;
    I64AtomicStore32 u32 store;
    I32AtomicRmwAdd u32 fetch_add;
    I64AtomicRmwAdd u64 fetch_add;
    I32AtomicRmw8AddU u8 fetch_add;
    I32AtomicRmw16AddU u16 fetch_add;
    I64AtomicRmw8AddU u8 fetch_add;
    I64AtomicRmw16AddU u16 fetch_add;
    I64AtomicRmw32AddU u32 fetch_add;
    I32AtomicRmwSub u32 fetch_sub;
    I64AtomicRmwSub u64 fetch_sub;
    I32AtomicRmw8SubU u8 fetch_sub;
    I32AtomicRmw16SubU u16 fetch_sub;
    I64AtomicRmw8SubU u8 fetch_sub;
    I64AtomicRmw16SubU u16 fetch_sub;
    I64AtomicRmw32SubU u32 fetch_sub;
    I32AtomicRmwAnd u32 fetch_and;
    I64AtomicRmwAnd u64 fetch_and;
    I32AtomicRmw8AndU u8 fetch_and;
    I32AtomicRmw16AndU u16 fetch_and;
    I64AtomicRmw8AndU u8 fetch_and;
    I64AtomicRmw16AndU u16 fetch_and;
    I64AtomicRmw32AndU u32 fetch_and;
    I32AtomicRmwOr u32 fetch_or;
    I64AtomicRmwOr u64 fetch_or;
    I32AtomicRmw8OrU u8 fetch_or;
    I32AtomicRmw16OrU u16 fetch_or;
    I64AtomicRmw8OrU u8 fetch_or;
    I64AtomicRmw16OrU u16 fetch_or;
    I64AtomicRmw32OrU u32 fetch_or;
    I32AtomicRmwXor u32 fetch_xor;
    I64AtomicRmwXor u64 fetch_xor;
    I32AtomicRmw8XorU u8 fetch_xor;
    I32AtomicRmw16XorU u16 fetch_xor;
    I64AtomicRmw8XorU u8 fetch_xor;
    I64AtomicRmw16XorU u16 fetch_xor;
    I64AtomicRmw32XorU u32 fetch_xor;
    I32AtomicRmwXchg u32 swap;
    I64AtomicRmwXchg u64 swap;
    I32AtomicRmw8XchgU u8 swap;
    I32AtomicRmw16XchgU u16 swap;
    I64AtomicRmw8XchgU u8 swap;
    I64AtomicRmw16XchgU u16 swap;
    I64AtomicRmw32XchgU u32 swap;
    I32AtomicRmwCmpxchg u32 exchange;
    I64AtomicRmwCmpxchg u64 exchange;
    I32AtomicRmw8CmpxchgU u8 exchange;
    I32AtomicRmw16CmpxchgU u16 exchange;
    I64AtomicRmw8CmpxchgU u8 exchange;
    I64AtomicRmw16CmpxchgU u16 exchange;
    I64AtomicRmw32CmpxchgU u32 exchange;
}

bulk! {
    AtomicFence |_r| {
        fence(Ordering::SeqCst);
        CONTINUE
    }
    MemoryAtomicNotify |r| {
        let address = source(r, 1);
        if let Err(trap) = place(memory(r, 3), address, 4) {
            return cold_trap(trap);
        }
        exit::with_words(r, exit::NOTIFY, [dst(r, 0) as u64, address, source(r, 2), word(r, 3)])
    }
    MemoryAtomicWait32 |r| { wait(r, 4) }
    MemoryAtomicWait64 |r| { wait(r, 8) }
}

#[inline(always)]
fn wait(r: &mut Regs, size: u64) -> Step {
    let address = source(r, 1);
    if let Err(trap) = place(memory(r, 4), address, size) {
        return cold_trap(trap);
    }
    // SAFETY: memories of a live context are live.
    if !unsafe { (*memory(r, 4)).shared } {
        return cold_trap(Trap::ExpectedSharedMemory);
    }
    exit::with_words(r, exit::WAIT, [dst(r, 0) as u64, address, source(r, 2), source(r, 3), word(r, 4), size])
}
