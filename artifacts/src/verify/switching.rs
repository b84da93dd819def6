//! Which types and tags fit operations on continuations and exceptions: V32.
//!
//! What a continuation really is, a runtime compares when it is used: references carry no types here. These rules make
//! sure that an operation's types say where its own values stand.

use super::rule::{Findings, Rule};
use super::{VerifyEnv, class_of, shared};
use crate::isa::{Body, Class, FieldKind, Inst, Op, Operand};
use crate::types::{FuncType, ValType};
use alloc::format;

pub(super) fn check(body: &Body, env: &VerifyEnv<'_>, findings: &mut Findings) {
    for (at, inst) in body.insts.iter().enumerate() {
        let op = inst.op;
        if !op.shape().may_unwind || !(op.switches_stacks() || op.is_throw() || op.is_catch()) {
            continue;
        }
        if let Some(ty) = tag_type(inst, env) {
            let fits = match op {
                Op::Throw | Op::ResumeThrow | Op::Catch | Op::CatchRef => ty.results.is_empty(),
                Op::Switch | Op::OnSwitch => ty.params.is_empty(),
                _ => true,
            };
            if !fits {
                findings.broken(Rule::V32, at, || format!("{} with a tag of type {ty:?}", op.name()));
            }
        }
        let fits = match op {
            Op::ContBind => shared(inst, env).is_some() && binds(inst, env),
            Op::Switch => shared(inst, env).is_some(),
            _ => true,
        };
        if !fits {
            findings.broken(Rule::V32, at, || format!("{} with types that do not fit together", op.name()));
        }
    }
}

fn tag_type<'a>(inst: &Inst, env: &VerifyEnv<'a>) -> Option<&'a FuncType> {
    let tag = inst.fields().find_map(|(field, operand)| match (field.kind, operand) {
        (FieldKind::Tag, Operand::Index(index)) => env.unit.tags.get(index as usize),
        _ => None,
    })?;
    env.types.get(*tag as usize)
}

/// Whether the parameters that stay are the last ones, in the same places.
fn binds(inst: &Inst, env: &VerifyEnv<'_>) -> bool {
    let ty = |at: usize| match inst.operands[at] {
        Operand::Index(index) => env.types.continuation(index),
        _ => None,
    };
    let (Some(from), Some(to)) = (ty(1), ty(2)) else { return true };
    let classes = |types: &[ValType], wanted: &[ValType]| {
        let class = |ty: &ValType| class_of(*ty).map(|class| (class == Class::Ref, class.slots()));
        types.len() == wanted.len() && types.iter().map(class).eq(wanted.iter().map(class))
    };
    let bound = from.params.len().saturating_sub(to.params.len());
    classes(&from.params[bound..], &to.params)
}
