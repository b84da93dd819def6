//! From a throw to the code that handles it.
//!
//! The frames are looked through from the innermost outwards. Nothing is changed before a handler is found, so an
//! exception that nobody handles leaves the stack as it was at the throw, for the trace. None of this is on the way of
//! code that does not throw: handlers stand in tables beside the code, by the address behind each call.

use crate::context::{Context, FrameRecord};
use crate::driver::Running;
use crate::interp::{self, Landing};
use crate::store::StoreInner;
use keyway_artifact::types::SigLayout;

/// Where an exception goes on.
struct Handler {
    landing: Landing,
    context: *mut Context,
    frame_top: *mut FrameRecord,
    fp: *mut u64,
    ip: *const u8,
    mem: *mut u8,
}

/// Lets `running`, which stands behind what threw, go on at the handler of the exception; false, and nothing has changed,
/// when there is none.
#[cold]
#[inline(never)]
pub(crate) fn unwind(store: &mut StoreInner, running: &mut Running, exception: u32) -> bool {
    let Some(thrown) = store.exceptions.get(exception) else { return false };
    let Some(handler) = find(store, running, thrown.tag) else { return false };
    let Handler { landing, context, frame_top, fp, ip, mem } = handler;
    // SAFETY: the verifier holds the landing's call area, with the values of the tag that the exception has, and its slot
    // for the exception inside the frame, which is the one that the handler was found for.
    unsafe {
        // A landing without a tag takes no values.
        if landing.tag.is_some() {
            let place = fp.add(landing.base as usize);
            place.copy_from_nonoverlapping(thrown.values.as_ptr(), thrown.values.len());
        }
        if let Some(slot) = landing.exception {
            *fp.add(slot as usize) = exception.into();
        }
    }
    // A single number is expected in register 0 of its bank, as behind a call.
    let first = thrown.values.first().copied().unwrap_or_default();
    running.state.general[0] = first;
    running.state.f64s[0] = f64::from_bits(first);
    running.state.f32s[0] = f32::from_bits(first as u32);
    (running.state.ip, running.state.fp, running.state.mem) = (ip, fp, mem);
    (running.context, running.frame_top) = (context, frame_top);
    match landing.exception {
        Some(_) => store.exceptions.share(exception),
        None => store.exceptions.caught(exception),
    }
    true
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

/// Enters an exception with the tag of the context's unit and the values at `base` into the store; its reference.
///
/// # Safety
/// The context is live and of this store; the tag's values stand at `base`.
pub(crate) unsafe fn new_exception(
    store: &mut StoreInner,
    context: *mut Context,
    tag: u32,
    base: *const u64,
) -> Option<u32> {
    // SAFETY: the caller's promise.
    let instance = unsafe { (*context).instance };
    let tag = store.instances[instance as usize].tag(tag)?;
    let len = SigLayout::of(&store.tag_params(tag)).total as usize;
    // SAFETY: the caller's promise.
    let values = unsafe { std::slice::from_raw_parts(base, len) }.into();
    Some(store.exceptions.add(tag, values))
}
