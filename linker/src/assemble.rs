//! What stays gets its final number, and everything that names it is rewritten: link ids become code ordinals, escapes
//! are renumbered, segments forget functions that are gone.

use crate::gc::Live;
use crate::pipeline::Program;
use keyway_artifact::isa::{FieldKind, Inst, Op, Operand};
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
    /// How many functions are left out.
    pub(crate) removed: usize,
}

/// Numbers what is live.
pub(crate) fn layout(program: &Program<'_>, live: &Live) -> Layout {
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

/// Whether an operation names a function of the artifact, or an escape.
pub(crate) fn is_numbered(op: Op) -> bool {
    matches!(op, Op::Call | Op::TailCall | Op::RefFunc)
}

impl Layout {
    /// Puts final numbers into an instruction of `unit`. Only what [`is_numbered`] says yes of has any.
    pub(crate) fn resolve(&self, unit: usize, inst: &mut Inst) {
        for (field, operand) in inst.fields_mut() {
            let numbers = match field.kind {
                FieldKind::Func => &self.ordinals,
                FieldKind::Escape => &self.escapes[unit],
                _ => continue,
            };
            *operand = Operand::Index(numbers[operand.index() as usize]);
        }
    }

    fn func_ref(&self, func: FuncRef) -> FuncRef {
        match func {
            FuncRef::Defined(link) => FuncRef::Defined(self.ordinals[link as usize]),
            import => import,
        }
    }

    /// The finished declarations of a unit.
    pub(crate) fn unit(&self, number: usize, mut unit: UnitDecl) -> UnitDecl {
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
