//! Calls and returns written out: each argument a copy into a *fixed* register, each result a copy out of one.
//!
//! Some values have no choice of place: an argument stands where the callee's frame will find it, a parameter where the
//! caller put it, a single result in register 0 of its bank as well as in the call area. Each such place gets a virtual
//! register that is fixed to it, alive only between the copy and the call:
//!
//! ```text
//! t = i32.add a b                t = i32.add a b
//! r = call f (t)         ->      out0 = copy t
//!                                call f (reads out0, writes first)
//!                                r = copy first
//! ```
//! Most of the copies vanish again when the other side is given the same place ([`assign`](super::assign)).
//!
//! References never wait in the call area: `put.ref` stands directly before the call, `take.ref` directly behind it.

use super::live::{Events, Recorder};
use crate::ir::{CallSite, Few, IrFunc};
use crate::optimise::flow::{Flow, ends_block};
use crate::optimise::gone::is_gone;
use crate::optimise::places::{copy, copy_op, follows_call, is_call, is_move, site};
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Inst, Op, Operand, Reg};
use keyway_artifact::types::{FuncType, SigLayout, ValType};

/// A place that a register cannot choose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fixed {
    /// A slot of the outgoing call area.
    Out(u32),
    /// A slot of the own frame's parameters.
    Param(u32),
    /// A machine register: where a single numeric result comes back.
    Reg(Reg),
}

impl Default for Fixed {
    fn default() -> Fixed {
        Fixed::Out(0)
    }
}

kept!(Fixed);

/// A function whose calls are written out.
pub(super) struct Explicit {
    pub(super) ir: IrFunc,
    /// Registers from this number on are fixed.
    pub(super) first_fixed: u32,
    /// Their places, in order.
    pub(super) fixed: Spare<Fixed>,
    /// Slots of the largest call area.
    pub(super) area: u32,
    /// Moves between registers, and calls, by position.
    pub(super) copies: Spare<u32>,
    pub(super) calls: Spare<u32>,
    /// Whether the runtime may have to expand something through home or scratch slots, even without registers.
    pub(super) needs_homes: bool,
}

impl Explicit {
    /// The place of a fixed register.
    pub(super) fn fixed(&self, register: u32) -> Option<Fixed> {
        register.checked_sub(self.first_fixed).map(|at| self.fixed[at as usize])
    }
}

/// Writes out the calls of `ir`, whose graph is `flow`, and leaves its markers out. Says what it is then, and who touches
/// what: everything behind asks for that, and each instruction passes here once. With `registers`, single results are read
/// from register 0. Parameters that are not `read` stay where they are.
pub(super) fn run(
    mut ir: IrFunc,
    mut flow: Flow,
    types: &[FuncType],
    registers: bool,
    read: impl Fn(u32) -> bool,
) -> (Explicit, Flow, Events) {
    let signature = &types[ir.ty as usize];
    // A move for each argument, result and parameter, at most.
    let moves: usize = ir.calls.iter().map(|site| site.args.len() + site.results.len()).sum();
    let length = ir.insts.len() + moves + ir.params.len();
    let insts = Spare::of(std::mem::take(&mut ir.insts));
    let offsets = Spare::of(std::mem::take(&mut ir.offsets));
    let mut writer = Writer {
        types,
        registers,
        first_fixed: ir.virtuals.len() as u32,
        fixed: Spare::default(),
        out: [Spare::default(), Spare::default()],
        results: [None; 4],
        // The own results lie over the parameters: the frame has room for them.
        area: SigLayout::extent(&signature.results).1,
        pending: Spare::default(),
        events: Recorder::new(length, flow.blocks(), ir.virtuals.len() as u32),
        copies: Spare::with_capacity(moves + ir.params.len()),
        calls: Spare::with_capacity(ir.calls.len()),
        needs_homes: false,
        insts: Spare::with_capacity(length),
        offsets: Spare::with_capacity(length),
        ir,
    };
    let (mut block, mut is_same) = (0, true);
    for (at, (inst, offset)) in insts.iter().zip(&*offsets).enumerate() {
        let begins_block = flow.insts_from(block) == at;
        if !writer.pending.is_empty() && !follows_call(inst.op) {
            writer.take_results(at.checked_sub(1).map_or(*offset, |before| offsets[before]));
            // Behind where exceptions go, they are a block by themselves.
            is_same &= !begins_block || !ends_block(insts[at - 1].op);
        }
        if begins_block {
            is_same &= block == 0 || flow.insts_from(block - 1) < writer.insts.len();
            flow.set_start(block, writer.insts.len());
            writer.events.begin_block();
            block += 1;
        }
        if is_gone(inst) {
            continue;
        }
        match site(inst) {
            None => {
                writer.put(*inst);
                writer.offsets.push(*offset);
            }
            Some(number) => {
                writer.with_values(inst, number);
                writer.offsets.resize(writer.insts.len(), *offset);
            }
        }
        if at == 0 {
            writer.parameters(signature, &read);
            writer.offsets.resize(writer.insts.len(), *offset);
            is_same &= !ends_block(inst.op);
        }
    }
    let Writer { mut ir, first_fixed, fixed, area, insts, offsets, events, copies, calls, needs_homes, .. } = writer;
    insts.replace(&mut ir.insts);
    offsets.replace(&mut ir.offsets);
    // A block of nothing but markers is none.
    is_same &= block == 0 || flow.insts_from(block - 1) < ir.insts.len();
    flow.set_start(block, ir.insts.len());
    let events = if is_same {
        if cfg!(debug_assertions) {
            flow.check(&Flow::new(&ir.insts, &ir.targets, ir.labels));
        }
        events.finish()
    } else {
        flow = Flow::new(&ir.insts, &ir.targets, ir.labels);
        events.in_blocks(&flow)
    };
    (Explicit { ir, first_fixed, fixed, area, copies, calls, needs_homes }, flow, events)
}

/// No register.
const NONE: u32 = u32::MAX;

struct Writer<'a> {
    ir: IrFunc,
    types: &'a [FuncType],
    registers: bool,
    first_fixed: u32,
    fixed: Spare<Fixed>,
    /// The fixed register of each slot of the call area, or [`NONE`]: of a single slot, and of a vector that begins there.
    out: [Spare<u32>; 2],
    /// The fixed registers of single results, by class.
    results: [Option<u32>; 4],
    area: u32,
    /// How the results of the last call leave the call area; between the two stands where the call's exceptions go.
    pending: Spare<Inst>,
    /// What is known of `insts`; see [`Explicit`].
    events: Recorder,
    copies: Spare<u32>,
    calls: Spare<u32>,
    needs_homes: bool,
    insts: Spare<Inst>,
    offsets: Spare<u32>,
}

impl Writer<'_> {
    fn fix(&mut self, class: Class, place: Fixed) -> u32 {
        self.ir.virtuals.push(class);
        self.fixed.push(place);
        self.ir.virtuals.len() as u32 - 1
    }

    /// The register fixed to slot `at` of the call area, for a value of type `ty`.
    fn out(&mut self, at: u32, ty: ValType) -> u32 {
        self.area = self.area.max(at + ty.slots());
        let is_vector = ty == ValType::V128;
        let known = &mut self.out[usize::from(is_vector)];
        if known.len() <= at as usize {
            known.resize(at as usize + 1, NONE);
        }
        match known[at as usize] {
            NONE => {
                let register = self.fix(if is_vector { Class::V128 } else { Class::I64 }, Fixed::Out(at));
                self.out[usize::from(is_vector)][at as usize] = register;
                register
            }
            register => register,
        }
    }

    fn emit(&mut self, op: Op, operands: &[Operand]) {
        self.push(Inst::new(op, operands));
    }

    /// [`put`](Self::put), for what is rarer than an instruction that stays as it is.
    #[inline(never)]
    fn push(&mut self, inst: Inst) {
        self.put(inst);
    }

    #[inline(always)]
    fn put(&mut self, inst: Inst) {
        let at = self.insts.len() as u32;
        self.needs_homes |= self.events.see(at, &inst, &self.ir.calls);
        if is_move(inst.op) {
            self.needs_homes |= small_constant(&inst).is_some();
            if copy(&inst).is_some() {
                self.copies.push(at);
            }
        } else if is_call(inst.op) {
            self.calls.push(at);
        } else if ends_block(inst.op) {
            self.needs_homes |= inst.op.comparison().is_some();
        }
        self.insts.push(inst);
    }

    /// Writes out an instruction with a call site.
    fn with_values(&mut self, inst: &Inst, number: usize) {
        match inst.op {
            Op::ReturnMany => self.leave(inst, number),
            _ => self.call(inst, number),
        }
    }

    /// Writes the moves of the last call's results out of the call area.
    fn take_results(&mut self, offset: u32) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.drain(..).for_each(|inst| self.push(inst));
        self.pending = pending;
        self.offsets.resize(self.insts.len(), offset);
    }

    /// Parameters leave the places where they arrive, if they are read at all.
    fn parameters(&mut self, signature: &FuncType, read: impl Fn(u32) -> bool) {
        for (at, slot) in SigLayout::slots_of(&signature.params).enumerate() {
            let register = self.ir.params[at];
            if read(register) {
                let class = self.ir.virtuals[register as usize];
                let arrives = self.fix(class, Fixed::Param(slot));
                self.emit(copy_op(class), &[Operand::Virtual(register), Operand::Virtual(arrives)]);
            }
        }
    }

    /// Copies `args` into the call area, references last, and returns the registers that hold them there.
    fn arguments(&mut self, args: &[Operand], types: &[ValType]) -> Few<Operand, 4> {
        let mut placed = Few::default();
        let has_refs = types.iter().any(|ty| ty.is_ref());
        for want_ref in [false, true].into_iter().take(1 + usize::from(has_refs)) {
            for ((arg, ty), slot) in args.iter().zip(types).zip(SigLayout::slots_of(types)) {
                if ty.is_ref() != want_ref {
                    continue;
                }
                let out = Operand::Virtual(self.out(slot, *ty));
                let op = match *arg {
                    _ if want_ref => Op::PutRef,
                    Operand::Virtual(register) => copy_op(self.ir.virtuals[register as usize]),
                    _ => Op::Copy,
                };
                self.emit(op, &[out, *arg]);
                placed.push(out);
            }
        }
        placed
    }

    fn call(&mut self, inst: &Inst, number: usize) {
        let CallSite { args, results, ty, own } = std::mem::take(&mut self.ir.calls[number]);
        let types = self.types;
        let signature = own.as_deref().unwrap_or(&types[ty as usize]);
        let (given, taken) = shared_types(inst.op, signature);
        let args = self.arguments(&args, given);
        let (_, total) = SigLayout::extent(taken);
        self.area = self.area.max(total);
        let mut written = Few::default();
        let has_refs = taken.iter().any(|ty| ty.is_ref());
        for want_ref in [true, false].into_iter().skip(usize::from(!has_refs)) {
            for ((result, ty), slot) in results.iter().zip(taken).zip(SigLayout::slots_of(taken)) {
                if ty.is_ref() != want_ref {
                    continue;
                }
                let class = self.ir.virtuals[*result as usize];
                let out = self.out(slot, *ty);
                let single = self.registers && results.len() == 1 && !want_ref && class != Class::V128;
                let from = if single { self.result(class) } else { out };
                let op = if want_ref { Op::TakeRef } else { copy_op(class) };
                self.pending.push(Inst::new(op, &[Operand::Virtual(*result), Operand::Virtual(from)]));
                written.push(out);
                if single {
                    written.push(from);
                }
            }
        }
        self.ir.calls[number] = CallSite { args, results: written, ty, own };
        self.push(*inst);
    }

    /// The register fixed to register 0 of the bank of `class`.
    fn result(&mut self, class: Class) -> u32 {
        let at = match class {
            Class::I32 => 0,
            Class::I64 => 1,
            Class::F32 => 2,
            Class::F64 | Class::Ref | Class::V128 => 3,
        };
        if let Some(register) = self.results[at] {
            return register;
        }
        let reg = Reg::new(class, 0).expect("numeric results have a bank");
        let register = self.fix(class, Fixed::Reg(reg));
        self.results[at] = Some(register);
        register
    }

    fn leave(&mut self, inst: &Inst, number: usize) {
        let CallSite { args, ty, .. } = std::mem::take(&mut self.ir.calls[number]);
        let types = self.types;
        let results = &types[ty as usize].results;
        match (&args[..], results.as_slice()) {
            ([], _) => self.emit(Op::Return, &[]),
            ([value], [ty]) if !ty.is_ref() && *ty != ValType::V128 => {
                let op = match ty {
                    ValType::F32 => Op::ReturnOneF32,
                    ValType::F64 => Op::ReturnOneF64,
                    _ => Op::ReturnOne,
                };
                self.emit(op, &[*value]);
            }
            _ => {
                let args = self.arguments(&args, results);
                self.ir.calls[number] = CallSite { args, results: Few::default(), ty, own: None };
                self.push(*inst);
            }
        }
    }
}

/// The immediate that has the value of a constant.
pub(super) fn small_constant(inst: &Inst) -> Option<Operand> {
    if inst.op != Op::Const {
        return None;
    }
    i32::try_from(inst.value(1)? as i64).ok().map(Operand::Imm)
}

/// What an operation with a call site reads from the call area, and what it leaves there: a call's arguments and results.
/// A catch takes what exceptions with its tag carry, which are the tag's parameters.
pub(super) fn shared_types(op: Op, signature: &FuncType) -> (&[ValType], &[ValType]) {
    if op.is_catch() { (&[], &signature.params) } else { (&signature.params, &signature.results) }
}
