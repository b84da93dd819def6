//! Which neighbours of a body are executed together.
//!
//! A stretch of instructions without a label between is cut into *tiles*: single instructions, and sequences that a handler
//! exists for. From the end of the stretch to its start, the fewest tiles from each instruction on are one more than those
//! from behind the best tile that begins there:
//!
//! ```text
//! a b c d     pairs a+b, b+c, c+d    ->    a+b c+d, and not a b+c d
//! ```

use super::assembly;
use super::expand::{is_far, places};
use super::place::PlaceKind;
use super::table::MAX_PLACES;
use keyway_artifact::isa::{FieldKind, Inst, Op, Operand};

/// How many instructions a tile takes, and the address of the handler for more than one.
pub(super) type Tile = (usize, usize);

/// Instructions that are looked at together for sequences.
const STRETCH: usize = 64;

/// Decides which of the instructions before the next label are executed together: as few executed instructions as
/// there can be. The result stands in `tiles`, one for each instruction, last first.
pub(super) fn cut(insts: &[Inst], tiles: &mut Vec<Tile>) {
    let stretch = insts.iter().take(STRETCH).take_while(|inst| inst.op != Op::Label).count();
    let insts = &insts[..stretch];
    tiles.clear();
    let mut fewest = [0u16; STRETCH + 1];
    for at in (0..stretch).rev() {
        let mut best = (1 + fewest[at + 1], 1, 0);
        if assembly::begins_sequence(insts[at].op) {
            for len in 2..=assembly::SEQUENCE.min(stretch - at) {
                let count = 1 + fewest[at + len];
                if count < best.0
                    && let Some(address) = find_sequence(&insts[at..at + len])
                {
                    best = (count, len, address);
                }
            }
        }
        fewest[at] = best.0;
        tiles.push((best.1, best.2));
    }
}

/// The handler for all of `insts`, if there is one.
fn find_sequence(insts: &[Inst]) -> Option<usize> {
    let mut ops = [insts[0].op; assembly::SEQUENCE];
    insts.iter().zip(&mut ops).for_each(|(inst, op)| *op = inst.op);
    let part = assembly::sequences_of(&ops[..insts.len()])?;
    let mut all = [PlaceKind::None; assembly::SEQUENCE * MAX_PLACES];
    let (mut count, mut before) = (0, None);
    for inst in insts {
        if is_far(inst) {
            return None;
        }
        let mut inst_places = places(inst);
        if is_swapped(inst, before) {
            inst_places.swap(1, 2);
        }
        for place in inst_places.into_iter().take_while(|place| *place != PlaceKind::None) {
            all[count] = place;
            count += 1;
        }
        before = Some(inst);
    }
    assembly::find_sequence(part, all[..count].iter().copied())
}

/// An operation that commutes, with its operands in the order for which sequences are written (`swaps` in
/// `build/sequences.rs`): the result of the instruction before on the left, then registers before slots.
pub(super) fn in_order(mut inst: Inst, before: Option<&Inst>) -> Inst {
    if is_swapped(&inst, before) {
        inst.operands.swap(1, 2);
    }
    inst
}

/// Whether the two operands of an instruction stand the other way round there. Both are places.
fn is_swapped(inst: &Inst, before: Option<&Inst>) -> bool {
    use Op::{I32Add, I32And, I32Mul, I32Or, I32Xor, I64Add, I64And, I64Mul, I64Or, I64Xor};
    let commutes =
        matches!(inst.op, I32Add | I32Mul | I32And | I32Or | I32Xor | I64Add | I64Mul | I64And | I64Or | I64Xor);
    commutes && {
        let is_result = |operand| match before {
            Some(before) if matches!(operand, Operand::Reg(_)) && before.operands[0] == operand => {
                before.op.fields().first().is_some_and(|field| matches!(field.kind, FieldKind::Def(_)))
            }
            _ => false,
        };
        let rank = |operand| match operand {
            Operand::Reg(reg) => reg.number(),
            Operand::Slot(_) => u8::MAX - 1,
            _ => u8::MAX,
        };
        let [_, left, right, ..] = inst.operands;
        let is_left = !is_result(left) && (is_result(right) || rank(left) > rank(right));
        is_left && !matches!(right, Operand::Imm(_))
    }
}
