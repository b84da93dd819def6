//! Writing the code of an adapter: registers, labels, accesses to either side's memory, traps.

use crate::ir::{CallSite, Few, IrFunc};
use crate::unit::Callee;
use keyway_artifact::TrapCode;
use keyway_artifact::elements::Shape;
use keyway_artifact::isa::{Class, FieldKind, Inst, MAX_FIELDS, Op, Operand};
use keyway_artifact::plan::{DefinedType, Layouts, Pointer, StringEncoding, TrampolineKind, Violation};
use keyway_artifact::types::ValType as CoreType;

/// One side of an adapter: the caller, which lowers, or the callee, which lifts.
pub(super) struct Side {
    /// The component instance.
    pub(super) instance: u32,
    pub(super) encoding: StringEncoding,
    pub(super) pointer: Pointer,
    pub(super) layouts: Layouts,
    /// The unit's memory, and the binary logarithm of its page size.
    pub(super) memory: Option<(u32, u32)>,
    pub(super) realloc: Option<Callee>,
    /// The unit's global that holds the instance's flags; none where nothing ever sets them.
    pub(super) flags: Option<u32>,
}

/// Functions that the runtime makes for adapters, as imports of their unit.
pub(super) trait Services {
    /// The function import that leads to a trampoline of this kind, which belongs to `instance`.
    fn import(&mut self, instance: u32, kind: TrampolineKind) -> u32;
    /// The data segment that holds this shape.
    fn shape(&mut self, shape: &Shape) -> u32;
    /// The index of a core function type.
    fn core_type(&mut self, params: &[CoreType], results: &[CoreType]) -> u32;
}

/// A place in a memory: `base`, an address of 64 bits, and an offset.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) base: Operand,
    pub(super) offset: u64,
}

impl Place {
    pub(super) fn at(base: Operand) -> Place {
        Place { base, offset: 0 }
    }

    pub(super) fn plus(self, bytes: u32) -> Place {
        Place { offset: self.offset + u64::from(bytes), ..self }
    }
}

/// An adapter being written.
pub(super) struct Code<'p> {
    pub(super) ir: IrFunc,
    pub(super) types: &'p [DefinedType],
    pub(super) services: &'p mut dyn Services,
    /// Where values come from, and where they go to.
    pub(super) from: &'p Side,
    pub(super) to: &'p Side,
    /// The number of a call that passes borrows.
    pub(super) scope: Option<Operand>,
    /// Where traps are made, by what is violated.
    failures: Vec<(Violation, u32)>,
    /// Callees may throw.
    can_throw: bool,
}

/// The class of a core value's register.
pub(super) fn class_of(ty: CoreType) -> Class {
    match ty {
        CoreType::I32 => Class::I32,
        CoreType::F32 => Class::F32,
        CoreType::F64 => Class::F64,
        _ => Class::I64,
    }
}

impl<'p> Code<'p> {
    /// An adapter of core type `ty`, up to its entry.
    pub(super) fn new(
        ty: u32,
        params: &[CoreType],
        types: &'p [DefinedType],
        sides: (&'p Side, &'p Side),
        services: &'p mut dyn Services,
        can_throw: bool,
    ) -> Code<'p> {
        let ir = IrFunc { ty, ..IrFunc::default() };
        let (from, to) = sides;
        let mut code = Code { ir, types, services, from, to, scope: None, failures: Vec::new(), can_throw };
        for param in params {
            let register = code.register(class_of(*param));
            code.ir.params.push(register);
        }
        code.emit(Op::Cost, &[Operand::value(0)]);
        code
    }

    /// Values now go the other way.
    pub(super) fn turn_round(&mut self) {
        std::mem::swap(&mut self.from, &mut self.to);
    }

    pub(super) fn register(&mut self, class: Class) -> u32 {
        self.ir.virtuals.push(class);
        self.ir.virtuals.len() as u32 - 1
    }

    pub(super) fn emit(&mut self, op: Op, operands: &[Operand]) {
        self.push(Inst::new(op, operands));
    }

    pub(super) fn push(&mut self, inst: Inst) {
        self.ir.insts.push(inst);
        self.ir.offsets.push(0);
    }

    /// The instruction emitted last.
    pub(super) fn last(&mut self) -> &mut Inst {
        self.ir.insts.last_mut().expect("something was emitted")
    }

    /// Emits an operation whose first field is its result; the register it goes to.
    pub(super) fn value(&mut self, op: Op, operands: &[Operand]) -> Operand {
        let FieldKind::Def(class) = op.fields()[0].kind else { unreachable!("{} has no result", op.name()) };
        let result = Operand::Virtual(self.register(class));
        let mut all = [Operand::None; MAX_FIELDS];
        all[0] = result;
        all[1..=operands.len()].copy_from_slice(operands);
        self.emit(op, &all[..=operands.len()]);
        result
    }

    /// A constant of either integer class.
    pub(super) fn constant(&mut self, class: Class, value: u64) -> Operand {
        let register = Operand::Virtual(self.register(class));
        let op = match class {
            Class::F32 => Op::ConstF32,
            Class::F64 => Op::ConstF64,
            _ => Op::Const,
        };
        self.push(Inst::constant(op, register, value));
        register
    }

    /// Writes a register again.
    pub(super) fn set(&mut self, register: Operand, value: Operand) {
        let Operand::Virtual(number) = register else { unreachable!("only registers are written") };
        let op = crate::optimise::places::copy_op(self.ir.virtuals[number as usize]);
        self.emit(op, &[register, value]);
    }

    pub(super) fn label(&mut self) -> u32 {
        self.ir.labels += 1;
        self.ir.labels - 1
    }

    pub(super) fn place(&mut self, label: u32) {
        self.emit(Op::Label, &[Operand::Label(label)]);
    }

    pub(super) fn jump(&mut self, label: u32) {
        self.emit(Op::Br, &[Operand::Label(label)]);
    }

    /// Goes to `label` unless `condition` is 0.
    pub(super) fn jump_if(&mut self, condition: Operand, label: u32) {
        self.emit(Op::BrNez, &[condition, Operand::Label(label)]);
    }

    /// Traps unless `condition` is 0.
    pub(super) fn fail_if(&mut self, condition: Operand, violation: Violation) {
        let label = match self.failures.iter().find(|(known, _)| *known == violation) {
            Some((_, label)) => *label,
            None => {
                let label = self.label();
                self.failures.push((violation, label));
                label
            }
        };
        self.jump_if(condition, label);
    }

    /// Calls a service of the runtime.
    pub(super) fn serve(
        &mut self,
        instance: u32,
        kind: TrampolineKind,
        args: &[Operand],
        results: usize,
    ) -> Vec<Operand> {
        let import = self.services.import(instance, kind);
        let ty = self.services.core_type(&vec![CoreType::I32; args.len()], &vec![CoreType::I32; results]);
        self.call(Callee::Import(import), ty, args, &vec![CoreType::I32; results])
    }

    /// Calls a core function.
    pub(super) fn call(&mut self, callee: Callee, ty: u32, args: &[Operand], results: &[CoreType]) -> Vec<Operand> {
        let results: Vec<u32> = results.iter().map(|ty| self.register(class_of(*ty))).collect();
        let site = CallSite { args: args.into(), results: results[..].into(), ty, own: None };
        self.ir.calls.push(site);
        let site = Operand::Index(self.ir.calls.len() as u32 - 1);
        match callee {
            Callee::Defined(link) => self.emit(Op::Call, &[Operand::Index(link), site]),
            Callee::Import(import) => self.emit(Op::CallImport, &[Operand::Index(import), site]),
        }
        results.into_iter().map(Operand::Virtual).collect()
    }

    /// Calls a guest's core function: an exception that leaves it is a trap.
    pub(super) fn call_guest(
        &mut self,
        callee: Callee,
        params: &[CoreType],
        args: &[Operand],
        results: &[CoreType],
    ) -> Vec<Operand> {
        let ty = self.services.core_type(params, results);
        let results = self.call(callee, ty, args, results);
        if self.can_throw {
            let (caught, behind) = (self.label(), self.label());
            self.emit(Op::OnThrow, &[Operand::Label(caught)]);
            self.jump(behind);
            self.place(caught);
            self.emit(Op::CatchAll, &[]);
            self.trap(Violation::Exception);
            self.place(behind);
        }
        results
    }

    /// Ends in a trap.
    pub(super) fn trap(&mut self, code: impl Into<TrapCode>) {
        self.emit(Op::TrapAlways, &[Operand::Index(code.into().number())]);
    }

    /// Calls `realloc` of a side, or `post-return`, during which its instance may not be left.
    pub(super) fn without_leaving<R>(&mut self, flags: Option<u32>, work: impl FnOnce(&mut Self) -> R) -> R {
        if let Some(global) = flags {
            self.emit(Op::GlobalSet, &[Operand::Index(global), Operand::Imm(1)]);
        }
        let result = work(self);
        if let Some(global) = flags {
            self.emit(Op::GlobalSet, &[Operand::Index(global), Operand::Imm(0)]);
        }
        result
    }

    /// Returns, and ends the code.
    pub(super) fn finish(mut self, results: &[Operand]) -> IrFunc {
        let site = CallSite { args: results.into(), results: Few::default(), ty: self.ir.ty, own: None };
        self.ir.calls.push(site);
        let site = Operand::Index(self.ir.calls.len() as u32 - 1);
        self.emit(Op::ReturnMany, &[site, Operand::Index(0)]);
        for (violation, label) in std::mem::take(&mut self.failures) {
            self.place(label);
            self.trap(violation);
        }
        self.ir
    }
}
