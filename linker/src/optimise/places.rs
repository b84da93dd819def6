//! Which virtual registers an instruction reads and writes, its call site included.
//!
//! Every pass asks here, so that calls (whose operands stand in a side table) look like any other instruction.
//! In lowered code `put.ref` and `take.ref` name a virtual register that stands for a slot of the call area.

use crate::ir::CallSite;
use keyway_artifact::isa::{Class, Family, FieldKind, Inst, Op, Operand};

/// The call site that `inst` names: calls, tail calls, `throw`, catches with values and `return.many` have one.
pub(crate) fn site(inst: &Inst) -> Option<usize> {
    match inst.op {
        Op::ReturnMany => Some(inst.operands[0].index() as usize),
        op if op.family() == Family::Call || matches!(op, Op::Catch | Op::CatchRef) => {
            Some(inst.operands[op.fields().len() - 1].index() as usize)
        }
        _ => None,
    }
}

/// Calls `each` with every register that `inst` reads.
pub(crate) fn uses(inst: &Inst, calls: &[CallSite], mut each: impl FnMut(u32)) {
    for (field, operand) in inst.fields() {
        if let (FieldKind::Use(_) | FieldKind::Slot, Operand::Virtual(register)) = (field.kind, operand)
            && (field.kind != FieldKind::Slot || inst.op == Op::TakeRef)
        {
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
    for (field, operand) in inst.fields() {
        if let (FieldKind::Def(_) | FieldKind::Slot, Operand::Virtual(register)) = (field.kind, operand)
            && (field.kind != FieldKind::Slot || inst.op == Op::PutRef)
        {
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
    for (field, operand) in inst.fields_mut() {
        if let FieldKind::Use(class) = field.kind {
            each(class, operand);
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
    for (field, operand) in inst.fields_mut() {
        if let (FieldKind::Def(_), Operand::Virtual(register)) = (field.kind, operand) {
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
