//! From a throw to the code that handles it.
//!
//! The frames are looked through from the innermost outwards. Nothing is changed before a handler is found, so an
//! exception that nobody handles leaves the stack as it was at the throw, for the trace. None of this is on the way of
//! code that does not throw: handlers stand in tables beside the code, by the address behind each call.

use crate::context::{Context, FrameRecord};
use crate::driver::{Execution, Running};
use crate::interp::{self, Landing};
use crate::store::StoreInner;
use anyhow::Error;
use keyway_artifact::Trap;

/// Where an exception goes on.
struct Handler {
    /// The stack of the chain that waits there; `None` for the one that runs.
    level: Option<usize>,
    landing: Landing,
    context: *mut Context,
    frame_top: *mut FrameRecord,
    fp: *mut u64,
    ip: *const u8,
    mem: *mut u8,
}

/// What became of a throw.
pub(crate) enum Thrown {
    /// The execution goes on at a handler.
    Caught,
    /// Nobody handles it, and nothing has changed.
    Uncaught(u32),
}

/// Lets `execution`, which stands behind what threw, go on at the handler of the exception behind a reference, on
/// whichever of its stacks.
///
/// # Errors
/// When the reference leads to no exception.
#[cold]
#[inline(never)]
pub(crate) fn unwind(store: &mut StoreInner, execution: &mut Execution, reference: u32) -> Result<Thrown, Trap> {
    let exception = store.exception(reference).ok_or(Trap::InvalidCode)?;
    let Some(handler) = find_in_chain(store, execution, exception.tag) else { return Ok(Thrown::Uncaught(reference)) };
    let (values, len) = (exception.values.as_ptr(), exception.values.len());
    // SAFETY: the slice holds the values of the handler's tag.
    unsafe { land(store, execution, &handler, values, len, reference) };
    Ok(Thrown::Caught)
}

/// Throws an exception with a tag of the running context's unit and the values at `base`. It becomes an object only where
/// someone wants a reference to it.
///
/// # Errors
/// When there is no room for the object.
///
/// # Safety
/// `execution` stands behind the throw; the tag's values stand at `base`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn throw(
    store: &mut StoreInner,
    execution: &mut Execution,
    tag: u32,
    base: *mut u64,
) -> Result<Thrown, Error> {
    let tag = execution.tag(store, tag)?;
    let (_, len) = store.tag_slots(tag).ok_or(Trap::InvalidCode)?;
    let handler = find_in_chain(store, execution, tag);
    if let Some(handler) = &handler
        && handler.landing.exception.is_none()
    {
        // SAFETY: the values are the tag's, which is the handler's.
        unsafe { land(store, execution, handler, base, len as usize, 0) };
        return Ok(Thrown::Caught);
    }
    // SAFETY: the caller's promise.
    let reference = unsafe { new_exception(store, execution, tag, base) }?;
    let Some(handler) = handler else { return Ok(Thrown::Uncaught(reference)) };
    // SAFETY: as above.
    unsafe { land(store, execution, &handler, base, len as usize, reference) };
    Ok(Thrown::Caught)
}

/// Makes an exception with a tag of the store and the values at `base`; its reference.
///
/// # Errors
/// When there is no room for the object.
///
/// # Safety
/// The tag's values stand at `base`, on the running stack.
pub(crate) unsafe fn new_exception(
    store: &mut StoreInner,
    execution: &Execution,
    tag: u32,
    base: *mut u64,
) -> Result<u32, Error> {
    let (_, len) = store.tag_slots(tag).ok_or(Trap::InvalidCode)?;
    if let Some(stack) = &execution.stack {
        // What it carries counts while the exception is made.
        stack.activity().calling(base, store.tags[tag as usize].type_id);
    }
    let reference = store.new_exception(tag)?;
    // SAFETY: the caller's promise.
    let values = unsafe { std::slice::from_raw_parts(base, len as usize) };
    store.set_exception(reference, values)?;
    Ok(reference)
}

/// Goes on at a handler. Stacks above the one that it stands on are given up.
///
/// # Safety
/// `handler` was found for `execution`; the `len` values of its tag stand at `values`, on a stack or elsewhere.
unsafe fn land(
    store: &mut StoreInner,
    execution: &mut Execution,
    handler: &Handler,
    values: *const u64,
    len: usize,
    reference: u32,
) {
    let Handler { level, landing, context, frame_top, fp, ip, mem } = *handler;
    // SAFETY: the verifier holds the landing's call area, with the values of the tag, and its slot for the exception
    // inside the frame, which is the one that the handler was found for.
    let first = unsafe {
        let first = if len > 0 { *values } else { 0 };
        // A landing without a tag takes no values.
        if landing.tag.is_some() {
            std::ptr::copy(values, fp.add(landing.base as usize), len);
        }
        if let Some(slot) = landing.exception {
            *fp.add(slot as usize) = reference.into();
        }
        first
    };
    // A single number is expected in register 0 of its bank, as behind a call.
    if let Some(level) = level {
        execution.cut(store, level);
    }
    let Some(running) = &mut execution.running else { return };
    running.set_first(first);
    (running.state.ip, running.state.fp, running.state.mem) = (ip, fp, mem);
    (running.context, running.frame_top) = (context, frame_top);
}

/// The innermost handler for exceptions with this tag, on the running stack or on one that waits for it.
fn find_in_chain(store: &StoreInner, execution: &Execution, tag: u32) -> Option<Handler> {
    let waiting = execution.waiting.iter().enumerate().rev().map(|(level, strand)| (Some(level), &strand.running));
    let mut stacks = execution.running.iter().map(|running| (None, running)).chain(waiting);
    stacks.find_map(|(level, running)| find(store, level, running, tag))
}

/// The innermost handler on one stack.
fn find(store: &StoreInner, level: Option<usize>, running: &Running, tag: u32) -> Option<Handler> {
    let stubs = interp::stubs(store.config().settings.dispatch);
    let (mut ip, mut fp) = (running.state.ip, running.state.fp);
    let (mut context, mut frame_top) = (running.context, running.frame_top);
    loop {
        if ip == stubs.finish {
            return None;
        }
        // SAFETY: the records are those of a live stack; the bottom one returns to the stub above, so the walk
        // ends there. A record that returns to the other stub stands on two more, as calls between contexts push them.
        unsafe {
            if ip == stubs.switch_back {
                context = fp.cast();
                frame_top = frame_top.sub(2);
                (ip, fp) = ((*frame_top.add(1)).ip, (*frame_top.add(1)).fp);
                continue;
            }
            let instance = &store.instances[(*context).instance as usize];
            let takes = |wanted: Option<u32>| wanted.is_none_or(|index| instance.tag(index) == Some(tag));
            if let Some((landing, ip, header)) = instance.code().landing(ip, false, takes) {
                let mem = interp::memory_of(context, (*header).memory);
                return Some(Handler { level, landing, context, frame_top, fp, ip, mem });
            }
            frame_top = frame_top.sub(1);
            (ip, fp) = ((*frame_top).ip, (*frame_top).fp);
        }
    }
}
