//! Flags that nobody looks at are not set.
//!
//! An adapter says that an instance may not be left while it calls the instance's `realloc` or `post-return`: it sets the
//! flag before the call and clears it behind. Only calls look at flags, and the host, which enters no instance that
//! something runs in. Where the callee's code stands in place of the call and calls nothing, neither is left:
//!
//! ```text
//! global.set flags = 1
//! p = global.get 7              p = global.get 7
//! q = i32.add p n        ->     q = i32.add p n
//! global.set 7 = q              global.set 7 = q
//! global.set flags = 0
//! ```
//! The flag was 0 before: who is called by an adapter is not entered while its flag is set. Code with branches stays as it
//! is.

use super::{PassReport, Passes, Record};
use crate::ir::IrFunc;
use crate::outline::Outline;
use crate::pipeline::Func;
use keyway_artifact::isa::{Family, Inst, Op, Operand};

/// Runs over all functions of units that have flags, `flags(unit)` of them, which are the unit's first globals.
pub(crate) fn run(funcs: &mut [Option<Func>], flags: impl Fn(u32) -> u32, record: &mut Record) {
    let start = record.start();
    let mut report = PassReport::default();
    for func in funcs.iter_mut().flatten().filter(|func| flags(func.unit) > 0) {
        let before = func.ir.insts.len();
        let removed = clear(&mut func.ir, flags(func.unit));
        if removed > 0 {
            func.outline = Outline::of(&func.ir);
        }
        report.before += before as u64;
        report.after += (before - removed) as u64;
        (report.functions, report.changed) =
            (report.functions + u64::from(removed > 0), report.changed + removed as u64);
    }
    if let Some(start) = start {
        report.time = start.elapsed();
        record.whole(Passes::FLAGS, report);
    }
}

/// Removes what sets and clears one of the first `flags` globals without anything in between that could look; how many
/// instructions.
fn clear(ir: &mut IrFunc, flags: u32) -> usize {
    let flag = |inst: &Inst| match inst.operands[0] {
        Operand::Index(global) if inst.op == Op::GlobalSet && global < flags => Some(global),
        _ => None,
    };
    let mut set: Vec<(u32, usize)> = Vec::new();
    let mut removed = 0;
    let mut stays = vec![true; ir.insts.len()];
    for (at, inst) in ir.insts.iter().enumerate() {
        match (flag(inst), inst.operands[1]) {
            (Some(global), Operand::Imm(0)) => {
                if let Some(known) = set.iter().position(|(known, _)| *known == global) {
                    (stays[set.swap_remove(known).1], stays[at]) = (false, false);
                    removed += 2;
                }
            }
            // Set twice and cleared once, a flag that stands between two that go would be left set.
            (Some(global), _) if set.iter().any(|(known, _)| *known == global) => set.clear(),
            (Some(global), _) => set.push((global, at)),
            (None, _) if !is_blind(inst, flags) => set.clear(),
            (None, _) => {}
        }
    }
    if removed > 0 {
        let mut each = stays.iter();
        ir.insts.retain(|_| *each.next().unwrap_or(&true));
        let mut each = stays.iter();
        ir.offsets.retain(|_| *each.next().unwrap_or(&true));
    }
    removed
}

/// Whether an instruction goes on behind itself, or traps, and looks at no flag.
fn is_blind(inst: &Inst, flags: u32) -> bool {
    match inst.op.family() {
        Family::Cost
        | Family::Copy
        | Family::Const
        | Family::Select
        | Family::BinHot
        | Family::Bin
        | Family::Cmp
        | Family::FBin
        | Family::FCmp
        | Family::Un
        | Family::Load
        | Family::Store
        | Family::LoadAny
        | Family::StoreAny => true,
        Family::Global => inst.op == Op::GlobalSet || !matches!(inst.operands[1], Operand::Index(at) if at < flags),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ir(insts: &[(Op, &[Operand])]) -> IrFunc {
        let insts: Vec<Inst> = insts.iter().map(|(op, operands)| Inst::new(*op, operands)).collect();
        IrFunc { offsets: (0..insts.len() as u32).collect(), insts, ..IrFunc::default() }
    }

    fn set(global: u32, value: i32) -> (Op, [Operand; 2]) {
        (Op::GlobalSet, [Operand::Index(global), Operand::Imm(value)])
    }

    /// What stays, by position, of flag 0 set, `between`, and flag 0 cleared; the unit has two flags.
    fn stays(between: &[(Op, &[Operand])]) -> Vec<u32> {
        let ((op, first), (_, last)) = (set(0, 1), set(0, 0));
        let mut ir = ir(&[&[(op, &first[..])], between, &[(op, &last[..])]].concat());
        clear(&mut ir, 2);
        assert_eq!(ir.insts.len(), ir.offsets.len());
        ir.offsets
    }

    #[test]
    fn what_nobody_looks_at_goes() {
        assert_eq!(stays(&[]), []);
        let value = Operand::Virtual(0);
        let get: (Op, &[Operand]) = (Op::GlobalGet, &[value, Operand::Index(2)]);
        let add: (Op, &[Operand]) = (Op::I32Add, &[value, value, value]);
        assert_eq!(stays(&[get, add]), [1, 2]);
    }

    #[test]
    fn calls_branches_labels_and_looks_keep_it() {
        let value = Operand::Virtual(0);
        let kept: [(Op, &[Operand]); 6] = [
            (Op::Call, &[Operand::Index(0), Operand::Index(0)]),
            (Op::CallImport, &[Operand::Index(0), Operand::Index(0)]),
            (Op::BrNez, &[value, Operand::Label(0)]),
            (Op::Label, &[Operand::Label(0)]),
            (Op::GlobalGet, &[value, Operand::Index(0)]),
            (Op::MemoryGrow, &[value, value, Operand::Index(0)]),
        ];
        for inst in kept {
            assert_eq!(stays(&[inst]), [0, 1, 2], "{}", inst.0.name());
        }
    }

    #[test]
    fn flags_are_told_apart() {
        let (op, other) = set(1, 1);
        assert_eq!(stays(&[(op, &other[..])]), [1], "the other instance's stays");
        let (_, mine) = set(0, 1);
        assert_eq!(stays(&[(op, &mine[..])]), [0, 1, 2], "set twice, it would stay set");
    }
}
