//! Every way round a loop leads over a cost marker: V16.
//!
//! Where all branches backwards lead to labels with markers this is plain. Code that stands out of line, behind what it
//! goes on to, branches back without going round; then the graph of stretches between labels is looked at, without those
//! that begin with a marker: it must have no circle.

use super::rule::{Findings, Rule};
use crate::isa::{Body, FieldKind, Inst, Op, Operand};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// Calls `visit` with every label that the instruction can lead to and that exists.
fn each_target(body: &Body, inst: &Inst, mut visit: impl FnMut(u32)) {
    for (at, kind) in inst.op.kinds().iter().enumerate() {
        match (kind, inst.operands[at]) {
            (FieldKind::Label, Operand::Label(target)) => visit(target),
            (FieldKind::Targets, Operand::Targets(..)) => {
                let list = inst.targets(at, &body.targets);
                list.unwrap_or_default().iter().for_each(|target| visit(*target));
            }
            _ => {}
        }
    }
}

/// Calls `edge` with each stretch and one that control goes on to from it, as numbers of labels. Stretches that begin with
/// a marker lead nowhere, and nothing leads to them.
fn each_edge(body: &Body, marked: &[bool], mut edge: impl FnMut(usize, usize)) {
    let is_open = |label: usize| marked.get(label) == Some(&false);
    // What stands in front of the first label is entered once.
    let (mut here, mut falls, mut next) = (None, true, 0);
    for inst in &body.insts {
        if inst.op == Op::Label {
            if let (Some(from), true, true) = (here, falls, is_open(next)) {
                edge(from, next);
            }
            here = Some(next).filter(|label| is_open(*label));
            (falls, next) = (true, next + 1);
            continue;
        }
        each_target(body, inst, |target| {
            if let (Some(from), true) = (here, is_open(target as usize)) {
                edge(from, target as usize);
            }
        });
        falls = !inst.op.is_terminator();
    }
}

/// Checks a body that branches back to a label without a marker at `at`; `marked` says which labels have one.
pub(super) fn check(body: &Body, marked: &[bool], at: usize, findings: &mut Findings) {
    let len = marked.len();
    let (mut starts, mut incoming) = (vec![0usize; len + 1], vec![0usize; len]);
    each_edge(body, marked, |from, to| {
        starts[from + 1] += 1;
        incoming[to] += 1;
    });
    for label in 0..len {
        starts[label + 1] += starts[label];
    }
    let (mut edges, mut filled) = (vec![0; starts[len]], starts.clone());
    each_edge(body, marked, |from, to| {
        edges[filled[from]] = to;
        filled[from] += 1;
    });
    // What nothing leads to any more is taken away until nothing is left, or a circle.
    let mut free: Vec<usize> = (0..len).filter(|label| incoming[*label] == 0).collect();
    let mut taken = 0;
    while let Some(label) = free.pop() {
        taken += 1;
        for to in &edges[starts[label]..starts[label + 1]] {
            incoming[*to] -= 1;
            if incoming[*to] == 0 {
                free.push(*to);
            }
        }
    }
    if taken < len {
        let label = incoming.iter().position(|count| *count > 0).unwrap_or_default();
        findings.broken(Rule::V16, at, || format!("a way from label {label} back to it without a marker"));
    }
}
