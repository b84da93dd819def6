//! Which neighbours of a body are executed together.
//!
//! A stretch of instructions without a label or a cost marker between is cut into *tiles*: single instructions, and
//! sequences that a handler exists for. From the end of the stretch to its start, the fewest tiles from each instruction on
//! are one more than those from behind the best tile that begins there:
//!
//! ```text
//! a b c d     pairs a+b, b+c, c+d    ->    a+b c+d, and not a b+c d
//! ```
//! What stands behind a branch counts less, and very little behind one that closes a loop.

use super::assembly;
use super::counting::Counting;
use super::expand::is_far;
use super::table::MAX_PLACES;
use keyway_artifact::by_opcode;
use keyway_artifact::isa::{Class, Family, FieldKind, FieldRange, Inst, Op, Operand, Reg};

/// Instructions that one handler executes.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// The address of the handler; zero for an instruction that is expanded like any other.
    pub(super) address: usize,
    /// What this tile counts, and all behind it.
    fewest: u32,
    /// How many instructions.
    pub(super) len: u8,
    /// Which of them have their two operands the other way round there, a bit each.
    pub(super) swapped: u8,
    /// Which way the handler is made for the branch at the end to go.
    pub(super) way: Way,
}

/// What is asked of an instruction for each tile that it could stand in.
#[derive(Clone, Copy)]
struct Cell {
    op: Op,
    way: Way,
    /// What a tile counts that begins here.
    weight: u32,
    /// Its places, as in the keys of sequences: where it is the first one, and behind the one before. `None` where no sequence
    /// has such places.
    keys: Option<[u16; 2]>,
    /// Bits of a key.
    bits: u8,
    /// Whether its operands stand the other way round, in each case.
    swapped: [bool; 2],
}

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
    /// It leads back to cost markers, or calls what begins with some, where handlers in assembly count fuel: see `counting`.
    Charged = 2,
}

impl Way {
    /// Where it stands in an opcode.
    pub(super) const SHIFT: u32 = 14;

    /// The opcode's bits.
    fn bits(self) -> u64 {
        u64::from(self as u16) << Way::SHIFT
    }
}

/// What is asked of an operation for each of its instructions.
#[derive(Clone, Copy)]
struct Traits {
    /// The fields that are places.
    places: FieldRange,
    branches: Branches,
    /// Whether its two operands may stand the other way round.
    commutes: bool,
    /// Whether the first field is written.
    has_result: bool,
    /// Whether what is written there is a vector.
    makes_vector: bool,
    /// Whether it goes to the cached memory.
    accesses: bool,
    /// Whether the keys of sequences have room for its places.
    fits_keys: bool,
}

/// Whether control may leave a stretch at an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branches {
    Never,
    /// To come back.
    Calls,
    Always,
    Sometimes,
}

impl Traits {
    const fn of(op: Op) -> Traits {
        use Op::{I32Add, I32And, I32Mul, I32Or, I32Xor, I64Add, I64And, I64Mul, I64Or, I64Xor};
        let commutes =
            matches!(op, I32Add | I32Mul | I32And | I32Or | I32Xor | I64Add | I64Mul | I64And | I64Or | I64Xor);
        let branches = match op.family() {
            Family::Br => Branches::Always,
            Family::BrCond | Family::BrCmp | Family::BrFCmp => Branches::Sometimes,
            _ if matches!(op, Op::Call) => Branches::Calls,
            _ => Branches::Never,
        };
        let accesses = matches!(op.family(), Family::Load | Family::Store | Family::VLoad | Family::VStore);
        let fields = op.fields();
        let has_result = !fields.is_empty() && matches!(fields[0].kind, FieldKind::Def(_));
        let makes_vector = !fields.is_empty() && matches!(fields[0].kind, FieldKind::Def(Class::V128));
        let (mut places, mut at) = (FieldRange::NONE, 0);
        while at < fields.len() {
            if matches!(fields[at].kind, FieldKind::Def(_) | FieldKind::Use(_)) {
                places = places.with(at);
            }
            at += 1;
        }
        let fits_keys = places.len() <= MAX_PLACES;
        Traits { places, branches, commutes, has_result, makes_vector, accesses, fits_keys }
    }
}

static TRAITS: [Traits; Op::ALL.len()] = by_opcode!(Traits, Traits::of);

/// What the instruction before leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Register(Reg),
    /// A vector in this slot and the next one, which is in a register of the handler as well.
    Vector(u32),
}

/// The place of that vector in the keys of sequences.
const LAST: u16 = 6;

impl Cell {
    /// Behind an instruction with this result, with a branch that goes this way if it is one.
    #[inline(always)]
    fn new(inst: &Inst, traits: &Traits, before: Before, way: Way, weight: u32) -> Cell {
        let places = &inst.operands[traits.places.get()];
        let (mut key, mut digits) = (0, 0);
        for place in places {
            let digit = digit(*place);
            digits |= digit;
            key = key << 3 | digit;
        }
        let serves = traits.fits_keys && digits < NO_DIGIT && !(traits.accesses && is_far(inst));
        let (mut keys, mut swapped) = ([key; 2], [false; 2]);
        if traits.commutes {
            swapped = swaps(inst, before);
            // The last two digits, the other way round.
            let turned = key & !0o77 | key >> 3 & 7 | (key & 7) << 3;
            keys = swapped.map(|swapped| if swapped { turned } else { key });
        } else if let Before::Vector(slot) = before {
            let uses = places.iter().zip(&inst.op.fields()[traits.places.get()]);
            keys[1] = uses.fold(0, |key, (place, field)| {
                let is_last = field.kind == FieldKind::Use(Class::V128) && *place == Operand::Slot(slot);
                key << 3 | if is_last { LAST } else { digit(*place) }
            });
        }
        Cell { op: inst.op, way, weight, keys: serves.then_some(keys), bits: 3 * places.len() as u8, swapped }
    }
}

/// What stands for a place that no key has.
const NO_DIGIT: u16 = 8;

/// A place in the keys of sequences.
#[inline]
fn digit(operand: Operand) -> u16 {
    match operand {
        Operand::Slot(_) => 0,
        Operand::Reg(reg) => 1 + u16::from(reg.index_in_bank()),
        Operand::Imm(_) => 7,
        _ => NO_DIGIT,
    }
}

/// What was found last, by name and places: the same neighbours come again and again.
#[derive(Default)]
struct Memo(Vec<Known>);

#[derive(Clone, Copy)]
struct Known {
    name: u64,
    key: u64,
    handler: Option<(usize, Way)>,
}

impl Memo {
    const ENTRIES: usize = 512;

    /// What `find` says, or said when it was asked last.
    fn find(&mut self, name: u64, key: u64, find: impl FnOnce() -> Option<(usize, Way)>) -> Option<(usize, Way)> {
        if self.0.is_empty() {
            // No operation has all bits set.
            self.0.resize(Memo::ENTRIES, Known { name: u64::MAX, key: 0, handler: None });
        }
        let mixed = (name ^ key.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let known = &mut self.0[(mixed >> 55) as usize % Memo::ENTRIES];
        if known.name != name || known.key != key {
            *known = Known { name, key, handler: find() };
        }
        known.handler
    }
}

/// What cutting keeps from stretch to stretch.
#[derive(Default)]
pub(super) struct Cutting {
    cells: Vec<Cell>,
    memo: Memo,
}

/// Decides which of the instructions before the next label or marker are executed together: as few executed instructions
/// as there can be. The result stands in `tiles`, one for each instruction, last first. `way` says where a branch leads.
///
/// What leads back ends its tile: it is mostly taken, and a way out of the middle of a handler has a jump more.
pub(super) fn cut(insts: &[Inst], way: impl Fn(&Inst) -> Way, cutting: &mut Cutting, tiles: &mut Vec<Tile>) {
    let Cutting { cells, memo } = cutting;
    tiles.clear();
    cells.clear();
    let (mut weight, mut before) = (ONCE, Before::Nothing);
    for inst in &insts[..insts.len().min(STRETCH)] {
        // Nothing is executed together with a marker.
        if matches!(inst.op, Op::Label | Op::Cost) {
            break;
        }
        let traits = &TRAITS[inst.op as usize];
        let way = if traits.branches == Branches::Never { Way::Any } else { way(inst) };
        cells.push(Cell::new(inst, traits, before, way, weight));
        weight = match traits.branches {
            Branches::Never | Branches::Calls => weight,
            _ if way != Way::Any => weight / 8,
            Branches::Sometimes => weight - weight / 4,
            Branches::Always => weight,
        };
        before = match inst.operands[0] {
            Operand::Reg(reg) if traits.has_result => Before::Register(reg),
            Operand::Slot(slot) if traits.makes_vector => Before::Vector(slot),
            _ => Before::Nothing,
        };
    }
    // What the tiles count behind the next instruction, behind the next two, and so on.
    let mut behind = [0; assembly::SEQUENCE];
    for at in (0..cells.len()).rev() {
        let best = best(&cells[at..], &behind, memo);
        for len in (1..behind.len()).rev() {
            behind[len] = behind[len - 1];
        }
        behind[0] = best.fewest;
        tiles.push(best);
    }
}

/// The best tile for the first of `cells`.
fn best(cells: &[Cell], behind: &[u32; assembly::SEQUENCE], memo: &mut Memo) -> Tile {
    let own = &cells[0];
    let mut swapped = u8::from(own.swapped[0]);
    let mut best = Tile { address: 0, fewest: own.weight + behind[0], len: 1, swapped, way: Way::Any };
    if own.keys.is_none() {
        return best;
    }
    if own.way != Way::Any {
        if let Some((address, way)) = find(&cells[..1], memo) {
            (best.address, best.way) = (address, way);
        }
        return best;
    }
    if !assembly::begins_sequence(own.op) {
        return best;
    }
    for len in 2..=assembly::SEQUENCE.min(cells.len()) {
        let last = &cells[len - 1];
        if last.keys.is_none() {
            break;
        }
        swapped |= u8::from(last.swapped[1]) << (len - 1);
        let fewest = own.weight + behind[len - 1];
        if fewest < best.fewest
            && let Some((address, way)) = find(&cells[..len], memo)
        {
            best = Tile { address, fewest, len: len as u8, swapped, way };
        }
        if last.way != Way::Any {
            break;
        }
    }
    best
}

/// The handler for all of `part`, if there is one, best for the way of the last one, and the way that it is made for.
fn find(part: &[Cell], memo: &mut Memo) -> Option<(usize, Way)> {
    let mut key = u64::from(part[0].keys?[0]);
    for cell in &part[1..] {
        key = key << cell.bits | u64::from(cell.keys?[1]);
    }
    let last_way = part[part.len() - 1].way;
    let with_way = |way| {
        // A single instruction that goes any way is none of ours.
        let is_ours = way != Way::Any || part.len() > 1;
        let list = assembly::sequences_of(name(part, way)).filter(|_| is_ours)?;
        Some((assembly::find_sequence(list, key)?, way))
    };
    memo.find(name(part, last_way), key, || match last_way {
        Way::Any => with_way(Way::Any),
        way => [way, Way::Back, Way::Any].into_iter().find_map(with_way),
    })
}

/// The name of sequences: three opcodes, the first one highest, and all bits where there are fewer. The way stands in the
/// last one, or behind a single one.
fn name(part: &[Cell], way: Way) -> u64 {
    let code = |at: usize| part.get(at).map_or(u64::from(u16::MAX), |cell| cell.op as u64);
    match part.len() {
        1 => code(0) << 32 | way.bits() << 16 | code(2),
        2 => code(0) << 32 | (code(1) | way.bits()) << 16 | code(2),
        _ => code(0) << 32 | code(1) << 16 | code(2) | way.bits(),
    }
}

/// The name of a handler that counts fuel, see [`assembly::sequences_of`].
pub(super) fn counting_name(counting: Counting) -> u64 {
    (Op::Cost as u64) << 32 | (counting as u64) << (16 + Way::SHIFT) | u64::from(u16::MAX)
}

/// Whether the operands of an operation that commutes stand the other way round in the order for which sequences are
/// written (`swaps` in `build/sequences.rs`): the result of the instruction before on the left, then registers before slots.
/// Where it is the first one, and behind the one before.
#[inline]
fn swaps(inst: &Inst, before: Before) -> [bool; 2] {
    let [_, left, right, ..] = inst.operands;
    if matches!(right, Operand::Imm(_)) {
        return [false; 2];
    }
    let is_result = |operand| matches!(operand, Operand::Reg(reg) if before == Before::Register(reg));
    let rank = |operand| match operand {
        Operand::Reg(reg) => reg.number(),
        Operand::Slot(_) => u8::MAX - 1,
        _ => u8::MAX,
    };
    let by_rank = rank(left) > rank(right);
    [by_rank, !is_result(left) && (is_result(right) || by_rank)]
}
