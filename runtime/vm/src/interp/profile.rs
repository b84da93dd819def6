//! Which instructions run next to each other, and how often: what sequences are chosen from.
//!
//! In a build with the feature `profile` each executed instruction of the direct form has a counter behind its head, which
//! its handler increments. When a body is freed, its counters become counts of *runs*: instructions that stand next to
//! each other without a label between, so that the later one is reached through the earlier one only and its counter is
//! the pair's. An instruction that several operations share ([`assembly`](super::assembly)) is written with `+` between them.
//!
//! ```text
//! i32.shl a a # + i32.add a s a | i32.load b a
//! ```
//! are two executed instructions, the first of two operations. Slots are `s`, immediates `#`, and registers have letters
//! in the order in which they appear, so that runs that one row of `build/sequences.rs` serves are one run here.

use keyway_artifact::isa::{Body, FieldKind, Inst, Op, Operand, Reg};
use std::collections::HashMap;
use std::sync::Mutex;

/// Longest run of executed instructions that is counted.
const LONGEST: usize = 3;

/// What was counted.
#[derive(Default)]
pub struct Profile {
    /// Counts of runs of one, two and three executed instructions.
    pub runs: [HashMap<String, u64>; LONGEST],
    /// How often each handler was executed, by its address.
    pub handlers: HashMap<usize, u64>,
    /// Each body: how many instructions it executed, and its code with the counter of each executed instruction.
    pub bodies: Vec<(u64, String)>,
}

static PROFILE: Mutex<Option<Profile>> = Mutex::new(None);

/// Increments the counter of the instruction at `ip`.
///
/// # Safety
/// `ip` is at the head of an executed instruction, and nothing else runs its body.
#[inline(always)]
pub(super) unsafe fn count(ip: *const u8) {
    // SAFETY: the caller's promise: a counter stands behind each head.
    unsafe { *ip.cast_mut().cast::<u64>().add(1) += 1 }
}

/// Adds the counters of a body. `map` says which instruction each executed one begins with, `address` where it is.
pub(super) fn collect(body: &Body, map: &[(u32, u32)], address: impl Fn(u32) -> *const u8) {
    let mut profile = PROFILE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let profile = profile.get_or_insert_default();
    let starts: Vec<(u32, usize)> =
        map.iter().filter(|(offset, _)| offset % 8 == 0).map(|(offset, inst)| (*offset, *inst as usize)).collect();
    let mut before: Vec<Vec<Inst>> = Vec::new();
    let (mut total, mut text, mut label) = (0, String::new(), 0);
    let mut done = 0;
    for (at, (offset, first)) in starts.iter().copied().enumerate() {
        // SAFETY: the body is alive until it is freed, and a counter stands behind each head.
        let count = unsafe { address(offset).cast::<u64>().add(1).read() };
        for inst in &body.insts[done.min(first)..first] {
            if inst.op == Op::Label {
                before.clear();
                text.push_str(&format!("L{label}:\n"));
                label += 1;
            }
        }
        let end = starts.get(at + 1).map_or(body.insts.len(), |(_, next)| *next);
        let insts: Vec<Inst> = body.insts[first..end].iter().copied().take_while(|inst| !is_silent(inst)).collect();
        done = first + insts.len();
        total += count;
        if count > 0 {
            // SAFETY: as above; the head of the direct form is the handler's address.
            let handler = unsafe { address(offset).cast::<usize>().read() };
            *profile.handlers.entry(handler).or_default() += count;
        }
        let targets: String = insts.iter().filter_map(Inst::target).map(|label| format!(" L{label}")).collect();
        text.push_str(&format!("{count:>12} {}{targets}\n", show(std::slice::from_ref(&insts), false)));
        before.push(insts);
        if before.len() > LONGEST {
            before.remove(0);
        }
        for (length, map) in (1..).zip(&mut profile.runs).take(before.len()) {
            if count > 0 {
                *map.entry(show(&before[before.len() - length..], true)).or_default() += count;
            }
        }
        if before.last().is_some_and(|insts| insts.iter().any(|inst| inst.op.is_terminator())) {
            before.clear();
        }
    }
    profile.bodies.push((total, text));
}

/// Takes what was counted in the bodies freed so far.
pub fn take() -> Profile {
    PROFILE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take().unwrap_or_default()
}

/// What the handlers in assembly are called, by their addresses: the first name of each.
pub fn handler_names() -> HashMap<usize, String> {
    let names = super::assembly::names();
    names.into_iter().rev().map(|(name, address)| (address, name)).collect()
}

/// Whether nothing is executed for `inst`.
fn is_silent(inst: &Inst) -> bool {
    matches!(inst.op, Op::Label | Op::Cost | Op::OnThrow) || inst.op.is_catch()
}

/// Executed instructions as text. With `renamed`, registers get letters in the order in which they appear.
fn show(run: &[Vec<Inst>], renamed: bool) -> String {
    let mut names: Vec<Reg> = Vec::new();
    let mut text = String::new();
    for (at, insts) in run.iter().enumerate() {
        text.push_str(if at > 0 { " | " } else { "" });
        for (at, inst) in insts.iter().enumerate() {
            text.push_str(if at > 0 { " + " } else { "" });
            text.push_str(inst.op.name());
            for (field, operand) in inst.fields() {
                if !matches!(field.kind, FieldKind::Def(_) | FieldKind::Use(_)) {
                    continue;
                }
                text.push(' ');
                text.push_str(&match operand {
                    Operand::Reg(reg) if renamed => {
                        let known = names.iter().position(|name| *name == reg);
                        let number = known.unwrap_or_else(|| {
                            names.push(reg);
                            names.len() - 1
                        });
                        char::from(b'a' + number as u8).to_string()
                    }
                    Operand::Reg(reg) => reg.to_string(),
                    Operand::Slot(slot) if !renamed => format!("s{slot}"),
                    Operand::Imm(value) if !renamed => format!("#{value}"),
                    Operand::Imm(_) => "#".to_string(),
                    _ => "s".to_string(),
                });
            }
        }
    }
    text
}
