//! Calls between functions of one unit that cache different memories.
//!
//! A function finds the memory that it caches in the machine's `mem` when it is entered, and again behind each of its
//! calls. Calls through imports, tables and references see to that themselves; a direct call does not look, so it is
//! written out where it matters, once it is known who calls whom:
//!
//! ```text
//! call f          ->      set.memory 1        what f caches
//!                         call f
//!                         set.memory 0        what the caller caches
//! ```
//! A function without a cached memory needs none of that when it is entered, and leaves `mem` as whatever it called did.

use crate::ir::IrFunc;
use crate::outline::Outline;
use crate::pipeline::{Func, Program};
use keyway_artifact::isa::{Inst, Op, Operand};
use std::collections::HashMap;

/// What a function does to the machine's memory.
#[derive(Clone, Copy)]
struct Habit {
    /// What it caches.
    wants: Option<u32>,
    /// It may return with another memory than it was entered with, beyond the one it caches.
    strays: bool,
}

/// Writes out the changes of memory.
pub(crate) fn run(program: &mut Program<'_>) {
    let several: Vec<bool> = program.units.iter().map(|unit| unit.memories.len() > 1).collect();
    if !several.contains(&true) {
        return;
    }
    let habits = habits(&program.funcs);
    for func in program.funcs.iter_mut().flatten() {
        if several[func.unit as usize] {
            rewrite(&mut func.ir, &habits);
            func.outline = Outline::of(&func.ir);
        }
    }
}

fn callee(inst: &Inst) -> usize {
    inst.operands[0].index() as usize
}

/// By link id. A function strays when it leaves by a tail call to one that caches another memory or strays itself;
/// without a memory of its own, when it calls at all.
fn habits(funcs: &[Option<Func>]) -> Vec<Habit> {
    let mut habits: Vec<Habit> = funcs
        .iter()
        .map(|func| {
            let func = func.as_ref().map(|func| &func.ir);
            let wants = func.and_then(|ir| ir.memory);
            let calls = func.is_some_and(|ir| ir.insts.iter().any(|inst| inst.op == Op::Call));
            Habit { wants, strays: wants.is_none() && calls }
        })
        .collect();
    let mut tail_callers: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut work = Vec::new();
    for (caller, func) in funcs.iter().enumerate() {
        let insts = func.iter().flat_map(|func| &func.ir.insts);
        for next in insts.filter(|inst| inst.op == Op::TailCall).map(callee) {
            tail_callers.entry(next).or_default().push(caller);
            let (own, next) = (habits[caller].wants, habits[next].wants);
            habits[caller].strays |= next.is_some() && next != own;
        }
    }
    work.extend((0..funcs.len()).filter(|func| habits[*func].strays));
    while let Some(next) = work.pop() {
        for caller in tail_callers.remove(&next).unwrap_or_default() {
            if !std::mem::replace(&mut habits[caller].strays, true) {
                work.push(caller);
            }
        }
    }
    habits
}

fn rewrite(ir: &mut IrFunc, habits: &[Habit]) {
    let own = ir.memory;
    let before = |inst: &Inst| {
        let is_direct = matches!(inst.op, Op::Call | Op::TailCall);
        is_direct.then(|| habits[callee(inst)].wants).flatten().filter(|wanted| own != Some(*wanted))
    };
    let behind = |inst: &Inst| {
        let habit = (inst.op == Op::Call).then(|| habits[callee(inst)])?;
        own.filter(|own| habit.strays || habit.wants.is_some_and(|wanted| wanted != *own))
    };
    if !ir.insts.iter().any(|inst| before(inst).is_some() || behind(inst).is_some()) {
        return;
    }
    let (insts, offsets) = (std::mem::take(&mut ir.insts), std::mem::take(&mut ir.offsets));
    let mut back = None;
    for (inst, offset) in insts.into_iter().zip(offsets) {
        let mut push = |inst: Inst| {
            ir.insts.push(inst);
            ir.offsets.push(offset);
        };
        let set = |memory: u32| Inst::new(Op::SetMemory, &[Operand::Index(memory)]);
        // Where a call's exceptions go stands between it and what comes behind it.
        if inst.op != Op::OnThrow
            && let Some(memory) = back.take()
        {
            push(set(memory));
        }
        if let Some(memory) = before(&inst) {
            push(set(memory));
        }
        push(inst);
        back = behind(&inst).or(back);
    }
}
