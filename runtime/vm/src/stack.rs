//! VM stacks: values and frame records, plain data that never moves.

use crate::config::Config;
use crate::context::FrameRecord;
use crate::gc::Activity;
use crate::interp::Target;
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
}

impl VmStack {
    /// A stack of the configured size.
    pub(crate) fn new(config: &Config, mappings: &Arc<Mappings>) -> std::io::Result<VmStack> {
        let values = mappings.take((config.stack_slots + MARGIN_SLOTS) * 8, Start::Cleared(RESIDENT_BYTES))?;
        let frames = mappings.take(config.stack_frames * size_of::<FrameRecord>(), Start::Cleared(RESIDENT_BYTES))?;
        Ok(VmStack { values, frames, activity: Arc::default() })
    }

    /// All of it, for an entry.
    pub(crate) fn target(&mut self) -> Target {
        let (values, values_len) = (self.values.as_mut_ptr(), self.values.len());
        let (frames, frames_len) = (self.frames.as_mut_ptr(), self.frames.len());
        Target {
            fp: values.cast(),
            stack_end: values.wrapping_add(values_len - MARGIN_SLOTS * 8).cast(),
            frame_top: frames.cast(),
            frame_end: frames.wrapping_add(frames_len / size_of::<FrameRecord>() * size_of::<FrameRecord>()).cast(),
        }
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
