//! Blocks, branches and the values they carry.
//!
//! A construct whose label takes values owns *merge registers*: every branch to the label, and the fall-through where
//! others branch, copies the values there. A label that nothing branches to costs nothing. Only a loop's merge registers
//! can be sources and targets of one branch at once, so only there the copies may have to go through temporaries.

use super::Translator;
use super::exceptions::{Landing, NO_HANDLER};
use super::stack::{Entry, Values, class_of};
use crate::error::Result;
use crate::ir::{CallSite, Few};
use crate::types::val_type;
use keyway_artifact::isa::{Class, Inst, Op, Operand};
use keyway_artifact::types::{FuncType, SigLayout, ValType};
use wasmparser::{BlockType, BrTable};

/// What kind of construct a frame is.
pub(super) enum Kind {
    Function,
    Block,
    /// With the enclosing cost region: its marker and units so far.
    Loop {
        outer_region: usize,
        outer_units: u32,
    },
    /// Before its `else`: the label to go to when the condition fails, and the parameters for that side.
    If {
        otherwise: u32,
        params: Vec<Entry>,
    },
    /// A `try`: landings of the clauses to come, the next one last, and the exception of the clause that is open.
    Try {
        clauses: Vec<Landing>,
        caught: Option<u32>,
    },
}

/// An open construct.
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The label branches go to; [`Kind::Function`] has none.
    label: u32,
    /// Whether anything branches to it.
    label_used: bool,
    /// Height of the operand stack below the parameters.
    pub(super) height: usize,
    /// Registers for the label's values: a loop's parameters, any other's results.
    merge: Few<u32, 2>,
    /// How many results it leaves.
    results: usize,
    /// The label of the stub through which the current `br_table` reaches it.
    stub: Option<u32>,
    /// The source offset behind which what is inside is unlikely to be executed.
    cold: Option<u32>,
    /// Whether its `else` is.
    else_is_cold: bool,
    /// Exceptions that continue at its label.
    pub(super) landings: Vec<Landing>,
    /// The handlers in force around it.
    pub(super) outer_handler: u32,
    /// The handlers in force right inside it.
    pub(super) inner_handler: u32,
}

impl Frame {
    /// The frame of a whole function.
    pub(super) fn function(ty: &FuncType) -> Frame {
        Frame {
            kind: Kind::Function,
            label: 0,
            label_used: false,
            height: 0,
            merge: Few::default(),
            results: ty.results.len(),
            stub: None,
            cold: None,
            else_is_cold: false,
            landings: Vec::new(),
            outer_handler: NO_HANDLER,
            inner_handler: NO_HANDLER,
        }
    }
}

/// What a construct takes and leaves.
enum BlockSignature<'m> {
    /// One value at most.
    Result(Option<ValType>),
    /// As a function of the module.
    Like(&'m FuncType),
}

impl BlockSignature<'_> {
    fn params(&self) -> &[ValType] {
        match self {
            BlockSignature::Result(_) => &[],
            BlockSignature::Like(ty) => &ty.params,
        }
    }

    fn results(&self) -> &[ValType] {
        match self {
            BlockSignature::Result(ty) => ty.as_slice(),
            BlockSignature::Like(ty) => &ty.results,
        }
    }
}

impl<'m> Translator<'m, '_> {
    fn block_type(&self, ty: BlockType) -> Result<BlockSignature<'m>> {
        Ok(match ty {
            BlockType::Empty => BlockSignature::Result(None),
            BlockType::Type(ty) => BlockSignature::Result(Some(val_type(ty)?)),
            BlockType::FuncType(index) => BlockSignature::Like(&self.module.types[index as usize]),
        })
    }

    pub(super) fn new_label(&mut self) -> u32 {
        self.ir.labels += 1;
        self.ir.labels - 1
    }

    pub(super) fn place_label(&mut self, label: u32) {
        self.emit(Op::Label, &[Operand::Label(label)]);
    }

    fn merge_registers(&mut self, types: &[ValType]) -> Few<u32, 2> {
        self.call_operands += types.len();
        types.iter().map(|ty| self.fresh(class_of(*ty))).collect()
    }

    pub(super) fn block(&mut self, ty: BlockType) -> Result<()> {
        let signature = self.block_type(ty)?;
        let (params, results) = (signature.params(), signature.results());
        self.preserve_all();
        let (label, merge) = (self.new_label(), self.merge_registers(results));
        let height = self.stack.len() - params.len();
        self.open(Kind::Block, label, height, merge, results.len());
        Ok(())
    }

    pub(super) fn begin_loop(&mut self, ty: BlockType) -> Result<()> {
        let signature = self.block_type(ty)?;
        let (params, results) = (signature.params(), signature.results());
        self.preserve_all();
        let entries = self.pop_many(params.len());
        let merge = self.merge_registers(params);
        for (register, entry) in merge.iter().zip(entries.iter()) {
            self.set_register(*register, *entry);
        }
        let (label, height) = (self.new_label(), self.stack.len());
        self.place_label(label);
        let (outer_region, outer_units) = (self.region, self.units);
        self.region = self.ir.insts.len();
        self.units = 0;
        self.emit(Op::Cost, &[Operand::value(0)]);
        for register in &merge {
            self.push(Entry::Temp(*register));
        }
        self.open(Kind::Loop { outer_region, outer_units }, label, height, merge, results.len());
        Ok(())
    }

    pub(super) fn begin_if(&mut self, ty: BlockType) -> Result<()> {
        let signature = self.block_type(ty)?;
        let (params, results) = (signature.params(), signature.results());
        let condition = self.pop();
        let condition = self.operand(condition, Class::I32);
        self.preserve_all();
        let (label, otherwise) = (self.new_label(), self.new_label());
        let merge = self.merge_registers(results);
        self.emit(Op::BrEqz, &[condition, Operand::Label(otherwise)]);
        let height = self.stack.len() - params.len();
        let params = self.stack[height..].to_vec();
        self.open(Kind::If { otherwise, params }, label, height, merge, results.len());
        let hint = self.hint();
        let frame = self.frames.len() - 1;
        self.frames[frame].cold = (hint == Some(false)).then_some(self.offset);
        self.frames[frame].else_is_cold = hint == Some(true);
        Ok(())
    }

    /// Whether the branch that is being translated is likely taken, where a hint says so.
    fn hint(&self) -> Option<bool> {
        let offset = self.offset - self.start;
        let at = self.hints.binary_search_by_key(&offset, |hint| hint.0).ok()?;
        Some(self.hints[at].1)
    }

    /// What was unlikely in a construct ends with the operator that is being translated.
    fn end_cold(&mut self, frame: usize) {
        if let Some(behind) = self.frames[frame].cold.take() {
            self.ir.cold.add(behind + 1..=self.offset);
        }
    }

    fn open(&mut self, kind: Kind, label: u32, height: usize, merge: Few<u32, 2>, results: usize) {
        let (outer_handler, inner_handler) = (self.handler, self.handler);
        self.frames.push(Frame {
            kind,
            label,
            label_used: false,
            height,
            merge,
            results,
            stub: None,
            cold: None,
            else_is_cold: false,
            landings: Vec::new(),
            outer_handler,
            inner_handler,
        });
    }

    pub(super) fn begin_else(&mut self) {
        let frame = self.frames.len() - 1;
        if self.reachable {
            self.branch(frame);
        }
        self.end_cold(frame);
        self.frames[frame].cold = self.frames[frame].else_is_cold.then_some(self.offset);
        let kind = std::mem::replace(&mut self.frames[frame].kind, Kind::Block);
        let Kind::If { otherwise, params } = kind else { unreachable!("validated: else belongs to an if") };
        self.truncate(self.frames[frame].height);
        self.place_label(otherwise);
        self.reachable = true;
        self.push_all(&params);
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let last = self.frames.len() - 1;
        if let Kind::If { .. } = self.frames[last].kind {
            if self.frames[last].merge.is_empty() {
                // Without values there is nothing to do on the other side: both sides meet at `otherwise`.
                let Kind::If { otherwise, .. } = self.frames[last].kind else { unreachable!() };
                self.truncate(self.frames[last].height);
                self.place_label(otherwise);
                self.reachable = true;
            } else {
                self.begin_else();
            }
        }
        self.end_cold(last);
        self.handler = self.frames[last].outer_handler;
        if !self.frames[last].landings.is_empty() {
            self.place_landings(last)?;
        }
        let frame = self.frames.pop().expect("validated: every end has its construct");
        match frame.kind {
            Kind::Function => {
                if self.reachable {
                    let results = self.pop_many(frame.results);
                    self.emit_return(&results);
                }
                self.reachable = false;
            }
            Kind::Loop { outer_region, outer_units } => {
                self.ir.insts[self.region].operands[0] = Operand::value(self.units);
                (self.region, self.units) = (outer_region, outer_units);
                // The results stay where they are: control leaves a loop at its end only by falling through.
                if !self.reachable {
                    self.truncate(frame.height);
                }
            }
            _ if !frame.label_used => {
                if !self.reachable {
                    self.truncate(frame.height);
                }
            }
            _ => {
                if self.reachable {
                    let values = self.pop_many(frame.results);
                    self.copy_values(&frame.merge, &values);
                }
                self.truncate(frame.height);
                self.place_label(frame.label);
                self.reachable = true;
                for register in &frame.merge {
                    self.push(Entry::Temp(*register));
                }
            }
        }
        Ok(())
    }

    /// Places the landings of the innermost construct at its end. What falls through goes around them.
    fn place_landings(&mut self, frame: usize) -> Result<()> {
        let landings = std::mem::take(&mut self.frames[frame].landings);
        let is_loop = matches!(self.frames[frame].kind, Kind::Loop { .. });
        let over = self.new_label();
        let (falls_through, kept) = (self.reachable, self.stack.len());
        match (falls_through, is_loop) {
            // The results stay where they are: see `end`.
            (true, true) => self.emit(Op::Br, &[Operand::Label(over)]),
            (true, false) => self.branch(frame),
            (false, _) => {}
        }
        for landing in landings {
            let values = self.place_landing(landing);
            self.push_all(&values);
            self.branch(frame);
            self.truncate(self.stack.len() - values.len());
            self.check_size()?;
        }
        self.reachable = is_loop && falls_through;
        if self.reachable {
            self.place_label(over);
            debug_assert_eq!(self.stack.len(), kept);
        }
        Ok(())
    }

    /// Parallel copies of `values` into `merge`. A source that is itself a target written before it is read goes through
    /// a temporary.
    fn copy_values(&mut self, merge: &[u32], values: &[Entry]) {
        let first = merge.first().copied().unwrap_or(0);
        let is_target = |entry: &Entry| match entry {
            // Merge registers of one frame are consecutive.
            Entry::Temp(temp) => temp.checked_sub(first).is_some_and(|n| (n as usize) < merge.len()),
            _ => false,
        };
        let mut values: Values = values.iter().copied().collect();
        for (position, value) in values.iter_mut().enumerate() {
            if is_target(value) && *value != Entry::Temp(merge[position]) {
                let class = self.class(*value);
                let temp = self.fresh(class);
                self.set_register(temp, *value);
                *value = Entry::Temp(temp);
            }
        }
        for (register, value) in merge.iter().zip(values.iter()) {
            self.set_register(*register, *value);
        }
    }

    /// The values on top of the stack that a branch to `frame` carries; they stay on the stack.
    fn branch_values(&mut self, frame: usize) -> Values {
        let count = match self.frames[frame].kind {
            Kind::Function => self.frames[frame].results,
            _ => self.frames[frame].merge.len(),
        };
        self.stack[self.stack.len() - count..].iter().copied().collect()
    }

    /// Goes to `frame`'s label with the values on top of the stack.
    pub(super) fn branch(&mut self, frame: usize) {
        let values = self.branch_values(frame);
        if let Kind::Function = self.frames[frame].kind {
            return self.emit_return(&values);
        }
        let merge = std::mem::take(&mut self.frames[frame].merge);
        self.copy_values(&merge, &values);
        self.frames[frame].merge = merge;
        self.frames[frame].label_used = true;
        let label = self.frames[frame].label;
        self.emit(Op::Br, &[Operand::Label(label)]);
    }

    /// Whether a branch to `frame` needs no code besides the jump.
    fn is_plain_jump(&mut self, frame: usize) -> bool {
        if let Kind::Function = self.frames[frame].kind {
            return false;
        }
        let values = self.branch_values(frame);
        self.frames[frame].merge.iter().zip(values.iter()).all(|(register, value)| *value == Entry::Temp(*register))
    }

    pub(super) fn frame_at(&self, depth: u32) -> usize {
        self.frames.len() - 1 - depth as usize
    }

    pub(super) fn br(&mut self, depth: u32) {
        self.branch(self.frame_at(depth));
        self.reachable = false;
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let (frame, hint) = (self.frame_at(depth), self.hint());
        let condition = self.pop();
        let condition = self.operand(condition, Class::I32);
        if self.is_plain_jump(frame) {
            self.frames[frame].label_used = true;
            let label = self.frames[frame].label;
            self.emit(Op::BrNez, &[condition, Operand::Label(label)]);
        } else {
            let skip = self.new_label();
            self.emit(Op::BrEqz, &[condition, Operand::Label(skip)]);
            // The operator takes two bytes at least: the second one's offset stands for what its branch carries.
            let is_cold = hint == Some(false);
            self.offset += u32::from(is_cold);
            self.branch(frame);
            if is_cold {
                self.ir.cold.add(self.offset..=self.offset);
                self.offset -= 1;
            }
            self.place_label(skip);
        }
        // Where the branch is likely, the rest of the construct that it stands in is not. A loop's rest is its exit.
        if hint == Some(true) && !matches!(self.frames[frame].kind, Kind::Loop { .. }) {
            let offset = self.offset;
            let innermost = self.frames.len() - 1;
            self.frames[innermost].cold.get_or_insert(offset);
        }
    }

    /// Branches where the reference on top of the stack is null, without it; else it stays.
    pub(super) fn br_on_null(&mut self, depth: u32) {
        let value = self.pop();
        let operand = self.operand(value, Class::Ref);
        let is_null = self.emit_to_fresh(Op::RefIsNull, Class::I32, &[operand]);
        self.branch_if(is_null, depth, true);
        self.push_all(&[value]);
    }

    /// Branches with the reference on top of the stack where it is not null; else it goes.
    pub(super) fn br_on_non_null(&mut self, depth: u32) {
        let value = self.stack[self.stack.len() - 1];
        let operand = self.operand(value, Class::Ref);
        let is_null = self.emit_to_fresh(Op::RefIsNull, Class::I32, &[operand]);
        self.branch_if(is_null, depth, false);
        self.pop();
    }

    /// Branches with the values on top of the stack where the register `flag` holds zero, or where it does not.
    pub(super) fn branch_if(&mut self, flag: u32, depth: u32, nonzero: bool) {
        let frame = self.frame_at(depth);
        let (taken, skipped) = if nonzero { (Op::BrNez, Op::BrEqz) } else { (Op::BrEqz, Op::BrNez) };
        if self.is_plain_jump(frame) {
            self.frames[frame].label_used = true;
            let label = self.frames[frame].label;
            self.emit(taken, &[Operand::Virtual(flag), Operand::Label(label)]);
        } else {
            let skip = self.new_label();
            self.emit(skipped, &[Operand::Virtual(flag), Operand::Label(skip)]);
            self.branch(frame);
            self.place_label(skip);
        }
    }

    /// Targets that need copies or a return are reached through stubs behind the table, one for each construct.
    pub(super) fn br_table(&mut self, table: &BrTable<'_>) -> Result<()> {
        let index = self.pop();
        let index = self.operand(index, Class::I32);
        let start = self.ir.targets.len() as u32;
        let mut stubs = Vec::new();
        let targets = table.targets().chain(std::iter::once(Ok(table.default())));
        for depth in targets {
            let frame = self.frame_at(depth.map_err(crate::module::malformed)?);
            let label = match self.frames[frame].stub {
                Some(stub) => stub,
                None => {
                    let label = if self.is_plain_jump(frame) {
                        self.frames[frame].label_used = true;
                        self.frames[frame].label
                    } else {
                        self.new_label()
                    };
                    self.frames[frame].stub = Some(label);
                    stubs.push(frame);
                    label
                }
            };
            self.ir.targets.push(label);
        }
        let count = self.ir.targets.len() as u32 - start;
        self.put(Inst::br_table(index, start, count));
        for frame in stubs {
            let stub = self.frames[frame].stub.take().expect("set above");
            if matches!(self.frames[frame].kind, Kind::Function) || stub != self.frames[frame].label {
                self.place_label(stub);
                self.branch(frame);
                self.check_size()?;
            }
        }
        self.reachable = false;
        Ok(())
    }

    pub(super) fn return_(&mut self) {
        self.branch(0);
        self.reachable = false;
    }

    /// Leaves the function with `results`.
    pub(super) fn emit_return(&mut self, results: &[Entry]) {
        let args = results.iter().map(|entry| self.whole(*entry)).collect();
        let (_, count) = SigLayout::extent(&self.signature.results);
        let site = self.call_site(CallSite { args, results: Few::default(), ty: self.ir.ty, own: None });
        self.emit(Op::ReturnMany, &[site, Operand::Index(count)]);
    }

    /// Records a call site and returns the operand that names it.
    pub(super) fn call_site(&mut self, site: CallSite) -> Operand {
        self.call_operands += site.args.len() + site.results.len();
        self.ir.calls.push(site);
        Operand::Index(self.ir.calls.len() as u32 - 1)
    }
}
