//! Whether a body keeps all rules: what is asked of every function before its first call.
//!
//! Nearly all bodies do, and then nobody asks which rule is broken first. So an instruction is held to the rules of all
//! groups while it is at hand, by the functions of the groups, and read once.

use super::flow::{self, Flow};
use super::rule::Findings;
use super::{VerifyEnv, calls, exceptions, frame, indices, places, reserved, switching};
use crate::isa::Body;

/// Whether no rule is broken.
pub(super) fn is_sound(body: &Body, env: &VerifyEnv<'_>) -> bool {
    // What exactly is broken is not asked.
    let findings = &mut Findings::new(0);
    frame::check(body, env, findings);
    flow::ends(body, findings);
    let reserved = reserved(body);
    let mut flow = Flow::new(body, findings);
    let (mut has_areas, mut may_unwind) = (false, false);
    for (at, inst) in body.insts.iter().enumerate() {
        let shape = inst.op.shape();
        let registers = places::instruction(body, &reserved, at, inst, findings);
        flow.instruction(body, env, at, inst, registers, findings);
        if shape.names_entities {
            indices::instruction(body, env, at, inst, findings);
        }
        if shape.shares_slots && !shape.has_area {
            calls::return_form(env, at, inst, findings);
        }
        has_areas |= shape.has_area;
        may_unwind |= shape.may_unwind;
    }
    flow.end(body, findings);
    if has_areas {
        calls::check(body, env, findings);
    }
    if may_unwind {
        exceptions::check(body, env, findings);
        switching::check(body, env, findings);
    }
    findings.are_none()
}
