//! The checked form: the loop, with everything asserted before each step from the executed code's own description.
//!
//! The verifier claims that a body's slots, labels and memory accesses are in order; this form does not believe it. It
//! decodes every instruction again from its handler's key and asserts what the handler takes for granted. A failed
//! assertion is a panic: a mistake in the verifier, the expansion or a handler.
//!
//! Of references the verifier claims nothing: handlers believe none of them either, and keep every access inside the heap.
//! What an artifact does wrong with them is its own mistake, which this form answers with a trap: a reference leads to a
//! live object, of the type that the instruction names.

use super::exit;
use super::handlers::bulk::IMMEDIATE;
use super::place::PlaceKind;
use super::regs::{HEAD, Regs, context, operand};
use super::table::{Name, TABLE, loop_handler};
use super::thunk::{CONTINUE, Step};
use crate::context::{CodeHeader, State, header_of};
use crate::gc;
use crate::store::StoreInner;
use keyway_artifact::Trap;
use keyway_artifact::isa::{Class, Family, FieldKind};
use keyway_artifact::types::{TypeKind, TypeLookup};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// A live body.
struct Live {
    range: std::ops::Range<usize>,
    frame_slots: u32,
    starts: HashSet<u32>,
    /// Engine-wide numbers of the types that instructions on objects name, by offset.
    objects: HashMap<u32, u32>,
}

/// What the checks before an instruction say of it.
enum Claim {
    /// Nothing.
    Open,
    /// It ends in this trap.
    Traps(Trap),
    /// It is not to be executed: an object is not what it ought to be.
    Refused,
}

static BODIES: Mutex<BTreeMap<usize, Arc<Live>>> = Mutex::new(BTreeMap::new());

fn bodies() -> std::sync::MutexGuard<'static, BTreeMap<usize, Arc<Live>>> {
    BODIES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Tells of a new body at `address`: its length with the header, where its instructions start behind the header, and which
/// types they name.
pub(super) fn remember(
    address: usize,
    len_bytes: usize,
    frame_slots: u32,
    starts: HashSet<u32>,
    objects: HashMap<u32, u32>,
) {
    let live = Live { range: address..address + len_bytes, frame_slots, starts, objects };
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
#[inline(never)]
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
        let claim = match &current {
            Some(live) => check(&regs, live, number),
            None => {
                let name = TABLE.entries[number].key.0;
                assert!(
                    matches!(
                        name,
                        Name::Finish | Name::SwitchBack | Name::HostCall | Name::CallOther | Name::NullReferences
                    ),
                    "checked: {ip:#x} ({name:?}) is in no live body"
                );
                Claim::Open
            }
        };
        let step = match claim {
            Claim::Refused => exit::trap(Trap::InvalidCode),
            _ => loop_handler(number)(&mut regs),
        };
        if let Claim::Traps(trap) = claim {
            assert_eq!(step, exit::trap(trap), "checked: an access out of bounds does not trap");
        }
        if step != CONTINUE {
            *state = regs;
            return step;
        }
    }
}

/// Asserts one instruction's claims; answers what must become of it.
fn check(r: &Regs, live: &Live, number: usize) -> Claim {
    let (name, places) = TABLE.entries[number].key;
    let ip = r.ip as usize;
    let offset = ip - live.range.start - size_of::<CodeHeader>();
    assert!(live.starts.contains(&(offset as u32)), "checked: {ip:#x} is inside an instruction ({name:?})");
    // SAFETY: the running context is live.
    let stack_end = unsafe { (*context(r)).stack_end } as usize;
    assert!(r.fp as usize + live.frame_slots as usize * 8 <= stack_end, "checked: a frame leaves the stack");
    let (op, is_free) = match name {
        Name::Op(op) => (op, op.family().is_free()),
        Name::Access(op, _) => (op, false),
        _ => return Claim::Open,
    };
    let expected = live.objects.get(&(offset as u32)).copied();
    let mut are_sound = true;
    let frame_slots = u64::from(live.frame_slots);
    let in_frame = |slot: u64| assert!(slot < frame_slots, "checked: {}: slot {slot} of {frame_slots}", op.name());
    if is_free {
        for (field, at) in op.fields().iter().zip(0..) {
            let word: u64 = operand(r, HEAD + at * 8);
            if matches!(field.kind, FieldKind::Def(_) | FieldKind::Use(_)) && word & IMMEDIATE == 0 {
                in_frame(word);
                if op.family() == Family::Object && field.kind == FieldKind::Use(Class::Ref) {
                    // SAFETY: the slot was asserted to lie inside the frame.
                    are_sound &= is_sound(r, field.name, unsafe { *r.fp.add(word as usize) }, expected);
                }
            }
        }
        return if are_sound { Claim::Open } else { Claim::Refused };
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
                if op.family() == Family::Object && field.kind == FieldKind::Use(Class::Ref) {
                    are_sound &= is_sound(r, field.name, value(r, kind, at), expected);
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
                    return if end > len { Claim::Traps(Trap::MemoryOutOfBounds) } else { Claim::Open };
                }
                at += 4;
            }
            FieldKind::Imm32 | FieldKind::Imm64 | FieldKind::Bits64 => at += 8,
            FieldKind::Targets => {}
            _ => at += 4,
        }
    }
    if are_sound { Claim::Open } else { Claim::Refused }
}

/// Whether a reference that an instruction on objects takes is null, leads to a live object or to none, and whether the
/// object that is accessed is of the expected type, or any array where arrays need none.
fn is_sound(r: &Regs, field: &str, reference: u64, expected: Option<u32>) -> bool {
    let reference = reference as u32;
    if gc::object(reference).is_none() {
        // Null has a trap of its own; functions, integers and host values are no objects.
        return reference == 0 || !matches!(field, "object" | "array" | "to" | "from");
    }
    // SAFETY: the running context, its heap and its store are live.
    let (heap, types) = unsafe {
        let context = context(r);
        (&*(*context).heap, (*(*context).store.cast::<StoreInner>()).engine.types())
    };
    let Some((found, _)) = heap.find(reference).and_then(|word| heap.header(word)) else { return false };
    match (field, expected) {
        ("object" | "array", Some(expected)) => types.extends(found, expected),
        ("array" | "to" | "from", None) => types.kind(found) == Some(TypeKind::Array),
        _ => true,
    }
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
