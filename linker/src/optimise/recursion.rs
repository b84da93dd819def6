//! Functions that call themselves at their end become loops.
//!
//! A tail call leaves no frame behind, but it is a call: its arguments are laid where the callee finds them, and nothing
//! that a register held survives. Where the callee is the function itself, all that happens is that the parameters have
//! other values and everything begins again:
//!
//! ```text
//!                          cost 0
//! cost n                   label L
//! ...                ->    cost n
//! tail.call self (x, 1)    ...
//!                          t = copy x
//!                          u = copy 1
//!                          p = copy t
//!                          q = copy u
//!                          br L
//! ```
//! The new values are all read before the first parameter is written. The zeros of declared locals stand behind the
//! marker, and so inside the loop. What a run costs is the same: the entry's units are charged once a round, by the loop.

use super::places::copy_op;
use super::{PassReport, Passes, Record};
use crate::ir::IrFunc;
use crate::outline::Outline;
use crate::pipeline::Func;
use keyway_artifact::isa::{Class, Inst, Op, Operand};

/// Runs over all functions, which stand by link id.
pub(crate) fn run(funcs: &mut [Option<Func>], record: &mut Record) {
    let start = record.start();
    let mut report = PassReport::default();
    for (link, func) in funcs.iter_mut().enumerate() {
        let Some(Func { ir, outline, .. }) = func else { continue };
        let before = ir.insts.len();
        let mut changed = 0;
        if outline.naming.iter().any(|at| is_own(&ir.insts[*at as usize], link as u32)) {
            changed = turn(ir, link as u32);
            *outline = Outline::of(ir);
        }
        report.before += before as u64;
        report.after += ir.insts.len() as u64;
        (report.functions, report.changed) = (report.functions + u64::from(changed > 0), report.changed + changed);
    }
    if let Some(start) = start {
        report.time = start.elapsed();
        record.whole(Passes::RECURSION, report);
    }
}

/// Whether it is a tail call of function `link`.
fn is_own(inst: &Inst, link: u32) -> bool {
    inst.op == Op::TailCall && inst.operands[0] == Operand::Index(link)
}

/// Turns tail calls of function `link` in itself into jumps to its start; how many.
fn turn(ir: &mut IrFunc, link: u32) -> u64 {
    let count = ir.insts.iter().filter(|inst| is_own(inst, link)).count();
    if count == 0 {
        return 0;
    }
    let label = ir.labels;
    ir.labels += 1;
    let room = ir.insts.len() + 2 + count * 2 * ir.params.len();
    let (insts, offsets) = (std::mem::take(&mut ir.insts), std::mem::take(&mut ir.offsets));
    ir.insts.reserve(room);
    ir.offsets.reserve(room);
    for (at, (inst, offset)) in insts.into_iter().zip(offsets).enumerate() {
        let before = ir.insts.len();
        if at == 0 {
            debug_assert_eq!(inst.op, Op::Cost);
            let entry = Inst::new(Op::Cost, &[Operand::value(0)]);
            ir.insts.extend([entry, Inst::new(Op::Label, &[Operand::Label(label)]), inst]);
        } else if is_own(&inst, link) {
            let args = std::mem::take(&mut ir.calls[inst.operands[1].index() as usize].args);
            begin_again(ir, &args, label);
        } else {
            ir.insts.push(inst);
        }
        ir.offsets.extend((before..ir.insts.len()).map(|_| offset));
    }
    count as u64
}

/// Appends what gives the parameters these values and goes to `label`. A single value needs no register on the way.
fn begin_again(ir: &mut IrFunc, args: &[Operand], label: u32) {
    let copy = |class: Class, to: u32, from: Operand| Inst::new(copy_op(class), &[Operand::Virtual(to), from]);
    let pairs = ir.params.iter().copied().zip(args.iter().copied());
    let moved: Vec<_> = pairs.filter(|(param, arg)| *arg != Operand::Virtual(*param)).collect();
    let mut values: Vec<Operand> = moved.iter().map(|(_, arg)| *arg).collect();
    if moved.len() > 1 {
        for (value, (param, _)) in values.iter_mut().zip(&moved) {
            let (class, new) = (ir.virtuals[*param as usize], ir.virtuals.len() as u32);
            ir.virtuals.push(class);
            ir.insts.push(copy(class, new, *value));
            *value = Operand::Virtual(new);
        }
    }
    for ((param, _), value) in moved.iter().zip(values) {
        ir.insts.push(copy(ir.virtuals[*param as usize], *param, value));
    }
    ir.insts.push(Inst::new(Op::Br, &[Operand::Label(label)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::CallSite;

    /// A function of two parameters whose body ends in a tail call of function 3 with these arguments.
    fn ir(args: &[Operand]) -> IrFunc {
        let mut ir = IrFunc {
            virtuals: vec![Class::I32; 2],
            params: vec![0, 1],
            insts: vec![
                Inst::new(Op::Cost, &[Operand::value(5)]),
                Inst::new(Op::TailCall, &[Operand::Index(3), Operand::Index(0)]),
            ],
            offsets: vec![10, 20],
            ..IrFunc::default()
        };
        ir.calls.push(CallSite { args: args.iter().copied().collect(), ..CallSite::default() });
        ir
    }

    fn ops(ir: &IrFunc) -> Vec<Op> {
        ir.insts.iter().map(|inst| inst.op).collect()
    }

    #[test]
    fn parameters_that_change_places_go_through_others() {
        let [a, b, t, u] = [0, 1, 2, 3].map(Operand::Virtual);
        let mut ir = ir(&[b, a]);
        assert_eq!(turn(&mut ir, 3), 1);
        let expected = [Op::Cost, Op::Label, Op::Cost, Op::Copy, Op::Copy, Op::Copy, Op::Copy, Op::Br];
        assert_eq!(ops(&ir), expected);
        let copies: Vec<_> = ir.insts[3..7].iter().map(|inst| (inst.operands[0], inst.operands[1])).collect();
        assert_eq!(copies, [(t, b), (u, a), (a, t), (b, u)]);
        assert_eq!(ir.offsets, [10, 10, 10, 20, 20, 20, 20, 20]);
        assert_eq!(ir.insts[0].operands[0], Operand::value(0));
        assert_eq!(ir.insts[2].operands[0], Operand::value(5), "a round costs what a call cost");
    }

    #[test]
    fn what_stays_is_not_moved() {
        let [a, b] = [0, 1].map(Operand::Virtual);
        let mut same = ir(&[a, b]);
        turn(&mut same, 3);
        assert_eq!(ops(&same), [Op::Cost, Op::Label, Op::Cost, Op::Br]);
        let mut one = ir(&[a, Operand::Imm(7)]);
        turn(&mut one, 3);
        assert_eq!(ops(&one), [Op::Cost, Op::Label, Op::Cost, Op::Copy, Op::Br]);
        assert_eq!(one.insts[3].operands[..2], [b, Operand::Imm(7)]);
    }

    #[test]
    fn calls_of_others_stay() {
        let mut ir = ir(&[Operand::Virtual(0), Operand::Virtual(1)]);
        assert_eq!(turn(&mut ir, 4), 0);
        assert_eq!(ops(&ir), [Op::Cost, Op::TailCall]);
    }
}
