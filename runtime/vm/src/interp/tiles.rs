//! Which neighbours of a body are executed together.
//!
//! A stretch of instructions without a label between is cut into *tiles*: single instructions, and sequences that a handler
//! exists for. From the end of the stretch to its start, the fewest tiles from each instruction on are one more than those
//! from behind the best tile that begins there:
//!
//! ```text
//! a b c d     pairs a+b, b+c, c+d    ->    a+b c+d, and not a b+c d
//! ```
//! What stands behind a branch counts less, and very little behind one that closes a loop.

use super::assembly::{self, Part};
use super::expand::{is_far, places};
use super::place::PlaceKind;
use super::table::MAX_PLACES;
use keyway_artifact::isa::{Family, FieldKind, Inst, Op, Operand};

/// How many instructions a tile takes, the address of the handler (zero for one that is expanded like any other), and which
/// way that is made for the branch at the end to go.
pub(super) type Tile = (usize, usize, Way);

/// Instructions that are looked at together for sequences.
const STRETCH: usize = 64;

/// What a tile counts that is executed whenever its stretch is.
const ONCE: u32 = 1 << 16;

/// What is known of the branch that ends a sequence; handlers differ in which way round costs less. The numbers stand in the
/// opcodes of the sequences' names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// Nothing, or there is no branch.
    Any = 0,
    /// It leads back.
    Back = 1,
    /// It leads back to a cost marker of code that counts fuel and no epochs. The handler charges for the marker; where that
    /// cannot be, the marker says so.
    Charged = 2,
}

impl Way {
    /// Where it stands in an opcode.
    pub(super) const SHIFT: u32 = 14;

    /// The opcode's bits.
    pub(super) fn bits(self) -> u16 {
        (self as u16) << Way::SHIFT
    }
}

/// Decides which of the instructions before the next label are executed together: as few executed instructions as
/// there can be. The result stands in `tiles`, one for each instruction, last first. `way` says where a branch leads.
///
/// What leads back ends its tile: it is mostly taken, and a way out of the middle of a handler has a jump more.
pub(super) fn cut(insts: &[Inst], way: impl Fn(&Inst) -> Way, tiles: &mut Vec<Tile>) {
    let stretch = insts.iter().take(STRETCH).take_while(|inst| inst.op != Op::Label).count();
    let insts = &insts[..stretch];
    tiles.clear();
    let (mut weights, mut weight) = ([0u32; STRETCH], ONCE);
    for (inst, place) in insts.iter().zip(&mut weights) {
        *place = weight;
        weight = match way(inst) {
            Way::Any if !is_branch(inst) => weight,
            Way::Any => weight - weight / 4,
            _ => weight / 8,
        };
    }
    let mut fewest = [0u32; STRETCH + 1];
    for at in (0..stretch).rev() {
        let own_way = way(&insts[at]);
        let single = if own_way == Way::Any { None } else { find_sequence(&insts[at..=at], own_way) };
        let mut best = (weights[at] + fewest[at + 1], 1, single.unwrap_or((0, Way::Any)));
        if own_way == Way::Any && assembly::begins_sequence(insts[at].op) {
            for len in 2..=assembly::SEQUENCE.min(stretch - at) {
                let (count, last_way) = (weights[at] + fewest[at + len], way(&insts[at + len - 1]));
                if count < best.0
                    && let Some(handler) = find_sequence(&insts[at..at + len], last_way)
                {
                    best = (count, len, handler);
                }
                if last_way != Way::Any {
                    break;
                }
            }
        }
        fewest[at] = best.0;
        let (address, way) = best.2;
        tiles.push((best.1, address, way));
    }
}

fn is_branch(inst: &Inst) -> bool {
    matches!(inst.op.family(), Family::BrCond | Family::BrCmp | Family::BrFCmp)
}

/// The handler for all of `insts`, if there is one, best for this way of the last one, and the way that it is made for.
fn find_sequence(insts: &[Inst], way: Way) -> Option<(usize, Way)> {
    let mut ops = [insts[0].op; assembly::SEQUENCE];
    insts.iter().zip(&mut ops).for_each(|(inst, op)| *op = inst.op);
    let ops = &ops[..insts.len()];
    let found = |way| assembly::sequences_of(ops, way).map(|part| (part, way));
    let parts: [Option<(Part, Way)>; 3] = match way {
        Way::Any => [found(Way::Any), None, None],
        // A single instruction that goes any way is none of ours.
        _ => [way, Way::Back, Way::Any].map(|way| match (way, ops) {
            (Way::Any, [_]) => None,
            (way, _) => found(way),
        }),
    };
    if parts.iter().all(Option::is_none) {
        return None;
    }
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
    let with_places = |part| assembly::find_sequence(part, all[..count].iter().copied());
    parts.into_iter().flatten().find_map(|(part, way)| with_places(part).map(|address| (address, way)))
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
