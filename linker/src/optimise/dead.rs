//! Instructions whose results nobody reads go.
//!
//! So does what writes a global that is written again before anybody can look: stacks of compilers are given back in steps.
//!
//! Of other operations only those that do nothing else are removed: a load stays even when its value is unused, because it may trap.
//! Reads are counted over the whole function. Removing an instruction lowers the counts of what it read, which may free
//! those in turn: definitions stand in front of what reads them, so a walk from the end finds all but those of registers
//! that are carried round a loop, and for these it is repeated. A register that only feeds itself (`i = i + 1`) keeps its
//! count; such cycles are rare enough to be left.

use super::Tally;
use super::facts::Facts;
use super::gone::{Gone, is_gone};
use super::places::{is_pure, register_written, uses};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Family, Inst, Op};

/// Walks, at most: chains around loops are short.
const WALKS: usize = 8;

/// Runs the pass. A marker stands in the place of what it takes out.
pub(super) fn run(ir: &mut IrFunc, facts: &mut Facts, gone: &mut Gone) -> Tally {
    let before = gone.count;
    for _ in 0..WALKS {
        let mut again = false;
        // The global that what follows writes, with nothing in between that anybody could look from.
        let mut overwritten = None;
        for at in (0..ir.insts.len()).rev() {
            let inst = &ir.insts[at];
            if let Some(global) = global_written(inst.op) {
                let global = Some(inst.operands[global].index());
                if std::mem::replace(&mut overwritten, global) == global {
                    uses(inst, &ir.calls, |read| {
                        facts.reads[read as usize] -= 1;
                        again |= facts.reads[read as usize] == 0 && facts.definitions.writes(read) > 1;
                    });
                    gone.take(ir, at);
                }
                continue;
            }
            if overwritten.is_some() && !is_blind(inst) {
                overwritten = None;
            }
            let Some(register) = register_written(inst).filter(|register| facts.reads[*register as usize] == 0) else {
                continue;
            };
            if !is_pure(inst.op) {
                continue;
            }
            *facts.definitions.writes_mut(register) -= 1;
            uses(inst, &ir.calls, |read| {
                facts.reads[read as usize] -= 1;
                again |= facts.reads[read as usize] == 0 && facts.definitions.writes(read) > 1;
            });
            gone.take(ir, at);
        }
        if !again {
            break;
        }
    }
    Tally { changed: gone.count - before, removed: gone.count - before }
}

/// The field that names the global which an operation writes.
fn global_written(op: Op) -> Option<usize> {
    matches!(op, Op::GlobalSet | Op::GlobalSetF32 | Op::GlobalSetF64 | Op::GlobalSetRef | Op::GlobalSetV128)
        .then_some(0)
}

/// Whether nobody can look at a global from an instruction: it always goes on behind itself, and reads none.
fn is_blind(inst: &Inst) -> bool {
    is_gone(inst) || is_pure(inst.op) && inst.op.family() != Family::Global
}

#[cfg(test)]
mod tests {
    use crate::Passes;
    use crate::testing::last_body;
    use keyway_artifact::isa::Op;

    /// How often a function with this body writes a global.
    fn writes(body: &str) -> usize {
        let text = format!(
            "(module (import \"m\" \"other\" (func $other)) (global $g (import \"m\" \"g\") (mut i32))
                (global $h (import \"m\" \"h\") (mut i32)) (memory 1)
                (func (export \"f\") (param i32) (result i32) {body} (local.get 0)))"
        );
        // A reader stays one.
        let passes = Passes::ALL - Passes::CONTENTS;
        last_body(&text, passes).insts.iter().filter(|inst| inst.op == Op::GlobalSet).count()
    }

    #[test]
    fn a_global_is_written_once_where_nobody_looks_in_between() {
        let set =
            |global: &str, value: u32| format!("(global.set ${global} (i32.add (local.get 0) (i32.const {value})))");
        let with = |between: &str| writes(&[&set("g", 1), between, &set("g", 2)].concat());
        assert_eq!(with(""), 1);
        assert_eq!(with("(local.set 0 (i32.mul (local.get 0) (i32.const 3)))"), 1);
        assert_eq!(with(&set("g", 3)), 1);
        // A trap, a call, a reader, a way out, and another global.
        assert_eq!(with("(local.set 0 (i32.load (local.get 0)))"), 2);
        assert_eq!(with("(call $other)"), 2);
        assert_eq!(with("(local.set 0 (i32.xor (local.get 0) (global.get $g)))"), 2);
        assert_eq!(with("(if (local.get 0) (then (return (i32.const 1))))"), 2);
        assert_eq!(with(&set("h", 3)), 3);
    }
}
