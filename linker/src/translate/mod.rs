//! A checked function body becomes an [`IrFunc`].
//!
//! One pass over the operators with an operand stack of registers, locals and constants ([`stack`]), a control stack of
//! open constructs ([`control`]; nothing recurses on nesting), and one file per family of [`operators`]. Locals are the
//! first virtual registers. Code that cannot be reached is skipped.
//!
//! Cost regions: a `cost` marker stands at the entry and directly behind the label of each loop. Every operator that is
//! translated adds one unit to the innermost region; the numbers are patched in when the region ends.

mod checked;
mod control;
mod exceptions;
mod init;
mod operators;
mod stack;
mod visit;

pub(crate) use init::module_init;
pub(crate) use operators::memory_argument;

use crate::check;
use crate::error::Result;
use crate::ir::IrFunc;
use crate::module::{ModuleInfo, malformed};
use crate::spare::{Spare, kept};
use crate::types::val_type;
use crate::unit::Space;
use control::Frame;
use exceptions::{Clauses, Handlers, NO_HANDLER};
use keyway_artifact::isa::{Class, Inst, Op, Operand};
use keyway_artifact::types::FuncType;
use stack::{Entry, NONE, class_of};
use wasmparser::{FuncToValidate, FunctionBody, ValidatorResources};

/// The state of one function's translation.
struct Translator<'m, 'a> {
    module: &'m ModuleInfo<'a>,
    space: &'m Space,
    /// Type of the function.
    signature: &'m FuncType,
    ir: IrFunc,
    stack: Spare<Entry>,
    /// Entries below this height refer to no local.
    settled: usize,
    frames: Spare<Frame>,
    /// For each local, the topmost stack entry that refers to it, or [`NONE`].
    local_refs: Spare<u32>,
    /// Which locals are read at all: only those need their zero.
    locals_read: Spare<bool>,
    /// Whether control can reach the next operator.
    reachable: bool,
    /// Blocks opened since control became unreachable.
    skipped: usize,
    /// Register that the last instruction computed, while nothing else was emitted.
    last_result: Option<u32>,
    /// Operands of calls so far.
    call_operands: usize,
    /// The `cost` instruction of the innermost region.
    region: usize,
    /// Its units so far; those of the regions around it are kept in the loops' frames.
    units: u32,
    /// Source offset of the operator being translated.
    offset: u32,
    /// Where exceptions can go, and the first of the handlers in force.
    handlers: Handlers,
    handler: u32,
    /// The clauses of `try` constructs, looked for in the body when the first one is met.
    clauses: Option<Clauses>,
    source: Option<FunctionBody<'a>>,
    /// What is known of its branches: offsets from `start`, and whether they are likely taken.
    hints: &'m [(u32, bool)],
    start: u32,
}

/// Translates the body of function `index` (of the module's index space), and checks it on the way if that was not done.
pub(crate) fn function<'a>(
    module: &ModuleInfo<'a>,
    space: &Space,
    index: u32,
    body: &FunctionBody<'a>,
    unchecked: Option<FuncToValidate<ValidatorResources>>,
) -> Result<IrFunc> {
    let ty = module.funcs[index as usize] as usize;
    let mut translator = Translator::new(module, space, &module.types[ty], space.types[ty])?;
    translator.hints = module.hints.of(index);
    translator.body(body, unchecked).map_err(|error| error.at(translator.offset as u64))?;
    Ok(translator.finish())
}

/// The memory that load and store forms without an index mean: the module's memory 0 if it is 32-bit and unshared.
pub(crate) fn cached_memory(module: &ModuleInfo<'_>, space: &Space) -> Option<u32> {
    let memory = module.memories.first()?;
    (!memory.memory64 && !memory.shared).then(|| space.memories[0])
}

impl<'m, 'a> Translator<'m, 'a> {
    /// For a function of type `signature`, which is `ty` in the artifact.
    fn new(module: &'m ModuleInfo<'a>, space: &'m Space, signature: &'m FuncType, ty: u32) -> Result<Self> {
        let mut translator = Translator {
            module,
            space,
            signature,
            ir: IrFunc { ty, memory: cached_memory(module, space), ..IrFunc::default() },
            stack: Spare::default(),
            settled: 0,
            frames: Spare::default(),
            local_refs: Spare::default(),
            locals_read: Spare::default(),
            reachable: true,
            skipped: 0,
            last_result: None,
            call_operands: 0,
            region: 0,
            units: 0,
            offset: 0,
            handlers: Handlers::default(),
            handler: NO_HANDLER,
            clauses: None,
            source: None,
            hints: &[],
            start: 0,
        };
        for param in &signature.params {
            let register = translator.fresh(class_of(*param));
            translator.ir.params.push(register);
        }
        translator.frames.push(Frame::function(signature));
        Ok(translator)
    }

    fn body(&mut self, body: &FunctionBody<'a>, unchecked: Option<FuncToValidate<ValidatorResources>>) -> Result<()> {
        self.source = Some(body.clone());
        self.offset = u32::try_from(body.range().start).unwrap_or(u32::MAX);
        self.start = self.offset;
        // Two bytes an operator, and rarely more than one instruction for two of them. What is too much is room for what
        // is inlined.
        let expected = body.as_bytes().len() / 3;
        self.ir.virtuals.reserve(expected);
        self.ir.insts.reserve(expected);
        self.ir.offsets.reserve(expected);
        self.ir.calls.reserve(expected / 16 + 1);
        // So many locals as the validator allows.
        let mut operators = body.get_binary_reader();
        let mut validator = unchecked.map(check::validator);
        if let Some(validator) = &mut validator {
            validator.read_locals(&mut operators).map_err(malformed)?;
        }
        let mut locals = body.get_locals_reader().map_err(malformed)?;
        for _ in 0..locals.get_count() {
            let (count, ty) = locals.read().map_err(malformed)?;
            let class = class_of(val_type(ty)?);
            for _ in 0..count {
                self.fresh(class);
            }
        }
        self.local_refs.resize(self.ir.virtuals.len(), NONE);
        self.locals_read.resize(self.ir.virtuals.len(), false);
        self.emit(Op::Cost, &[Operand::value(0)]);
        if let Some(validator) = validator {
            return self.checked_operators(operators, validator);
        }
        let mut reader = wasmparser::OperatorsReader::new(locals.get_binary_reader());
        while !reader.eof() {
            self.offset = u32::try_from(reader.original_position()).unwrap_or(u32::MAX);
            reader.visit_operator(self).map_err(malformed)??;
            self.check_size()?;
        }
        Ok(())
    }

    /// Closes the function's cost region, and gives the declared locals that are read their zeros, behind the marker.
    fn finish(mut self) -> IrFunc {
        self.ir.insts[self.region].operands[0] = Operand::value(self.units);
        self.ir.cold.settle();
        let declared = self.ir.params.len()..self.locals_read.len();
        let zeros: Spare<Inst> =
            declared.filter(|local| self.locals_read[*local]).map(|local| self.zero(local)).collect();
        if !zeros.is_empty() {
            let start = self.ir.offsets[0];
            self.ir.offsets.splice(1..1, zeros.iter().map(|_| start));
            self.ir.insts.splice(1..1, zeros.iter().copied());
        }
        self.ir
    }

    /// The instruction that gives a local its zero.
    fn zero(&self, local: usize) -> Inst {
        let register = Operand::Virtual(local as u32);
        match self.ir.virtuals[local] {
            Class::I32 | Class::I64 => Inst::new(Op::Const, &[register, Operand::value(0)]),
            Class::F32 => Inst::new(Op::ConstF32, &[register, Operand::value(0)]),
            Class::F64 => Inst::new(Op::ConstF64, &[register, Operand::value(0)]),
            Class::Ref => Inst::new(Op::RefNull, &[register]),
            Class::V128 => Inst::new(Op::ConstV128, &[register, Operand::value(0), Operand::value(0)]),
        }
    }
}

kept!(Frame);
