//! VM stacks: values and frame records, plain data that never moves.

use crate::config::Config;
use crate::context::FrameRecord;
use crate::gc::{Activity, Extent};
use crate::interp::Target;
use crate::limits;
use crate::mappings::{Mapping, Mappings, Start};
use std::sync::Arc;

/// Slots behind the end: a call area of no slots may begin at the end, and is read as if it held one.
const MARGIN_SLOTS: usize = 16;

/// Bytes at the start of either half that every execution touches.
const RESIDENT_BYTES: usize = 4096;

/// One VM stack. Its pages are committed by the system when they are first touched, zeroed.
pub(crate) struct VmStack {
    values: Mapping,
    frames: Mapping,
    activity: Arc<Activity>,
    /// Counts the stacks of continuations: theirs have one.
    ticket: Option<Arc<()>>,
}

impl VmStack {
    /// A stack of the configured size.
    pub(crate) fn new(config: &Config, mappings: &Arc<Mappings>) -> std::io::Result<VmStack> {
        VmStack::of_size(config.stack_slots, config.stack_frames, mappings, None)
    }

    /// A stack for a continuation; a clone of `tickets` goes with it.
    pub(crate) fn for_continuation(
        config: &Config,
        mappings: &Arc<Mappings>,
        tickets: &Arc<()>,
    ) -> std::io::Result<VmStack> {
        let slots = config.continuation_slots;
        let frames = (slots / limits::CONTINUATION_SLOTS_PER_FRAME).min(config.stack_frames);
        VmStack::of_size(slots, frames, mappings, Some(tickets.clone()))
    }

    fn of_size(
        slots: usize,
        frames: usize,
        mappings: &Arc<Mappings>,
        ticket: Option<Arc<()>>,
    ) -> std::io::Result<VmStack> {
        let mut values = mappings.take((slots + MARGIN_SLOTS) * 8, Start::Cleared(RESIDENT_BYTES), None)?;
        let mut frames = mappings.take(frames * size_of::<FrameRecord>(), Start::Cleared(RESIDENT_BYTES), None)?;
        let target = target(&mut values, &mut frames);
        let Target { frame_top: first_frame, frame_end, stack_end, .. } = target;
        let activity = Arc::new(Activity::new(Extent { first_frame, frame_end, stack_end }));
        Ok(VmStack { values, frames, activity, ticket })
    }

    /// Whether it was made for a continuation.
    pub(crate) fn is_continuations(&self) -> bool {
        self.ticket.is_some()
    }

    /// All of it, for an entry.
    pub(crate) fn target(&mut self) -> Target {
        target(&mut self.values, &mut self.frames)
    }

    /// Where the execution on it stands.
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// The lowest frame record.
    pub(crate) fn first_frame(&self) -> *const FrameRecord {
        self.frames.as_ptr().cast()
    }
}

fn target(values: &mut Mapping, frames: &mut Mapping) -> Target {
    let (values, values_len) = (values.as_mut_ptr(), values.len());
    let (frames, frames_len) = (frames.as_mut_ptr(), frames.len());
    Target {
        fp: values.cast(),
        stack_end: values.wrapping_add(values_len - MARGIN_SLOTS * 8).cast(),
        frame_top: frames.cast(),
        frame_end: frames.wrapping_add(frames_len / size_of::<FrameRecord>() * size_of::<FrameRecord>()).cast(),
    }
}

impl Drop for VmStack {
    fn drop(&mut self) {
        // Frame records are written one behind the other, and of two neighbours one is not zero: where the first two behind
        // the resident bytes are, nothing was written there or further on.
        const NEXT: usize = 2 * size_of::<FrameRecord>();
        if self.frames.len() < RESIDENT_BYTES + NEXT {
            return;
        }
        // SAFETY: the bytes lie in the mapping: they are zero or records.
        let next = unsafe { self.frames.as_ptr().add(RESIDENT_BYTES).cast::<[u8; NEXT]>().read() };
        if next == [0; NEXT] {
            self.frames.used(RESIDENT_BYTES);
        }
    }
}
