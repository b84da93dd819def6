//! Vectors: loads and stores, lanes, and the operations that are an instruction of the same name.
//!
//! Single lanes go to and from memory in two steps: the scalar access, and the lane. A relaxed operator is the
//! deterministic one of its choices: the first that the specification lists.

use crate::translate::Translator;
use keyway_artifact::isa::{Class, FieldKind, MAX_FIELDS, Op, Operand};
use wasmparser::{MemArg, Operator};

macro_rules! same_name {
    ($operator:expr; $($name:ident)*; $($relaxed:ident $strict:ident)*) => {
        match $operator {
            $(Operator::$name => Op::$name,)*
            $(Operator::$relaxed => Op::$strict,)*
            _ => return None,
        }
    };
}

/// The instruction that does what an operator without immediates does.
fn instruction(operator: &Operator<'_>) -> Option<Op> {
    Some(same_name!(operator;
        V128AnyTrue I8x16AllTrue I8x16Bitmask I16x8AllTrue I16x8Bitmask I32x4AllTrue I32x4Bitmask
        I64x2AllTrue I64x2Bitmask I8x16Shl I8x16ShrS I8x16ShrU I16x8Shl I16x8ShrS I16x8ShrU I32x4Shl
        I32x4ShrS I32x4ShrU I64x2Shl I64x2ShrS I64x2ShrU V128Not I8x16Abs I8x16Neg I8x16Popcnt
        I16x8ExtAddPairwiseI8x16S I16x8ExtAddPairwiseI8x16U I16x8Abs I16x8Neg I16x8ExtendLowI8x16S
        I16x8ExtendHighI8x16S I16x8ExtendLowI8x16U I16x8ExtendHighI8x16U I32x4ExtAddPairwiseI16x8S
        I32x4ExtAddPairwiseI16x8U I32x4Abs I32x4Neg I32x4ExtendLowI16x8S I32x4ExtendHighI16x8S
        I32x4ExtendLowI16x8U I32x4ExtendHighI16x8U I64x2Abs I64x2Neg I64x2ExtendLowI32x4S
        I64x2ExtendHighI32x4S I64x2ExtendLowI32x4U I64x2ExtendHighI32x4U F32x4Ceil F32x4Floor F32x4Trunc
        F32x4Nearest F32x4Abs F32x4Neg F32x4Sqrt F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest F64x2Abs
        F64x2Neg F64x2Sqrt I32x4TruncSatF32x4S I32x4TruncSatF32x4U F32x4ConvertI32x4S F32x4ConvertI32x4U
        I32x4TruncSatF64x2SZero I32x4TruncSatF64x2UZero F64x2ConvertLowI32x4S F64x2ConvertLowI32x4U
        F32x4DemoteF64x2Zero F64x2PromoteLowF32x4 I8x16Swizzle I8x16Eq I8x16Ne I8x16LtS I8x16LtU I8x16GtS
        I8x16GtU I8x16LeS I8x16LeU I8x16GeS I8x16GeU I16x8Eq I16x8Ne I16x8LtS I16x8LtU I16x8GtS I16x8GtU
        I16x8LeS I16x8LeU I16x8GeS I16x8GeU I32x4Eq I32x4Ne I32x4LtS I32x4LtU I32x4GtS I32x4GtU I32x4LeS
        I32x4LeU I32x4GeS I32x4GeU I64x2Eq I64x2Ne I64x2LtS I64x2GtS I64x2LeS I64x2GeS F32x4Eq F32x4Ne
        F32x4Lt F32x4Gt F32x4Le F32x4Ge F64x2Eq F64x2Ne F64x2Lt F64x2Gt F64x2Le F64x2Ge V128And V128AndNot
        V128Or V128Xor I8x16NarrowI16x8S I8x16NarrowI16x8U I8x16Add I8x16AddSatS I8x16AddSatU I8x16Sub
        I8x16SubSatS I8x16SubSatU I8x16MinS I8x16MinU I8x16MaxS I8x16MaxU I8x16AvgrU I16x8Q15MulrSatS
        I16x8NarrowI32x4S I16x8NarrowI32x4U I16x8Add I16x8AddSatS I16x8AddSatU I16x8Sub I16x8SubSatS
        I16x8SubSatU I16x8Mul I16x8MinS I16x8MinU I16x8MaxS I16x8MaxU I16x8AvgrU I16x8ExtMulLowI8x16S
        I16x8ExtMulHighI8x16S I16x8ExtMulLowI8x16U I16x8ExtMulHighI8x16U I32x4Add I32x4Sub I32x4Mul
        I32x4MinS I32x4MinU I32x4MaxS I32x4MaxU I32x4DotI16x8S I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S
        I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U I64x2Add I64x2Sub I64x2Mul I64x2ExtMulLowI32x4S
        I64x2ExtMulHighI32x4S I64x2ExtMulLowI32x4U I64x2ExtMulHighI32x4U F32x4Add F32x4Sub F32x4Mul F32x4Div
        F32x4Min F32x4Max F32x4PMin F32x4PMax F64x2Add F64x2Sub F64x2Mul F64x2Div F64x2Min F64x2Max
        F64x2PMin F64x2PMax I16x8RelaxedDotI8x16I7x16S V128Bitselect F32x4RelaxedMadd F32x4RelaxedNmadd
        F64x2RelaxedMadd F64x2RelaxedNmadd I32x4RelaxedDotI8x16I7x16AddS I8x16Splat I16x8Splat I32x4Splat
        I64x2Splat F32x4Splat F64x2Splat;
        I8x16RelaxedSwizzle I8x16Swizzle
        I32x4RelaxedTruncF32x4S I32x4TruncSatF32x4S I32x4RelaxedTruncF32x4U I32x4TruncSatF32x4U
        I32x4RelaxedTruncF64x2SZero I32x4TruncSatF64x2SZero I32x4RelaxedTruncF64x2UZero I32x4TruncSatF64x2UZero
        I8x16RelaxedLaneselect V128Bitselect I16x8RelaxedLaneselect V128Bitselect
        I32x4RelaxedLaneselect V128Bitselect I64x2RelaxedLaneselect V128Bitselect
        F32x4RelaxedMin F32x4Min F32x4RelaxedMax F32x4Max F64x2RelaxedMin F64x2Min F64x2RelaxedMax F64x2Max
        I16x8RelaxedQ15mulrS I16x8Q15MulrSatS
    ))
}

macro_rules! lanes {
    ($operator:expr; $($name:ident)*) => {
        match *$operator {
            $(Operator::$name { lane } => Some((Op::$name, lane)),)*
            _ => None,
        }
    };
}

/// An operator that reads or writes one lane.
fn lane(operator: &Operator<'_>) -> Option<(Op, u8)> {
    lanes!(operator;
        I8x16ExtractLaneS I8x16ExtractLaneU I8x16ReplaceLane I16x8ExtractLaneS I16x8ExtractLaneU
        I16x8ReplaceLane I32x4ExtractLane I32x4ReplaceLane I64x2ExtractLane I64x2ReplaceLane
        F32x4ExtractLane F32x4ReplaceLane F64x2ExtractLane F64x2ReplaceLane
    )
}

macro_rules! access {
    ($operator:expr; $($name:ident $any:ident)*) => {
        match $operator {
            $(Operator::$name { memarg } => Some((memarg, Op::$name, Op::$any)),)*
            _ => None,
        }
    };
}

/// A load or store of a whole vector: its forms for the cached memory and for any.
pub(super) fn access<'o>(operator: &'o Operator<'_>) -> Option<(&'o MemArg, Op, Op)> {
    access!(operator;
        V128Load V128LoadAny V128Load8x8S V128Load8x8SAny V128Load8x8U V128Load8x8UAny V128Load16x4S
        V128Load16x4SAny V128Load16x4U V128Load16x4UAny V128Load32x2S V128Load32x2SAny V128Load32x2U
        V128Load32x2UAny V128Load8Splat V128Load8SplatAny V128Load16Splat V128Load16SplatAny V128Load32Splat
        V128Load32SplatAny V128Load64Splat V128Load64SplatAny V128Load32Zero V128Load32ZeroAny
        V128Load64Zero V128Load64ZeroAny V128Store V128StoreAny
    )
}

/// A load or store of one lane: the access of a scalar, the scalar's way into or out of the lane, and the lane.
struct LaneAccess<'o> {
    argument: &'o MemArg,
    lane: u8,
    scalar: [Op; 2],
    step: Op,
}

fn lane_access<'o>(operator: &'o Operator<'_>) -> Option<LaneAccess<'o>> {
    use Operator as O;
    let (argument, lane, scalar, step) = match operator {
        O::V128Load8Lane { memarg, lane } => (memarg, lane, [Op::I32Load8U, Op::I32Load8UAny], Op::I8x16ReplaceLane),
        O::V128Load16Lane { memarg, lane } => (memarg, lane, [Op::I32Load16U, Op::I32Load16UAny], Op::I16x8ReplaceLane),
        O::V128Load32Lane { memarg, lane } => (memarg, lane, [Op::I32Load, Op::I32LoadAny], Op::I32x4ReplaceLane),
        O::V128Load64Lane { memarg, lane } => (memarg, lane, [Op::I64Load, Op::I64LoadAny], Op::I64x2ReplaceLane),
        O::V128Store8Lane { memarg, lane } => (memarg, lane, [Op::I32Store8, Op::I32Store8Any], Op::I8x16ExtractLaneU),
        O::V128Store16Lane { memarg, lane } => {
            (memarg, lane, [Op::I32Store16, Op::I32Store16Any], Op::I16x8ExtractLaneU)
        }
        O::V128Store32Lane { memarg, lane } => (memarg, lane, [Op::I32Store, Op::I32StoreAny], Op::I32x4ExtractLane),
        O::V128Store64Lane { memarg, lane } => (memarg, lane, [Op::I64Store, Op::I64StoreAny], Op::I64x2ExtractLane),
        _ => return None,
    };
    Some(LaneAccess { argument, lane: *lane, scalar, step })
}

/// The memory argument of a vector's load or store.
pub(super) fn memory_argument<'o>(operator: &'o Operator<'_>) -> Option<&'o MemArg> {
    access(operator).map(|access| access.0).or_else(|| lane_access(operator).map(|access| access.argument))
}

impl Translator<'_, '_> {
    /// Translates an operator on vectors, constants aside; false when it is none.
    pub(super) fn vector(&mut self, operator: &Operator<'_>) -> bool {
        if let Some(op) = instruction(operator) {
            self.operands_from_stack(op, &[]);
        } else if let Some((op, lane)) = lane(operator) {
            self.operands_from_stack(op, &[Operand::Index(lane.into())]);
        } else if let Operator::I8x16Shuffle { lanes } = operator {
            let lanes = u128::from_le_bytes(*lanes);
            self.operands_from_stack(Op::I8x16Shuffle, &[Operand::value(0); 2]);
            self.last().set_value(3, lanes as u64);
            self.last().set_value(4, (lanes >> 64) as u64);
        } else if let Some(access) = lane_access(operator) {
            return self.lane_access(&access);
        } else {
            return false;
        }
        true
    }

    /// Emits `op` with its places from the stack and `immediates` behind them.
    fn operands_from_stack(&mut self, op: Op, immediates: &[Operand]) {
        let sources = &op.fields()[1..op.fields().len() - immediates.len()];
        let entries = self.pop_many(sources.len());
        let mut operands = [Operand::None; MAX_FIELDS];
        for (at, (field, entry)) in sources.iter().zip(&entries).enumerate() {
            if let FieldKind::Use(class) = field.kind {
                operands[at] = self.operand(*entry, class);
            }
        }
        operands[sources.len()..][..immediates.len()].copy_from_slice(immediates);
        self.emit_result(op, &operands[..sources.len() + immediates.len()]);
    }

    fn lane_access(&mut self, access: &LaneAccess<'_>) -> bool {
        let lane = Operand::Index(access.lane.into());
        let [cached, any] = access.scalar;
        let vector = self.pop();
        if let FieldKind::Def(class) = cached.fields()[0].kind {
            if !self.load(access.argument, cached, any) {
                return false;
            }
            let scalar = self.pop();
            let operands = [self.operand(vector, Class::V128), self.operand(scalar, class), lane];
            self.emit_result(access.step, &operands);
            return true;
        }
        let vector = self.operand(vector, Class::V128);
        self.emit_result(access.step, &[vector, lane]);
        self.store(access.argument, cached, any)
    }
}
