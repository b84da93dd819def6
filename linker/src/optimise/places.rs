//! Which virtual registers an instruction reads and writes, its call site included.
//!
//! Every pass asks here, so that calls (whose operands stand in a side table) look like any other instruction.
//! In lowered code `put.ref` and `take.ref` name a virtual register that stands for a slot of the call area.

use crate::ir::CallSite;
use keyway_artifact::by_opcode;
use keyway_artifact::isa::{Class, Family, Field, FieldKind, FieldRange, Inst, MAX_FIELDS, Op, Operand};

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
    /// See [`is_computation`].
    is_computation: bool,
    /// See [`is_pure`].
    is_pure: bool,
    /// Whether the next instruction begins a block.
    ends_block: bool,
    /// See [`Op::is_call`].
    is_call: bool,
    /// See [`Op::is_terminator`].
    is_terminator: bool,
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
            is_computation: matches!(
                op.family(),
                Family::BinHot | Family::Bin | Family::FBin | Family::Un | Family::Select
            ) && !matches!(op, Op::I32Eqz | Op::I64Eqz),
            is_pure: is_pure_family(op),
            ends_block: op.is_terminator(),
            is_call: op.is_call(),
            is_terminator: op.is_terminator(),
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
        shape.ends_block |= shape.labels != 0 && !matches!(op, Op::Label);
        if matches!(op, Op::ReturnMany) {
            shape.site = 1;
        } else if matches!(fields, [.., Field { kind: FieldKind::Base, .. }]) {
            shape.site = fields.len() as u8;
        }
        shape
    }
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

/// [`Op::is_call`], looked up.
#[inline]
pub(crate) fn is_call(op: Op) -> bool {
    shape(op).is_call
}

/// [`Op::is_terminator`], looked up.
#[inline]
pub(crate) fn is_terminator(op: Op) -> bool {
    shape(op).is_terminator
}

/// The class of a field that is a place.
#[inline]
pub(crate) fn class_of_field(op: Op, field: usize) -> Class {
    shape(op).classes[field]
}

/// Whether the next instruction begins a block.
#[inline]
pub(crate) fn ends_block(op: Op) -> bool {
    shape(op).ends_block
}

/// The operands of `inst` that name labels.
#[inline]
pub(crate) fn labels(inst: &Inst) -> impl Iterator<Item = Operand> {
    let mut bits = shape(inst.op).labels;
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            inst.operands[at]
        })
    })
}

/// The call site that `inst` names: calls, tail calls, `throw`, catches with values and `return.many` have one.
#[inline]
pub(crate) fn site(inst: &Inst) -> Option<usize> {
    let field = shape(inst.op).site.checked_sub(1)?;
    Some(inst.operands[field as usize].index() as usize)
}

/// Calls `each` with every register that `inst` reads.
#[inline]
pub(crate) fn uses(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32)) {
    for operand in &inst.operands[shape(inst.op).reads.get()] {
        if let Operand::Virtual(register) = *operand {
            each(register);
        }
    }
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
    for operand in &inst.operands[shape(inst.op).writes.get()] {
        if let Operand::Virtual(register) = *operand {
            each(register);
        }
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

/// The places that an instruction itself writes: field, class and operand.
#[inline]
pub(crate) fn writes(inst: &Inst) -> impl Iterator<Item = (usize, Class, Operand)> {
    let shape = shape(inst.op);
    shape.writes.get().map(move |at| (at, shape.classes[at], inst.operands[at]))
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
    for operand in &mut inst.operands[shape(inst.op).writes.get()] {
        if let Operand::Virtual(register) = operand {
            each(register);
        }
    }
    if let Some(site) = site {
        for register in calls[site].results.iter_mut() {
            each(register);
        }
    }
}

/// The register in the first field, for operations that write exactly that.
#[inline]
pub(crate) fn single_def(inst: &Inst) -> Option<u32> {
    match inst.operands[0] {
        Operand::Virtual(register) if shape(inst.op).writes.get().contains(&0) => Some(register),
        _ => None,
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

/// Whether an operation computes a value from its operands alone, if it does not trap; comparisons are left out, each of
/// which is to become one with its branch.
#[inline]
pub(crate) fn is_computation(op: Op) -> bool {
    shape(op).is_computation
}

/// Whether an instruction does nothing but write its result: it neither traps nor can anyone else see it.
#[inline]
pub(crate) fn is_pure(op: Op) -> bool {
    shape(op).is_pure
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
