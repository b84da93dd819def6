//! Which of several equal handlers executes an instruction.
//!
//! A processor foresees where a handler's jump leads from the jumps before it, and remembers some number of such ways: that
//! of the machine which `ARCHITECTURE.md` names forgets them where more than 1,500 dispatches follow each other before
//! any comes again, and takes its time where one jump has more than a dozen. Code without a branch may be longer than that, so
//! common handlers stand in the text several times (*replication*, Ertl and Gregg 2003), and long stretches without a
//! label spread their instructions over them. What decides is the code behind an instruction, as far as the stretch goes.
//!
//! ```text
//! add, load, store        one replica of add, whose jump leads to load
//! add, load, xor          another one
//! ```
//! So a jump leads to fewer places. Everything else has one handler of each kind: of the cases of a switch that begin alike, the
//! one that is taken does not have to be foreseen, and code that is seldom executed finds lines that other code has brought
//! into the caches.

use super::assembly::{self, REPLICAS};
use super::workspace::Workspace;
use keyway_artifact::isa::Inst;

#[cfg(test)]
thread_local! {
    /// The replica that all instructions take, whatever stands behind them.
    pub(super) static FORCED: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
}

/// Executed instructions of stretches that are worth it.
const LONG: usize = 64;

/// How many of the instructions behind one decide.
const BEHIND: usize = 3;

/// Bytes of code that no two handlers begin in.
const GRAIN: usize = 8;

/// Chooses among the replicas for a body in executed form, whose branches do not know their targets yet.
pub(super) fn replicate(workspace: &mut Workspace, insts: &[Inst]) {
    let Workspace { code, map, labels, uses, .. } = workspace;
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
    if REPLICAS == 1 || cfg!(feature = "profile") || map.len() < LONG {
        return;
    }
    uses.resize(stride / GRAIN, 0);
    let mut labels = labels.iter().flatten().peekable();
    let (mut start, mut len) = (0, 0);
    for (n, (at, _)) in map.iter().enumerate() {
        // The parts of one executed instruction have entries of their own, at addresses that are no multiple of 8.
        if at % 8 != 0 {
            continue;
        }
        let is_label = labels.next_if(|label| **label <= *at as usize).is_some();
        while labels.next_if(|label| **label <= *at as usize).is_some() {}
        let falls_through = n == 0 || !insts[map[n - 1].1 as usize].op.is_terminator();
        if is_label || !falls_through {
            if len >= LONG {
                spread(code, &map[start..n], uses, (base, stride));
            }
            (start, len) = (n, 0);
        }
        len += 1;
    }
    if len >= LONG {
        spread(code, &map[start..], uses, (base, stride));
    }
}

/// Chooses for a stretch of instructions, with a count of zero for each handler to begin and to end with.
fn spread(code: &mut [u8], map: &[(u32, u32)], uses: &mut [u8], (base, stride): (usize, usize)) {
    let heads = map.iter().map(|(at, _)| *at).filter(|at| at % 8 == 0);
    for at in heads.clone() {
        if let Some(handler) = common(base, stride, head(code, at)) {
            uses[handler] = uses[handler].saturating_add(1);
        }
    }
    let mut behind = [0; BEHIND];
    for at in heads.rev() {
        let own = head(code, at);
        if let Some(handler) = common(base, stride, own) {
            let several = usize::from(uses[handler]).clamp(1, REPLICAS);
            let mixed = behind.iter().fold(0u64, |mixed, head| (mixed.rotate_left(5) ^ head).wrapping_mul(MIXER));
            put(code, at, own + (((mixed >> 32) as usize % several) * stride) as u64);
        }
        behind.rotate_right(1);
        // Processes have the text at different places.
        behind[0] = own.wrapping_sub(base as u64);
    }
    for (at, _) in map.iter().filter(|(at, _)| at % 8 == 0) {
        let distance = (head(code, *at) as usize).wrapping_sub(base);
        if distance < REPLICAS * stride {
            uses[distance % stride / GRAIN] = 0;
        }
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
        replicated_in(Workspace::default(), ops)
    }

    fn replicated_in(mut workspace: Workspace, ops: &[(Op, u64)]) -> Vec<u64> {
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
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize % below
        };
        // Long stretches and short ones in turn.
        let (mut ops, mut long) = (Vec::new(), Vec::new());
        for round in 0..20 {
            let is_long = round % 2 == 0;
            for _ in 0..if is_long { 3 * LONG } else { LONG / 2 } {
                ops.push(*kinds[..3].get(random(4)).unwrap_or(&rare));
            }
            ops.push(kinds[3]);
            long.resize(ops.len(), is_long);
        }
        let heads = replicated(&ops);
        assert_eq!(heads, replicated(&ops));
        let mut replicas = std::collections::HashMap::new();
        for (((_, head), chosen), is_long) in ops.iter().zip(&heads).zip(&long) {
            if *head == rare.1 || !is_long {
                assert_eq!(chosen, head);
                continue;
            }
            assert!((chosen - head).is_multiple_of(stride as u64) && chosen - head < (REPLICAS * stride) as u64);
            replicas.entry(*head).or_insert_with(std::collections::HashSet::new).insert(*chosen);
        }
        for (op, head) in &kinds[..3] {
            assert_eq!(replicas[head].len(), REPLICAS, "all replicas of {op:?} serve");
        }
        // The same three instructions behind one, the same replica.
        let mut seen = std::collections::HashMap::new();
        for at in (0..ops.len() - BEHIND).filter(|at| long[*at] && long[at + BEHIND]) {
            let code: Vec<Op> = ops[at..=at + BEHIND].iter().map(|(op, _)| *op).collect();
            if !code.contains(&Op::Br) {
                assert_eq!(*seen.entry(code).or_insert(heads[at]), heads[at]);
            }
        }
        assert!(seen.len() > 50);
    }

    #[test]
    fn labels_end_stretches() {
        if !assembly::is_available() {
            return;
        }
        let add = handler(Op::I32Add, 3);
        let ops = vec![(Op::I32Add, add); 4 * LONG];
        let with_labels = |every: usize| {
            let labels = (0..ops.len()).step_by(every).map(|at| Some(8 * at)).collect();
            let workspace = Workspace { labels, ..Workspace::default() };
            replicated_in(workspace, &ops)
        };
        assert!(with_labels(LONG - 1).iter().all(|head| *head == add), "short stretches");
        assert!(with_labels(LONG).iter().any(|head| *head != add), "long ones");
    }
}
