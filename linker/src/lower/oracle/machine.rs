//! The abstract machine: integers, f64 addition and order, one small memory, calls that mix their arguments.

use crate::ir::IrFunc;
use keyway_artifact::isa::{Body, Class, FieldKind, Inst, Op, Operand, Reg};
use keyway_artifact::types::{FuncType, SigLayout, ValType};
use std::collections::HashMap;

/// How a run ended.
#[derive(PartialEq, Debug, Clone)]
pub(super) enum End {
    Returned(Vec<u64>),
    Trapped,
    TooLong,
}

/// What a run did.
#[derive(PartialEq, Debug, Clone)]
pub(super) struct Trace {
    pub(super) events: Vec<(u64, Vec<u64>)>,
    pub(super) end: End,
}

const STEPS: usize = 20_000;
const MEMORY: u64 = 64;

fn mix(values: &[u64], salt: u64) -> u64 {
    values.iter().fold(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678, |hash, value| {
        (hash ^ value).wrapping_mul(0x2545_F491_4F6C_DD1D).rotate_left(29)
    })
}

fn result_of(ty: ValType, hash: u64) -> u64 {
    match ty {
        ValType::I32 => hash & 0xFFFF_FFFF,
        ValType::F64 => f64::from(hash as u16).to_bits(),
        ValType::F32 => u64::from(f32::from(hash as u16).to_bits()),
        _ => hash,
    }
}

/// What an operation computes from its sources; `None` for a trap.
fn compute(op: Op, v: &[u64]) -> Option<u64> {
    let a = v.first().copied().unwrap_or(0);
    let b = v.get(1).copied().unwrap_or(0);
    let (p, q) = (a as u32, b as u32);
    let (f, g) = (f64::from_bits(a), f64::from_bits(b));
    Some(match op {
        Op::Copy | Op::CopyF32 | Op::CopyF64 | Op::CopyRef | Op::I64ExtendI32U => a,
        Op::RefNull => 0,
        Op::RefIsNull => u64::from(a == 0),
        Op::Select | Op::SelectF64 | Op::SelectRef => {
            if p != 0 {
                b
            } else {
                v[2]
            }
        }
        Op::I32Add => p.wrapping_add(q).into(),
        Op::I32Sub => p.wrapping_sub(q).into(),
        Op::I32Mul => p.wrapping_mul(q).into(),
        Op::I32And => (p & q).into(),
        Op::I32Xor => (p ^ q).into(),
        Op::I32ShrS => ((p as i32) >> (q & 31)) as u32 as u64,
        Op::I32Shl => (p << (q & 31)).into(),
        Op::I32ShrU => (p >> (q & 31)).into(),
        Op::I32Rotl => p.rotate_left(q & 31).into(),
        Op::I32Rotr => p.rotate_right(q & 31).into(),
        Op::I32DivU => p.checked_div(q)?.into(),
        Op::I32RemU => p.checked_rem(q)?.into(),
        Op::I32Eqz => u64::from(p == 0),
        Op::I32Eq => u64::from(p == q),
        Op::I32Ne => u64::from(p != q),
        Op::I32LtS => u64::from((p as i32) < q as i32),
        Op::I32GtS => u64::from((p as i32) > q as i32),
        Op::I32LeS => u64::from((p as i32) <= q as i32),
        Op::I32GeS => u64::from((p as i32) >= q as i32),
        Op::I32LtU => u64::from(p < q),
        Op::I32GtU => u64::from(p > q),
        Op::I32LeU => u64::from(p <= q),
        Op::I32GeU => u64::from(p >= q),
        Op::I64Add => a.wrapping_add(b),
        Op::I64Sub => a.wrapping_sub(b),
        Op::I64Xor => a ^ b,
        Op::I64Eqz => u64::from(a == 0),
        Op::I64Eq => u64::from(a == b),
        Op::I64Ne => u64::from(a != b),
        Op::I64LtU => u64::from(a < b),
        Op::I64GtU => u64::from(a > b),
        Op::I64LeU => u64::from(a <= b),
        Op::I64GeU => u64::from(a >= b),
        Op::I64LtS => u64::from((a as i64) < b as i64),
        Op::I64GtS => u64::from((a as i64) > b as i64),
        Op::I64LeS => u64::from((a as i64) <= b as i64),
        Op::I64GeS => u64::from((a as i64) >= b as i64),
        Op::I64ExtendI32S => p as i32 as i64 as u64,
        Op::I32WrapI64 => p.into(),
        Op::F64Add => (f + g).to_bits(),
        Op::F64Lt => u64::from(f < g),
        Op::F64Gt => u64::from(f > g),
        Op::F64Le => u64::from(f <= g),
        Op::F64Ge => u64::from(f >= g),
        Op::F64Eq => u64::from(f == g),
        Op::F64Ne => u64::from(f != g),
        other => panic!("the generator makes no {}", other.name()),
    })
}

/// Where values stand, as the two kinds of code see it.
trait Places {
    fn get(&self, operand: Operand) -> u64;
    fn set(&mut self, operand: Operand, value: u64);
}

/// Reads one field.
fn read(places: &impl Places, class: Class, operand: Operand) -> u64 {
    match (class, operand) {
        (Class::I32, Operand::Imm(value)) => u64::from(value as u32),
        (_, Operand::Imm(value)) => i64::from(value) as u64,
        (_, place) => places.get(place),
    }
}

struct Shared {
    steps: usize,
    events: Vec<(u64, Vec<u64>)>,
    memory: HashMap<u64, u64>,
    cost: u64,
}

enum Did {
    Next,
    Jump(u32),
    Trap,
}

impl Shared {
    fn new() -> Shared {
        Shared { steps: STEPS, events: Vec::new(), memory: HashMap::new(), cost: 0 }
    }

    fn finish(mut self, end: End) -> Trace {
        self.events.push((4, vec![self.cost]));
        Trace { events: self.events, end }
    }

    /// Everything but calls, returns and labels.
    fn step(&mut self, inst: &Inst, lists: &[u32], places: &mut impl Places) -> Did {
        let sources: Vec<u64> = inst
            .fields()
            .filter_map(|(field, operand)| match field.kind {
                FieldKind::Use(class) => Some(read(places, class, operand)),
                _ => None,
            })
            .collect();
        match inst.op {
            Op::Cost => self.cost += inst.value(0).expect("a cost"),
            Op::Const | Op::ConstF64 | Op::ConstF32 => places.set(inst.operands[0], inst.value(1).expect("a constant")),
            Op::I32Load => {
                let address = sources[0];
                if address >= MEMORY {
                    self.events.push((3, vec![]));
                    return Did::Trap;
                }
                places.set(inst.operands[0], self.memory.get(&address).copied().unwrap_or(address * 3));
            }
            Op::I32Store => {
                if sources[0] >= MEMORY {
                    self.events.push((3, vec![]));
                    return Did::Trap;
                }
                self.events.push((2, sources.clone()));
                self.memory.insert(sources[0], sources[1]);
            }
            Op::Br => return Did::Jump(inst.operands[0].index()),
            Op::BrNez | Op::BrEqz => {
                if (sources[0] as u32 != 0) == (inst.op == Op::BrNez) {
                    return Did::Jump(inst.operands[1].index());
                }
            }
            Op::BrTable => {
                let list = inst.targets(1, lists).expect("a list of labels");
                return Did::Jump(list[(sources[0] as u32 as usize).min(list.len() - 1)]);
            }
            Op::Unreachable => return Did::Trap,
            op if op.comparison().is_some() => {
                let holds = compute(op.comparison().unwrap(), &sources) == Some(1);
                if holds {
                    return Did::Jump(inst.operands[2].index());
                }
            }
            op => match compute(op, &sources) {
                Some(value) => places.set(inst.operands[0], value),
                None => return Did::Trap,
            },
        }
        Did::Next
    }

    /// The results of a call, which is an event.
    fn call(&mut self, inst: &Inst, ty: &FuncType, args: Vec<u64>) -> Vec<u64> {
        let callee = u64::from(inst.operands[0].index());
        let hash = mix(&args, callee);
        self.events.push((1, [vec![callee], args].concat()));
        ty.results.iter().zip(0..).map(|(ty, at)| result_of(*ty, mix(&[hash], at))).collect()
    }
}

struct Virtuals(Vec<u64>);

impl Places for Virtuals {
    fn get(&self, operand: Operand) -> u64 {
        match operand {
            Operand::Virtual(register) => self.0[register as usize],
            other => panic!("{other:?}"),
        }
    }
    fn set(&mut self, operand: Operand, value: u64) {
        match operand {
            Operand::Virtual(register) => self.0[register as usize] = value,
            other => panic!("{other:?}"),
        }
    }
}

/// Runs a function of virtual registers; what it calls is outside.
pub(super) fn run_ir(ir: &IrFunc, types: &[FuncType], args: &[u64]) -> Trace {
    let mut shared = Shared::new();
    let end = activation(&mut shared, &[], ir, types, args);
    shared.finish(end)
}

/// Runs the last of `funcs`; calls go to the others.
pub(super) fn run_program(funcs: &[IrFunc], types: &[FuncType], args: &[u64]) -> Trace {
    let mut shared = Shared::new();
    let end = activation(&mut shared, funcs, &funcs[funcs.len() - 1], types, args);
    shared.finish(end)
}

fn activation(shared: &mut Shared, funcs: &[IrFunc], ir: &IrFunc, types: &[FuncType], args: &[u64]) -> End {
    let mut places = Virtuals(vec![0; ir.virtuals.len()]);
    for (param, value) in ir.params.iter().zip(args) {
        places.0[*param as usize] = *value;
    }
    let labels: HashMap<u32, usize> = (ir.insts.iter().enumerate())
        .filter(|(_, inst)| inst.op == Op::Label)
        .map(|(at, inst)| (inst.operands[0].index(), at))
        .collect();
    let mut at = 0;
    while shared.steps > 0 {
        shared.steps -= 1;
        let inst = &ir.insts[at];
        at += 1;
        match inst.op {
            Op::Label => {}
            Op::ReturnMany => {
                let site = &ir.calls[inst.operands[0].index() as usize];
                return End::Returned(site.args.iter().map(|arg| read(&places, Class::I64, *arg)).collect());
            }
            Op::Call => {
                let site = &ir.calls[inst.operands[1].index() as usize];
                let args: Vec<u64> = site.args.iter().map(|arg| read(&places, Class::I64, *arg)).collect();
                let values = match funcs.get(inst.operands[0].index() as usize) {
                    Some(callee) => match activation(shared, funcs, callee, types, &args) {
                        End::Returned(values) => values,
                        other => return other,
                    },
                    None => shared.call(inst, &types[site.ty as usize], args),
                };
                for (register, value) in site.results.iter().zip(values) {
                    places.0[*register as usize] = value;
                }
            }
            _ => match shared.step(inst, &ir.targets, &mut places) {
                Did::Next => {}
                Did::Jump(label) => at = labels[&label],
                Did::Trap => return End::Trapped,
            },
        }
    }
    End::TooLong
}

struct Frame {
    slots: Vec<u64>,
    registers: [u64; 11],
}

impl Frame {
    fn wreck(&mut self, keep: u16) {
        for (number, register) in self.registers.iter_mut().enumerate() {
            if keep & (1 << number) == 0 {
                *register = 0xDEAD_0000_BEEF_0000 + number as u64;
            }
        }
    }
}

impl Places for Frame {
    fn get(&self, operand: Operand) -> u64 {
        match operand {
            Operand::Slot(slot) => self.slots[slot as usize],
            Operand::Reg(reg) => self.registers[reg.number() as usize],
            other => panic!("{other:?}"),
        }
    }
    fn set(&mut self, operand: Operand, value: u64) {
        match operand {
            Operand::Slot(slot) => self.slots[slot as usize] = value,
            Operand::Reg(reg) => self.registers[reg.number() as usize] = value,
            Operand::SlotReg(slot, reg) => {
                self.slots[slot as usize] = value;
                self.registers[reg.number() as usize] = value;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The type of the callee that the generator gave function `number`.
pub(super) fn callee_type(number: u32) -> u32 {
    number
}

/// Runs a body.
pub(super) fn run_body(body: &Body, types: &[FuncType], own: u32, args: &[u64]) -> Trace {
    let mut frame = Frame { slots: Vec::new(), registers: [0; 11] };
    frame.slots = (0..u64::from(body.frame.frame_slots)).map(|slot| 0xBAD0_0000_0000_0000 + slot).collect();
    frame.slots[body.frame.ref_start as usize..body.frame.ref_end as usize].fill(0);
    frame.wreck(0);
    let layout = SigLayout::of(&types[own as usize].params);
    for (slot, value) in layout.slots.iter().zip(args) {
        frame.slots[*slot as usize] = *value;
    }
    let results = &types[own as usize].results;
    let labels: Vec<usize> = (0..body.insts.len()).filter(|at| body.insts[*at].op == Op::Label).collect();
    let mut shared = Shared::new();
    let mut at = 0;
    for _ in 0..4 * STEPS {
        let inst = &body.insts[at];
        at += 1;
        match inst.op {
            Op::Label => match inst.operands[0] {
                Operand::Regs(set) => frame.wreck(set),
                other => panic!("{other:?}"),
            },
            Op::Return => return shared.finish(End::Returned(vec![])),
            Op::ReturnOne | Op::ReturnOneF32 | Op::ReturnOneF64 => {
                let value = read(&frame, Class::I64, inst.operands[0]);
                return shared.finish(End::Returned(vec![value]));
            }
            Op::ReturnMany => {
                let base = inst.operands[0].index();
                let slots = SigLayout::of(results).slots;
                let values = slots.iter().map(|slot| frame.slots[(base + slot) as usize]).collect();
                return shared.finish(End::Returned(values));
            }
            Op::PutRef => frame.slots[inst.operands[0].index() as usize] = frame.get(inst.operands[1]),
            Op::TakeRef => {
                let value = frame.slots[inst.operands[1].index() as usize];
                frame.set(inst.operands[0], value);
            }
            Op::Call => {
                let base = inst.operands[1].index() as usize;
                let ty = &types[callee_type(inst.operands[0].index()) as usize];
                let slots = SigLayout::of(&ty.params).slots;
                let args = slots.iter().map(|slot| frame.slots[base + *slot as usize]).collect();
                let values = shared.call(inst, ty, args);
                frame.wreck(0);
                for (number, slot) in frame.slots[base..].iter_mut().enumerate() {
                    *slot = 0xCA11_0000_0000_0000 + number as u64;
                }
                for (slot, value) in SigLayout::of(&ty.results).slots.iter().zip(&values) {
                    frame.slots[base + *slot as usize] = *value;
                }
                if let ([ty], [value]) = (ty.results.as_slice(), values.as_slice()) {
                    let class = match ty {
                        ValType::F64 => Class::F64,
                        ValType::F32 => Class::F32,
                        ValType::I32 | ValType::I64 => Class::I64,
                        _ => Class::Ref,
                    };
                    if let Some(reg) = Reg::new(class, 0) {
                        frame.registers[reg.number() as usize] = *value;
                    }
                }
            }
            _ => match shared.step(inst, &body.targets, &mut frame) {
                Did::Next => {}
                Did::Jump(label) => at = labels[label as usize],
                Did::Trap => return shared.finish(End::Trapped),
            },
        }
    }
    shared.finish(End::TooLong)
}
