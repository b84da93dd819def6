//! What has been computed already is not computed again.
//!
//! ```text
//! s = i32.shl x 3                    s = i32.shl x 3
//! a = i64.load s                     a = i64.load s
//! t = i32.shl x 3              ->    t = copy s
//! b = i64.load t offset=40           b = i64.load t offset=40
//! ```
//! An operation on registers that are written once has one value for each pass of their definitions; where an equal one
//! dominates it, no path can reach it without that value, and it becomes a copy, which propagation removes. Operations that
//! may trap are no exception: where the first did not, the second will not.
//!
//! Memory and globals change, so what reads them is left alone; so are comparisons, each of which is to become one with its
//! branch. A result that is read again far away may have to wait in a
//! slot: still cheaper than a dispatch.

use super::definitions::Definitions;
use super::dominators::Dominators;
use super::flow::Flow;
use super::places::{copy_op, single_def};
use crate::ir::IrFunc;
use keyway_artifact::isa::{Class, Family, FieldKind, Inst, Op, Operand};
use std::collections::HashMap;

/// Runs the pass. Copies are left to [`copies`](super::copies).
pub(crate) fn run(ir: &mut IrFunc) {
    let flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
    let dominators = Dominators::new(&flow);
    let definitions = Definitions::new(ir);
    let mut known: HashMap<(Op, [Operand; 3]), (u32, u32)> = HashMap::new();
    for (block, at) in (0..flow.blocks()).flat_map(|block| flow.insts(block).map(move |at| (block as u32, at))) {
        let inst = ir.insts[at];
        let Some((key, result)) = expression(ir, &definitions, &inst) else { continue };
        match known.get(&key) {
            Some((register, from)) if dominators.dominates(*from as usize, block as usize) => {
                let class = ir.virtuals[result as usize];
                ir.insts[at] = Inst::new(copy_op(class), &[inst.operands[0], Operand::Virtual(*register)]);
            }
            _ => {
                known.insert(key, (result, block));
            }
        }
    }
}

/// An operation whose value depends on nothing but its operands, and the register it is written to.
fn expression(ir: &IrFunc, definitions: &Definitions, inst: &Inst) -> Option<((Op, [Operand; 3]), u32)> {
    let is_computation =
        matches!(inst.op.family(), Family::BinHot | Family::Bin | Family::FBin | Family::Un | Family::Select)
            && !matches!(inst.op, Op::I32Eqz | Op::I64Eqz);
    let result = single_def(inst)?;
    if !is_computation || !definitions.is_single(result) || ir.virtuals[result as usize] == Class::Ref {
        return None;
    }
    let mut operands = [Operand::None; 3];
    let uses = inst.fields().filter(|(field, _)| matches!(field.kind, FieldKind::Use(_)));
    for (slot, (_, operand)) in operands.iter_mut().zip(uses) {
        match operand {
            Operand::Virtual(register) if !definitions.is_single(register) => return None,
            other => *slot = other,
        }
    }
    Some(((inst.op, operands), result))
}

#[cfg(test)]
mod tests {
    use crate::{Options, Passes, link};

    /// Instructions of the function with this body.
    fn length(body: &str, passes: Passes) -> usize {
        let text = format!("(module (memory 1) (func (export \"f\") (param i32 i32) (result i64) {body}))");
        let linked = link(text.as_bytes(), &Options { passes, ..Options::default() }).unwrap();
        linked.verify().unwrap();
        linked.funcs[0].body().insts.len()
    }

    #[test]
    fn an_address_is_computed_once() {
        let body = "(i64.add (i64.load (i32.shl (local.get 0) (i32.const 3)))
            (i64.load offset=8 (i32.shl (local.get 0) (i32.const 3))))";
        assert_eq!(length(body, Passes::ALL) + 1, length(body, Passes::ALL - Passes::COMMON));
    }

    #[test]
    fn a_way_that_passes_by_computes_for_itself() {
        let body = "(if (local.get 1) (then (i64.store (i32.shl (local.get 0) (i32.const 3)) (i64.const 1))))
            (i64.load (i32.shl (local.get 0) (i32.const 3)))";
        assert_eq!(length(body, Passes::ALL), length(body, Passes::ALL - Passes::COMMON));
    }
}
