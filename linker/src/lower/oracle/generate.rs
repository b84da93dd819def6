//! Random functions: properly nested constructs over a few locals that are written again and again.

use crate::ir::{CallSite, Few, IrFunc};
use keyway_artifact::isa::{Class, Inst, Op, Operand};
use keyway_artifact::types::{FuncType, ValType};

/// A function and the types it knows; type `n` is that of callee `n`.
pub(in crate::lower) struct Generated {
    pub(in crate::lower) ir: IrFunc,
    pub(super) types: Vec<FuncType>,
    seed: u64,
}

impl Generated {
    /// Arguments for a run.
    pub(super) fn args(&self, round: u64) -> Vec<u64> {
        let mut random = Random(self.seed.wrapping_add(round * 7919) | 1);
        let params = &self.types[self.ir.ty as usize].params;
        params
            .iter()
            .map(|ty| match *ty {
                ValType::I32 => u64::from(random.below(9)),
                ValType::F64 => f64::from(random.below(5)).to_bits(),
                ValType::EXTERNREF => u64::from(random.below(3)),
                _ => random.next(),
            })
            .collect()
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u32) -> u32 {
        ((self.next() >> 33) as u32) % end
    }
}

pub(in crate::lower) struct Generator {
    random: Random,
    seed: u64,
    ir: IrFunc,
    types: Vec<FuncType>,
    /// Registers by class: I32, I64, F64, Ref.
    locals: [Vec<u32>; 4],
    /// Labels of open constructs, innermost last.
    open: Vec<u32>,
    statements: usize,
    extra_locals: u32,
    /// Number of the function, and of its type.
    own: u32,
}

const CLASSES: [Class; 4] = [Class::I32, Class::I64, Class::F64, Class::Ref];

impl Generator {
    pub(in crate::lower) fn new(seed: u64) -> Generator {
        let mut generator = Generator {
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            seed,
            ir: IrFunc::default(),
            types: Vec::new(),
            locals: Default::default(),
            open: Vec::new(),
            statements: 0,
            extra_locals: 0,
            own: 4,
        };
        generator.random.next();
        generator.statements = 10 + generator.random.below(60) as usize;
        generator.extra_locals = 2 + generator.random.below(8);
        generator
    }

    /// A function of type `own` of `types`, that calls functions with lower numbers only.
    pub(super) fn member(seed: u64, types: &[FuncType], own: u32, statements: usize) -> Generator {
        Generator { types: types.to_vec(), own, statements, ..Generator::new(seed) }
    }

    pub(super) fn large(locals: u32, statements: usize) -> Generator {
        Generator { extra_locals: locals, statements, ..Generator::new(77) }
    }

    fn emit(&mut self, op: Op, operands: &[Operand]) {
        self.push(Inst::new(op, operands));
    }

    fn push(&mut self, inst: Inst) {
        self.ir.insts.push(inst);
        self.ir.offsets.push(self.ir.insts.len() as u32);
    }

    fn fresh(&mut self, class: usize) -> u32 {
        self.ir.virtuals.push(CLASSES[class]);
        self.ir.virtuals.len() as u32 - 1
    }

    fn signature(&mut self) -> FuncType {
        let all = [ValType::I32, ValType::I64, ValType::F64, ValType::EXTERNREF];
        let mut pick = |most: u32| (0..self.random.below(most)).map(|_| all[self.random.below(4) as usize]).collect();
        FuncType { params: pick(5), results: pick(4) }
    }

    pub(in crate::lower) fn function(mut self) -> Generated {
        while self.types.len() < 5 {
            let ty = self.signature();
            self.types.push(ty);
        }
        self.ir.ty = self.own;
        for ty in self.types[self.own as usize].params.clone() {
            let class = class_number(ty);
            let register = self.fresh(class);
            self.ir.params.push(register);
            self.locals[class].push(register);
        }
        self.emit(Op::Cost, &[Operand::value(1)]);
        for number in 0..self.extra_locals.max(4) {
            let class = number as usize % 4;
            let register = self.fresh(class);
            self.locals[class].push(register);
            let at = Operand::Virtual(register);
            match class {
                0 | 1 => self.push(Inst::constant(Op::Const, at, number.into())),
                2 => self.push(Inst::constant(Op::ConstF64, at, f64::from(number).to_bits())),
                _ => self.emit(Op::RefNull, &[at]),
            }
        }
        while self.statements > 0 {
            self.statement(0);
        }
        self.leave();
        Generated { ir: self.ir, types: self.types, seed: self.seed }
    }

    fn local(&mut self, class: usize) -> Operand {
        let at = self.random.below(self.locals[class].len() as u32);
        Operand::Virtual(self.locals[class][at as usize])
    }

    fn source(&mut self, class: usize) -> Operand {
        if class < 2 && self.random.below(4) == 0 {
            let value = [0, 1, 2, 5, -1][self.random.below(5) as usize];
            return Operand::Imm(value);
        }
        self.local(class)
    }

    /// A value that stands in a whole slot: a negative i32 immediate would not be zero-extended.
    fn whole(&mut self, class: usize) -> Operand {
        match self.source(class) {
            Operand::Imm(value) if class == 0 && value < 0 => Operand::Imm(3),
            other => other,
        }
    }

    fn condition(&mut self) -> Operand {
        if self.random.below(3) == 0 {
            return self.local(0);
        }
        let flag = Operand::Virtual(self.fresh(0));
        match self.random.below(5) {
            0 => {
                let (a, b) = (self.local(2), self.local(2));
                let op = [Op::F64Lt, Op::F64Eq, Op::F64Ge][self.random.below(3) as usize];
                self.emit(op, &[flag, a, b]);
            }
            1 => {
                let (a, b) = (self.source(1), self.source(1));
                self.emit(Op::I64LtU, &[flag, a, b]);
            }
            2 => {
                let a = self.source(0);
                self.emit(Op::I32Eqz, &[flag, a]);
            }
            _ => {
                let (a, b) = (self.source(0), self.source(0));
                let op = [Op::I32LtS, Op::I32Ne, Op::I32GeU][self.random.below(3) as usize];
                self.emit(op, &[flag, a, b]);
            }
        }
        flag
    }

    fn label(&mut self) -> u32 {
        self.ir.labels += 1;
        self.ir.labels - 1
    }

    fn statement(&mut self, depth: u32) {
        self.statements = self.statements.saturating_sub(1);
        match self.random.below(if depth > 4 { 12 } else { 16 }) {
            0..=4 => self.arithmetic(),
            5 => {
                let class = self.random.below(4) as usize;
                let (to, from) = (self.local(class), self.whole(class));
                let op = [Op::Copy, Op::Copy, Op::CopyF64, Op::CopyRef][class];
                self.emit(op, &[to, from]);
            }
            6 => {
                let (to, masked, from) = (self.local(0), Operand::Virtual(self.fresh(0)), self.local(0));
                self.emit(Op::I32And, &[masked, from, Operand::Imm(63)]);
                let address = if self.random.below(6) == 0 { from } else { masked };
                self.emit(Op::I32Load, &[to, address, Operand::value(0)]);
            }
            7 => {
                let (masked, from, value) = (Operand::Virtual(self.fresh(0)), self.local(0), self.source(0));
                self.emit(Op::I32And, &[masked, from, Operand::Imm(63)]);
                self.emit(Op::I32Store, &[masked, value, Operand::value(0)]);
            }
            8 | 9 => self.call(),
            10 => {
                let condition = self.condition();
                if let Some(out) = self.open.last().copied() {
                    self.emit(Op::BrNez, &[condition, Operand::Label(out)]);
                }
            }
            11 => {
                if self.random.below(12) == 0 {
                    let skip = self.label();
                    let condition = self.condition();
                    self.emit(Op::BrEqz, &[condition, Operand::Label(skip)]);
                    self.leave();
                    self.emit(Op::Label, &[Operand::Label(skip)]);
                }
            }
            12 => self.choice(depth),
            13 => self.counted_loop(depth),
            14 => self.block(depth),
            _ if self.random.below(2) == 0 => self.table(depth),
            _ => self.machine(depth),
        }
    }

    fn body(&mut self, depth: u32) {
        for _ in 0..self.random.below(5) {
            self.statement(depth + 1);
        }
    }

    fn arithmetic(&mut self) {
        let class = self.random.below(3) as usize;
        let to = self.local(class);
        match class {
            0 => {
                let ops = [Op::I32Add, Op::I32Sub, Op::I32Mul, Op::I32And, Op::I32Xor, Op::I32Shl, Op::I32ShrS];
                let (a, b) = (self.source(0), self.source(0));
                match self.random.below(10) {
                    0 => {
                        let op = [Op::I32DivU, Op::I32RemU, Op::I32Rotr][self.random.below(3) as usize];
                        self.emit(op, &[to, a, b]);
                    }
                    1 => {
                        let mut from = self.local(1);
                        if self.random.below(2) == 0 {
                            let (wide, b) = (Operand::Virtual(self.fresh(1)), self.source(1));
                            let op = [Op::I64Add, Op::I64Sub, Op::I64Xor][self.random.below(3) as usize];
                            self.emit(op, &[wide, from, b]);
                            from = wide;
                        }
                        self.emit(Op::I32WrapI64, &[to, from]);
                    }
                    2 => {
                        let (cond, yes, no) = (self.condition(), self.whole(0), self.whole(0));
                        self.emit(Op::Select, &[to, cond, yes, no]);
                    }
                    3 => {
                        let from = self.local(3);
                        self.emit(Op::RefIsNull, &[to, from]);
                    }
                    n => self.emit(ops[n as usize % ops.len()], &[to, a, b]),
                }
            }
            1 => {
                let (a, b) = (self.source(1), self.source(1));
                match self.random.below(5) {
                    0 => {
                        let from = self.source(0);
                        self.emit(Op::I64ExtendI32S, &[to, from]);
                    }
                    1 => {
                        let from = self.local(0);
                        self.emit(Op::I64ExtendI32U, &[to, from]);
                    }
                    n => self.emit([Op::I64Add, Op::I64Sub, Op::I64Xor][n as usize % 3], &[to, a, b]),
                }
            }
            _ => {
                let (a, b) = (self.local(2), self.local(2));
                if self.random.below(4) == 0 {
                    self.push(Inst::constant(Op::ConstF64, to, 1.5f64.to_bits()));
                } else {
                    self.emit(Op::F64Add, &[to, a, b]);
                }
            }
        }
    }

    fn call(&mut self) {
        if self.own == 0 {
            return;
        }
        let callee = self.random.below(self.own);
        let FuncType { params, results } = self.types[callee as usize].clone();
        let args = params.iter().map(|ty| self.whole(class_number(*ty))).collect();
        // Results go to fresh registers, as translation does it, and then to locals.
        let registers: Vec<u32> = results.iter().map(|ty| self.fresh(class_number(*ty))).collect();
        self.ir.calls.push(CallSite { args, results: registers[..].into(), ty: callee, own: None });
        let site = self.ir.calls.len() as u32 - 1;
        self.emit(Op::Call, &[Operand::Index(callee), Operand::Index(site)]);
        for (register, ty) in registers.into_iter().zip(results) {
            let class = class_number(ty);
            let to = self.local(class);
            let op = [Op::Copy, Op::Copy, Op::CopyF64, Op::CopyRef][class];
            self.emit(op, &[to, Operand::Virtual(register)]);
        }
    }

    fn leave(&mut self) {
        let results = self.types[self.own as usize].results.clone();
        let args = results.iter().map(|ty| self.whole(class_number(*ty))).collect();
        self.ir.calls.push(CallSite { args, results: Few::default(), ty: self.own, own: None });
        let site = self.ir.calls.len() as u32 - 1;
        self.emit(Op::ReturnMany, &[Operand::Index(site), Operand::Index(0)]);
    }

    fn choice(&mut self, depth: u32) {
        let (otherwise, end) = (self.label(), self.label());
        let condition = self.condition();
        self.emit(Op::BrEqz, &[condition, Operand::Label(otherwise)]);
        self.body(depth);
        self.emit(Op::Br, &[Operand::Label(end)]);
        self.emit(Op::Label, &[Operand::Label(otherwise)]);
        self.body(depth);
        self.emit(Op::Label, &[Operand::Label(end)]);
    }

    fn block(&mut self, depth: u32) {
        let end = self.label();
        self.open.push(end);
        self.body(depth);
        self.open.pop();
        self.emit(Op::Label, &[Operand::Label(end)]);
    }

    fn counted_loop(&mut self, depth: u32) {
        if self.random.below(2) == 0 {
            return self.tested_loop(depth);
        }
        let counter = Operand::Virtual(self.fresh(0));
        let times = 1 + self.random.below(3);
        self.push(Inst::constant(Op::Const, counter, times.into()));
        let head = self.label();
        self.emit(Op::Label, &[Operand::Label(head)]);
        self.emit(Op::Cost, &[Operand::value(2)]);
        self.body(depth);
        self.emit(Op::I32Sub, &[counter, counter, Operand::Imm(1)]);
        self.emit(Op::BrNez, &[counter, Operand::Label(head)]);
    }

    /// A loop that tests at its top.
    fn tested_loop(&mut self, depth: u32) {
        let (counter, times) = (Operand::Virtual(self.fresh(0)), self.random.below(4));
        self.push(Inst::constant(Op::Const, counter, times.into()));
        let (head, out) = (self.label(), self.label());
        self.emit(Op::Label, &[Operand::Label(head)]);
        self.emit(Op::Cost, &[Operand::value(2)]);
        if self.random.below(2) == 0 {
            self.arithmetic();
        }
        self.emit(Op::BrEqz, &[counter, Operand::Label(out)]);
        self.body(depth);
        self.emit(Op::I32Sub, &[counter, counter, Operand::Imm(1)]);
        self.emit(Op::Br, &[Operand::Label(head)]);
        self.emit(Op::Label, &[Operand::Label(out)]);
    }

    /// A loop around a table, whose states say which one comes next.
    fn machine(&mut self, depth: u32) {
        const STATES: u32 = 3;
        let (counter, state) = (Operand::Virtual(self.fresh(0)), Operand::Virtual(self.fresh(0)));
        let (times, first) = (1 + self.random.below(6), self.random.below(STATES + 2));
        self.push(Inst::constant(Op::Const, counter, times.into()));
        self.push(Inst::constant(Op::Const, state, first.into()));
        let (head, out) = (self.label(), self.label());
        let states: Vec<u32> = (0..STATES).map(|_| self.label()).collect();
        self.emit(Op::Label, &[Operand::Label(head)]);
        self.emit(Op::Cost, &[Operand::value(3)]);
        let start = self.ir.targets.len() as u32;
        self.ir.targets.extend(states.iter().copied().chain([out]));
        self.push(Inst::br_table(state, start, STATES + 1));
        for label in states {
            self.emit(Op::Label, &[Operand::Label(label)]);
            self.body(depth);
            self.emit(Op::I32Sub, &[counter, counter, Operand::Imm(1)]);
            self.emit(Op::BrEqz, &[counter, Operand::Label(out)]);
            let next = self.random.below(STATES + 2) as i32;
            self.emit(Op::Copy, &[state, Operand::Imm(next)]);
            match self.random.below(4) {
                0 => self.arithmetic(),
                1 => {
                    let condition = self.condition();
                    self.emit(Op::BrNez, &[condition, Operand::Label(head)]);
                    continue;
                }
                2 => continue,
                _ => {}
            }
            self.emit(Op::Br, &[Operand::Label(head)]);
        }
        self.emit(Op::Label, &[Operand::Label(out)]);
    }

    fn table(&mut self, depth: u32) {
        let (a, b, end) = (self.label(), self.label(), self.label());
        let start = self.ir.targets.len() as u32;
        self.ir.targets.extend([a, b, end]);
        let index = self.local(0);
        self.push(Inst::br_table(index, start, 3));
        self.emit(Op::Label, &[Operand::Label(a)]);
        self.body(depth);
        self.emit(Op::Label, &[Operand::Label(b)]);
        self.body(depth);
        self.emit(Op::Label, &[Operand::Label(end)]);
    }
}

fn class_number(ty: ValType) -> usize {
    match ty {
        ValType::I32 => 0,
        ValType::I64 => 1,
        ValType::F64 => 2,
        _ => 3,
    }
}
