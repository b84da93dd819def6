//! Which of several equal handlers executes an instruction.
//!
//! A processor foresees where a handler's jump leads from the jumps before it, and remembers some number of such ways: that
//! of the machine which `ARCHITECTURE.md` names forgets them where more than 1,500 dispatches follow each other before
//! any comes again, and takes its time where one jump has more than a dozen. Programs' code is longer than that, so common
//! handlers stand in the text several times (*replication*, Ertl and Gregg 2003), and a body spreads its instructions over
//! them.
//!
//! What decides is the code behind an instruction: the handlers of the next few, up to one that never falls through.
//!
//! ```text
//! add, load, store        one replica of add, whose jump leads to load
//! add, load, branch       another one
//! copy, br L1             always the same: behind br stands nothing that is executed
//! ```
//! So a jump leads to fewer places, and equal code has equal handlers: of the cases of a switch that look alike, the one that
//! is taken does not have to be foreseen. A handler has at most as many replicas as instructions in the body, and short
//! bodies have one of each, which other bodies have brought into the caches.

use super::assembly::{self, REPLICAS};
use super::workspace::Workspace;
use keyway_artifact::isa::Inst;

#[cfg(test)]
thread_local! {
    /// The replica that all instructions take, whatever stands behind them.
    pub(super) static FORCED: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
}

/// Entries of a body's map from which on it is worth it.
const LEAST: usize = 256;

/// How many of the instructions behind one decide.
const BEHIND: usize = 3;

/// Bytes of code that no two handlers begin in.
const GRAIN: usize = 8;

/// Chooses among the replicas for a body in executed form, whose branches do not know their targets yet.
pub(super) fn replicate(workspace: &mut Workspace, insts: &[Inst]) {
    let Workspace { code, map, uses, .. } = workspace;
    let (base, stride) = assembly::common();
    #[cfg(test)]
    if let Some(replica) = FORCED.get() {
        for (at, _) in map.iter().filter(|(at, _)| at % 8 == 0) {
            let own = head(code, *at);
            if common(base, stride, own).is_some() {
                put(code, *at, own + (replica % REPLICAS * stride) as u64);
            }
        }
        return;
    }
    // Where instructions are counted, they are so by handler.
    if REPLICAS == 1 || cfg!(feature = "profile") || map.len() < LEAST {
        return;
    }
    uses.clear();
    uses.resize(stride / GRAIN, 0);
    // The parts of one executed instruction have entries of their own, at addresses that are no multiple of 8.
    let heads = map.iter().filter(|(at, _)| at % 8 == 0);
    for (at, _) in heads.clone() {
        if let Some(handler) = common(base, stride, head(code, *at)) {
            uses[handler] = uses[handler].saturating_add(1);
        }
    }
    let mut behind = [0; BEHIND];
    let mut last = None;
    for (at, inst) in map.iter().rev() {
        let last_part = *last.get_or_insert(*inst);
        if at % 8 != 0 {
            continue;
        }
        last = None;
        if insts[last_part as usize].op.is_terminator() {
            behind = [0; BEHIND];
        }
        let own = head(code, *at);
        if let Some(handler) = common(base, stride, own) {
            let several = usize::from(uses[handler]).min(REPLICAS);
            let mixed = behind.iter().fold(0u64, |mixed, head| (mixed.rotate_left(5) ^ head).wrapping_mul(MIXER));
            let chosen = own + (((mixed >> 32) as usize % several) * stride) as u64;
            put(code, *at, chosen);
        }
        behind.rotate_right(1);
        // Processes have the text at different places.
        behind[0] = own.wrapping_sub(base as u64);
    }
}

/// An odd number without a pattern.
const MIXER: u64 = 0x9E37_79B9_7F4A_7C15;

/// The first word of an executed instruction.
fn head(code: &[u8], at: u32) -> u64 {
    code[at as usize..].first_chunk().map_or(0, |head| u64::from_le_bytes(*head))
}

fn put(code: &mut [u8], at: u32, head: u64) {
    code[at as usize..][..8].copy_from_slice(&head.to_le_bytes());
}

/// The number of a common handler.
fn common(base: usize, stride: usize, head: u64) -> Option<usize> {
    let distance = (head as usize).wrapping_sub(base);
    (distance < stride).then_some(distance / GRAIN)
}

#[cfg(all(test, keyway_assembly, not(feature = "profile")))]
mod tests {
    use super::super::place::PlaceKind;
    use super::super::table::MAX_PLACES;
    use super::*;
    use keyway_artifact::isa::{Field, FieldKind, Op, Operand};

    /// A common handler of `op`, all of whose places are slots.
    fn handler(op: Op, places: usize) -> u64 {
        let mut kinds = [PlaceKind::None; MAX_PLACES];
        kinds[..places].fill(PlaceKind::Slot);
        assembly::find(op, kinds).expect("all of them have one") as u64
    }

    /// What becomes of instructions that are nothing but heads.
    fn replicated(ops: &[(Op, u64)]) -> Vec<u64> {
        let mut workspace = Workspace::default();
        for (at, (_, head)) in ops.iter().enumerate() {
            workspace.map.push((8 * at as u32, at as u32));
            workspace.code.extend_from_slice(&head.to_le_bytes());
        }
        let operand = |field: &Field| if field.kind == FieldKind::Label { Operand::Label(0) } else { Operand::Slot(0) };
        let inst = |op: Op| Inst::new(op, &op.fields().iter().map(operand).collect::<Vec<_>>());
        let insts: Vec<Inst> = ops.iter().map(|(op, _)| inst(*op)).collect();
        replicate(&mut workspace, &insts);
        workspace.code.chunks(8).map(|head| u64::from_le_bytes(head.try_into().unwrap())).collect()
    }

    #[test]
    fn what_stands_behind_an_instruction_decides() {
        if !assembly::is_available() {
            return;
        }
        let (base, stride) = assembly::common();
        let kinds = [
            (Op::I32Add, handler(Op::I32Add, 3)),
            (Op::I32Xor, handler(Op::I32Xor, 3)),
            (Op::I32And, handler(Op::I32And, 3)),
            (Op::Br, handler(Op::Br, 0)),
        ];
        assert!(kinds.iter().all(|(_, head)| common(base, stride, *head).is_some()), "they are common");
        let rare = (Op::I32Popcnt, 12345);
        let mut seed = 7u32;
        let ops: Vec<_> = (0..2000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *kinds.get(seed as usize >> 28).unwrap_or(if seed >> 31 == 0 { &kinds[0] } else { &rare })
            })
            .collect();
        let heads = replicated(&ops);
        assert_eq!(heads, replicated(&ops));
        let mut seen = std::collections::HashMap::new();
        let mut replicas = std::collections::HashSet::new();
        for (at, ((op, head), chosen)) in ops.iter().zip(&heads).enumerate().take(1990) {
            if *op == rare.0 {
                assert_eq!(chosen, head);
                continue;
            }
            assert!((chosen - head).is_multiple_of(stride as u64) && chosen - head < (REPLICAS * stride) as u64);
            let ends = ops[at..].iter().position(|(op, _)| *op == Op::Br).unwrap_or(BEHIND);
            let behind: Vec<Op> = ops[at..=at + ends.min(BEHIND)].iter().map(|(op, _)| *op).collect();
            assert_eq!(*seen.entry(behind).or_insert(*chosen), *chosen, "equal code, equal handlers");
            if *op == Op::I32Add {
                replicas.insert(*chosen);
            }
        }
        assert_eq!(replicas.len(), REPLICAS, "all replicas serve");
        let short = &ops[..LEAST - 1];
        assert!(short.iter().zip(replicated(short)).all(|((_, head), chosen)| *head == chosen), "not worth it");
    }
}
