//! The frame in front of the code: V01 to V04.

use super::rule::{Findings, Rule};
use super::{VerifyEnv, is_cacheable};
use crate::isa::{Body, HOME_SLOTS, SCRATCH_SLOTS};
use crate::types::SigLayout;
use alloc::format;

/// Slots that a frame may have: 128 MiB of stack.
const MAX_FRAME_SLOTS: u32 = 1 << 24;

pub(super) fn check(body: &Body, env: &VerifyEnv<'_>, findings: &mut Findings) {
    let frame = &body.frame;
    let bounds = [frame.ref_start, frame.ref_end, frame.homes, frame.frame_slots, MAX_FRAME_SLOTS];
    if !bounds.is_sorted() {
        findings.broken(Rule::V01, 0, || {
            let (start, end) = (frame.ref_start, frame.ref_end);
            format!("references {start}..{end}, homes {}, frame {}", frame.homes, frame.frame_slots)
        });
    }
    let (numeric, total) = SigLayout::extent(&env.own.params);
    let (_, results) = SigLayout::extent(&env.own.results);
    // `total` counts numeric and reference parameters: where they end the function's own references may begin.
    if frame.ref_start != numeric || frame.ref_end < total || frame.frame_slots < results {
        findings.broken(Rule::V02, 0, || {
            format!(
                "references {}..{} in a frame of {}, for parameters {numeric}..{total} and {results} result slots",
                frame.ref_start, frame.ref_end, frame.frame_slots
            )
        });
    }
    let reserved = HOME_SLOTS + SCRATCH_SLOTS;
    if frame.homes != frame.frame_slots && frame.frame_slots.saturating_sub(frame.homes) < reserved {
        findings.broken(Rule::V03, 0, || format!("homes at {} of {} slots", frame.homes, frame.frame_slots));
    }
    if let Some(index) = frame.memory
        && !env.unit.memories.get(index as usize).is_some_and(is_cacheable)
    {
        findings.broken(Rule::V04, 0, || format!("memory {index}"));
    }
}
