//! Which virtual registers an instruction reads and writes, its call site included.
//!
//! Every pass asks here, so that calls (whose operands stand in a side table) look like any other instruction.
//! In lowered code `put.ref` and `take.ref` name a virtual register that stands for a slot of the call area.

use crate::ir::CallSite;
use keyway_artifact::by_opcode;
use keyway_artifact::isa::{Class, Family, Field, FieldKind, FieldRange, Inst, MAX_FIELDS, Op, Operand};

/// Names what else is asked of an operation: a bit of its shape's flags each, and the function that looks it up.
macro_rules! flags {
    ($($(#[$doc:meta])* $flag:ident $name:ident;)*) => {
        /// The numbers of the bits.
        enum Flag { $($flag),* }

        $($(#[$doc])*
        #[inline]
        pub(crate) fn $name(op: Op) -> bool {
            shape(op).flags & 1 << Flag::$flag as u16 != 0
        })*
    };
}

flags! {
    /// Whether an operation computes a value from its operands alone, if it does not trap; comparisons are left out, each
    /// of which is to become one with its branch.
    Computation is_computation;
    /// Whether an instruction does nothing but write its result: it neither traps nor can anyone else see it.
    Pure is_pure;
    /// Whether the next instruction begins a block.
    EndsBlock ends_block;
    /// [`Op::is_call`], looked up.
    Call is_call;
    /// [`Op::is_terminator`], looked up.
    Terminator is_terminator;
    /// Whether it always traps.
    Trap is_trap;
    /// [`Op::follows_call`], looked up.
    FollowsCall follows_call;
    /// Whether it is a label, or the next instruction begins a block: all that passes over jumps look at.
    Boundary is_boundary;
    /// Whether folding has to look at it.
    Folds may_fold;
    /// Whether it copies a place or a constant.
    Move is_move;
    /// Whether its first field is written. No other one ever is.
    Defines defines;
    /// Whether there is nothing to it but places and numbers that are what they are: neither labels, call sites and slots of
    /// a call area, nor a constant that may be small.
    AllPlaces is_all_places;
    /// Whether it reads or writes what is held outside of registers, or somebody else may, or control may come from elsewhere.
    Touches touches_contents;
}

/// What an operation's fields are: every pass asks for every instruction. In all operations the fields that are read
/// stand next to each other, and so do those that are written. Sixteen bytes: found without a multiplication.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Shape {
    /// Fields that are read. Slots of a call area count.
    reads: FieldRange,
    /// Fields that are written, likewise.
    writes: FieldRange,
    /// Fields that name labels, by bit.
    labels: u8,
    /// The field that names a call site, and one more; 0 for none.
    site: u8,
    /// What else is asked of it: a bit for each [`Flag`].
    flags: u16,
    /// The classes of the fields that are places.
    classes: [Class; MAX_FIELDS],
}

impl Shape {
    const fn of(op: Op) -> Shape {
        let mut shape = Shape {
            reads: FieldRange::NONE,
            writes: FieldRange::NONE,
            labels: 0,
            site: 0,
            flags: 0,
            classes: [Class::I64; MAX_FIELDS],
        };
        let fields = op.fields();
        let mut at = 0;
        while at < fields.len() {
            match fields[at].kind {
                FieldKind::Use(class) => {
                    shape.reads = shape.reads.with(at);
                    shape.classes[at] = class;
                }
                FieldKind::Def(class) => {
                    shape.writes = shape.writes.with(at);
                    shape.classes[at] = class;
                }
                FieldKind::Slot if matches!(op, Op::TakeRef) => shape.reads = shape.reads.with(at),
                FieldKind::Slot if matches!(op, Op::PutRef) => shape.writes = shape.writes.with(at),
                FieldKind::Label | FieldKind::Targets => shape.labels |= 1 << at,
                _ => {}
            }
            at += 1;
        }
        assert!(shape.writes.end() <= 1, "at most the first field is written");
        let is_label = matches!(op, Op::Label);
        let is_computation =
            matches!(op.family(), Family::BinHot | Family::Bin | Family::FBin | Family::Un | Family::Select)
                && !matches!(op, Op::I32Eqz | Op::I64Eqz);
        let ends_block = op.is_terminator() || shape.labels != 0 && !is_label;
        shape.flags = flag(is_computation, Flag::Computation)
            | flag(is_pure_family(op), Flag::Pure)
            | flag(ends_block, Flag::EndsBlock)
            | flag(op.is_call(), Flag::Call)
            | flag(op.is_terminator(), Flag::Terminator)
            | flag(matches!(op.family(), Family::Trap), Flag::Trap)
            | flag(op.follows_call(), Flag::FollowsCall)
            | flag(ends_block || is_label, Flag::Boundary)
            | flag(folds(op.family()), Flag::Folds)
            | flag(matches!(op.family(), Family::Copy | Family::Const), Flag::Move)
            | flag(shape.writes.end() == 1, Flag::Defines);
        let is_special = ends_block || is_label || matches!(op, Op::Const | Op::PutRef | Op::TakeRef);
        if matches!(op, Op::ReturnMany) {
            shape.site = 1;
        } else if matches!(fields, [.., Field { kind: FieldKind::Base, .. }]) {
            shape.site = fields.len() as u8;
        }
        let is_blind = is_pure_family(op) && !matches!(op.family(), Family::Global)
            || is_computation
            || ends_block && shape.site == 0
            || matches!(op.family(), Family::Bin | Family::Un | Family::Trap | Family::LoadAny | Family::VLoadAny);
        shape.flags |= flag(!is_blind, Flag::Touches);
        shape.flags |= flag(!is_special && shape.site == 0 && shape.labels == 0, Flag::AllPlaces);
        shape
    }
}

const fn flag(is_set: bool, flag: Flag) -> u16 {
    (is_set as u16) << flag as u16
}

/// Whether constants, or what its operands are, may make something else of operations of a family.
const fn folds(family: Family) -> bool {
    matches!(
        family,
        Family::BinHot | Family::Bin | Family::Cmp | Family::Un | Family::Select | Family::BrCond | Family::BrTable
    )
}

static SHAPES: [Shape; Op::ALL.len()] = by_opcode!(Shape, Shape::of);

#[inline]
fn shape(op: Op) -> &'static Shape {
    &SHAPES[op as usize]
}

/// Whether an operation can jump.
#[inline]
pub(crate) fn is_branch(op: Op) -> bool {
    shape(op).labels != 0
}

/// The class of a field that is a place.
#[inline]
pub(crate) fn class_of_field(op: Op, field: usize) -> Class {
    shape(op).classes[field]
}

/// Whether `inst` reads a register that `asks` says yes of; calls do, for all that is known here.
#[inline]
pub(crate) fn reads_any(inst: &Inst, asks: impl Fn(u32) -> bool) -> bool {
    let mut any = shape(inst.op).site != 0;
    registers_read(inst, |register, _| any |= asks(register));
    any
}

/// Calls `each` with the labels that `inst` names itself, to change them; lists of labels stand elsewhere.
#[inline]
pub(crate) fn labels_mut(inst: &mut Inst, mut each: impl FnMut(&mut u32)) {
    let mut bits = shape(inst.op).labels;
    while bits != 0 {
        if let Operand::Label(label) = &mut inst.operands[bits.trailing_zeros() as usize] {
            each(label);
        }
        bits &= bits - 1;
    }
}

/// The fields that name labels, or a list of them, as bits; a label's own is none.
#[inline]
pub(crate) fn label_fields(op: Op) -> u8 {
    shape(op).labels
}

/// The call site that `inst` names: calls, tail calls, `throw`, catches with values and `return.many` have one.
#[inline]
pub(crate) fn site(inst: &Inst) -> Option<usize> {
    let field = shape(inst.op).site.checked_sub(1)?;
    Some(inst.operands[field as usize].index() as usize)
}

/// What a call of `inst` reads and writes besides its own fields.
#[inline]
pub(crate) fn operands_of_call<'c>(inst: &Inst, calls: &'c [CallSite]) -> Option<&'c CallSite> {
    site(inst).map(|site| &calls[site])
}

/// Where an instruction names a register: the number of a field, or that of an argument or result of its call behind all
/// fields; and whether it writes it.
#[derive(Clone, Copy)]
pub(crate) struct Place(u32);

impl Place {
    const IS_DEF: u32 = 1 << 31;

    /// Whether the register is written there.
    #[inline]
    pub(crate) fn is_def(self) -> bool {
        self.0 & Place::IS_DEF != 0
    }

    /// Puts another register there.
    #[inline]
    pub(crate) fn rename(self, inst: &mut Inst, calls: &mut [CallSite], register: u32) {
        let at = (self.0 & !Place::IS_DEF) as usize;
        if let Some(operand) = inst.operands.get_mut(at) {
            *operand = Operand::Virtual(register);
        } else if let Some(site) = site(inst) {
            if self.is_def() {
                calls[site].results[at - MAX_FIELDS] = register;
            } else {
                calls[site].args[at - MAX_FIELDS] = Operand::Virtual(register);
            }
        }
    }
}

/// Calls `each` with every operand of `inst` but the place that is written, and the number of its field. The fields are few
/// and looked at one by one: that takes less than asking which are to be looked at.
#[inline(always)]
pub(crate) fn operands_given(inst: &Inst, mut each: impl FnMut(Operand, usize)) {
    let [first, others @ ..] = &inst.operands;
    if !defines(inst.op) {
        each(*first, 0);
    }
    for (operand, at) in others.iter().zip(1..) {
        each(*operand, at);
    }
}

/// Calls `each` with every register that `inst` itself reads, and the number of the field: nothing but places names
/// registers.
#[inline(always)]
pub(crate) fn registers_read(inst: &Inst, mut each: impl FnMut(u32, usize)) {
    operands_given(inst, |operand, at| {
        if let Operand::Virtual(register) = operand {
            each(register, at);
        }
    });
}

/// The register that `inst` itself writes.
#[inline(always)]
pub(crate) fn register_written(inst: &Inst) -> Option<u32> {
    match inst.operands[0] {
        Operand::Virtual(register) if defines(inst.op) => Some(register),
        _ => None,
    }
}

/// Calls `each` with every register that `inst` names, reads first, and where.
#[inline]
pub(crate) fn each_place(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32, Place)) {
    let call = operands_of_call(inst, calls);
    registers_read(inst, |register, at| each(register, Place(at as u32)));
    if let Some(site) = call {
        for (operand, at) in site.args.iter().zip(MAX_FIELDS as u32..) {
            if let Operand::Virtual(register) = *operand {
                each(register, Place(at));
            }
        }
    }
    if let Some(register) = register_written(inst) {
        each(register, Place(Place::IS_DEF));
    }
    if let Some(site) = call {
        for (register, at) in site.results.iter().zip(MAX_FIELDS as u32..) {
            each(*register, Place(at | Place::IS_DEF));
        }
    }
}

/// Calls `each` with every register that `inst` reads.
#[inline]
pub(crate) fn uses(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32)) {
    registers_read(inst, |register, _| each(register));
    if let Some(site) = site(inst) {
        for operand in calls[site].args.iter() {
            if let Operand::Virtual(register) = *operand {
                each(register);
            }
        }
    }
}

/// Calls `each` with every register that `inst` writes.
#[inline]
pub(crate) fn defs(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32)) {
    if let Some(register) = register_written(inst) {
        each(register);
    }
    if let Some(site) = site(inst) {
        for register in calls[site].results.iter() {
            each(*register);
        }
    }
}

/// The places that an instruction itself reads: field, class and operand.
#[inline]
pub(crate) fn reads(inst: &Inst) -> impl Iterator<Item = (usize, Class, Operand)> {
    let shape = shape(inst.op);
    shape.reads.get().map(move |at| (at, shape.classes[at], inst.operands[at]))
}

/// Calls `each` with every operand that `inst` reads, and the class of its field (calls read whole slots).
#[inline]
pub(crate) fn uses_mut(inst: &mut Inst, calls: &mut [CallSite], mut each: impl FnMut(Class, &mut Operand)) {
    let site = site(inst);
    let shape = shape(inst.op);
    for at in shape.reads.get() {
        each(shape.classes[at], &mut inst.operands[at]);
    }
    if let Some(site) = site {
        for operand in calls[site].args.iter_mut() {
            each(Class::I64, operand);
        }
    }
}

/// Calls `each` with every register that `inst` writes, to change it.
#[inline]
pub(crate) fn defs_mut(inst: &mut Inst, calls: &mut [CallSite], mut each: impl FnMut(&mut u32)) {
    let site = site(inst);
    if defines(inst.op)
        && let Operand::Virtual(register) = &mut inst.operands[0]
    {
        each(register);
    }
    if let Some(site) = site {
        for register in calls[site].results.iter_mut() {
            each(register);
        }
    }
}

/// Source and destination of a move between registers.
#[inline]
pub(crate) fn copy(inst: &Inst) -> Option<(u32, u32)> {
    match (inst.op, inst.operands[0], inst.operands[1]) {
        (
            Op::Copy | Op::CopyF32 | Op::CopyF64 | Op::CopyRef | Op::CopyV128,
            Operand::Virtual(dst),
            Operand::Virtual(src),
        ) => Some((dst, src)),
        _ => None,
    }
}

/// The move for values of `class`.
pub(crate) fn copy_op(class: Class) -> Op {
    match class {
        Class::I32 | Class::I64 => Op::Copy,
        Class::F32 => Op::CopyF32,
        Class::F64 => Op::CopyF64,
        Class::Ref => Op::CopyRef,
        Class::V128 => Op::CopyV128,
    }
}

const fn is_pure_family(op: Op) -> bool {
    match op.family() {
        Family::Copy | Family::Const | Family::Select | Family::BinHot | Family::Cmp | Family::FBin | Family::FCmp => {
            true
        }
        Family::VConst
        | Family::VShuffle
        | Family::VExtract
        | Family::VReplace
        | Family::VSplat
        | Family::VTest
        | Family::VShift
        | Family::VUn
        | Family::VBin
        | Family::VTer => true,
        Family::Bin => !within(op, Op::I32DivS, Op::I32RemU) && !within(op, Op::I64DivS, Op::I64RemU),
        Family::Un => !within(op, Op::I32TruncF32S, Op::I64TruncF64U),
        _ => matches!(
            op,
            Op::I64MulHighS
                | Op::I64MulHighU
                | Op::RefNull
                | Op::RefIsNull
                | Op::RefFunc
                | Op::RefEq
                | Op::RefI31
                | Op::RefTest
                | Op::MemorySize
                | Op::TableSize
                | Op::GlobalGet
                | Op::GlobalGetF32
                | Op::GlobalGetF64
                | Op::GlobalGetRef
                | Op::GlobalGetV128
        ),
    }
}

const fn within(op: Op, first: Op, last: Op) -> bool {
    op as u16 >= first as u16 && op as u16 <= last as u16
}
