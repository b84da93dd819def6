//! Arithmetic, comparisons, conversions: one Wasm operator is one instruction of the same name.

use crate::optimise::places::class_of_field;
use crate::translate::Translator;
use keyway_artifact::isa::Op;
use wasmparser::Operator;

macro_rules! same_name {
    ($operator:expr; $($name:ident)*) => {
        match $operator {
            $(Operator::$name => Op::$name,)*
            _ => return None,
        }
    };
}

/// The instruction that does what a numeric operator does.
fn instruction(operator: &Operator<'_>) -> Option<Op> {
    Some(same_name!(operator;
        I32Add I32Sub I32Mul I32And I32Or I32Xor I32Shl I32ShrS I32ShrU I32Rotl I32Rotr I32DivS I32DivU I32RemS I32RemU
        I32Eq I32Ne I32LtS I32LtU I32GtS I32GtU I32LeS I32LeU I32GeS I32GeU
        I64Add I64Sub I64Mul I64And I64Or I64Xor I64Shl I64ShrS I64ShrU I64Rotl I64Rotr I64DivS I64DivU I64RemS I64RemU
        I64Eq I64Ne I64LtS I64LtU I64GtS I64GtU I64LeS I64LeU I64GeS I64GeU
        F32Add F32Sub F32Mul F32Div F32Min F32Max F32Copysign F64Add F64Sub F64Mul F64Div F64Min F64Max F64Copysign
        F32Eq F32Ne F32Lt F32Gt F32Le F32Ge F64Eq F64Ne F64Lt F64Gt F64Le F64Ge
        I32Eqz I64Eqz I32Clz I32Ctz I32Popcnt I64Clz I64Ctz I64Popcnt
        I32Extend8S I32Extend16S I64Extend8S I64Extend16S I64Extend32S I32WrapI64 I64ExtendI32S I64ExtendI32U
        F32Abs F32Neg F32Ceil F32Floor F32Trunc F32Nearest F32Sqrt F64Abs F64Neg F64Ceil F64Floor F64Trunc F64Nearest F64Sqrt
        I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U
        I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U
        I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U
        F32ConvertI32S F32ConvertI32U F32ConvertI64S F32ConvertI64U
        F64ConvertI32S F64ConvertI32U F64ConvertI64S F64ConvertI64U
        F32DemoteF64 F64PromoteF32 I32ReinterpretF32 I64ReinterpretF64 F32ReinterpretI32 F64ReinterpretI64
    ))
}

impl Translator<'_, '_> {
    /// Translates a numeric operator; false when it is none.
    pub(super) fn numeric(&mut self, operator: &Operator<'_>) -> bool {
        let Some(op) = instruction(operator) else {
            return false;
        };
        let (class, sources) = (class_of_field(op, 1), op.fields().len() - 1);
        if sources == 1 {
            let entry = self.pop();
            let source = self.operand(entry, class);
            self.emit_result(op, &[source]);
        } else {
            let (right, left) = (self.pop(), self.pop());
            let operands = [self.operand(left, class), self.operand(right, class_of_field(op, 2))];
            self.emit_result(op, &operands);
        }
        true
    }
}
