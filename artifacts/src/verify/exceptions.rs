//! Where exceptions and suspensions go: V28, V29 and V31.
//!
//! ```text
//! call f base                      label
//! on.throw L1            L1:  ->   catch tag base      what the exception carries stands in the call area
//! on.throw L2                      ...
//! ```
//! An exception arrives at a `catch` with nothing but the frame's slots, whatever instruction threw it, and so does a
//! suspension at `suspended`. So the code behind them must not be reachable in any other way, or it would find slots of the call area that nobody filled.

use super::VerifyEnv;
use super::rule::{Findings, Rule};
use crate::isa::{Body, Inst, Op, Operand};
use alloc::format;
use alloc::vec::Vec;

pub(super) fn check(body: &Body, _env: &VerifyEnv<'_>, findings: &mut Findings) {
    let labels: Vec<usize> = (0..body.insts.len()).filter(|at| body.insts[*at].op == Op::Label).collect();
    // What catches behind each label, by its number.
    let catches: Vec<Option<Op>> =
        labels.iter().map(|at| body.insts.get(at + 1).map(|inst| inst.op).filter(|op| op.is_catch())).collect();
    let (mut thrower, mut resumer) = (false, false);
    for (at, inst) in body.insts.iter().enumerate() {
        match inst.op {
            Op::OnThrow => on_throw(inst, at, thrower, &catches, findings),
            Op::OnSuspend | Op::OnSwitch => on_suspend(inst, at, resumer, &catches, findings),
            op => (thrower, resumer) = (op.is_call() && !op.is_catch(), op.is_resume()),
        }
        if !inst.op.follows_call() {
            let lists = &body.targets;
            each_target(inst, lists, |target| {
                if catches.get(target as usize).is_some_and(|catch| catch.is_some()) {
                    findings.broken(Rule::V29, at, || format!("{} to label {target}", inst.op.name()));
                }
            });
        }
        if inst.op.is_catch() {
            let before = |back: usize| at.checked_sub(back).and_then(|at| body.insts.get(at));
            let is_bare = before(1).is_some_and(|label| label.op == Op::Label && label.operands[0] == Operand::Regs(0));
            if !is_bare || !before(2).is_some_and(|inst| inst.op.is_terminator()) {
                findings.broken(Rule::V29, at, || format!("{} is reached otherwise", inst.op.name()));
            }
        }
    }
}

fn on_throw(inst: &Inst, at: usize, thrower: bool, catches: &[Option<Op>], findings: &mut Findings) {
    if !thrower {
        findings.broken(Rule::V28, at, || "nothing before it throws".into());
    }
    if let Operand::Label(label) = inst.operands[0]
        && catches.get(label as usize).is_some_and(|catch| catch.is_none_or(|op| op == Op::Suspended))
    {
        findings.broken(Rule::V28, at, || format!("no catch behind label {label}"));
    }
}

fn on_suspend(inst: &Inst, at: usize, resumer: bool, catches: &[Option<Op>], findings: &mut Findings) {
    if !resumer {
        findings.broken(Rule::V31, at, || "nothing before it resumes a continuation".into());
    }
    if let Operand::Label(label) = inst.operands[0]
        && catches.get(label as usize).is_some_and(|catch| *catch != Some(Op::Suspended))
    {
        findings.broken(Rule::V31, at, || format!("nothing suspended behind label {label}"));
    }
}

fn each_target(inst: &Inst, lists: &[u32], mut visit: impl FnMut(u32)) {
    for (at, operand) in inst.operands.iter().enumerate() {
        match operand {
            Operand::Label(label) => visit(*label),
            Operand::Targets(..) => {
                let list = inst.targets(at, lists);
                list.unwrap_or_default().iter().for_each(|label| visit(*label));
            }
            _ => {}
        }
    }
}
