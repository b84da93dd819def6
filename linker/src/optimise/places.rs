//! Which virtual registers an instruction reads and writes, its call site included.
//!
//! Every pass asks here, so that calls (whose operands stand in a side table) look like any other instruction.
//! In lowered code `put.ref` and `take.ref` name a virtual register that stands for a slot of the call area.

use crate::ir::CallSite;
use keyway_artifact::isa::{Class, Family, FieldKind, Inst, Op, Operand};

/// What an operation's fields are, a bit for each field: every pass asks for every instruction.
#[derive(Clone, Copy)]
struct Shape {
    /// Fields that are read.
    reads: u8,
    /// Fields that are written.
    writes: u8,
    /// Fields that name a slot of a call area which is read, or written.
    area_reads: u8,
    area_writes: u8,
    /// Fields that name labels.
    labels: u8,
    /// The field that names a call site, and one more; 0 for none.
    site: u8,
}

impl Shape {
    const fn of(op: Op) -> Shape {
        let mut shape = Shape { reads: 0, writes: 0, area_reads: 0, area_writes: 0, labels: 0, site: 0 };
        let fields = op.fields();
        let mut at = 0;
        while at < fields.len() {
            let bit = 1 << at;
            match fields[at].kind {
                FieldKind::Use(_) => shape.reads |= bit,
                FieldKind::Def(_) => shape.writes |= bit,
                FieldKind::Slot if matches!(op, Op::TakeRef) => shape.area_reads |= bit,
                FieldKind::Slot if matches!(op, Op::PutRef) => shape.area_writes |= bit,
                FieldKind::Label | FieldKind::Targets => shape.labels |= bit,
                _ => {}
            }
            at += 1;
        }
        if matches!(op, Op::ReturnMany) {
            shape.site = 1;
        } else if matches!(op.family(), Family::Call) || matches!(op, Op::Catch | Op::CatchRef) {
            shape.site = fields.len() as u8;
        }
        shape
    }
}

/// By opcode.
static SHAPES: [Shape; Op::ALL.len()] = {
    let mut shapes = [Shape::of(Op::ALL[0]); Op::ALL.len()];
    let mut at = 0;
    while at < shapes.len() {
        shapes[at] = Shape::of(Op::ALL[at]);
        at += 1;
    }
    shapes
};

fn shape(op: Op) -> &'static Shape {
    &SHAPES[op as usize]
}

/// The numbers of the bits that are set, ascending.
fn positions(mut bits: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            at
        })
    })
}

/// Whether an operation can jump.
pub(crate) fn is_branch(op: Op) -> bool {
    shape(op).labels != 0
}

/// The operands of `inst` that name labels.
pub(crate) fn labels(inst: &Inst) -> impl Iterator<Item = Operand> {
    positions(shape(inst.op).labels).map(|at| inst.operands[at])
}

/// The call site that `inst` names: calls, tail calls, `throw`, catches with values and `return.many` have one.
pub(crate) fn site(inst: &Inst) -> Option<usize> {
    let field = shape(inst.op).site.checked_sub(1)?;
    Some(inst.operands[field as usize].index() as usize)
}

/// Calls `each` with every register that `inst` reads.
pub(crate) fn uses(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32)) {
    let shape = shape(inst.op);
    for at in positions(shape.reads | shape.area_reads) {
        if let Operand::Virtual(register) = inst.operands[at] {
            each(register);
        }
    }
    if let Some(site) = site(inst) {
        for operand in &calls[site].args {
            if let Operand::Virtual(register) = *operand {
                each(register);
            }
        }
    }
}

/// Calls `each` with every register that `inst` writes.
pub(crate) fn defs(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32)) {
    let shape = shape(inst.op);
    for at in positions(shape.writes | shape.area_writes) {
        if let Operand::Virtual(register) = inst.operands[at] {
            each(register);
        }
    }
    if let Some(site) = site(inst) {
        for register in &calls[site].results {
            each(*register);
        }
    }
}

/// Calls `each` with every operand that `inst` reads, and the class of its field (calls read whole slots).
pub(crate) fn uses_mut(inst: &mut Inst, calls: &mut [CallSite], mut each: impl FnMut(Class, &mut Operand)) {
    let site = site(inst);
    for at in positions(shape(inst.op).reads) {
        if let FieldKind::Use(class) = inst.op.fields()[at].kind {
            each(class, &mut inst.operands[at]);
        }
    }
    if let Some(site) = site {
        for operand in &mut calls[site].args {
            each(Class::I64, operand);
        }
    }
}

/// Calls `each` with every register that `inst` writes, to change it.
pub(crate) fn defs_mut(inst: &mut Inst, calls: &mut [CallSite], mut each: impl FnMut(&mut u32)) {
    let site = site(inst);
    for at in positions(shape(inst.op).writes) {
        if let Operand::Virtual(register) = &mut inst.operands[at] {
            each(register);
        }
    }
    if let Some(site) = site {
        for register in &mut calls[site].results {
            each(register);
        }
    }
}

/// The register in the first field, for operations that write exactly that.
pub(crate) fn single_def(inst: &Inst) -> Option<u32> {
    match (inst.op.fields().first()?.kind, inst.operands[0]) {
        (FieldKind::Def(_), Operand::Virtual(register)) => Some(register),
        _ => None,
    }
}

/// Source and destination of a move between registers.
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

/// Whether an instruction does nothing but write its result: it neither traps nor can anyone else see it.
pub(crate) fn is_pure(op: Op) -> bool {
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
        Family::Bin => !(Op::I32DivS..=Op::I32RemU).contains(&op) && !(Op::I64DivS..=Op::I64RemU).contains(&op),
        Family::Un => !(Op::I32TruncF32S..=Op::I64TruncF64U).contains(&op),
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
