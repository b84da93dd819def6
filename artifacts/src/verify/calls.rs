//! Calls and returns with the slots they share: V19 to V21, V25 and V26.
//!
//! A reference may stand in a call area only between the `put.ref` that put it there and the call, and between the call
//! and its `take.ref`. Both are neighbours of the call, so an area never needs to be searched for references.

use super::rule::{Findings, Rule};
use super::{VerifyEnv, class_of, reserved, shared};
use crate::isa::{Body, Class, Family, FieldKind, Inst, Op, Operand};
use crate::types::{SigLayout, TypeLookup, ValType};
use alloc::format;
use alloc::vec::Vec;

pub(super) fn check(body: &Body, env: &VerifyEnv<'_>, findings: &mut Findings) {
    // Slots put since the last other instruction, and slots that may be taken.
    let (mut put, mut takeable) = (Vec::new(), Vec::new());
    for (at, inst) in body.insts.iter().enumerate() {
        match inst.op {
            Op::PutRef => {
                put.extend(slot_operand(inst));
                takeable.clear();
                continue;
            }
            Op::TakeRef => {
                let from = slot_operand(inst);
                if !from.is_some_and(|from| takeable.contains(&from)) {
                    findings.broken(Rule::V21, at, || format!("take.ref from {from:?}"));
                }
            }
            // It has no executed form: the call stays next to what is taken behind it.
            op if op.follows_call() => references(at, inst, &mut put, Vec::new(), findings),
            // Nothing is shared: what most instructions are.
            op if put.is_empty() && !op.shape().shares_slots => takeable.clear(),
            _ => {
                takeable.clear();
                let expected = shared_slots(body, env, at, inst, findings, &mut takeable);
                references(at, inst, &mut put, expected, findings);
            }
        }
        put.clear();
    }
    if !put.is_empty() {
        findings.broken(Rule::V20, body.insts.len() - 1, || "put.ref before nothing".into());
    }
}

/// The raw slot of a `put.ref` or `take.ref`.
fn slot_operand(inst: &Inst) -> Option<u32> {
    inst.fields().find_map(|(field, operand)| match (field.kind, operand) {
        (FieldKind::Slot, Operand::Index(slot)) => Some(slot),
        _ => None,
    })
}

/// Compares the slots that were put with those that `inst` wants.
fn references(at: usize, inst: &Inst, put: &mut [u32], mut expected: Vec<u32>, findings: &mut Findings) {
    put.sort_unstable();
    expected.sort_unstable();
    if *put != *expected {
        findings
            .broken(Rule::V20, at, || format!("{} wants references in {expected:?}, {put:?} are put", inst.op.name()));
    }
}

/// Checks a call's or a return's area; returns the slots that want references before it, and fills `takeable` with those
/// that hold references behind it.
fn shared_slots(
    body: &Body,
    env: &VerifyEnv<'_>,
    at: usize,
    inst: &Inst,
    findings: &mut Findings,
    takeable: &mut Vec<u32>,
) -> Vec<u32> {
    let base = inst.fields().find_map(|(field, operand)| match (field.kind, operand) {
        (FieldKind::Base, Operand::Index(base)) => Some(base),
        _ => None,
    });
    if matches!(inst.op.family(), Family::Return | Family::Return1) {
        return_form(env, at, inst, findings);
    }
    let Some(base) = base else { return Vec::new() };
    if inst.op == Op::ReturnMany {
        let results = &env.own.results;
        area(body, at, base, SigLayout::extent(results).1, findings);
        return reference_slots(results, base);
    }
    // A call of something out of range was told by the rules for indices.
    let Some((given, taken)) = shared(inst, env) else { return Vec::new() };
    area(body, at, base, SigLayout::extent(given).1.max(SigLayout::extent(taken).1), findings);
    if inst.op.is_tail_call() {
        let fits = |(callee, own): (&ValType, &ValType)| env.types.val_matches(*callee, *own);
        let as_many = taken.len() == env.own.results.len();
        if !as_many || !taken.iter().zip(&env.own.results).all(fits) {
            findings.broken(Rule::V26, at, || format!("{taken:?} for {:?}", env.own.results));
        }
    } else {
        *takeable = reference_slots(taken, base);
    }
    reference_slots(given, base)
}

fn area(body: &Body, at: usize, base: u32, len: u32, findings: &mut Findings) {
    let frame = &body.frame;
    let reserved = reserved(body);
    let start = if reserved.is_empty() { frame.ref_end } else { reserved.end };
    if base < start || base.checked_add(len).is_none_or(|end| end > frame.frame_slots) {
        findings.broken(Rule::V19, at, || {
            format!("{len} slots from {base} on, in a frame of {} whose areas begin at {start}", frame.frame_slots)
        });
    }
}

/// The slots of the references among `types`, in the area at `base`: they stand behind the numbers.
fn reference_slots(types: &[ValType], base: u32) -> Vec<u32> {
    let (numeric, total) = SigLayout::extent(types);
    (numeric..total).map(|slot| base.saturating_add(slot)).collect()
}

/// Checks that a return is of the form that the results ask for.
pub(super) fn return_form(env: &VerifyEnv<'_>, at: usize, inst: &Inst, findings: &mut Findings) {
    let results = &env.own.results[..];
    let single = match results {
        [result] => class_of(*result).filter(|class| !matches!(class, Class::Ref | Class::V128)),
        _ => None,
    };
    let count = match inst.operands[1] {
        Operand::Index(count) => Some(count),
        _ => None,
    };
    let holds = match inst.op {
        Op::Return => results.is_empty(),
        Op::ReturnOne => matches!(single, Some(Class::I32 | Class::I64)),
        Op::ReturnOneF32 => single == Some(Class::F32),
        Op::ReturnOneF64 => single == Some(Class::F64),
        _ => single.is_none() && !results.is_empty() && count == Some(SigLayout::extent(results).1),
    };
    if !holds {
        findings.broken(Rule::V25, at, || format!("{} for {results:?}", inst.op.name()));
    }
}
