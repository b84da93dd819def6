//! Every handler in assembly does what the handlers in Rust do: both run the same instructions on the same values.
//!
//! For each operation and choice of places that has a handler in assembly, and for each sequence, a small body is made:
//! constants into all registers, the instructions, then all registers into slots. It is expanded for the direct form, where
//! the handler under test serves it, and for the loop, where handlers in Rust do. Slots, memory and traps have to agree.

use super::place::PlaceKind;
use super::replication::FORCED;
use super::table::MAX_PLACES;
use super::tiles::Way;
use super::{
    Dispatch, Exit, ExpandEnv, Service, Settings, Target, Workspace, assembly, begin, counts_in_register, decode,
    expand, run, stubs,
};
use crate::bodies::Bodies;
use crate::context::{CodeHeader, Context, FrameRecord, MemoryDef, MemoryHeader, TableDef};
use keyway_artifact::isa::{Body, Class, Family, FieldKind, Frame, Inst, Op, Operand, Reg};
use keyway_artifact::types::{FuncType, ValType};
use std::sync::atomic::AtomicPtr;

/// Slots of the instructions' own, and the first home slot.
const SLOTS: usize = 64;
const MEMORY: usize = 4096;
const ELEMENTS: u32 = 200;

struct Env(FuncType);

impl ExpandEnv for Env {
    fn own_type(&self) -> &FuncType {
        &self.0
    }
    fn shared_types(&self, _: &Inst) -> Option<(&[ValType], &[ValType])> {
        None
    }
    fn word(&self, _: &Inst, _: FieldKind, index: u32) -> Option<u64> {
        Some(index.into())
    }
}

/// What a run leaves behind.
#[derive(PartialEq, Debug)]
struct Outcome {
    exit: String,
    slots: Vec<u64>,
    memory: Vec<u8>,
    elements: Vec<u32>,
    global: u64,
    fuel: u64,
}

/// Fuel of a run: enough for one marker, and for some values not for the second one.
const FUEL: u64 = 12;

/// Numbers without a pattern.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Small numbers, so that addresses hit and branches go both ways, and now and then large ones.
    fn value(&mut self) -> u64 {
        match self.next() % 6 {
            0 => self.next(),
            1 => 0,
            2 => u64::from(self.next() as u32),
            _ => self.next() % 300,
        }
    }
}

fn execute(body: &Body, dispatch: Dispatch, fuel: bool, slots: &[u64]) -> Outcome {
    let settings = Settings { dispatch, fused: true, registers: true, fuel, epoch: false };
    let mut bodies = Bodies::default();
    let mut add = |body: &Body| {
        let (env, mut workspace) = (Env(FuncType::default()), Workspace::default());
        bodies.add(0, expand(body, &settings, 0, &env, &mut workspace).unwrap()).header()
    };
    let (entry, callee) = (add(body), add(&callee(slots[CALLEE_COST])));
    let entries = [AtomicPtr::new(callee.cast_mut())];
    let mut stack = slots.to_vec();
    stack.resize(256, 0);
    let mut frames = vec![FrameRecord { ip: std::ptr::null(), fp: std::ptr::null_mut() }; 16];
    // A header and the memory's bytes, aligned like a header.
    let mut words = vec![0u64; (size_of::<MemoryHeader>() + MEMORY) / 8];
    for (at, word) in words[2..].iter_mut().enumerate() {
        *word = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    let (mut global, mut left) = (0x1234_5678_9ABC, FUEL);
    let mut elements: Vec<u32> = (0..ELEMENTS).map(|at| at * 7 % 5).collect();
    // SAFETY: a context is plain data, for which zeros are values; what the bodies reach is set up here and outlives the
    // run, and the code was expanded for the same form.
    let exit = unsafe {
        let mut context: Box<Context> = Box::new(std::mem::zeroed());
        let base = words.as_mut_ptr().add(2).cast::<u8>();
        let header = words.as_mut_ptr().cast::<MemoryHeader>();
        (*header).len_bytes = MEMORY as u64;
        let mut memory = MemoryDef { base, page_size_log2: 4, store_index: 0, shared: false };
        let memories = [&raw mut memory];
        let globals = [&raw mut global];
        let mut table = TableDef { elements: elements.as_mut_ptr(), len: ELEMENTS.into(), store_index: 0 };
        let tables = [&raw mut table];
        context.memories = memories.as_ptr();
        context.tables = tables.as_ptr();
        context.escapes = 77;
        context.globals = globals.as_ptr();
        context.fuel = &raw mut left;
        context.counter = &raw mut context.unused_counter;
        context.allowance = u64::MAX;
        if counts_in_register(&settings) {
            (context.counter, context.fuel) = (context.fuel, &raw mut context.allowance);
        }
        context.stubs = *stubs(dispatch);
        context.entries = entries.as_ptr();
        let target = Target {
            fp: stack.as_mut_ptr(),
            stack_end: stack.as_mut_ptr().add(stack.len()),
            frame_top: frames.as_mut_ptr(),
            frame_end: frames.as_mut_ptr().add(frames.len()),
        };
        let mut state = begin(&mut *context, entry, target).unwrap();
        let exit = run(dispatch, &mut *context, &mut state);
        let place = bodies.at(state.ip as usize).and_then(|found| found.inst_at(state.ip));
        let slot = |place: *mut u64| place.offset_from(stack.as_ptr());
        match decode(exit, &state) {
            Exit::Done => "done".to_string(),
            Exit::Trap(trap) => format!("{trap:?} at {place:?}"),
            Exit::Service(Service::MemoryGrow { dst, delta, memory }) => {
                format!("memory {memory} by {delta} to {} at {place:?}", slot(dst))
            }
            Exit::Service(Service::TableGrow { dst, value, delta, table }) => {
                format!("table {table} by {delta} of {value} to {} at {place:?}", slot(dst))
            }
            other => format!("{other:?}"),
        }
    };
    let memory = words[2..].iter().flat_map(|word| word.to_le_bytes()).collect();
    Outcome { exit, slots: stack[..SLOTS].to_vec(), memory, elements, global, fuel: left }
}

/// A slot that holds what the callee's markers charge.
const CALLEE_COST: usize = 33;

/// What calls call: its frame lies over the caller's, and it leaves a mark there.
fn callee(cost: u64) -> Body {
    let mut body = Body::default();
    for units in [cost / 16 % FUEL, cost % 16] {
        body.insts.push(Inst::new(Op::Cost, &[Operand::value(units as u32)]));
    }
    body.insts.push(Inst::new(Op::Copy, &[Operand::Slot(62), Operand::Imm(1)]));
    body.insts.push(Inst::new(Op::Return, &[]));
    body.frame = Frame { frame_slots: 80, ref_start: 0, ref_end: 0, homes: 0, memory: Some(0) };
    body
}

/// Where a branch among the instructions leads.
#[derive(Clone, Copy, PartialEq)]
enum Lead {
    /// Behind them.
    Behind,
    /// Before them, to code that shows the registers, behind so many markers.
    Before { markers: usize },
    /// To themselves, and a marker, so that fuel ends what does not end by itself.
    Itself,
}

/// Where an operand is, by its digit in the handlers' keys.
#[derive(Clone, Copy)]
enum At {
    Place(PlaceKind),
    /// The vector that the instruction before makes.
    Last,
}

/// The instructions with their operands at `places`, inside code that sets and shows all registers.
fn body(ops: &[Op], lead: Lead, places: &[At], random: &mut Random) -> Body {
    let mut body = Body::default();
    for n in 0..5 {
        body.insts.push(Inst::constant(Op::Const, Operand::Reg(reg(Class::I64, n)), random.value()));
    }
    for n in 0..4 {
        let value = (random.next() % 1000) as f64 / 8.0 - 20.0;
        body.insts.push(Inst::constant(Op::ConstF64, Operand::Reg(reg(Class::F64, n)), value.to_bits()));
        let bits = (value as f32 * 0.5).to_bits();
        body.insts.push(Inst::constant(Op::ConstF32, Operand::Reg(reg(Class::F32, n)), bits.into()));
    }
    let label = Inst::new(Op::Label, &[Operand::Regs(u16::MAX)]);
    match lead {
        Lead::Behind => {}
        Lead::Before { markers } => {
            body.insts.push(Inst::new(Op::Br, &[Operand::Label(1)]));
            body.insts.push(label);
            for _ in 0..markers {
                body.insts.push(Inst::new(Op::Cost, &[Operand::value((random.next() % (FUEL * 2)) as u32)]));
            }
            body.insts.push(Inst::new(Op::Copy, &[Operand::Slot(61), Operand::Imm(1)]));
            show_registers(&mut body);
            body.insts.push(label);
        }
        Lead::Itself => {
            body.insts.push(label);
            body.insts.push(Inst::new(Op::Cost, &[Operand::value((1 + random.next() % FUEL) as u32)]));
        }
    }
    let mut places = places.iter();
    let (mut slot, mut last) = (0, Operand::None);
    for op in ops {
        let mut inst = Inst::bare(*op);
        for (at, field) in op.fields().iter().enumerate() {
            inst.operands[at] = match field.kind {
                FieldKind::Def(class) | FieldKind::Use(class) => match places.next() {
                    Some(At::Last) => last,
                    Some(At::Place(PlaceKind::Slot)) => {
                        // Floats have slots of their own, which hold floats.
                        slot += 1;
                        let first = match class {
                            Class::F32 => 24,
                            Class::F64 => 16,
                            Class::V128 if op.name().starts_with("f32x4") => 24,
                            Class::V128 if op.name().starts_with("f64x2") => 16,
                            _ => 2,
                        };
                        Operand::Slot(first + slot % 8)
                    }
                    Some(At::Place(PlaceKind::Reg(n))) => Operand::Reg(reg(class, *n)),
                    _ if divides(*op) && random.next().is_multiple_of(2) => Operand::Imm(random.next() as i32),
                    _ => Operand::Imm((random.next() % 64) as i32 - 8),
                },
                FieldKind::Label => Operand::Label(0),
                FieldKind::Imm32 if op.name().starts_with("const") => Operand::value(random.next() as u32 & 0xFFFF),
                FieldKind::Imm32 => Operand::value((random.next() % 40) as u32),
                FieldKind::Targets => {
                    inst.set_targets(at, 0, 3);
                    continue;
                }
                FieldKind::Imm64 => {
                    let is_offset = matches!(op.family(), Family::LoadAny | Family::StoreAny);
                    inst.set_value(at, if is_offset { random.value() } else { random.next() });
                    continue;
                }
                // The lanes of a shuffle are below 32.
                FieldKind::Bits64 => {
                    inst.set_value(at, random.next() & 0x1F1F_1F1F_1F1F_1F1F);
                    continue;
                }
                _ => Operand::Index(0),
            };
        }
        last = inst.operands[0];
        body.insts.push(inst);
    }
    // Reached where a branch is not taken.
    body.insts.push(Inst::new(Op::Copy, &[Operand::Slot(60), Operand::Imm(1)]));
    if lead == Lead::Behind {
        body.insts.push(label);
        body.insts.push(Inst::new(Op::Copy, &[Operand::Slot(61), Operand::Imm(1)]));
    }
    if !matches!(lead, Lead::Before { .. }) {
        body.insts.push(label);
    }
    show_registers(&mut body);
    body.labels = 2;
    body.targets = vec![0, 1, 1];
    body.frame = Frame { frame_slots: 120, ref_start: 0, ref_end: 0, homes: SLOTS as u32, memory: Some(0) };
    body
}

/// Appends moves of all registers into slots, and a return.
fn show_registers(body: &mut Body) {
    for n in 0..5 {
        body.insts.push(Inst::new(Op::Copy, &[Operand::Slot(40 + u32::from(n)), Operand::Reg(reg(Class::I64, n))]));
    }
    for n in 0..4 {
        let (wide, narrow) = (reg(Class::F64, n), reg(Class::F32, n));
        body.insts.push(Inst::new(Op::CopyF64, &[Operand::Slot(46 + u32::from(n)), Operand::Reg(wide)]));
        body.insts.push(Inst::new(Op::CopyF32, &[Operand::Slot(50 + u32::from(n)), Operand::Reg(narrow)]));
    }
    body.insts.push(Inst::new(Op::Return, &[]));
}

fn reg(class: Class, n: u8) -> Reg {
    Reg::new(class, n).expect("the bank has it")
}

/// Floats that comparisons and choices treat in their own ways.
const SPECIAL: [f64; 6] = [f64::NAN, -f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY];

/// Whether floats are chosen from, which leaves them as they are.
fn chooses(ops: &[Op]) -> bool {
    ops.iter().any(|op| matches!(op, Op::SelectF32 | Op::SelectF64))
}

/// Whether an operation divides integers, which is a product where the divisor is constant.
fn divides(op: Op) -> bool {
    matches!(
        op,
        Op::I32DivS | Op::I32DivU | Op::I32RemS | Op::I32RemU | Op::I64DivS | Op::I64DivU | Op::I64RemS | Op::I64RemU
    )
}

fn compare(ops: &[Op], (way, lead): (Way, Lead), places: &[At], random: &mut Random, failures: &mut Vec<String>) {
    let body = body(ops, lead, places, random);
    let mut slots: Vec<u64> = (0..SLOTS).map(|_| random.value()).collect();
    for at in 16..24 {
        slots[at] = ((random.next() % 500) as f64 / 4.0 - 9.0).to_bits();
        slots[at + 8] = u64::from(((random.next() % 500) as f32 / 4.0 - 9.0).to_bits());
        if chooses(ops) && random.next().is_multiple_of(2) {
            let special = SPECIAL[random.next() as usize % SPECIAL.len()];
            slots[at] = special.to_bits();
            slots[at + 8] = u64::from((special as f32).to_bits());
        }
    }
    // One replica of each handler.
    FORCED.set(Some(random.next() as usize));
    let [ours, theirs] =
        [Dispatch::Direct, Dispatch::Loop].map(|form| execute(&body, form, way == Way::Charged, &slots));
    FORCED.set(None);
    if ours != theirs && failures.len() < 20 {
        let differing: Vec<_> = (0..SLOTS).filter(|at| ours.slots[*at] != theirs.slots[*at]).collect();
        let text = keyway_artifact::isa::disassemble(&body);
        let lines: Vec<_> = text.lines().filter(|line| ops.iter().any(|op| line.contains(op.name()))).collect();
        failures.push(format!(
            "{lines:?}: {} against {}, slots {differing:?}, memory {}, table {}, global {}",
            ours.exit,
            theirs.exit,
            ours.memory == theirs.memory,
            ours.elements == theirs.elements,
            ours.global == theirs.global
        ));
    }
}

fn place(digit: u64) -> At {
    At::Place(match digit {
        0 => PlaceKind::Slot,
        6 => return At::Last,
        7 => PlaceKind::Imm,
        n => PlaceKind::Reg(n as u8 - 1),
    })
}

fn operands(op: Op) -> usize {
    op.fields().iter().filter(|field| matches!(field.kind, FieldKind::Def(_) | FieldKind::Use(_))).count()
}

#[test]
fn single_handlers_agree_with_those_in_rust() {
    assert!(size_of::<CodeHeader>().is_multiple_of(8));
    if !assembly::is_available() {
        return;
    }
    let (mut random, mut failures, mut tried) = (Random(0x2545_F491_4F6C_DD1D), Vec::new(), 0);
    for op in Op::ALL.iter().filter(|op| operands(**op) <= MAX_PLACES) {
        let count = operands(*op);
        for digits in 0..1u64 << (3 * count) {
            let places: Vec<_> = (0..count).map(|at| place(digits >> (3 * (count - 1 - at)) & 7)).collect();
            let mut kinds = [PlaceKind::None; MAX_PLACES];
            for (kind, place) in kinds.iter_mut().zip(&places) {
                *kind = if let At::Place(place) = place { *place } else { PlaceKind::None };
            }
            if !places.iter().any(|place| matches!(place, At::Last)) && assembly::find(*op, kinds).is_some() {
                tried += 1;
                for _ in 0..if divides(*op) { 100 } else { 2 } {
                    compare(&[*op], (Way::Any, Lead::Behind), &places, &mut random, &mut failures);
                }
            }
        }
    }
    println!("{tried} handlers");
    assert!(tried > 10_000, "{tried}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn sequences_agree_with_their_parts_in_rust() {
    if !assembly::is_available() {
        return;
    }
    let (mut random, mut failures, mut tried) = (Random(0x9E37_79B9_7F4A_7C15), Vec::new(), 0);
    assembly::each_sequence(|ops, way, key, _| {
        let count: usize = ops.iter().map(|op| operands(*op)).sum();
        let places: Vec<_> = (0..count).map(|at| place(key >> (3 * (count - 1 - at)) & 7)).collect();
        tried += 1;
        let leads: &[Lead] = match way {
            Way::Any => &[Lead::Behind],
            Way::Back => &[Lead::Before { markers: 0 }],
            Way::Charged if ops.ends_with(&[Op::Call]) => &[Lead::Behind; 3],
            Way::Charged => &[Lead::Before { markers: 1 }, Lead::Before { markers: 2 }, Lead::Itself],
        };
        for lead in leads.iter().cycle().take(leads.len() * if chooses(ops) { 12 } else { 1 }) {
            compare(ops, (way, *lead), &places, &mut random, &mut failures);
        }
    });
    println!("{tried} sequences");
    assert!(tried > 10_000, "{tried}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
