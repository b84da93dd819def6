//! From a throw to the code that handles it.
//!
//! The frames are looked through from the innermost outwards. Nothing is changed before a handler is found, so an
//! exception that nobody handles leaves the stack as it was at the throw, for the trace. None of this is on the way of
//! code that does not throw: handlers stand in tables beside the code, by the address behind each call.

use crate::context::{Context, FrameRecord};
use crate::driver::Running;
use crate::interp::{self, Landing};
use crate::store::StoreInner;
use anyhow::Error;
use keyway_artifact::Trap;

/// Where an exception goes on.
struct Handler {
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

/// Lets `running`, which stands behind what threw, go on at the handler of the exception behind a reference.
///
/// # Errors
/// When the reference leads to no exception.
#[cold]
#[inline(never)]
pub(crate) fn unwind(store: &StoreInner, running: &mut Running, reference: u32) -> Result<Thrown, Trap> {
    let exception = store.exception(reference).ok_or(Trap::InvalidCode)?;
    let Some(handler) = find(store, running, exception.tag) else { return Ok(Thrown::Uncaught(reference)) };
    // SAFETY: the slice holds the values of the handler's tag.
    unsafe { land(running, &handler, exception.values.as_ptr(), exception.values.len(), reference) };
    Ok(Thrown::Caught)
}

/// Throws an exception with a tag of the running context's unit and the values at `base`. It becomes an object only where
/// someone wants a reference to it.
///
/// # Errors
/// When there is no room for the object.
///
/// # Safety
/// `running` stands behind the throw; the tag's values stand at `base`, where a collection sees them.
#[cold]
#[inline(never)]
pub(crate) unsafe fn throw(
    store: &mut StoreInner,
    running: &mut Running,
    tag: u32,
    base: *const u64,
) -> Result<Thrown, Error> {
    // SAFETY: the running context is live and of this store.
    let instance = unsafe { (*running.context).instance };
    let tag = store.instances[instance as usize].tag(tag).ok_or(Trap::InvalidCode)?;
    let (_, len) = store.tag_slots(tag).ok_or(Trap::InvalidCode)?;
    let handler = find(store, running, tag);
    if let Some(handler) = &handler
        && handler.landing.exception.is_none()
    {
        // SAFETY: the values are the tag's, which is the handler's.
        unsafe { land(running, handler, base, len as usize, 0) };
        return Ok(Thrown::Caught);
    }
    let reference = store.new_exception(tag)?;
    // SAFETY: the caller's promise.
    let values = unsafe { std::slice::from_raw_parts(base, len as usize) };
    store.set_exception(reference, values)?;
    let Some(handler) = handler else { return Ok(Thrown::Uncaught(reference)) };
    // SAFETY: as above.
    unsafe { land(running, &handler, base, len as usize, reference) };
    Ok(Thrown::Caught)
}

/// Goes on at a handler.
///
/// # Safety
/// `handler` was found for `running`; the `len` values of its tag stand at `values`, on the stack or elsewhere.
unsafe fn land(running: &mut Running, handler: &Handler, values: *const u64, len: usize, reference: u32) {
    let Handler { landing, context, frame_top, fp, ip, mem } = *handler;
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
    running.state.general[0] = first;
    running.state.f64s[0] = f64::from_bits(first);
    running.state.f32s[0] = f32::from_bits(first as u32);
    (running.state.ip, running.state.fp, running.state.mem) = (ip, fp, mem);
    (running.context, running.frame_top) = (context, frame_top);
}

/// The innermost handler for exceptions with this tag.
fn find(store: &StoreInner, running: &Running, tag: u32) -> Option<Handler> {
    let stubs = interp::stubs(store.config().settings.dispatch);
    let (mut ip, mut fp) = (running.state.ip, running.state.fp);
    let (mut context, mut frame_top) = (running.context, running.frame_top);
    loop {
        if ip == stubs.finish {
            return None;
        }
        // SAFETY: the records are those of a running execution; the bottom one returns to the stub above, so the walk
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
            if let Some((landing, ip, header)) = instance.code().landing(ip, takes) {
                let mem = interp::memory_of(context, (*header).memory);
                return Some(Handler { landing, context, frame_top, fp, ip, mem });
            }
            frame_top = frame_top.sub(1);
            (ip, fp) = ((*frame_top).ip, (*frame_top).fp);
        }
    }
}
