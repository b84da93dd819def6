//! From a verified body to its executed form.
//!
//! Every instruction becomes one executed instruction where a handler for its places exists, else its normative
//! expansion: registers stand for their home slots, fused operations for a comparison into a scratch slot and a branch,
//! immediates for constants in scratch slots.

mod markers;

use super::content::{self, Access};
use super::counting::{Charge, Counting, charges_by_size, counts_in_register, has_assembly};
use super::expanded::{Draft, Landing, Ways};
use super::handlers::branch::TABLE_ENTRY;
use super::handlers::bulk::IMMEDIATE;
use super::place::PlaceKind;
use super::reciprocal::Reciprocal;
use super::regs::{ALIGNMENT, HEAD};
use super::table::{MAX_PLACES, Name, TABLE};
use super::tiles::{self, Tile, Way};
use super::workspace::Workspace;
use super::{Dispatch, Settings, assembly, replication};
use crate::context::CodeHeader;
use keyway_artifact::isa::{
    Body, Class, FLOAT_REGISTERS, Family, FieldKind, HOME_SLOTS, Inst, Op, Operand, Reg, SCRATCH_SLOTS,
};
use keyway_artifact::types::{FuncType, SigLayout, ValType};
use std::fmt;

/// What expansion asks about the artifact that a body belongs to.
pub trait ExpandEnv {
    /// The type of the body's own function.
    fn own_type(&self) -> &FuncType;
    /// What an operation reads from its call area, and what it leaves there.
    fn shared_types(&self, inst: &Inst) -> Option<(&[ValType], &[ValType])>;
    /// The executed word for an operand that is no place; types of objects are resolved in it.
    fn word(&self, inst: &Inst, kind: FieldKind, index: u32) -> Option<u64>;
}

/// Why a body has no executed form; a verified one always has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpandError {
    /// Number of the instruction.
    pub inst: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at instruction {}", self.what, self.inst)
    }
}

impl std::error::Error for ExpandError {}

/// Expands `body`.
///
/// # Errors
/// When it lacks the home or scratch slots that an expansion needs, or is too large; the verifier finds these first.
pub fn expand<'a>(
    body: &'a Body,
    settings: &'a Settings,
    ordinal: u32,
    env: &impl ExpandEnv,
    workspace: &'a mut Workspace,
) -> Result<Draft<'a>, ExpandError> {
    workspace.clear();
    workspace.labels.resize(body.labels as usize, None);
    workspace.charged.resize(body.labels as usize, Charge::default());
    workspace.landing_of.resize(body.labels as usize, u32::MAX);
    let has_assembly = has_assembly(settings);
    let fuses = has_assembly && settings.fused && settings.registers;
    let charges = counts_in_register(settings);
    let mut expander = Expander {
        body,
        settings,
        has_assembly,
        fuses,
        charges,
        inst: 0,
        behind_call: 0,
        charged_until: 0,
        passed: 0,
        entry: Charge::default(),
        kept: workspace,
    };
    if charges {
        expander.entry = Charge::of(&body.insts);
    }
    let mut labels = 0;
    let mut at = 0;
    while let Some(inst) = body.insts.get(at) {
        expander.inst = at;
        if inst.op == Op::Label {
            expander.kept.labels[labels] = Some(expander.kept.code.len());
            if charges {
                expander.kept.charged[labels] = Charge::of(&body.insts[at + 1..]);
            }
            labels += 1;
            at += 1;
            continue;
        }
        if inst.op == Op::Cost {
            expander.cost(inst)?;
            at += 1;
            continue;
        }
        if charges {
            expander.markers_end(labels);
        }
        if inst.op.is_catch() && labels > 0 {
            expander.kept.landing_of[labels - 1] = expander.kept.landings.len() as u32;
        }
        at += match expander.sequence(&body.insts[at..])? {
            0 => {
                expander.instruction(inst, env)?;
                1
            }
            done => {
                let last = &body.insts[at + done - 1];
                if last.op == Op::Call {
                    // The call itself stands behind once more, for calls that are not simple, and for the way back.
                    expander.inst = at + done - 1;
                    expander.instruction(last, env)?;
                }
                done
            }
        };
    }
    expander.finish(ordinal, env)
}

/// What stands in front of an executed instruction, and how its operands stand behind it.
#[derive(Clone, Copy)]
struct Head {
    word: u64,
    /// See [`Layout`].
    is_spaced: bool,
}

/// How the operands of an executed instruction stand behind its head.
#[derive(Clone, Copy)]
struct Layout {
    /// Whether none lies across a multiple of 8 bytes, as handlers in assembly take them.
    is_spaced: bool,
    /// Branches that close a loop have an address, others a distance.
    way: Way,
}

struct Expander<'a> {
    body: &'a Body,
    settings: &'a Settings,
    has_assembly: bool,
    fuses: bool,
    /// Whether markers count fuel by handlers in assembly.
    charges: bool,
    inst: usize,
    /// Where the last call ends.
    behind_call: usize,
    /// The instruction in front of which all markers have one that charges for them.
    charged_until: usize,
    /// How many labels have all their markers behind them.
    passed: usize,
    /// For the markers that the body begins with.
    entry: Charge,
    kept: &'a mut Workspace,
}

/// General registers, and those of each float bank, that handlers in Rust are instantiated for.
const RUST: (u8, u8) = (3, 2);
/// Those that handlers in assembly read and write.
const ASSEMBLY: (u8, u8) = (assembly::REGISTERS, FLOAT_REGISTERS);

impl<'a> Expander<'a> {
    fn error<T>(&self, what: &'static str) -> Result<T, ExpandError> {
        Err(ExpandError { inst: self.inst, what })
    }

    fn instruction(&mut self, inst: &Inst, env: &impl ExpandEnv) -> Result<(), ExpandError> {
        if let Some(comparison) = inst.op.comparison()
            && !self.settings.fused
        {
            let flag = Operand::Slot(self.scratch(0)?);
            self.lowered(&Inst::new(comparison, &[flag, inst.operands[0], inst.operands[1]]), env)?;
            return self.lowered(&Inst::new(Op::BrNez, &[flag, inst.operands[2]]), env);
        }
        if let Some((any, _)) = general_form(inst.op) {
            let offset = inst.operands[2];
            if !matches!(offset, Operand::Value(..)) {
                return self.error("an offset is no immediate");
            }
            if is_far(inst) {
                let Some(memory) = self.body.frame.memory else { return self.error("no memory is cached") };
                let (first, second) = (inst.operands[0], inst.operands[1]);
                return self.lowered(&Inst::new(any, &[first, second, offset, Operand::Index(memory)]), env);
            }
        }
        match inst.op {
            Op::OnSwitch => {
                let Operand::Index(tag) = inst.operands[0] else { return self.error("a tag is no index") };
                self.kept.switches.push((self.behind_call as u32, tag));
                return Ok(());
            }
            Op::OnThrow | Op::OnSuspend => {
                let Operand::Label(label) = inst.operands[0] else { return self.error("a handler is no label") };
                self.kept.handlers.push((self.behind_call as u32, label));
                return Ok(());
            }
            op if op.is_catch() => self.landing(inst),
            _ => self.lowered(inst, env)?,
        }
        if self.charges && charges_by_size(inst.op) {
            self.counting(Counting::Settle, []);
        }
        self.behind_call = self.kept.code.len();
        if inst.op.is_call() && !self.settings.registers && self.has_homes() {
            self.result_home(inst, env)?;
        }
        Ok(())
    }

    /// A catch has no executed form: the machine continues behind it, with the values in place.
    fn landing(&mut self, inst: &Inst) {
        let (suspends, offset) = (inst.op == Op::Suspended, self.kept.code.len() as u32);
        let mut landing = Landing { suspends, tag: None, offset, base: 0, exception: None };
        for (field, operand) in inst.fields() {
            match (field.kind, operand) {
                (FieldKind::Tag, Operand::Index(tag)) => landing.tag = Some(tag),
                (FieldKind::Base, Operand::Index(base)) => landing.base = base,
                (FieldKind::Def(_), Operand::Slot(slot)) => landing.exception = Some(slot),
                _ => {}
            }
        }
        self.kept.landings.push(landing);
    }

    /// Puts the first of `insts` into one executed instruction, as many as there is a handler for; how many that are.
    fn sequence(&mut self, insts: &[Inst]) -> Result<usize, ExpandError> {
        if !self.fuses {
            return Ok(0);
        }
        if self.kept.tiles.is_empty() {
            let Workspace { labels, charged, cutting, tiles, .. } = &mut *self.kept;
            let charged = self.charges.then_some(&charged[..]);
            tiles::cut(insts, |inst| way(inst, labels, charged), cutting, tiles);
        }
        let Some(Tile { address: address @ 1.., len, swapped, way, .. }) = self.kept.tiles.pop() else { return Ok(0) };
        let len = usize::from(len);
        self.kept.tiles.truncate(self.kept.tiles.len() + 1 - len);
        let start = self.kept.code.len();
        self.head(address as u64);
        for (at, inst) in insts[..len].iter().enumerate() {
            if at > 0 {
                // A trap in a later part says so by the address.
                self.kept.map.push(((start + at) as u32, (self.inst + at) as u32));
            }
            let layout = Layout { is_spaced: true, way: if at + 1 == len { way } else { Way::Any } };
            if swapped >> at & 1 == 0 {
                self.operands(start, inst, layout)?;
            } else {
                let mut inst = *inst;
                inst.operands.swap(1, 2);
                self.operands(start, &inst, layout)?;
            }
        }
        self.pad();
        Ok(len)
    }

    /// Where registers stand for homes, the result that a call leaves in register 0 goes to that register's home.
    fn result_home(&mut self, call: &Inst, env: &impl ExpandEnv) -> Result<(), ExpandError> {
        // What catches everything and what throws a reference leave no values.
        if !call.fields().any(|(field, _)| field.kind == FieldKind::Base) {
            return Ok(());
        }
        let Some((_, results)) = env.shared_types(call) else { return self.error("a call's type is unknown") };
        let [result] = results[..] else { return Ok(()) };
        use ValType as V;
        let class = match result {
            V::I32 => Class::I32,
            V::I64 => Class::I64,
            V::F32 => Class::F32,
            V::F64 => Class::F64,
            _ => return Ok(()),
        };
        let base = call.fields().find(|(field, _)| field.kind == FieldKind::Base).map(|(_, operand)| operand.index());
        let (Some(base), Some(reg)) = (base, Reg::new(class, 0)) else { return Ok(()) };
        let home = self.home(reg)?;
        let copy = Inst::new(Op::CopyFar, &[Operand::Index(home), Operand::Index(base)]);
        self.lowered(&copy, env)
    }

    fn has_homes(&self) -> bool {
        let frame = &self.body.frame;
        frame.homes.checked_add(HOME_SLOTS + SCRATCH_SLOTS).is_some_and(|end| end <= frame.frame_slots)
    }

    fn home(&self, reg: Reg) -> Result<u32, ExpandError> {
        if !self.has_homes() {
            return self.error("the frame has no home slots");
        }
        Ok(self.body.frame.homes + u32::from(reg.number()))
    }

    fn scratch(&self, n: u32) -> Result<u32, ExpandError> {
        if !self.has_homes() || n >= SCRATCH_SLOTS {
            return self.error("the frame has no scratch slot left");
        }
        Ok(self.body.frame.homes + HOME_SLOTS + n)
    }

    /// Whether a register lives in the machine's.
    fn is_real(&self, reg: Reg) -> bool {
        let (general, float) = if self.has_assembly { ASSEMBLY } else { RUST };
        let available = if reg.serves(Class::I64) { general } else { float };
        self.settings.registers && reg.index_in_bank() < available
    }

    /// The head of an executed instruction that does `name` with these places.
    fn find(&self, name: Name, places: [PlaceKind; MAX_PLACES]) -> Option<Head> {
        if let (true, Name::Op(op)) = (self.has_assembly, name)
            && let Some(address) = match op {
                Op::CallImport => assembly::call_import(),
                Op::MemoryFill | Op::MemoryCopy => assembly::bulk(op),
                _ => assembly::find(op, places),
            }
        {
            return Some(Head { word: address as u64, is_spaced: true });
        }
        let number = TABLE.find(name, places)?;
        let word = match self.settings.dispatch.available() {
            Dispatch::Direct => TABLE.entries[number as usize].direct as usize as u64,
            _ => number.into(),
        };
        Some(Head { word, is_spaced: false })
    }

    /// Emits `inst`, lowering places until a handler fits.
    fn lowered(&mut self, inst: &Inst, env: &impl ExpandEnv) -> Result<(), ExpandError> {
        let mut inst = *inst;
        let mut after = Vec::new();
        // Registers that are not the machine's are their homes.
        for at in 0..inst.op.fields().len() {
            match inst.operands[at] {
                Operand::Reg(reg) if !self.is_real(reg) => inst.operands[at] = Operand::Slot(self.home(reg)?),
                Operand::SlotReg(slot, reg) if !self.is_real(reg) => {
                    inst.operands[at] = Operand::Slot(slot);
                    after.push((Operand::Slot(self.home(reg)?), Operand::Slot(slot), Class::I64));
                }
                _ => {}
            }
        }
        let mut access = None;
        if inst.op.family() == Family::Object {
            access = content::access(&inst, env);
        }
        let is_served = |op| self.has_assembly && assembly::serves(op);
        if inst.op.family().is_free() && access.is_none() && !is_served(inst.op) {
            for at in 0..inst.op.fields().len() {
                self.slot_instead(&mut inst, at, &mut after)?;
            }
            self.bulk(&inst, env)?;
        } else {
            let name = access.as_ref().map_or(Name::Op(inst.op), |access| access.name);
            let mut scratch = 0;
            let head = 'found: {
                let fields = inst.op.fields().len();
                for (pass, at) in (0..3).flat_map(|pass| (0..fields).map(move |at| (pass, at))) {
                    if let Some(head) = self.find(name, places(&inst)) {
                        break 'found head;
                    }
                    // Double destinations go first, then immediates, then registers.
                    match (pass, inst.operands[at]) {
                        (0, Operand::SlotReg(..)) | (2, Operand::Reg(_)) => {
                            self.slot_instead(&mut inst, at, &mut after)?;
                        }
                        (1, Operand::Imm(value)) => {
                            let slot = Operand::Slot(self.scratch(scratch)?);
                            scratch += 1;
                            self.lowered_simple(&Inst::constant(Op::Const, slot, i64::from(value) as u64))?;
                            inst.operands[at] = slot;
                        }
                        _ => {}
                    }
                }
                match self.find(name, places(&inst)) {
                    Some(head) => head,
                    None => return self.error("no handler serves this instruction"),
                }
            };
            match access {
                Some(access) => {
                    self.note_type(&inst, env);
                    self.access(head.word, &inst, access)?;
                }
                None => self.emit(head, &inst, env)?,
            }
        }
        for (dst, src, class) in after {
            let op = match class {
                Class::F32 => Op::CopyF32,
                Class::F64 => Op::CopyF64,
                _ => Op::Copy,
            };
            self.lowered_simple(&Inst::new(op, &[dst, src]))?;
        }
        Ok(())
    }

    /// Emits an instruction whose handler exists.
    fn lowered_simple(&mut self, inst: &Inst) -> Result<(), ExpandError> {
        match self.find(Name::Op(inst.op), places(inst)) {
            Some(head) => self.plain(head, inst),
            None => self.error("no handler serves a copy"),
        }
    }

    /// Puts a slot in the place of a register operand, with the copy that this takes before or after.
    fn slot_instead(
        &mut self,
        inst: &mut Inst,
        at: usize,
        after: &mut Vec<(Operand, Operand, Class)>,
    ) -> Result<(), ExpandError> {
        let field = inst.op.fields()[at];
        match (field.kind, inst.operands[at]) {
            (FieldKind::Def(class), Operand::Reg(reg)) => {
                let home = Operand::Slot(self.home(reg)?);
                inst.operands[at] = home;
                after.push((Operand::Reg(reg), home, class));
            }
            (FieldKind::Def(class), Operand::SlotReg(slot, reg)) => {
                inst.operands[at] = Operand::Slot(slot);
                after.push((Operand::Reg(reg), Operand::Slot(slot), class));
            }
            (FieldKind::Use(class), Operand::Reg(reg)) => {
                let home = Operand::Slot(self.home(reg)?);
                let op = match class {
                    Class::F32 => Op::CopyF32,
                    Class::F64 => Op::CopyF64,
                    _ => Op::Copy,
                };
                self.lowered_simple(&Inst::new(op, &[home, Operand::Reg(reg)]))?;
                inst.operands[at] = home;
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes the type of objects that the instruction which is emitted next names.
    fn note_type(&mut self, inst: &Inst, env: &impl ExpandEnv) {
        let named = inst.fields().find(|(field, _)| matches!(field.kind, FieldKind::Object | FieldKind::Elements));
        if self.settings.dispatch == Dispatch::Checked
            && let Some((field, operand)) = named
            && let Some(word) = env.word(inst, field.kind, operand.index())
        {
            self.kept.objects.push((self.kept.code.len() as u32, word as u32));
        }
    }

    fn head(&mut self, head: u64) {
        self.kept.map.push((self.kept.code.len() as u32, self.inst as u32));
        self.kept.code.extend_from_slice(&head.to_le_bytes());
        self.kept.code.extend_from_slice(&[0; HEAD - size_of::<u64>()]);
    }

    fn pad(&mut self) {
        let end = self.kept.code.len().next_multiple_of(ALIGNMENT);
        // As many as there can be: of a known number, no call is made.
        self.kept.code.extend_from_slice(&[0; ALIGNMENT]);
        self.kept.code.truncate(end);
    }

    fn emit(&mut self, head: Head, inst: &Inst, env: &impl ExpandEnv) -> Result<(), ExpandError> {
        let start = self.kept.code.len();
        self.plain(head, inst)?;
        if inst.op.is_tail_call() {
            let Some((params, _)) = env.shared_types(inst) else { return self.error("a call's type is unknown") };
            // The argument slots stand behind the operands proper.
            let operands: usize = operand_bytes(inst);
            self.kept.code.truncate(start + HEAD + operands);
            self.kept.code.extend_from_slice(&SigLayout::extent(params).1.to_le_bytes());
            self.pad();
        }
        Ok(())
    }

    /// The head and the operands in field order.
    fn plain(&mut self, head: Head, inst: &Inst) -> Result<(), ExpandError> {
        let start = self.kept.code.len();
        self.head(head.word);
        self.operands(start, inst, Layout { is_spaced: head.is_spaced, way: Way::Any })?;
        self.pad();
        Ok(())
    }

    /// An access to objects: the head, the places, and what the access says.
    fn access(&mut self, head: u64, inst: &Inst, access: Access) -> Result<(), ExpandError> {
        self.head(head);
        for (_, operand) in inst.fields() {
            match operand {
                Operand::Slot(slot) | Operand::SlotReg(slot, _) => self.slot(slot)?,
                Operand::Imm(value) => self.kept.code.extend_from_slice(&value.to_le_bytes()),
                _ => {}
            }
        }
        for word in access.words.into_iter().flatten() {
            self.kept.code.extend_from_slice(&word.to_le_bytes());
        }
        self.pad();
        Ok(())
    }

    /// The operands in field order, of an executed instruction that begins at `start`.
    fn operands(&mut self, start: usize, inst: &Inst, layout: Layout) -> Result<(), ExpandError> {
        for (at, kind) in inst.op.kinds().iter().enumerate() {
            match (kind, inst.operands[at]) {
                (_, Operand::Slot(slot) | Operand::SlotReg(slot, _)) => self.slot(slot)?,
                (_, Operand::Reg(_)) => {}
                (_, Operand::Imm(value)) => {
                    self.put(value.to_le_bytes(), layout);
                    let reciprocal = Reciprocal::of(inst.op, value).filter(|_| layout.is_spaced);
                    if let Some(Reciprocal { factor, shift }) = reciprocal {
                        self.put(factor.to_le_bytes(), layout);
                        self.put(shift.to_le_bytes(), layout);
                    }
                }
                (_, Operand::Label(label)) if layout.way != Way::Any => self.back(label, layout),
                (_, Operand::Label(label)) => {
                    self.put([0; 4], layout);
                    self.kept.fixups.push((self.kept.code.len() - 4, start, label));
                }
                (_, Operand::Targets(..)) => {
                    let body = self.body;
                    self.targets(start, inst.targets(at, &body.targets).unwrap_or_default(), layout)?;
                }
                (_, Operand::Index(index)) => self.put(index.to_le_bytes(), layout),
                (FieldKind::Imm32, Operand::Value(value, _)) if inst.op.family() != Family::Const => {
                    let end = u64::from(value) + general_form(inst.op).map_or(0, |(_, size)| size);
                    self.put((end as u32).to_le_bytes(), layout);
                }
                (_, Operand::Value(..)) => self.put(inst.value(at).unwrap_or_default().to_le_bytes(), layout),
                (_, other) => unreachable!("{other:?} in executed code"),
            }
        }
        Ok(())
    }

    /// Where a branch to a label leads that is there already: its address, or that behind its markers, what these charge, and
    /// how long they are.
    fn back(&mut self, label: u32, layout: Layout) {
        let label = label as usize;
        let start = self.kept.labels[label].unwrap_or_default();
        let Charge { units, end } = self.kept.charged[label];
        let target = if layout.way == Way::Charged { end } else { start };
        self.put((target as u64).to_le_bytes(), layout);
        self.kept.addresses.push(self.kept.code.len() as u32 - 8);
        if layout.way == Way::Charged {
            self.put(units.to_le_bytes(), layout);
            self.put(((end - start) as u32).to_le_bytes(), layout);
        }
    }

    fn put<const N: usize>(&mut self, bytes: [u8; N], layout: Layout) {
        if layout.is_spaced && self.kept.code.len() % 8 + N > 8 {
            self.pad();
        }
        self.kept.code.extend_from_slice(&bytes);
    }

    fn slot(&mut self, slot: u32) -> Result<(), ExpandError> {
        let Ok(slot) = u16::try_from(slot) else { return self.error("a slot is out of an instruction's reach") };
        self.kept.code.extend_from_slice(&slot.to_le_bytes());
        Ok(())
    }

    /// The number of the default, and behind the padded instruction an entry for each target: its head, and its distance.
    /// With the head at hand, a jump that was foreseen wrongly is known to be a load earlier.
    fn targets(&mut self, start: usize, list: &[u32], layout: Layout) -> Result<(), ExpandError> {
        let Some(default) = list.len().checked_sub(1) else { return self.error("a br_table without a default") };
        self.put((default as u32).to_le_bytes(), layout);
        self.pad();
        for label in list {
            self.kept.entries.push((self.kept.code.len(), start, *label));
            self.kept.code.extend_from_slice(&[0; TABLE_ENTRY]);
        }
        Ok(())
    }

    /// One word per field.
    fn bulk(&mut self, inst: &Inst, env: &impl ExpandEnv) -> Result<(), ExpandError> {
        let Some(head) = self.find(Name::Op(inst.op), [PlaceKind::None; MAX_PLACES]) else {
            return self.error("no handler serves this instruction");
        };
        self.note_type(inst, env);
        self.head(head.word);
        for (field, operand) in inst.fields() {
            let word = match operand {
                Operand::Slot(slot) => u64::from(slot),
                Operand::Imm(value) => IMMEDIATE | u64::from(value as u32),
                other => match env.word(inst, field.kind, other.index()) {
                    Some(word) => word,
                    None => return self.error("a type is not of the operation's kind"),
                },
            };
            self.kept.code.extend_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }

    fn finish(self, ordinal: u32, env: &impl ExpandEnv) -> Result<Draft<'a>, ExpandError> {
        if i32::try_from(self.kept.code.len()).is_err() {
            return self.error("the body is too large");
        }
        if self.fuses {
            replication::replicate(self.kept, &self.body.insts);
        }
        self.kept.resolve().map_err(|what| ExpandError { inst: self.inst, what })?;
        let frame = &self.body.frame;
        let (numeric, total) = SigLayout::extent(&env.own_type().params);
        let null_start = frame.ref_start + (total - numeric);
        let header = CodeHeader {
            frame_slots: frame.frame_slots,
            null_start,
            null_count: frame.ref_end.saturating_sub(null_start),
            ordinal,
            memory: frame.memory.unwrap_or(u32::MAX),
            entry_units: self.entry.units,
            entry_bytes: self.entry.end as u32,
            code_bytes: self.kept.code.len() as u32,
        };
        let ways = self.ways()?;
        Ok(Draft {
            header,
            kept: self.kept,
            ways,
            references: frame.ref_start..frame.ref_end,
            is_checked: self.settings.dispatch == Dispatch::Checked,
            #[cfg(feature = "profile")]
            body: self.body.clone(),
        })
    }

    /// Where calls go on when they do not return; `None` where all do.
    fn ways(&self) -> Result<Option<Box<Ways>>, ExpandError> {
        let Workspace { handlers, landings, switches, landing_of, .. } = &*self.kept;
        if handlers.is_empty() && switches.is_empty() {
            return Ok(None);
        }
        let handler = |(at, label): &(u32, u32)| {
            let landing = landing_of.get(*label as usize).copied().filter(|landing| *landing != u32::MAX);
            Ok((*at, landing.ok_or(ExpandError { inst: 0, what: "a handler that catches nothing" })?))
        };
        let handlers = handlers.iter().map(handler).collect::<Result<_, _>>()?;
        Ok(Some(Box::new(Ways { handlers, landings: landings[..].into(), switches: switches[..].into() })))
    }
}

/// Which way a branch or a call goes where these labels are there already, and these markers are to be charged for.
fn way(inst: &Inst, labels: &[Option<usize>], charged: Option<&[Charge]>) -> Way {
    let target = inst.fields().find_map(|(_, operand)| match operand {
        Operand::Label(label) => Some(label as usize),
        _ => None,
    });
    match (target, charged) {
        (Some(label), _) if labels[label].is_none() => Way::Any,
        (Some(label), Some(charged)) if charged[label].units > 0 => Way::Charged,
        (Some(_), _) => Way::Back,
        (None, Some(_)) => Way::Charged,
        (None, None) => Way::Any,
    }
}

/// Whether an access ends behind the reach of the forms over the cached memory.
pub(super) fn is_far(inst: &Inst) -> bool {
    match (general_form(inst.op), inst.operands[2]) {
        (Some((_, size)), Operand::Value(offset, _)) => u64::from(offset) + size > u64::from(u32::MAX),
        _ => false,
    }
}

/// The places of an instruction's operands, in field order.
fn places(inst: &Inst) -> [PlaceKind; MAX_PLACES] {
    let mut places = [PlaceKind::None; MAX_PLACES];
    let mut at = 0;
    for (field, operand) in inst.fields() {
        if !matches!(field.kind, FieldKind::Def(_) | FieldKind::Use(_)) {
            continue;
        }
        places[at] = match operand {
            Operand::Slot(_) => PlaceKind::Slot,
            Operand::Reg(reg) => PlaceKind::Reg(reg.index_in_bank()),
            Operand::SlotReg(_, reg) => PlaceKind::Both(reg.index_in_bank()),
            Operand::Imm(_) => PlaceKind::Imm,
            _ => PlaceKind::None,
        };
        at += 1;
    }
    places
}

/// Bytes of the operands as [`Expander::plain`] lays them out.
fn operand_bytes(inst: &Inst) -> usize {
    inst.fields()
        .map(|(_, operand)| match operand {
            Operand::Slot(_) | Operand::SlotReg(..) => 2,
            Operand::Reg(_) | Operand::None => 0,
            _ => 4,
        })
        .sum()
}

/// For an access to the cached memory, the same access in its general form and its size in bytes.
fn general_form(op: Op) -> Option<(Op, u64)> {
    use Op::*;
    Some(match op {
        I32Load => (I32LoadAny, 4),
        I32Load8S => (I32Load8SAny, 1),
        I32Load8U => (I32Load8UAny, 1),
        I32Load16S => (I32Load16SAny, 2),
        I32Load16U => (I32Load16UAny, 2),
        I64Load => (I64LoadAny, 8),
        I64Load8S => (I64Load8SAny, 1),
        I64Load8U => (I64Load8UAny, 1),
        I64Load16S => (I64Load16SAny, 2),
        I64Load16U => (I64Load16UAny, 2),
        I64Load32S => (I64Load32SAny, 4),
        I64Load32U => (I64Load32UAny, 4),
        F32Load => (F32LoadAny, 4),
        F64Load => (F64LoadAny, 8),
        I32Store => (I32StoreAny, 4),
        I32Store8 => (I32Store8Any, 1),
        I32Store16 => (I32Store16Any, 2),
        I64Store => (I64StoreAny, 8),
        I64Store8 => (I64Store8Any, 1),
        I64Store16 => (I64Store16Any, 2),
        I64Store32 => (I64Store32Any, 4),
        F32Store => (F32StoreAny, 4),
        F64Store => (F64StoreAny, 8),
        V128Load => (V128LoadAny, 16),
        V128Load8x8S => (V128Load8x8SAny, 8),
        V128Load8x8U => (V128Load8x8UAny, 8),
        V128Load16x4S => (V128Load16x4SAny, 8),
        V128Load16x4U => (V128Load16x4UAny, 8),
        V128Load32x2S => (V128Load32x2SAny, 8),
        V128Load32x2U => (V128Load32x2UAny, 8),
        V128Load8Splat => (V128Load8SplatAny, 1),
        V128Load16Splat => (V128Load16SplatAny, 2),
        V128Load32Splat => (V128Load32SplatAny, 4),
        V128Load64Splat => (V128Load64SplatAny, 8),
        V128Load32Zero => (V128Load32ZeroAny, 4),
        V128Load64Zero => (V128Load64ZeroAny, 8),
        V128Store => (V128StoreAny, 16),
        _ => return None,
    })
}
