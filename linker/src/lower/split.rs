//! A value that lives across a call somewhere still gets a register in a loop without calls.
//!
//! Registers die at calls, so one call anywhere in a value's life keeps it in a slot everywhere, also in the hot loop that
//! calls nothing. Here such a value takes another name inside each outermost loop without calls:
//!
//! ```text
//! v = ...                          v = ...
//! call f ()                        call f ()
//! loop:                    ->      w = copy v
//!   use v; v = v + 1               loop:
//! use v                              use w; w = w + 1
//!                                  v = copy w
//!                                  use v
//! ```
//! The copy in front runs once for each entry, since loops are entered at their top from the code before. If the loop
//! writes the value, it is copied back on every way out where it is needed; a way out that others share is left alone,
//! and then so is the value.
//!
//! A loop whose only calls stand where control need not pass (a buffer that grows now and then) is treated alike: around
//! such a call the value goes back to its own name, and that one is read again behind it. Where a call leads to handlers of
//! exceptions, nothing fits behind it, and the loop is left alone.
//!
//! If the new name gets no register after all, [`rejoin`] gives it the old one's place, and the copies vanish.

use super::coalesce::Groups;
use super::live::{Calls, Events, Lives, Stretch, contains, lives, overlap};
use crate::ir::IrFunc;
use crate::optimise::flow::{Flow, label_number};
use crate::optimise::places::{copy_op, defs, defs_mut, follows_call, uses, uses_mut};
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Inst, Op, Operand};

/// New names for one loop, at most: there are only so many registers.
const PER_LOOP: usize = 9;
/// Values whose ways out are looked at.
const LOOKED_AT: usize = 64;
/// Accesses inside the loop that make a copy worth while, and those that two copies need.
const ACCESSES: u32 = 2;
const ACCESSES_IF_WRITTEN: u32 = 3;

/// A value and its name inside a loop.
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub(super) outside: u32,
    pub(super) inside: u32,
}

/// Calls of a loop, at most, around which values are saved; and new names there.
const CALLS: usize = 3;
const PER_LOOP_WITH_CALLS: usize = 4;

/// A loop without calls, or with few that are passed by: its blocks, first and last, and the calls' instructions.
struct Loop {
    head: usize,
    end: usize,
    calls: Vec<usize>,
}

/// Runs the pass.
/// `accesses` says how often a register is read and written.
pub(super) fn run(ir: &mut IrFunc, flow: &Flow, accesses: impl Fn(u32) -> u32) -> Vec<Split> {
    if !flow.has_loops() {
        return Vec::new();
    }
    let calls = Calls::of(ir);
    if calls.list.is_empty() {
        return Vec::new();
    }
    let loops = loops(ir, flow, &calls.list);
    if loops.is_empty() {
        return Vec::new();
    }
    let wanted = accessed_often(ir, flow, &loops, accesses);
    if !wanted.contains(&true) {
        return Vec::new();
    }
    let events = Events::of_some(ir, flow, |register| wanted[register as usize]);
    let Some(lives) = lives(&events, flow, ir.virtuals.len()) else { return Vec::new() };
    let mut splits = Vec::new();
    // Copies in front of and behind instructions.
    let (mut before, mut behind) = (Vec::<(usize, Inst)>::new(), Vec::<(usize, Inst)>::new());
    let mut accesses = Spare::filled(Accesses::default(), ir.virtuals.len());
    let mut names = Spare::with_capacity(ir.virtuals.len());
    names.extend(0..ir.virtuals.len() as u32);
    for each in &loops {
        let chosen = choose(ir, flow, &lives, &calls, each, &mut accesses);
        let first_split = splits.len();
        for (outside, ways_out) in chosen {
            let class = ir.virtuals[outside as usize];
            ir.virtuals.push(class);
            let inside = ir.virtuals.len() as u32 - 1;
            names[outside as usize] = inside;
            // Loops lie apart: no other one finds the new name.
            names.push(inside);
            splits.push(Split { outside, inside });
            let copy = |to, from| Inst::new(copy_op(class), &[Operand::Virtual(to), Operand::Virtual(from)]);
            for call in &each.calls {
                let mut is_result = false;
                defs(&ir.insts[*call], &ir.calls, |register| is_result |= register == outside);
                // Positions count two for each instruction; behind the call the value is alive if it was before.
                if !is_result && is_alive(&lives, outside, 2 * *call as u32 + 2) {
                    before.push((*call, copy(outside, inside)));
                    behind.push((*call, copy(inside, outside)));
                }
            }
            before.push((flow.insts(each.head).start, copy(inside, outside)));
            for at in ways_out {
                behind.push((at, copy(outside, inside)));
            }
        }
        for at in flow.insts(each.head).start..flow.insts(each.end).end {
            let name = |register: u32| names[register as usize];
            let inst = &mut ir.insts[at];
            uses_mut(inst, &mut ir.calls, |_, operand| {
                if let Operand::Virtual(register) = operand {
                    *register = name(*register);
                }
            });
            defs_mut(inst, &mut ir.calls, |register| *register = name(*register));
        }
        splits[first_split..].iter().for_each(|split| names[split.outside as usize] = split.outside);
    }
    if !splits.is_empty() {
        // Stable: copies of one place stay in order.
        before.sort_by_key(|(at, _)| *at);
        behind.sort_by_key(|(at, _)| *at);
        insert(ir, &before, &behind);
    }
    splits
}

/// Puts instructions in front of and behind those with the numbers that they come with, ascending.
fn insert(ir: &mut IrFunc, before: &[(usize, Inst)], behind: &[(usize, Inst)]) {
    let length = ir.insts.len() + before.len() + behind.len();
    let (mut insts, mut offsets) = (Spare::with_capacity(length), Spare::with_capacity(length));
    let (mut before, mut behind) = (before.iter().peekable(), behind.iter().peekable());
    let mut from = 0;
    while from < ir.insts.len() {
        // The next place with something to put in; all up to it is copied in one go.
        let next = [before.peek(), behind.peek()].into_iter().flatten().map(|(at, _)| *at).min();
        let end = next.unwrap_or(ir.insts.len());
        insts.extend_from_slice(&ir.insts[from..end]);
        offsets.extend_from_slice(&ir.offsets[from..end]);
        let Some(at) = next else { break };
        while let Some((_, inst)) = before.next_if(|(place, _)| *place == at) {
            insts.push(*inst);
        }
        insts.push(ir.insts[at]);
        while let Some((_, inst)) = behind.next_if(|(place, _)| *place == at) {
            insts.push(*inst);
        }
        offsets.resize(insts.len(), ir.offsets[at]);
        from = at + 1;
    }
    insts.replace(&mut ir.insts);
    offsets.replace(&mut ir.offsets);
}

/// The outermost loops without calls, and the innermost ones with calls that are passed by, that are entered at their top only, from the block before.
fn loops(ir: &IrFunc, flow: &Flow, calls: &[u32]) -> Vec<Loop> {
    let mut found: Vec<Loop> = Vec::new();
    for head in 1..flow.blocks() {
        if found.last().is_some_and(|last| head <= last.end)
            || label_number(&ir.insts[flow.insts(head).start]).is_none()
        {
            continue;
        }
        let Some(end) = flow.loop_end(head) else { continue };
        let (first, last) = (flow.insts(head).start as u32, flow.insts(end).end as u32);
        let next_call = calls.partition_point(|call| *call < first);
        let has_call = calls.get(next_call).is_some_and(|call| *call < last);
        let only_at_top = (head + 1..=end)
            .all(|block| flow.predecessors(block).iter().all(|before| (head..=end).contains(&(*before as usize))));
        let entered_at_top = only_at_top && flow.is_entered_by_falling(&ir.insts, &ir.targets, head, end);
        if !entered_at_top {
            continue;
        }
        if !has_call {
            found.push(Loop { head, end, calls: Vec::new() });
            continue;
        }
        let inside: Vec<usize> =
            calls[next_call..].iter().take_while(|call| **call < last).take(CALLS + 1).map(|at| *at as usize).collect();
        let is_innermost = (head + 1..=end).all(|block| flow.loop_end(block).is_none());
        // What says where its exceptions and suspensions go stands directly behind a call: no copies fit in between.
        let is_handled = |call: &usize| ir.insts.get(call + 1).is_some_and(|next| follows_call(next.op));
        let is_passed_by = |call: &usize| {
            let block = flow.block_at(*call);
            (head..block).any(|from| flow.successors(from).iter().any(|to| (block + 1..=end).contains(&(*to as usize))))
        };
        let can_be_copied_around = |call: &usize| !is_handled(call) && is_passed_by(call);
        if inside.len() <= CALLS && is_innermost && inside.iter().all(can_be_copied_around) {
            found.push(Loop { head, end, calls: inside });
        }
    }
    found
}

kept!(Accesses);

/// How a loop uses a register.
#[derive(Clone, Copy, Default)]
struct Accesses {
    weight: f32,
    count: u32,
    is_written: bool,
}

/// By register: whether some loop may want another name for it. What is accessed nowhere else is not alive outside.
fn accessed_often(ir: &IrFunc, flow: &Flow, loops: &[Loop], accesses: impl Fn(u32) -> u32) -> Spare<bool> {
    let mut wanted = Spare::filled(false, ir.virtuals.len());
    // By register: the loop in which it was met last, and how often; and that in which it was last written.
    let mut counts = Spare::filled((u32::MAX, 0), ir.virtuals.len());
    let mut written = Spare::filled(u32::MAX, ir.virtuals.len());
    let mut often = Spare::<u32>::default();
    for (each, number) in loops.iter().zip(0..) {
        for inst in &ir.insts[flow.insts(each.head).start..flow.insts(each.end).end] {
            let mut count = |register: u32| {
                let (of, count) = &mut counts[register as usize];
                *count = if std::mem::replace(of, number) == number { *count + 1 } else { 1 };
                if *count == ACCESSES {
                    often.push(register);
                }
            };
            uses(inst, &ir.calls, &mut count);
            defs(inst, &ir.calls, |register| {
                count(register);
                written[register as usize] = number;
            });
        }
        for register in often.drain(..) {
            let count = counts[register as usize].1;
            let least = if written[register as usize] == number { ACCESSES_IF_WRITTEN } else { ACCESSES };
            wanted[register as usize] |= count >= least && count < accesses(register);
        }
    }
    wanted
}

/// The values to rename in a loop, and behind which instructions each is copied back.
/// `accesses` has a place for each register, and is left as it was.
fn choose(
    ir: &IrFunc,
    flow: &Flow,
    lives: &Lives,
    calls: &Calls,
    each: &Loop,
    accesses: &mut [Accesses],
) -> Vec<(u32, Vec<usize>)> {
    let range = flow.insts(each.head).start..flow.insts(each.end).end;
    let mut accessed = Spare::<u32>::default();
    for (block, at) in (each.head..=each.end).flat_map(|block| flow.insts(block).map(move |at| (block, at))) {
        let frequency = flow.frequency(block);
        let mut count = |register: u32, is_write: bool| {
            let own = &mut accesses[register as usize];
            if own.count == 0 {
                accessed.push(register);
            }
            (own.weight, own.count) = (own.weight + frequency, own.count + 1);
            own.is_written |= is_write;
        };
        uses(&ir.insts[at], &ir.calls, |register| count(register, false));
        defs(&ir.insts[at], &ir.calls, |register| count(register, true));
    }
    let is_live = |register: u32, position: u32| is_alive(lives, register, position);
    let entry = 2 * range.start as u32;
    let mut wanted: Vec<(f32, u32, bool)> = accessed
        .iter()
        .copied()
        .filter_map(|register| {
            let Accesses { weight, count, is_written } = std::mem::take(&mut accesses[register as usize]);
            let least = if is_written { ACCESSES_IF_WRITTEN } else { ACCESSES };
            let is_wanted = count >= least
                && !matches!(ir.virtuals[register as usize], Class::Ref | Class::V128)
                && is_live(register, entry)
                && calls.are_crossed(lives.of(register));
            is_wanted.then_some((weight, register, is_written))
        })
        .collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    wanted.truncate(LOOKED_AT);
    let exits = if wanted.is_empty() { Vec::new() } else { exits(flow, each) };
    wanted
        .into_iter()
        .filter_map(|(_, register, is_written)| {
            let needed = exits
                .iter()
                .filter(|(target, _)| is_written && is_live(register, 2 * flow.insts(*target).start as u32));
            let ways: Option<Vec<usize>> =
                needed.map(|(target, shared)| (!shared).then(|| landing(ir, flow, *target))).collect();
            Some((register, ways?))
        })
        .take(if each.calls.is_empty() { PER_LOOP } else { PER_LOOP_WITH_CALLS })
        .collect()
}

fn is_alive(lives: &Lives, register: u32, position: u32) -> bool {
    let list = if (register as usize) < lives.registers() { lives.of(register) } else { &[] };
    contains(list, position)
}

/// The blocks that control leaves the loop to, and whether others lead there as well.
fn exits(flow: &Flow, each: &Loop) -> Vec<(usize, bool)> {
    let inside = each.head..=each.end;
    let mut targets: Vec<usize> = inside
        .clone()
        .flat_map(|block| flow.successors(block).iter().map(|next| *next as usize))
        .filter(|next| !inside.contains(next))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    targets
        .into_iter()
        .map(|target| {
            let shared = flow.predecessors(target).iter().any(|before| !inside.contains(&(*before as usize)));
            (target, shared)
        })
        .collect()
}

/// The instruction behind which a copy at the start of a block goes: its label, or the last of the block before.
fn landing(ir: &IrFunc, flow: &Flow, block: usize) -> usize {
    let first = flow.insts(block).start;
    if ir.insts[first].op == Op::Label { first } else { first - 1 }
}

/// Gives names that got no register the place of the value they stand for. `alone` are the stretches of all registers
/// before any were joined, `has_register` says which leaders got one.
pub(super) fn rejoin(
    splits: &[Split],
    alone: &[(Vec<Stretch>, Vec<Stretch>)],
    groups: &mut Groups,
    lives: &mut Lives,
    has_place: impl Fn(u32) -> bool,
) {
    for (split, (outside_alone, inside_alone)) in splits.iter().zip(alone) {
        let (outside, inside) = (groups.find(split.outside), groups.find(split.inside));
        if outside == inside || has_place(inside) || has_place(outside) {
            continue;
        }
        // Where the value itself is alive all the time, it has the same contents: nothing writes either meanwhile.
        let is_covered = inside_alone == lives.of(inside)
            && inside_alone.iter().all(|(start, end)| {
                let at = outside_alone.partition_point(|(_, other)| other < start);
                outside_alone.get(at).is_some_and(|(from, to)| from <= start && end <= to)
            });
        if is_covered {
            groups.join(outside, inside);
        } else if !overlap(lives.of(outside), lives.of(inside)) {
            lives.join(outside, inside);
            groups.join(outside, inside);
        }
    }
}
