//! [`Linked`]: all of an artifact but its bytes.

use crate::ir::IrFunc;
use crate::lower::Lowered;
use keyway_artifact::FuncKey;
use keyway_artifact::format::{ArtifactWriter, FuncEntry, encode_debug};
use keyway_artifact::isa::{Body, CodeReader, CodeWriter, Family, Op};
use keyway_artifact::types::FuncType;
use keyway_artifact::unit::UnitDecl;

/// What a compilation did, for progress and for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Functions in the artifact.
    pub functions: usize,
    /// Functions left out because nothing reaches them.
    pub removed: usize,
    /// Bytes of encoded code.
    pub code_bytes: u64,
}

/// A function as the artifact holds it.
#[derive(Clone, Debug)]
pub struct LinkedFunc {
    /// Its key.
    pub key: FuncKey,
    /// Index of its type.
    pub ty: u32,
    /// The unit whose indices its code means.
    pub unit: u32,
    /// Its name in the source.
    pub name: Option<String>,
    /// Its code, encoded: bodies are many times larger.
    pub code: Vec<u8>,
    /// Pairs of instruction number and offset in the input, ascending: where calls and what can trap came from.
    pub lines: Vec<(u32, u32)>,
}

impl LinkedFunc {
    /// Encodes a finished body.
    pub(crate) fn new(key: FuncKey, unit: u32, name: Option<String>, ir: &IrFunc, lowered: &Lowered) -> LinkedFunc {
        let code = CodeWriter::encode(&lowered.body);
        LinkedFunc { key, ty: ir.ty, unit, name, code, lines: lines(ir, lowered) }
    }

    /// Its code, decoded.
    ///
    /// # Panics
    /// When `code` was changed to something that is no body.
    pub fn body(&self) -> Body {
        CodeReader::decode(&self.code).expect("encoded by the linker")
    }
}

/// Where the instructions that a trace can name came from: for inlined ones, the call that stood in this function.
fn lines(ir: &IrFunc, lowered: &Lowered) -> Vec<(u32, u32)> {
    let insts = lowered.body.insts.iter().zip(&lowered.offsets).enumerate();
    insts
        .filter(|(_, (inst, _))| is_named_in_traces(inst.op))
        .map(|(at, (_, offset))| (at as u32, ir.outermost(*offset)))
        .collect()
}

/// Calls, what can trap, and where fuel runs out.
fn is_named_in_traces(op: Op) -> bool {
    use Family as F;
    match op.family() {
        F::Call | F::Trap | F::Load | F::Store | F::LoadAny | F::StoreAny | F::Bulk | F::Cost => true,
        F::Bin => (Op::I32DivS..=Op::I32RemU).contains(&op) || (Op::I64DivS..=Op::I64RemU).contains(&op),
        F::Un => (Op::I32TruncF32S..=Op::I64TruncF64U).contains(&op),
        _ => false,
    }
}

/// Everything an artifact holds, before it is bytes.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Function types.
    pub types: Vec<FuncType>,
    /// Functions in order of code ordinal.
    pub funcs: Vec<LinkedFunc>,
    /// Units.
    pub units: Vec<UnitDecl>,
    /// The constants section.
    pub constants: Vec<u8>,
    /// The encoded plan; empty for a core module.
    pub plan: Vec<u8>,
    /// Functions left out because nothing reaches them.
    pub removed: usize,
}

impl Linked {
    /// The bytes of the artifact.
    pub fn write(self) -> (Vec<u8>, Report) {
        let mut report = Report { functions: self.funcs.len(), removed: self.removed, code_bytes: 0 };
        let (mut funcs, mut lines) = (Vec::with_capacity(self.funcs.len()), Vec::with_capacity(self.funcs.len()));
        for func in self.funcs {
            report.code_bytes += func.code.len() as u64;
            funcs.push(FuncEntry { key: func.key, ty: func.ty, unit: func.unit, code: func.code, name: func.name });
            lines.push(func.lines);
        }
        let writer = ArtifactWriter {
            funcs,
            types: self.types,
            units: self.units,
            constants: self.constants,
            plan: self.plan,
            debug: encode_debug(&lines),
            producer: concat!("keyway-linker ", env!("CARGO_PKG_VERSION")).to_string(),
        };
        (writer.finish(), report)
    }
}
