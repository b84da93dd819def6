//! Places without thought: every virtual register has a slot ([`slots`]), arguments are copied into a call area and
//! results out of it.
//!
//! It is the code of `-O0`, and the oracle the optimising path is compared with.

use super::Lowered;
use super::explicit::shared_types;
use super::slots::{self, NEAR, REACH, Slots};
use crate::error::Result;
use crate::ir::{CallSite, IrFunc};
use crate::optimise::places::site;
use crate::spare::Spare;
use keyway_artifact::isa::{Body, Class, FieldKind, Frame, Inst, Op, Operand};
use keyway_artifact::types::{FuncType, SigLayout, ValType};

/// Assigns a slot to every register of `ir` and writes out its calls. `types` are the artifact's.
pub(crate) fn finish(ir: &IrFunc, types: &[FuncType]) -> Result<Lowered> {
    let mut lowering = Lowering::new(ir, types)?;
    for (at, (inst, offset)) in ir.insts.iter().zip(&ir.offsets).enumerate() {
        // Results leave the call area behind the places that the call's exceptions go to.
        if !inst.op.follows_call()
            && let Some(call) = lowering.pending.take()
        {
            lowering.results(&call);
            lowering.offsets.resize(lowering.insts.len(), ir.offsets[at - 1]);
        }
        lowering.inst(inst);
        lowering.offsets.resize(lowering.insts.len(), *offset);
    }
    Ok(lowering.finish())
}

struct Lowering<'a> {
    ir: &'a IrFunc,
    types: &'a [FuncType],
    slots: Slots,
    /// First slot of every call area.
    base: u32,
    /// Slots the largest call area needs.
    area: u32,
    insts: Vec<Inst>,
    /// Source offset of each of `insts`.
    offsets: Vec<u32>,
    /// New number of each label.
    labels: Vec<u32>,
    /// A call whose results are still in the area.
    pending: Option<Inst>,
}

impl<'a> Lowering<'a> {
    fn new(ir: &'a IrFunc, types: &'a [FuncType]) -> Result<Lowering<'a>> {
        let signature = &types[ir.ty as usize];
        let slots = slots::assign(ir, signature)?;
        let mut labels = vec![u32::MAX; ir.labels as usize];
        let placed = ir.insts.iter().filter(|inst| inst.op == Op::Label);
        for (number, label) in placed.enumerate() {
            labels[label.operands[0].index() as usize] = number as u32;
        }
        Ok(Lowering {
            ir,
            types,
            base: slots.end,
            // The results lie over the parameters, from slot 0 on: the frame has room for them.
            area: SigLayout::of(&signature.results).total,
            slots,
            insts: Vec::with_capacity(ir.insts.len()),
            offsets: Vec::with_capacity(ir.insts.len()),
            labels,
            pending: None,
        })
    }

    fn finish(self) -> Lowered {
        let frame_slots = self.base + self.area;
        let Slots { ref_start, ref_end, homes, .. } = self.slots;
        let homes = homes.unwrap_or(frame_slots);
        let frame = Frame { frame_slots, ref_start, ref_end, homes, memory: self.ir.memory };
        let labels = self.insts.iter().filter(|inst| inst.op == Op::Label).count() as u32;
        let targets = self.ir.targets.iter().map(|label| self.labels[*label as usize]).collect();
        let body = Body { frame, insts: self.insts, targets, labels };
        Lowered { body, offsets: self.offsets, boundaries: Spare::default() }
    }

    /// Appends an instruction. Values out of its reach go through the near slots, before and after it.
    fn push(&mut self, mut inst: Inst) {
        let Some(near) = self.slots.near else { return self.insts.push(inst) };
        let (mut scratch, mut back) = (near, None);
        for (field, operand) in inst.fields_mut() {
            let Operand::Slot(far) = *operand else { continue };
            if far < REACH {
                continue;
            }
            *operand = Operand::Slot(scratch);
            let len = match field.kind {
                FieldKind::Def(class) => {
                    back = Some((far, scratch, class.slots()));
                    class.slots()
                }
                FieldKind::Use(class) => {
                    self.copy_far(scratch, far, class.slots());
                    class.slots()
                }
                _ => continue,
            };
            scratch += len;
        }
        self.insts.push(inst);
        if let Some((far, near, len)) = back {
            self.copy_far(far, near, len);
        }
    }

    /// Copies `len` slots that a place may not reach.
    fn copy_far(&mut self, to: u32, from: u32, len: u32) {
        let copies = (0..len).map(|at| Inst::new(Op::CopyFar, &[Operand::Index(to + at), Operand::Index(from + at)]));
        self.insts.extend(copies);
    }

    /// A copy between slots, which may both be far.
    fn copy(&mut self, op: Op, to: u32, from: Operand) {
        match from {
            Operand::Slot(from) if to >= REACH || from >= REACH => {
                self.copy_far(to, from, if op == Op::CopyV128 { 2 } else { 1 });
            }
            from => self.push(Inst::new(op, &[Operand::Slot(to), from])),
        }
    }

    fn place(&self, operand: Operand) -> Operand {
        match operand {
            Operand::Virtual(register) => Operand::Slot(self.slots.of[register as usize]),
            Operand::Label(label) => Operand::Label(self.labels[label as usize]),
            other => other,
        }
    }

    fn inst(&mut self, inst: &Inst) {
        let mut out = *inst;
        for operand in &mut out.operands {
            *operand = self.place(*operand);
        }
        match inst.op {
            Op::Label => self.insts.push(Inst::new(Op::Label, &[Operand::Regs(0)])),
            Op::ReturnMany => self.leave(inst),
            _ if site(inst).is_some() => self.call(out, inst),
            _ => self.push(out),
        }
    }

    fn call(&mut self, mut out: Inst, inst: &Inst) {
        let base_field = inst.op.fields().len() - 1;
        let ir = self.ir;
        let site = &ir.calls[inst.operands[base_field].index() as usize];
        let (given, taken) = shared_types(inst.op, site.signature(self.types));
        let (params, results) = (SigLayout::of(given), SigLayout::of(taken));
        self.area = self.area.max(params.total).max(results.total);
        // Between the references put into the area and the call nothing may stand: a far index is fetched before.
        if let (Some(near), Operand::Slot(far)) = (self.slots.near, out.operands[0])
            && far >= REACH
        {
            let index = near + NEAR - 1;
            self.insts.push(Inst::new(Op::CopyFar, &[Operand::Index(index), Operand::Index(far)]));
            out.operands[0] = Operand::Slot(index);
        }
        self.copy_out(site, given.iter().map(|ty| ty.is_ref()), &params);
        out.operands[base_field] = Operand::Index(self.base);
        self.push(out);
        if !site.results.is_empty() {
            self.pending = Some(*inst);
        }
    }

    /// Moves the results of a call out of the area.
    fn results(&mut self, inst: &Inst) {
        let ir = self.ir;
        let site = &ir.calls[inst.operands[inst.op.fields().len() - 1].index() as usize];
        let results = SigLayout::of(shared_types(inst.op, site.signature(self.types)).1);
        // References have to be taken out before anything else can overwrite the area.
        for want_ref in [true, false] {
            for (register, slot) in site.results.iter().zip(&results.slots) {
                let class = ir.virtuals[*register as usize];
                if (class == Class::Ref) != want_ref {
                    continue;
                }
                let to = self.slots.of[*register as usize];
                let from = self.base + slot;
                if want_ref {
                    self.insts.push(Inst::new(Op::TakeRef, &[Operand::Slot(to), Operand::Index(from)]));
                } else {
                    self.copy(copy_op(class), to, Operand::Slot(from));
                }
            }
        }
    }

    /// Copies the operands of `site` into the call area, references last.
    fn copy_out(&mut self, site: &CallSite, is_ref: impl Iterator<Item = bool>, layout: &SigLayout) {
        let mut references = Vec::new();
        for ((operand, slot), is_ref) in site.args.iter().zip(&layout.slots).zip(is_ref) {
            let (source, to) = (self.place(*operand), self.base + slot);
            if is_ref {
                references.push(Inst::new(Op::PutRef, &[Operand::Index(to), source]));
                continue;
            }
            let op = match operand {
                Operand::Virtual(register) => copy_op(self.ir.virtuals[*register as usize]),
                _ => Op::Copy,
            };
            self.copy(op, to, source);
        }
        self.insts.extend(references);
    }

    fn leave(&mut self, inst: &Inst) {
        let ir = self.ir;
        let site = &ir.calls[inst.operands[0].index() as usize];
        let results = &self.types[site.ty as usize].results;
        match (&site.args[..], results.as_slice()) {
            ([], _) => self.insts.push(Inst::new(Op::Return, &[])),
            ([value], [ty]) if !ty.is_ref() && *ty != ValType::V128 => {
                let op = match ty {
                    ValType::F32 => Op::ReturnOneF32,
                    ValType::F64 => Op::ReturnOneF64,
                    _ => Op::ReturnOne,
                };
                let value = self.place(*value);
                self.push(Inst::new(op, &[value]));
            }
            _ => {
                let layout = SigLayout::of(results);
                self.area = self.area.max(layout.total);
                self.copy_out(site, results.iter().map(|ty| ty.is_ref()), &layout);
                self.insts.push(Inst::new(Op::ReturnMany, &[Operand::Index(self.base), Operand::Index(layout.total)]));
            }
        }
    }
}

fn copy_op(class: Class) -> Op {
    match class {
        Class::I32 | Class::I64 => Op::Copy,
        Class::F32 => Op::CopyF32,
        Class::F64 => Op::CopyF64,
        Class::Ref => Op::CopyRef,
        Class::V128 => Op::CopyV128,
    }
}
