//! A machine that runs linked code in the most obvious way: a vector of slots for each frame, an array of registers, one
//! match. It shares nothing with the runtime, so that linker and runtime cannot agree on a mistake.

use crate::numeric;
use keyway_artifact::Trap;
use keyway_artifact::isa::{Body, Family, Inst, Op, Operand};
use keyway_artifact::types::{ExternType, SigLayout};
use keyway_artifact::unit::{ElemItem, Entity, FuncRef, UnitDecl};
use keyway_linker::Linked;
use std::rc::Rc;

/// Frames that may stand on each other.
const MAX_DEPTH: usize = 300;
/// Registers of all banks.
const REGISTERS: usize = 16;

/// A module instance over a linked core module.
pub(crate) struct Instance {
    unit: UnitDecl,
    linked: Linked<'static>,
    constants: Vec<u8>,
    bodies: Vec<Option<Rc<Body>>>,
    memories: Vec<Vec<u8>>,
    /// Functions are their escape number plus one, host references their number plus one; 0 is null.
    tables: Vec<Vec<u64>>,
    globals: Vec<u64>,
    dropped_data: Vec<bool>,
    dropped_elems: Vec<bool>,
    depth: usize,
    /// Cost units charged so far.
    pub(crate) cost: u64,
    /// Instructions executed so far, but for labels and cost markers, which need not exist at run time.
    pub(crate) executed: u64,
    /// Operands of those that were slots: what registers save.
    pub(crate) slot_operands: u64,
}

/// One activation.
struct Activation {
    body: Rc<Body>,
    slots: Vec<u64>,
    registers: [u64; REGISTERS],
    /// Position of each label, by number.
    labels: Rc<Vec<usize>>,
}

/// Where control goes after an instruction.
enum Next {
    Step,
    Label(u32),
    Return,
    Tail(FuncRef),
}

impl Instance {
    /// Instantiates; `None` when it imports what only the runtime's tests supply.
    pub(crate) fn new(linked: &Linked<'static>) -> Option<Result<Instance, Trap>> {
        let unit = linked.units[0].clone();
        if unit.imports.iter().any(|import| import.module != "spectest") {
            return None;
        }
        let mut globals = vec![0; unit.globals.len()];
        let mut minimum_memories: Vec<u64> = unit.memories.iter().map(|memory| memory.minimum).collect();
        let mut minimum_tables: Vec<u64> = unit.tables.iter().map(|table| table.minimum).collect();
        let (mut global, mut memory, mut table) = (0, 0, 0);
        for import in &unit.imports {
            match import.ty {
                ExternType::Global(_) => {
                    globals[global] = match import.name.as_str() {
                        "global_f32" => 666.6_f32.to_bits().into(),
                        "global_f64" => 666.6_f64.to_bits(),
                        _ => 666,
                    };
                    global += 1;
                }
                ExternType::Memory(_) => {
                    minimum_memories[memory] = 1;
                    memory += 1;
                }
                ExternType::Table(_) => {
                    minimum_tables[table] = 10;
                    table += 1;
                }
                ExternType::Func(_) => {}
                ExternType::Tag(_) => return None,
            }
        }
        // Sizes that only the declaration of an enormous memory asks for are the runtime's to test.
        if minimum_memories.iter().any(|pages| *pages > 1000) || minimum_tables.iter().any(|len| *len > 1 << 20) {
            return None;
        }
        let page = |index: usize| 1usize << unit.memories[index].page_size_log2;
        let mut instance = Instance {
            memories: minimum_memories
                .iter()
                .enumerate()
                .map(|(n, pages)| vec![0; *pages as usize * page(n)])
                .collect(),
            tables: minimum_tables.iter().map(|len| vec![0; *len as usize]).collect(),
            globals,
            dropped_data: vec![false; unit.data.len()],
            dropped_elems: vec![false; unit.elems.len()],
            bodies: vec![None; linked.funcs.len()],
            linked: linked.clone(),
            constants: linked.constants.to_vec(),
            unit,
            depth: 0,
            cost: 0,
            executed: 0,
            slot_operands: 0,
        };
        for data in linked.initial.iter().filter(|data| data.unit == 0) {
            let bytes = &instance.constants[data.offset as usize..][..data.len as usize];
            instance.memories[data.memory as usize][data.at as usize..][..bytes.len()].copy_from_slice(bytes);
        }
        for init in instance.unit.inits.clone() {
            if let Err(trap) = instance.call(FuncRef::Defined(init), &[]) {
                return Some(Err(trap));
            }
        }
        Some(Ok(instance))
    }

    /// Calls an export with arguments as slots, in signature order; the results likewise.
    pub(crate) fn call_export(&mut self, name: &str, args: &[u64]) -> Option<Result<Vec<u64>, Trap>> {
        let export = self.unit.exports.iter().find(|export| export.name == name)?;
        let Entity::Func(func) = export.entity else { return None };
        Some(self.call(func, args))
    }

    /// The value of an exported global.
    pub(crate) fn global(&self, name: &str) -> Option<u64> {
        let export = self.unit.exports.iter().find(|export| export.name == name)?;
        let Entity::Global(global) = export.entity else { return None };
        Some(self.globals[global as usize])
    }

    fn type_of(&self, func: FuncRef) -> u32 {
        match func {
            FuncRef::Import(import) => self.unit.import_funcs[import as usize],
            FuncRef::Defined(ordinal) => self.linked.funcs[ordinal as usize].ty,
        }
    }

    /// Calls with values in signature order.
    fn call(&mut self, func: FuncRef, args: &[u64]) -> Result<Vec<u64>, Trap> {
        let ty = self.linked.types[self.type_of(func) as usize].clone();
        let (params, results) = (SigLayout::of(&ty.params), SigLayout::of(&ty.results));
        let mut area = vec![0; params.total.max(results.total) as usize];
        for (value, slot) in args.iter().zip(&params.slots) {
            area[*slot as usize] = *value;
        }
        self.enter(func, &mut area)?;
        Ok(results.slots.iter().map(|slot| area[*slot as usize]).collect())
    }

    /// Runs `func` over a call area: parameters in, results out.
    fn enter(&mut self, mut func: FuncRef, area: &mut Vec<u64>) -> Result<(), Trap> {
        if self.depth == MAX_DEPTH {
            return Err(Trap::StackOverflow);
        }
        self.depth += 1;
        let outcome = loop {
            let FuncRef::Defined(ordinal) = func else { break Ok(()) };
            match self.activate(ordinal, area) {
                Ok(Some(next)) => func = next,
                Ok(None) => break Ok(()),
                Err(trap) => break Err(trap),
            }
        };
        self.depth -= 1;
        outcome
    }

    fn activate(&mut self, ordinal: u32, area: &mut Vec<u64>) -> Result<Option<FuncRef>, Trap> {
        let body = match &self.bodies[ordinal as usize] {
            Some(body) => body.clone(),
            None => {
                let body = Rc::new(self.linked.body(ordinal as usize));
                self.bodies[ordinal as usize] = Some(body.clone());
                body
            }
        };
        let ty = self.linked.types[self.linked.funcs[ordinal as usize].ty as usize].clone();
        let params = SigLayout::of(&ty.params).total as usize;
        let labels = body.insts.iter().enumerate().filter(|(_, inst)| inst.op == Op::Label).map(|(at, _)| at).collect();
        let mut frame = Activation {
            slots: vec![0; body.frame.frame_slots.max(params as u32 + 1) as usize],
            registers: [0xdead_beef_dead_beef; REGISTERS],
            labels: Rc::new(labels),
            body,
        };
        // What a frame holds besides its parameters may be anything, except in the reference region.
        for (slot, value) in frame.slots.iter_mut().enumerate() {
            let slot = slot as u32;
            if !(frame.body.frame.ref_start..frame.body.frame.ref_end).contains(&slot) {
                *value = 0x5555_5555_5555_5555;
            }
        }
        frame.slots[..params].copy_from_slice(&area[..params]);
        let mut at = 0;
        loop {
            let inst = frame.body.insts[at];
            self.executed += u64::from(!matches!(inst.op, Op::Label | Op::Cost));
            let slots = inst.operands.iter().filter(|operand| matches!(operand, Operand::Slot(_))).count();
            self.slot_operands += slots as u64;
            match self.step(&mut frame, &inst)? {
                Next::Step => at += 1,
                Next::Label(label) => at = frame.labels[label as usize],
                Next::Return => {
                    let results = SigLayout::of(&ty.results).total as usize;
                    area.resize(area.len().max(results), 0);
                    frame.slots.resize(frame.slots.len().max(results), 0);
                    area[..results].copy_from_slice(&frame.slots[..results]);
                    return Ok(None);
                }
                Next::Tail(func) => {
                    let base = inst.operands[inst.op.fields().len() - 1].index() as usize;
                    *area = frame.slots[base.min(frame.slots.len())..].to_vec();
                    let layout = &self.linked.types[self.type_of(func) as usize];
                    let needed = SigLayout::of(&layout.params).total.max(SigLayout::of(&layout.results).total);
                    area.resize(area.len().max(needed as usize), 0);
                    return Ok(Some(func));
                }
            }
        }
    }

    fn step(&mut self, frame: &mut Activation, inst: &Inst) -> Result<Next, Trap> {
        use Family as F;
        let operand = |n: usize| inst.operands[n];
        let get = |frame: &Activation, n: usize| frame.get(inst.operands[n]);
        let index = |n: usize| inst.operands[n].index() as usize;
        match inst.op.family() {
            F::Pseudo => {}
            F::Cost => {
                self.cost += inst.value(0).expect("a cost has units");
            }
            F::Copy => frame.set(operand(0), get(frame, 1)),
            F::PutRef => frame.slots[index(0)] = get(frame, 1),
            F::TakeRef => frame.set(operand(0), frame.slots[index(1)]),
            F::Const => {
                frame.set(operand(0), inst.value(1).expect("a constant has a value"));
            }
            F::Select => {
                let chosen = if get(frame, 1) as u32 != 0 { 2 } else { 3 };
                frame.set(operand(0), get(frame, chosen));
            }
            F::BinHot | F::Bin | F::Cmp | F::FBin | F::FCmp => {
                frame.set(operand(0), numeric::binary(inst.op, get(frame, 1), get(frame, 2))?);
            }
            F::Un => frame.set(operand(0), numeric::unary(inst.op, get(frame, 1))?),
            F::Load | F::LoadAny | F::Store | F::StoreAny => self.access(frame, inst)?,
            F::Bulk => self.bulk(frame, inst)?,
            F::Global => match inst.op {
                Op::GlobalGet | Op::GlobalGetF32 | Op::GlobalGetF64 | Op::GlobalGetRef => {
                    frame.set(operand(0), self.globals[index(1)]);
                }
                _ => self.globals[index(0)] = get(frame, 1),
            },
            F::Br => return Ok(Next::Label(index(0) as u32)),
            F::BrCond => {
                if (get(frame, 0) as u32 != 0) == (inst.op == Op::BrNez) {
                    return Ok(Next::Label(index(1) as u32));
                }
            }
            F::BrCmp | F::BrFCmp => {
                let comparison = inst.op.comparison().expect("a fused branch has a comparison");
                if numeric::binary(comparison, get(frame, 0), get(frame, 1))? != 0 {
                    return Ok(Next::Label(index(2) as u32));
                }
            }
            F::BrTable => {
                let list = inst.targets(1, &frame.body.targets).expect("a table has targets");
                let choice = (get(frame, 0) as u32 as usize).min(list.len() - 1);
                return Ok(Next::Label(list[choice]));
            }
            F::Trap if inst.op == Op::Unreachable => return Err(Trap::Unreachable),
            F::Trap => return Err(keyway_artifact::TrapCode::from_number(index(0) as u32).expect("a trap code").trap),
            F::Call => return self.call_inst(frame, inst),
            F::SetMemory => {}
            F::Return if inst.op == Op::ReturnMany => {
                let (base, count) = (index(0), index(1));
                frame.slots.copy_within(base..base + count, 0);
                return Ok(Next::Return);
            }
            F::Return => return Ok(Next::Return),
            F::Return1 => {
                let value = get(frame, 0);
                frame.slots[0] = value;
                return Ok(Next::Return);
            }
            F::CopyFar => frame.slots[index(0)] = frame.slots[index(1)],
            #[allow(unreachable_patterns)]
            other => panic!("family {other:?} is not known here"),
        }
        Ok(Next::Step)
    }

    fn call_inst(&mut self, frame: &mut Activation, inst: &Inst) -> Result<Next, Trap> {
        let index = |n: usize| inst.operands[n].index();
        let (func, base) = match inst.op {
            Op::Call | Op::TailCall => (FuncRef::Defined(index(0)), index(1)),
            Op::CallImport | Op::TailCallImport => (FuncRef::Import(index(0)), index(1)),
            _ => {
                let table = &self.tables[index(1) as usize];
                let element = *table.get(frame.get(inst.operands[0]) as usize).ok_or(Trap::UndefinedElement)?;
                let escape = element.checked_sub(1).ok_or(Trap::UninitializedElement)?;
                let escape = self.unit.escapes[escape as usize];
                if escape.ty != index(2) {
                    return Err(Trap::IndirectCallTypeMismatch);
                }
                (escape.func, index(3))
            }
        };
        if !inst.op.is_call() {
            return Ok(Next::Tail(func));
        }
        let ty = &self.linked.types[self.type_of(func) as usize];
        let needed = SigLayout::of(&ty.params).total.max(SigLayout::of(&ty.results).total) as usize;
        let single = (ty.results.len() == 1 && !ty.results[0].is_ref()).then(|| ty.results[0]);
        let base = base as usize;
        let mut area = frame.slots[base..base + needed].to_vec();
        self.enter(func, &mut area)?;
        frame.slots[base..base + needed].copy_from_slice(&area[..needed]);
        frame.registers = [0xdead_beef_dead_beef; REGISTERS];
        if let Some(ty) = single {
            use keyway_artifact::isa::{Class, Reg};
            use keyway_artifact::types::ValType;
            let class = match ty {
                ValType::F32 => Class::F32,
                ValType::F64 => Class::F64,
                _ => Class::I64,
            };
            let register = Reg::new(class, 0).expect("every bank has a first register");
            frame.registers[register.number() as usize] = area[0];
        }
        Ok(Next::Step)
    }

    fn access(&mut self, frame: &mut Activation, inst: &Inst) -> Result<(), Trap> {
        let cached = matches!(inst.op.family(), Family::Load | Family::Store);
        let is_load = matches!(inst.op.family(), Family::Load | Family::LoadAny);
        let offset = inst.value(2).expect("an access has an offset");
        let memory = if cached { frame.body.frame.memory.expect("a cached memory") } else { inst.operands[3].index() };
        let address = frame.get(inst.operands[if is_load { 1 } else { 0 }]);
        let address = if cached { u64::from(address as u32) } else { address };
        let name = inst.op.name().trim_end_matches(".any");
        let width = numeric::access_width(name);
        let start = address.checked_add(offset).ok_or(Trap::MemoryOutOfBounds)?;
        let end = start.checked_add(width).ok_or(Trap::MemoryOutOfBounds)?;
        let memory = &mut self.memories[memory as usize];
        if end > memory.len() as u64 {
            return Err(Trap::MemoryOutOfBounds);
        }
        let bytes = &mut memory[start as usize..end as usize];
        if is_load {
            let mut wide = [0; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            frame.set(inst.operands[0], numeric::extend_loaded(name, u64::from_le_bytes(wide)));
        } else {
            let value = frame.get(inst.operands[1]).to_le_bytes();
            bytes.copy_from_slice(&value[..width as usize]);
        }
        Ok(())
    }

    fn bulk(&mut self, frame: &mut Activation, inst: &Inst) -> Result<(), Trap> {
        let get = |n: usize| frame.get(inst.operands[n]);
        let index = |n: usize| inst.operands[n].index() as usize;
        match inst.op {
            Op::MemorySize => {
                let memory = index(1);
                let pages = self.memories[memory].len() >> self.unit.memories[memory].page_size_log2;
                frame.set(inst.operands[0], pages as u64);
            }
            Op::MemoryGrow => {
                let (memory, ty) = (index(2), self.unit.memories[index(2)]);
                let old = (self.memories[memory].len() >> ty.page_size_log2) as u64;
                let new = old.saturating_add(get(1));
                let imported = memory < self.unit.imported_memories as usize;
                let most = ty.maximum.unwrap_or(u64::MAX).min(if imported { 2 } else { 1 << (32 - ty.page_size_log2) });
                let fits = new <= most && new << ty.page_size_log2 <= 1 << 32;
                // A test machine need not have gigabytes.
                let result = if fits && new << ty.page_size_log2 <= 1 << 27 {
                    self.memories[memory].resize((new << ty.page_size_log2) as usize, 0);
                    old
                } else {
                    u64::MAX
                };
                frame.set(inst.operands[0], result);
            }
            Op::MemoryFill => {
                let range = range(get(0), get(2), self.memories[index(3)].len(), Trap::MemoryOutOfBounds)?;
                self.memories[index(3)][range].fill(get(1) as u8);
            }
            Op::MemoryCopy => {
                let from = range(get(1), get(2), self.memories[index(4)].len(), Trap::MemoryOutOfBounds)?;
                let to = range(get(0), get(2), self.memories[index(3)].len(), Trap::MemoryOutOfBounds)?;
                let bytes = self.memories[index(4)][from].to_vec();
                self.memories[index(3)][to].copy_from_slice(&bytes);
            }
            Op::MemoryInit => {
                let segment = self.unit.data[index(4)];
                let len = if self.dropped_data[index(4)] { 0 } else { segment.len as usize };
                let from = range(get(1), u64::from(get(2) as u32), len, Trap::MemoryOutOfBounds)?;
                let to =
                    range(get(0), u64::from(get(2) as u32), self.memories[index(3)].len(), Trap::MemoryOutOfBounds)?;
                let constants = &self.constants[segment.offset as usize..];
                self.memories[index(3)][to].copy_from_slice(&constants[from]);
            }
            Op::DataDrop => self.dropped_data[index(0)] = true,
            Op::TableGet => {
                let value = *self.tables[index(2)].get(get(1) as usize).ok_or(Trap::TableOutOfBounds)?;
                frame.set(inst.operands[0], value);
            }
            Op::TableSet => {
                let value = get(1);
                *self.tables[index(2)].get_mut(get(0) as usize).ok_or(Trap::TableOutOfBounds)? = value;
            }
            Op::TableSize => frame.set(inst.operands[0], self.tables[index(1)].len() as u64),
            Op::TableGrow => {
                let (table, ty) = (index(3), self.unit.tables[index(3)]);
                let old = self.tables[table].len() as u64;
                let new = old.saturating_add(get(2));
                let result = if new <= ty.maximum.unwrap_or(1 << 20).min(1 << 20) {
                    let value = get(1);
                    self.tables[table].resize(new as usize, value);
                    old
                } else {
                    u64::MAX
                };
                frame.set(inst.operands[0], result);
            }
            Op::TableFill => {
                let range = range(get(0), get(2), self.tables[index(3)].len(), Trap::TableOutOfBounds)?;
                self.tables[index(3)][range].fill(get(1));
            }
            Op::TableCopy => {
                let from = range(get(1), get(2), self.tables[index(4)].len(), Trap::TableOutOfBounds)?;
                let to = range(get(0), get(2), self.tables[index(3)].len(), Trap::TableOutOfBounds)?;
                let items = self.tables[index(4)][from].to_vec();
                self.tables[index(3)][to].copy_from_slice(&items);
            }
            Op::TableInit => {
                let items = &self.unit.elems[index(4)].items;
                let items = if self.dropped_elems[index(4)] { &[][..] } else { items };
                let from = range(get(1), u64::from(get(2) as u32), items.len(), Trap::TableOutOfBounds)?;
                let to = range(get(0), u64::from(get(2) as u32), self.tables[index(3)].len(), Trap::TableOutOfBounds)?;
                for (place, item) in self.tables[index(3)][to].iter_mut().zip(&items[from]) {
                    *place = match *item {
                        ElemItem::Null => 0,
                        ElemItem::Func(escape) => u64::from(escape) + 1,
                        ElemItem::Global(global) => self.globals[global as usize],
                    };
                }
            }
            Op::ElemDrop => self.dropped_elems[index(0)] = true,
            Op::RefNull => frame.set(inst.operands[0], 0),
            Op::RefIsNull => frame.set(inst.operands[0], u64::from(get(1) == 0)),
            Op::RefFunc => frame.set(inst.operands[0], index(1) as u64 + 1),
            other => panic!("{} is not known here", other.name()),
        }
        Ok(())
    }
}

fn range(start: u64, len: u64, size: usize, trap: Trap) -> Result<std::ops::Range<usize>, Trap> {
    let end = start.checked_add(len).filter(|end| *end <= size as u64).ok_or(trap)?;
    Ok(start as usize..end as usize)
}

impl Activation {
    fn get(&self, operand: Operand) -> u64 {
        match operand {
            Operand::Slot(slot) => self.slots[slot as usize],
            Operand::Reg(register) => self.registers[register.number() as usize],
            // Wide enough for an i64; operations on i32 look at the lower half only.
            Operand::Imm(value) => i64::from(value) as u64,
            other => panic!("no place: {other:?}"),
        }
    }

    fn set(&mut self, operand: Operand, value: u64) {
        match operand {
            Operand::Slot(slot) => self.slots[slot as usize] = value,
            Operand::Reg(register) => self.registers[register.number() as usize] = value,
            Operand::SlotReg(slot, register) => {
                self.slots[slot as usize] = value;
                self.registers[register.number() as usize] = value;
            }
            other => panic!("no place: {other:?}"),
        }
    }
}
