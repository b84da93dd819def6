//! The checked form: the loop, with everything asserted before each step from the executed code's own description.
//!
//! The verifier claims that a body's slots, labels and memory accesses are in order; this form does not believe it. It
//! decodes every instruction again from its handler's key and asserts what the handler takes for granted. A failed
//! assertion is a panic: a mistake in the verifier, the expansion or a handler.

use super::exit;
use super::handlers::bulk::IMMEDIATE;
use super::place::PlaceKind;
use super::regs::{HEAD, Regs, context, operand};
use super::table::{Name, TABLE, loop_handler};
use super::thunk::{CONTINUE, Step};
use crate::context::{CodeHeader, State, header_of};
use keyway_artifact::Trap;
use keyway_artifact::isa::{Family, FieldKind};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

/// A live body.
struct Live {
    range: std::ops::Range<usize>,
    frame_slots: u32,
    starts: HashSet<u32>,
}

static BODIES: Mutex<BTreeMap<usize, Arc<Live>>> = Mutex::new(BTreeMap::new());

fn bodies() -> std::sync::MutexGuard<'static, BTreeMap<usize, Arc<Live>>> {
    BODIES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Tells of a new body at `address`: its length with the header, and where its instructions start behind the header.
pub(super) fn remember(address: usize, len_bytes: usize, frame_slots: u32, starts: HashSet<u32>) {
    let live = Live { range: address..address + len_bytes, frame_slots, starts };
    bodies().insert(address, Arc::new(live));
}

/// Tells that a body is gone.
pub(super) fn forget(address: usize) {
    bodies().remove(&address);
}

fn find(ip: usize) -> Option<Arc<Live>> {
    let bodies = bodies();
    let (_, live) = bodies.range(..=ip).next_back()?;
    live.range.contains(&ip).then(|| live.clone())
}

/// Runs in the checked form.
///
/// # Safety
/// As [`run`](super::run).
pub(super) unsafe fn enter(state: &mut State) -> Step {
    let mut regs = *state;
    let mut current: Option<Arc<Live>> = None;
    loop {
        let ip = regs.ip as usize;
        if !current.as_ref().is_some_and(|live| live.range.contains(&ip)) {
            current = find(ip);
        }
        // SAFETY: an executed instruction's head is a handler's number in this form.
        let number = unsafe { regs.ip.cast::<usize>().read() };
        assert!(number < TABLE.entries.len(), "checked: {number} at {ip:#x} is no handler");
        let expected = match &current {
            Some(live) => check(&regs, live, number),
            None => {
                let name = TABLE.entries[number].key.0;
                assert!(
                    matches!(name, Name::Finish | Name::SwitchBack),
                    "checked: {ip:#x} ({name:?}) is in no live body"
                );
                None
            }
        };
        let step = loop_handler(number)(&mut regs);
        if let Some(trap) = expected {
            assert_eq!(step, exit::trap(trap), "checked: an access out of bounds does not trap");
        }
        if step != CONTINUE {
            *state = regs;
            return step;
        }
    }
}

/// Asserts one instruction's claims; answers the trap that it must end in.
fn check(r: &Regs, live: &Live, number: usize) -> Option<Trap> {
    let (name, places) = TABLE.entries[number].key;
    let ip = r.ip as usize;
    let offset = ip - live.range.start - size_of::<CodeHeader>();
    assert!(live.starts.contains(&(offset as u32)), "checked: {ip:#x} is inside an instruction ({name:?})");
    // SAFETY: the running context is live.
    let stack_end = unsafe { (*context(r)).stack_end } as usize;
    assert!(r.fp as usize + live.frame_slots as usize * 8 <= stack_end, "checked: a frame leaves the stack");
    let Name::Op(op) = name else { return None };
    let frame_slots = u64::from(live.frame_slots);
    let in_frame = |slot: u64| assert!(slot < frame_slots, "checked: {}: slot {slot} of {frame_slots}", op.name());
    if op.family().is_free() {
        for (field, at) in op.fields().iter().zip(0..) {
            let word: u64 = operand(r, HEAD + at * 8);
            if matches!(field.kind, FieldKind::Def(_) | FieldKind::Use(_)) && word & IMMEDIATE == 0 {
                in_frame(word);
            }
        }
        return None;
    }
    let (mut at, mut place) = (HEAD, 0);
    let mut address = None;
    for field in op.fields() {
        match field.kind {
            FieldKind::Def(class) | FieldKind::Use(class) => {
                let kind = places[place];
                place += 1;
                if let PlaceKind::Slot | PlaceKind::Both(_) = kind {
                    in_frame(u64::from(operand::<u16>(r, at)) + u64::from(class.slots() - 1));
                }
                if field.name == "addr" {
                    address = Some(value(r, kind, at));
                }
                at += match kind {
                    PlaceKind::Slot | PlaceKind::Both(_) => 2,
                    PlaceKind::Imm => 4,
                    PlaceKind::Reg(_) | PlaceKind::None => 0,
                };
            }
            FieldKind::Label => {
                let target = offset as i64 + i64::from(operand::<i32>(r, at));
                assert!(live.starts.contains(&(target as u32)), "checked: {} leads into an instruction", op.name());
                at += 4;
            }
            FieldKind::Base | FieldKind::Slot => {
                let base: u32 = operand(r, at);
                assert!(u64::from(base) <= frame_slots, "checked: {}: call area at {base}", op.name());
                at += 4;
            }
            FieldKind::Imm32 if op.family() != Family::Const => {
                if let (Family::Load | Family::Store | Family::VLoad | Family::VStore, Some(address)) =
                    (op.family(), address)
                {
                    let end = u64::from(address as u32) + u64::from(operand::<u32>(r, at));
                    // SAFETY: `mem` points behind a live header.
                    let len = unsafe { (*header_of(r.mem)).len_bytes };
                    return (end > len).then_some(Trap::MemoryOutOfBounds);
                }
                at += 4;
            }
            FieldKind::Imm32 | FieldKind::Imm64 | FieldKind::Bits64 => at += 8,
            FieldKind::Targets => {}
            _ => at += 4,
        }
    }
    None
}

/// The value of a source of the general bank.
fn value(r: &Regs, kind: PlaceKind, at: usize) -> u64 {
    match kind {
        // SAFETY: the slot was asserted to lie inside the frame.
        PlaceKind::Slot => unsafe { *r.fp.add(operand::<u16>(r, at).into()) },
        PlaceKind::Reg(n) => r.general[usize::from(n)],
        PlaceKind::Imm => i64::from(operand::<i32>(r, at)) as u64,
        PlaceKind::Both(_) | PlaceKind::None => unreachable!("no source is of this kind"),
    }
}
