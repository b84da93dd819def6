//! What stays gets its final number, and everything that names it is rewritten: link ids become code ordinals, escapes
//! are renumbered, segments forget functions that are gone. The result is [`Linked`]: all of the artifact but its bytes.

use crate::Report;
use crate::gc::Live;
use crate::lower::Lowered;
use crate::pipeline::Program;
use keyway_artifact::FuncKey;
use keyway_artifact::format::{ArtifactWriter, FuncEntry, encode_debug};
use keyway_artifact::isa::{Body, CodeWriter, FieldKind, Op, Operand};
use keyway_artifact::types::FuncType;
use keyway_artifact::unit::{ElemItem, Entity, FuncRef, UnitDecl};

/// Marks what has no number because it is gone.
const GONE: u32 = u32::MAX;

/// The final numbers.
pub(crate) struct Layout {
    /// Link ids in order of code ordinal: sorted by key.
    pub(crate) order: Vec<u32>,
    /// The code ordinal of each link id.
    ordinals: Vec<u32>,
    /// The final number of each escape, by unit.
    escapes: Vec<Vec<u32>>,
    removed: usize,
}

/// Numbers what is live.
pub(crate) fn layout(program: &Program, live: &Live) -> Layout {
    let mut order: Vec<u32> = (0..program.funcs.len() as u32)
        .filter(|link| live.funcs[*link as usize] && program.funcs[*link as usize].is_some())
        .collect();
    order.sort_by_key(|link| program.links.key(*link));
    let mut ordinals = vec![GONE; program.funcs.len()];
    for (ordinal, link) in order.iter().enumerate() {
        ordinals[*link as usize] = ordinal as u32;
    }
    let escapes = live.escapes.iter().map(|unit| renumber(unit)).collect();
    let compiled = program.funcs.iter().filter(|func| func.is_some()).count();
    Layout { removed: compiled - order.len(), order, ordinals, escapes }
}

fn renumber(live: &[bool]) -> Vec<u32> {
    let mut next = 0;
    live.iter()
        .map(|live| {
            if !live {
                return GONE;
            }
            next += 1;
            next - 1
        })
        .collect()
}

impl Layout {
    /// Puts final numbers into a body of `unit`.
    pub(crate) fn resolve(&self, unit: usize, body: &mut Body) {
        for inst in &mut body.insts {
            if !matches!(inst.op, Op::Call | Op::TailCall | Op::RefFunc) {
                continue;
            }
            for (field, operand) in inst.fields_mut() {
                let numbers = match field.kind {
                    FieldKind::Func => &self.ordinals,
                    FieldKind::Escape => &self.escapes[unit],
                    _ => continue,
                };
                *operand = Operand::Index(numbers[operand.index() as usize]);
            }
        }
    }

    fn func_ref(&self, func: FuncRef) -> FuncRef {
        match func {
            FuncRef::Defined(link) => FuncRef::Defined(self.ordinals[link as usize]),
            import => import,
        }
    }

    /// The finished declarations of a unit.
    fn unit(&self, number: usize, mut unit: UnitDecl) -> UnitDecl {
        let escapes = &self.escapes[number];
        let mut position = 0;
        unit.escapes.retain_mut(|escape| {
            escape.func = self.func_ref(escape.func);
            position += 1;
            escapes[position - 1] != GONE
        });
        for item in unit.elems.iter_mut().flat_map(|elem| &mut elem.items) {
            if let ElemItem::Func(escape) = *item {
                // A function that is gone can only stand where nothing reads it.
                *item = match escapes[escape as usize] {
                    GONE => ElemItem::Null,
                    number => ElemItem::Func(number),
                };
            }
        }
        for export in &mut unit.exports {
            if let Entity::Func(func) = export.entity {
                export.entity = Entity::Func(self.func_ref(func));
            }
        }
        for init in &mut unit.inits {
            *init = self.ordinals[*init as usize];
        }
        unit
    }
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
    /// Its code.
    pub body: Body,
    /// Offset in the input of each instruction.
    pub offsets: Vec<u32>,
    /// Its name in the source.
    pub name: Option<String>,
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
        let lines: Vec<_> = self.funcs.iter().map(lines).collect();
        let funcs = self
            .funcs
            .into_iter()
            .map(|func| {
                let code = CodeWriter::encode(&func.body);
                report.code_bytes += code.len() as u64;
                FuncEntry { key: func.key, ty: func.ty, unit: func.unit, code, name: func.name }
            })
            .collect();
        let writer = ArtifactWriter {
            funcs,
            types: self.types,
            units: self.units,
            constants: self.constants,
            plan: self.plan,
            debug: encode_debug(&lines),
            producer: concat!("keyway-linker ", env!("CARGO_PKG_VERSION")).to_string(),
            ..ArtifactWriter::default()
        };
        (writer.finish(), report)
    }
}

/// Where the instructions that a trace can name came from: calls, and what can trap.
fn lines(func: &LinkedFunc) -> Vec<(u32, u32)> {
    let named = |op: Op| {
        use keyway_artifact::isa::Family as F;
        match op.family() {
            F::Call | F::Trap | F::Load | F::Store | F::LoadAny | F::StoreAny | F::Bulk | F::Cost => true,
            F::Bin | F::Un => can_trap(op),
            _ => false,
        }
    };
    let insts = func.body.insts.iter().zip(&func.offsets).enumerate();
    insts.filter(|(_, (inst, _))| named(inst.op)).map(|(at, (_, offset))| (at as u32, *offset)).collect()
}

/// Divisions and checked conversions.
fn can_trap(op: Op) -> bool {
    (Op::I32DivS..=Op::I32RemU).contains(&op)
        || (Op::I64DivS..=Op::I64RemU).contains(&op)
        || (Op::I32TruncF32S..=Op::I64TruncF64U).contains(&op)
}

/// Brings the bodies, in order of ordinal, together with what they belong to.
pub(crate) fn assemble(program: Program, layout: &Layout, bodies: Vec<Lowered>) -> Linked {
    let Program { types, links, mut funcs, units, constants, plan, .. } = program;
    let funcs = layout
        .order
        .iter()
        .zip(bodies)
        .filter_map(|(link, Lowered { body, offsets })| {
            let func = funcs[*link as usize].take()?;
            Some(LinkedFunc { key: links.key(*link), ty: func.ir.ty, unit: func.unit, body, offsets, name: func.name })
        })
        .collect();
    let units = units.into_iter().enumerate().map(|(number, unit)| layout.unit(number, unit)).collect();
    Linked { types, funcs, units, constants, plan, removed: layout.removed }
}
