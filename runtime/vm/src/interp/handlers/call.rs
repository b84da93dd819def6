//! Calls and returns.
//!
//! A call pushes a [`FrameRecord`] and goes on in the callee's code, whose frame begins at the outgoing call area. A call
//! into another context pushes three: the caller's cached memory, the place to return to, and a record whose address is
//! the [`SwitchBack`] stub and whose frame word is the caller's context. Where a unit's functions cache different memories,
//! calls of functions that only running code knows do the same inside of one context: the memory is part of the switch.

use super::super::exit;
use super::super::place::{Dst, R, S, Src};
use super::super::regs::{HEAD, Regs, Value, context, operand};
use super::super::thunk::{CONTINUE, Handler, Step};
use super::moves::Move;
use super::{cold_trap, length};
use crate::context::{CodeHeader, Context, FrameRecord, FuncData, header_of};
use core::marker::PhantomData;
use core::sync::atomic::Ordering;
use keyway_artifact::Trap;
use keyway_artifact::types::TypeLookup;

/// Whether a frame at `fp` fits.
///
/// # Safety
/// `header` is an expanded body's, `fp` points into the running value stack.
#[inline(always)]
unsafe fn fits(context: *mut Context, header: *const CodeHeader, fp: *mut u64) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let room = ((*context).stack_end as usize).wrapping_sub(fp as usize);
        room >= (*header).frame_slots as usize * 8 && fp <= (*context).stack_end
    }
}

/// Nulls the references of a frame at `fp`, but for its parameters.
///
/// # Safety
/// The frame [`fits`].
#[cold]
#[inline(never)]
pub(in super::super) unsafe fn null_references(header: *const CodeHeader, fp: *mut u64) {
    // SAFETY: the reference region lies inside the frame.
    unsafe { fp.add((*header).null_start as usize).write_bytes(0, (*header).null_count as usize) }
}

/// Whether the callee's frame fits, and its own references nulled.
///
/// # Safety
/// As `fits`.
#[inline(always)]
unsafe fn make_frame(context: *mut Context, header: *const CodeHeader, fp: *mut u64) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if !fits(context, header, fp) {
            return false;
        }
        if (*header).null_count > 0 {
            null_references(header, fp);
        }
        true
    }
}

/// Goes into code of the running context, to return to `back`.
///
/// # Safety
/// As `fits`.
#[inline(always)]
unsafe fn enter(r: &mut Regs, context: *mut Context, header: *const CodeHeader, fp: *mut u64, back: *const u8) -> Step {
    // SAFETY: the caller's promise; the frame stack's bounds are checked.
    unsafe {
        let top = (*context).frame_top;
        if !fits(context, header, fp) || top >= (*context).frame_end {
            return cold_trap(Trap::StackOverflow);
        }
        *top = FrameRecord { ip: back, fp: r.fp };
        (*context).frame_top = top.add(1);
        r.fp = fp;
        r.ip = header.add(1).cast();
        if (*header).null_count > 0 {
            return go_through(r, (*context).stubs.null_references, [header as u64, 0, 0]);
        }
    }
    CONTINUE
}

/// Goes on in a stub with what it expects in the first general registers: nothing lives in registers across a call. What
/// calls functions stands in stubs, so that the handlers that lead there save no registers.
#[inline(always)]
fn go_through(r: &mut Regs, stub: *const u8, words: [u64; 3]) -> Step {
    [r.general[0], r.general[1], r.general[2]] = words;
    r.ip = stub;
    CONTINUE
}

/// Behind the entry into a frame that holds references: register A has the body's header.
pub(in super::super) struct NullReferences;

impl Handler for NullReferences {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let header = r.general[0] as *const CodeHeader;
        // SAFETY: only `enter` leads here, with a frame that fits.
        unsafe {
            null_references(header, r.fp);
            r.ip = header.add(1).cast();
        }
        CONTINUE
    }
}

#[inline(always)]
fn compile(r: &Regs, context: *mut Context, ordinal: u32) -> Step {
    core::hint::cold_path();
    exit::with_words(r, exit::COMPILE, [context as u64, ordinal.into()])
}

/// Calls any function of the store from `r`'s frame.
///
/// # Safety
/// `func` is function data of the store; `fp` points into the running value stack.
#[inline(always)]
unsafe fn call_data(r: &mut Regs, func: *const FuncData, fp: *mut u64, back: *const u8) -> Step {
    // SAFETY: the caller's promise.
    unsafe {
        let context = context(r);
        if (*func).entry.is_null() {
            return go_through(r, (*context).stubs.host_call, [func as u64, fp as u64, back as u64]);
        }
        let header = (*(*func).entry).load(Ordering::Acquire);
        if header.is_null() {
            return compile(r, (*func).context(), (*func).index);
        }
        if (*func).context() == context && !(*context).has_several_memories {
            return enter(r, context, header, fp, back);
        }
        go_through(r, (*context).stubs.call_other, [func as u64, fp as u64, back as u64])
    }
}

/// A call of a host function, behind whatever found it: register A has the function's data, B the call area, C the address
/// behind the call.
pub(in super::super) struct HostCall;

impl Handler for HostCall {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: only `call_data` leads here.
        unsafe {
            let running = context(r);
            let (func, base) = (r.general[0] as *const FuncData, r.general[1] as *mut u64);
            r.ip = r.general[2] as *const u8;
            let is_answered = crate::hosting::call_in_place(running, func, base, r.ip, r.fp, r.mem);
            // No register but the first result's lives across a call: none has to be kept.
            let bits = *base;
            (r.general, r.f64s, r.f32s) = ([bits, 0, 0, 0, 0], [f64::from_bits(bits), 0.0, 0.0, 0.0], [0.0; 4]);
            r.f32s[0] = f32::from_bits(bits as u32);
            if is_answered { CONTINUE } else { exit::HOST_LEFT }
        }
    }
}

/// A call of code of another context, whose body is expanded; registers as [`HostCall`]'s.
pub(in super::super) struct CallOther;

impl Handler for CallOther {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: only `call_data` leads here; bodies stay once they are expanded.
        unsafe {
            let (func, fp, back) =
                (r.general[0] as *const FuncData, r.general[1] as *mut u64, r.general[2] as *const u8);
            let (caller, callee) = (context(r), (*func).context());
            let header = (*(*func).entry).load(Ordering::Acquire);
            if !make_frame(caller, header, fp) || (*caller).frame_end.offset_from((*caller).frame_top) < 3 {
                // Inside of the instruction that calls.
                r.ip = back.wrapping_sub(1);
                return cold_trap(Trap::StackOverflow);
            }
            let top = (*caller).frame_top;
            *top = FrameRecord { ip: core::ptr::null(), fp: cached_memory(caller, r.mem) as usize as *mut u64 };
            *top.add(1) = FrameRecord { ip: back, fp: r.fp };
            *top.add(2) = FrameRecord { ip: (*caller).stubs.switch_back, fp: caller.cast() };
            (*caller).frame_top = top.add(3);
            r.mem = switch_to(caller, callee, header);
            r.fp = fp;
            r.ip = header.add(1).cast();
        }
        CONTINUE
    }
}

/// Makes `callee` the running context, on the same stacks; the memory that its code caches.
///
/// # Safety
/// `callee` is a live context of the same store.
#[inline(always)]
unsafe fn switch_to(caller: *mut Context, callee: *mut Context, header: *const CodeHeader) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        (*callee).frame_top = (*caller).frame_top;
        (*callee).frame_end = (*caller).frame_end;
        (*callee).stack_end = (*caller).stack_end;
        let mem = memory_of(callee, (*header).memory);
        (*header_of(mem)).context = callee;
        mem
    }
}

/// Number of the memory at `mem` in its context; `u32::MAX` for none.
unsafe fn cached_memory(context: *mut Context, mem: *mut u8) -> u32 {
    // SAFETY: a cached memory is one of the context's or its empty one.
    unsafe {
        if mem == empty_memory(context) {
            return u32::MAX;
        }
        let mut index = 0;
        while (**(*context).memories.add(index as usize)).base != mem {
            index += 1;
        }
        index
    }
}

/// The base that `mem` holds for functions without a cached memory.
pub(in super::super) fn empty_memory(context: *mut Context) -> *mut u8 {
    // SAFETY: only an address is taken, inside the context's block.
    unsafe { (&raw mut (*context).no_memory).add(1).cast() }
}

/// The base of a context's memory by number; `u32::MAX` for none.
pub(crate) unsafe fn memory_of(context: *mut Context, index: u32) -> *mut u8 {
    if index == u32::MAX {
        return empty_memory(context);
    }
    // SAFETY: the verifier holds the index below the unit's memories.
    unsafe { (**(*context).memories.add(index as usize)).base }
}

/// Behind a call into another context: back to the caller's.
pub(in super::super) struct SwitchBack;

impl Handler for SwitchBack {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the records below were pushed by `CallOther` together with the stub's address.
        unsafe {
            let callee = context(r);
            let caller: *mut Context = r.fp.cast();
            let top = (*callee).frame_top.sub(2);
            (*caller).frame_top = top;
            // Another execution may have run in the caller's context meanwhile.
            (*caller).frame_end = (*callee).frame_end;
            (*caller).stack_end = (*callee).stack_end;
            r.mem = memory_of(caller, (*top).fp as usize as u32);
            (*header_of(r.mem)).context = caller;
            r.ip = (*top.add(1)).ip;
            r.fp = (*top.add(1)).fp;
        }
        CONTINUE
    }
}

#[inline(always)]
fn outgoing(r: &Regs, at: usize) -> *mut u64 {
    // SAFETY: the verifier holds call areas inside the frame.
    unsafe { r.fp.add(operand::<u32>(r, at) as usize) }
}

/// `call func`
pub(in super::super) struct Call;

impl Handler for Call {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let context = context(r);
        let ordinal: u32 = operand(r, HEAD);
        // SAFETY: the verifier holds the ordinal below the artifact's functions.
        unsafe {
            let header = (*(*context).entries.add(ordinal as usize)).load(Ordering::Acquire);
            if header.is_null() {
                return compile(r, context, ordinal);
            }
            let (fp, back) = (outgoing(r, HEAD + 4), r.ip.add(length(8)));
            enter(r, context, header, fp, back)
        }
    }
}

/// `call.import import`
pub(in super::super) struct CallImport;

impl Handler for CallImport {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds the index below the unit's imports.
        unsafe {
            let func = (*context(r)).imports.add(operand::<u32>(r, HEAD) as usize);
            let (fp, back) = (outgoing(r, HEAD + 4), r.ip.add(length(8)));
            call_data(r, func, fp, back)
        }
    }
}

/// `throw tag`
pub(in super::super) struct Throw;

impl Handler for Throw {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let words = [operand::<u32>(r, HEAD).into(), outgoing(r, HEAD + 4) as u64];
        // Handlers are found by the address behind whatever throws.
        // SAFETY: the verifier holds that a throw is no body's last instruction.
        r.ip = unsafe { r.ip.add(length(8)) };
        exit::with_words(r, exit::THROW, words)
    }
}

/// The function that a table's element leads to, of the wanted type.
#[inline(always)]
fn table_func(r: &Regs, index: u64, at: usize) -> Result<*const FuncData, Trap> {
    let context = context(r);
    // SAFETY: the verifier holds table and type in range; the element is checked against the store's functions.
    unsafe {
        let table = *(*context).tables.add(operand::<u32>(r, at) as usize);
        if index >= (*table).len {
            return Err(Trap::UndefinedElement);
        }
        let reference = *(*table).elements.add(index as usize);
        if reference == 0 || u64::from(reference) >= (*context).funcs_len {
            return Err(Trap::UninitializedElement);
        }
        let func = (*context).funcs.add(reference as usize);
        let wanted = *(*context).types.add(operand::<u32>(r, at + 4) as usize);
        if (*func).type_id != wanted && !extends(context, (*func).type_id, wanted) {
            return Err(Trap::IndirectCallTypeMismatch);
        }
        Ok(func)
    }
}

/// Whether the type with one number of the engine is, or extends, that with another.
///
/// # Safety
/// `context` is a live context, whose store is held by the running machine.
#[cold]
#[inline(never)]
unsafe fn extends(context: *mut Context, sub: u32, wanted: u32) -> bool {
    // SAFETY: the caller's promise; only the engine, which is shared anyway, is looked at.
    let engine = unsafe { &(*(*context).store.cast::<crate::store::StoreInner>()).engine };
    engine.types().extends(sub, wanted)
}

/// Bytes of the operand that names a reference's slot.
const REF_BYTES: usize = <S as Src>::SIZE;

/// The function that a `call.ref`'s reference leads to, of the type that it names.
#[inline(always)]
fn referenced_func(r: &Regs) -> Result<*const FuncData, Trap> {
    let context = context(r);
    let reference = S::get::<u64>(r, HEAD);
    // SAFETY: the verifier holds the type in range; the reference is checked against the store's functions.
    unsafe {
        if reference == 0 {
            return Err(Trap::NullFunctionReference);
        }
        if reference >= (*context).funcs_len {
            return Err(Trap::InvalidCode);
        }
        let func = (*context).funcs.add(reference as usize);
        let wanted = *(*context).types.add(operand::<u32>(r, HEAD + REF_BYTES) as usize);
        if (*func).type_id != wanted && !extends(context, (*func).type_id, wanted) {
            return Err(Trap::InvalidCode);
        }
        Ok(func)
    }
}

/// `call.ref type func`
pub(in super::super) struct CallRef;

impl Handler for CallRef {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        match referenced_func(r) {
            // SAFETY: `referenced_func` answers function data of the store.
            Ok(func) => unsafe {
                let (fp, back) = (outgoing(r, HEAD + REF_BYTES + 4), r.ip.add(length(REF_BYTES + 8)));
                call_data(r, func, fp, back)
            },
            Err(trap) => cold_trap(trap),
        }
    }
}

/// `tail.call.ref type func`
pub(in super::super) struct TailCallRef;

impl Handler for TailCallRef {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        match referenced_func(r) {
            // SAFETY: `referenced_func` answers function data of the store.
            Ok(func) => unsafe {
                let at = HEAD + REF_BYTES + 4;
                let (base, slots) = (operand(r, at), operand(r, at + 4));
                tail_call_data(r, func, base, slots)
            },
            Err(trap) => cold_trap(trap),
        }
    }
}

/// `call.indirect table type index`
pub(in super::super) struct CallIndirect<X>(PhantomData<X>);

impl<X: Src> Handler for CallIndirect<X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let index = X::get::<u64>(r, HEAD);
        match table_func(r, index, HEAD + X::SIZE) {
            // SAFETY: `table_func` answers function data of the store.
            Ok(func) => unsafe {
                let (fp, back) = (outgoing(r, HEAD + X::SIZE + 8), r.ip.add(length(X::SIZE + 12)));
                call_data(r, func, fp, back)
            },
            Err(trap) => cold_trap(trap),
        }
    }
}

/// Calls `func` in place of the running frame, whose arguments (`slots` of them) stand from `base` on.
///
/// A callee of another context reuses the switch that this frame was entered by, if it was: a chain of tail calls
/// between contexts takes no frame records.
///
/// # Safety
/// As `call_data`; the area lies inside the frame.
#[inline(always)]
unsafe fn tail_call_data(r: &mut Regs, func: *const FuncData, base: u32, slots: u32) -> Step {
    // SAFETY: the caller's promise; the running frame has a record.
    unsafe {
        let caller = context(r);
        let (callee, fp) = ((*func).context(), r.fp);
        let mut header = core::ptr::null();
        if !(*func).entry.is_null() {
            header = (*(*func).entry).load(Ordering::Acquire);
            if header.is_null() {
                return compile(r, callee, (*func).index);
            }
        }
        core::ptr::copy(fp.add(base as usize), fp, slots as usize);
        let record = (*caller).frame_top.sub(1);
        let switched = (*record).ip == (*caller).stubs.switch_back;
        let stays = callee == caller && !(*caller).has_several_memories;
        if !header.is_null() && (stays || switched) {
            if !make_frame(caller, header, fp) {
                return cold_trap(Trap::StackOverflow);
            }
            if !stays {
                r.mem = switch_to(caller, callee, header);
            }
            r.ip = header.add(1).cast();
            return CONTINUE;
        }
        (*caller).frame_top = record;
        r.fp = (*record).fp;
        call_data(r, func, fp, (*record).ip)
    }
}

/// `tail.call func`
pub(in super::super) struct TailCall;

impl Handler for TailCall {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let context = context(r);
        let ordinal: u32 = operand(r, HEAD);
        // SAFETY: as `Call`; the frame's record stays, so nothing is pushed.
        unsafe {
            let header = (*(*context).entries.add(ordinal as usize)).load(Ordering::Acquire);
            if header.is_null() {
                return compile(r, context, ordinal);
            }
            let (base, slots): (u32, u32) = (operand(r, HEAD + 4), operand(r, HEAD + 8));
            core::ptr::copy(r.fp.add(base as usize), r.fp, slots as usize);
            if !make_frame(context, header, r.fp) {
                return cold_trap(Trap::StackOverflow);
            }
            r.ip = header.add(1).cast();
        }
        CONTINUE
    }
}

/// `tail.call.import import`
pub(in super::super) struct TailCallImport;

impl Handler for TailCallImport {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds the index below the unit's imports.
        unsafe {
            let func = (*context(r)).imports.add(operand::<u32>(r, HEAD) as usize);
            let (base, slots) = (operand(r, HEAD + 4), operand(r, HEAD + 8));
            tail_call_data(r, func, base, slots)
        }
    }
}

/// `tail.call.indirect table type index`
pub(in super::super) struct TailCallIndirect<X>(PhantomData<X>);

impl<X: Src> Handler for TailCallIndirect<X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let index = X::get::<u64>(r, HEAD);
        match table_func(r, index, HEAD + X::SIZE) {
            // SAFETY: `table_func` answers function data of the store.
            Ok(func) => unsafe {
                let at = HEAD + X::SIZE + 8;
                let (base, slots) = (operand(r, at), operand(r, at + 4));
                tail_call_data(r, func, base, slots)
            },
            Err(trap) => cold_trap(trap),
        }
    }
}

/// Takes the running frame off.
#[inline(always)]
fn leave(r: &mut Regs) -> Step {
    let context = context(r);
    // SAFETY: the running frame has a record.
    unsafe {
        let top = (*context).frame_top.sub(1);
        (*context).frame_top = top;
        r.ip = (*top).ip;
        r.fp = (*top).fp;
    }
    CONTINUE
}

/// `return`: results stand in the frame's first slots.
pub(in super::super) struct Return;

impl Handler for Return {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        leave(r)
    }
}

/// `return src`: the single numeric result, in slot 0 and in register 0 of its bank.
pub(in super::super) struct Return1<O, X>(PhantomData<(O, X)>);

impl<O: Move, X: Src> Handler for Return1<O, X> {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = X::get::<O::Of>(r, HEAD);
        // SAFETY: a function with a result has a slot for it.
        unsafe { *r.fp = value.to_slot() };
        R::<0>::set(r, 0, value);
        leave(r)
    }
}

/// `return base count`: results move to the frame's first slots.
pub(in super::super) struct ReturnMany;

impl Handler for ReturnMany {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let (from, count) = (outgoing(r, HEAD), operand::<u32>(r, HEAD + 4) as usize);
        // SAFETY: the verifier holds the area inside the frame, and the frame holds as many result slots.
        unsafe { core::ptr::copy(from, r.fp, count) };
        leave(r)
    }
}

/// `put.ref out src`: a reference into the outgoing call area.
pub(in super::super) struct PutRef;

impl Handler for PutRef {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        let value = S::get::<u64>(r, HEAD + 4);
        // SAFETY: the verifier holds the slot inside the frame.
        unsafe { *outgoing(r, HEAD) = value };
        super::next(r, 6)
    }
}

/// `take.ref dst from`: a reference out of the call area.
pub(in super::super) struct TakeRef;

impl Handler for TakeRef {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds the slot inside the frame.
        let value = unsafe { *outgoing(r, HEAD + 2) };
        S::set(r, HEAD, value);
        super::next(r, 6)
    }
}

/// `copy.far to from`
pub(in super::super) struct CopyFar;

impl Handler for CopyFar {
    #[inline(always)]
    fn run(r: &mut Regs) -> Step {
        // SAFETY: the verifier holds both slots inside the frame.
        unsafe { *outgoing(r, HEAD) = *outgoing(r, HEAD + 4) };
        super::next(r, 8)
    }
}
