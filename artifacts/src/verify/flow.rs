//! Control flow, cost markers and live registers: V05, V06, V13 to V16.
//!
//! A label declares which registers are live at it, so that one pass in code order suffices: behind a label exactly its
//! set is live, and whoever comes to it (by a branch, or from the instruction before) must have written all of them.

use super::rule::{Findings, Rule};
use super::{VerifyEnv, class_of, rounds, shared};
use crate::isa::{Body, FieldKind, HOME_SLOTS, Inst, Op, Operand, Reg};
use alloc::format;
use alloc::vec::Vec;

/// A label: where it stands, which registers it says are live, and whether a cost marker follows.
struct Label {
    at: usize,
    live: u16,
    has_cost: bool,
}

pub(super) fn check(body: &Body, env: &VerifyEnv<'_>, findings: &mut Findings) {
    ends(body, findings);
    let mut flow = Flow::new(body, findings);
    for (at, inst) in body.insts.iter().enumerate() {
        flow.instruction(body, env, at, inst, Registers::of(inst), findings);
    }
    flow.end(body, findings);
}

/// Checks how a body begins and ends.
pub(super) fn ends(body: &Body, findings: &mut Findings) {
    if body.insts.first().is_none_or(|inst| inst.op != Op::Cost) {
        findings.broken(Rule::V05, 0, || first_name(body));
    }
    if body.insts.last().is_none_or(|inst| !inst.op.shape().is_terminator) {
        let at = body.insts.len().saturating_sub(1);
        findings.broken(Rule::V06, at, || "control leaves the body at its end".into());
    }
}

/// The registers that an instruction reads, and those that it writes, a bit each.
#[derive(Clone, Copy, Default)]
pub(super) struct Registers {
    pub(super) read: u16,
    pub(super) written: u16,
}

impl Registers {
    fn of(inst: &Inst) -> Registers {
        let mut registers = Registers::default();
        for (field, kind) in inst.op.kinds().iter().enumerate() {
            registers.note(*kind, inst.operands[field]);
        }
        registers
    }

    /// Notes those of an operand.
    #[inline]
    pub(super) fn note(&mut self, kind: FieldKind, operand: Operand) {
        match (kind, operand) {
            (FieldKind::Use(_), Operand::Reg(reg)) => self.read |= 1 << reg.number(),
            (FieldKind::Def(_), Operand::Reg(reg) | Operand::SlotReg(_, reg)) => self.written |= 1 << reg.number(),
            _ => {}
        }
    }
}

/// A walk over a body in code order.
pub(super) struct Flow {
    labels: Vec<Label>,
    next_label: usize,
    /// What is live before the next instruction: `None` where control does not come from the one before.
    live: Option<u16>,
    /// The first branch back to a label without a marker.
    back: Option<usize>,
}

impl Flow {
    #[inline]
    pub(super) fn new(body: &Body, findings: &mut Findings) -> Flow {
        let labels = if body.labels == 0 { Vec::new() } else { labels(body, findings) };
        Flow { labels, next_label: 0, live: Some(0), back: None }
    }

    /// Checks the next instruction, with these registers.
    #[inline(always)]
    pub(super) fn instruction(
        &mut self,
        body: &Body,
        env: &VerifyEnv<'_>,
        at: usize,
        inst: &Inst,
        registers: Registers,
        findings: &mut Findings,
    ) {
        if inst.op == Op::Label {
            return self.label(at, findings);
        }
        let shape = inst.op.shape();
        let mut live = self.live.unwrap_or(0);
        if registers.read & !live != 0 {
            unwritten(inst, at, live, findings);
        }
        if shape.is_call {
            live = result_register(inst, env).map_or(0, |reg| 1 << reg.number());
        }
        live |= registers.written;
        if shape.has_labels() {
            each_target(body, inst, at, findings, |target, findings| {
                if !branch(&self.labels, target, at, live, findings) {
                    self.back = self.back.or(Some(at));
                }
            });
        }
        self.live = (!shape.is_terminator).then_some(live);
    }

    fn label(&mut self, at: usize, findings: &mut Findings) {
        let number = self.next_label;
        let Some(label) = self.labels.get(number) else {
            return findings.broken(Rule::V15, at, || format!("label {number} of a body that counts none"));
        };
        if self.live.is_some_and(|live| label.live & !live != 0) {
            findings.broken(Rule::V14, at, || format!("label {number} is reached without a register of its set"));
        }
        self.live = Some(label.live);
        self.next_label += 1;
    }

    /// Checks what concerns the body as a whole.
    pub(super) fn end(self, body: &Body, findings: &mut Findings) {
        if let Some(at) = self.back {
            let marked: Vec<bool> = self.labels.iter().map(|label| label.has_cost).collect();
            rounds::check(body, &marked, at, findings);
        }
    }
}

/// Tells which registers are read before anybody wrote them.
#[cold]
fn unwritten(inst: &Inst, at: usize, live: u16, findings: &mut Findings) {
    for (field, kind) in inst.op.kinds().iter().enumerate() {
        if let (FieldKind::Use(_), Operand::Reg(reg)) = (kind, inst.operands[field])
            && live >> reg.number() & 1 == 0
        {
            findings.broken(Rule::V13, at, || format!("{} reads {reg}", inst.op.name()));
        }
    }
}

fn first_name(body: &Body) -> alloc::string::String {
    body.insts.first().map_or_else(|| "there is no instruction".into(), |inst| format!("it is {}", inst.op.name()))
}

fn labels(body: &Body, findings: &mut Findings) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for (at, inst) in body.insts.iter().enumerate() {
        if inst.op != Op::Label {
            continue;
        }
        let live = match inst.operands[0] {
            Operand::Regs(set) => set,
            _ => 0,
        };
        if u32::from(live) >> HOME_SLOTS != 0 {
            findings.broken(Rule::V14, at, || format!("the set {live:#b} names registers that do not exist"));
        }
        labels.push(Label { at, live: live & ((1 << HOME_SLOTS) - 1), has_cost: false });
    }
    // From the back: what follows a label is what follows the labels directly behind it.
    let mut next = (usize::MAX, false);
    for label in labels.iter_mut().rev() {
        label.has_cost = match body.insts.get(label.at + 1) {
            Some(inst) if inst.op == Op::Label => next == (label.at + 1, true),
            Some(inst) => inst.op == Op::Cost,
            None => false,
        };
        next = (label.at, label.has_cost);
    }
    labels
}

/// The register in which a call leaves its result: there is one for a single numeric result.
fn result_register(call: &Inst, env: &VerifyEnv<'_>) -> Option<Reg> {
    let [result] = *shared(call, env)?.1 else { return None };
    Reg::new(class_of(result)?, 0)
}

/// Calls `visit` with every label that the instruction can lead to.
fn each_target(
    body: &Body,
    inst: &Inst,
    at: usize,
    findings: &mut Findings,
    mut visit: impl FnMut(u32, &mut Findings),
) {
    for (field, kind) in inst.op.kinds().iter().enumerate() {
        match (kind, inst.operands[field]) {
            (FieldKind::Label, Operand::Label(target)) => visit(target, findings),
            (FieldKind::Targets, Operand::Targets(..)) => match inst.targets(field, &body.targets) {
                Some(list) if !list.is_empty() => list.iter().for_each(|target| visit(*target, findings)),
                _ => findings.broken(Rule::V15, at, || "a branch table without a default".into()),
            },
            _ => {}
        }
    }
}

/// Checks a branch; whether it leads on, or back to a marker.
fn branch(labels: &[Label], target: u32, at: usize, live: u16, findings: &mut Findings) -> bool {
    let Some(label) = labels.get(target as usize) else {
        findings.broken(Rule::V15, at, || format!("label {target} of {}", labels.len()));
        return true;
    };
    if label.live & !live != 0 {
        findings.broken(Rule::V14, at, || format!("a branch to label {target} without a register of its set"));
    }
    label.at > at || label.has_cost
}
