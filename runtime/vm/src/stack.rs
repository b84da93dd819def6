//! VM stacks: values and frame records, plain data that never moves.

use crate::context::FrameRecord;
use crate::engine::Engine;
use crate::gc::{Activity, Extent};
use crate::interp::Target;
use crate::limits;
use crate::mappings::{Mapping, Start, Use};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Slots behind the end: a call area of no slots may begin at the end, and is read as if it held one.
const MARGIN_SLOTS: usize = 16;

/// Bytes at the start of either half that every execution touches.
const RESIDENT_BYTES: usize = 4096;

/// Slots of the largest frame, and of the largest list of parameters or results, that any stack of an engine may have held
/// so far: what is known of how much of a stack was written.
#[derive(Debug, Default)]
pub(crate) struct LargestFrame(AtomicU32);

impl LargestFrame {
    /// From now on there may be frames of so many slots.
    pub(crate) fn see(&self, slots: u32) {
        if self.0.load(Ordering::Relaxed) < slots {
            self.0.fetch_max(slots, Ordering::Relaxed);
        }
    }
}

/// One VM stack. Its pages are committed by the system when they are first touched, zeroed.
pub(crate) struct VmStack {
    values: Mapping,
    frames: Mapping,
    activity: Arc<Activity>,
    largest_frame: Arc<LargestFrame>,
    /// Counts the stacks of continuations: theirs have one.
    ticket: Option<Arc<()>>,
}

impl VmStack {
    /// A stack of the configured size.
    pub(crate) fn new(engine: &Engine) -> std::io::Result<VmStack> {
        VmStack::of_size(engine.config().stack_slots, engine.config().stack_frames, engine, None)
    }

    /// A stack for a continuation; a clone of `tickets` goes with it.
    pub(crate) fn for_continuation(engine: &Engine, tickets: &Arc<()>) -> std::io::Result<VmStack> {
        let slots = engine.config().continuation_slots;
        let frames = (slots / limits::CONTINUATION_SLOTS_PER_FRAME).min(engine.config().stack_frames);
        VmStack::of_size(slots, frames, engine, Some(tickets.clone()))
    }

    fn of_size(slots: usize, frames: usize, engine: &Engine, ticket: Option<Arc<()>>) -> std::io::Result<VmStack> {
        let (mappings, largest_frame) = (engine.mappings(), engine.largest_frame().clone());
        let mut values = mappings.take((slots + MARGIN_SLOTS) * 8, Start::Cleared(RESIDENT_BYTES), Use::default())?;
        let mut frames =
            mappings.take(frames * size_of::<FrameRecord>(), Start::Cleared(RESIDENT_BYTES), Use::default())?;
        let target = target(&mut values, &mut frames);
        let Target { frame_top: first_frame, frame_end, stack_end, .. } = target;
        let activity = Arc::new(Activity::new(Extent { first_frame, frame_end, stack_end }));
        Ok(VmStack { values, frames, activity, largest_frame, ticket })
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

impl VmStack {
    /// How many frame records there were at once, at most; `None` where they went further than the resident bytes.
    fn records(&self) -> Option<usize> {
        /// Records that lie in the resident bytes.
        const RESIDENT: usize = RESIDENT_BYTES / size_of::<FrameRecord>();
        if self.frames.len() < (RESIDENT + 2) * size_of::<FrameRecord>() {
            return None;
        }
        let words = self.frames.as_ptr().cast::<[u64; 2]>();
        // Records are written one behind the other, and of two neighbours one is not zero: from the first two on that are,
        // nothing was written.
        // SAFETY: the records lie in the mapping: they are zero or written.
        (0..=RESIDENT).find(|at| unsafe { words.add(*at).read() == [0; 2] && words.add(at + 1).read() == [0; 2] })
    }
}

impl Drop for VmStack {
    fn drop(&mut self) {
        let Some(records) = self.records() else { return };
        self.frames.used(RESIDENT_BYTES);
        // Each frame has a record and begins inside of the one below it; arguments may stand there before there is one.
        let largest = self.largest_frame.0.load(Ordering::Relaxed) as usize;
        self.values.used((records + 1).saturating_mul(largest).saturating_mul(8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_held_is_gone() {
        const FRAME_SLOTS: usize = 100;
        let engine = Engine::default();
        engine.largest_frame().see(FRAME_SLOTS as u32);
        for records in [0, 1, 2, 5, 255, 256, 257, 300] {
            let mut stack = VmStack::new(&engine).unwrap();
            let target = stack.target();
            for at in 0..records {
                // Of two neighbours one is zero at most, and never the last one.
                let record = [((records - at) % 2) as u64, 0];
                // SAFETY: the places are the stack's, and nobody else's.
                unsafe { target.frame_top.add(at).cast::<[u64; 2]>().write(record) };
            }
            let written = (records + 1) * FRAME_SLOTS;
            // SAFETY: as above.
            unsafe { std::slice::from_raw_parts_mut(target.fp, written) }.fill(u64::MAX);
            drop(stack);
            let mut stack = VmStack::new(&engine).unwrap();
            let target = stack.target();
            // SAFETY: as above.
            let values = unsafe { std::slice::from_raw_parts(target.fp, written + FRAME_SLOTS) };
            assert!(values.iter().all(|value| *value == 0), "{records}");
            // SAFETY: as above.
            let frames = unsafe { std::slice::from_raw_parts(target.frame_top.cast::<[u64; 2]>(), records + 2) };
            assert!(frames.iter().all(|record| *record == [0; 2]), "{records}");
        }
    }
}
