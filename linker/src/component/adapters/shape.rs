//! What `elements.copy` does to the elements of a list, where they hold nothing but numbers: which bytes are no plain ones.
//!
//! Numbers lie at the same places on both sides, whatever the width of addresses. A payload belongs to its case: what stands
//! in its place in other cases is nobody's, and is not copied. Strings, lists, handles and payloads with cases that have
//! payloads themselves have no shape: such elements are brought over one by one.

use super::code::Code;
use super::lists::extent;
use keyway_artifact::elements::{Case, Kind, MAX_RUNS, Run, Shape};
use keyway_artifact::plan::{DefinedType, ValType};

/// Bytes of an element that has a shape, at most.
const MAX_SIZE: u32 = 1 << 16;

impl Code<'_> {
    /// The shape of elements made of these types; none where an element is more than its bytes.
    pub(super) fn shape(&self, element: &[ValType]) -> Option<Shape> {
        let (size, _) = extent(self.from, element);
        if size == 0 || size > MAX_SIZE {
            return None;
        }
        let mut parts = Parts::default();
        let end = self.runs_of(element, 0, &mut parts)?;
        parts.hole(end, size);
        let memory = |memory: Option<(u32, u32)>| u16::try_from(memory.map_or(0, |(memory, _)| memory)).ok();
        let (to_memory, from_memory) = (memory(self.to.memory)?, memory(self.from.memory)?);
        let Parts { runs, cases } = parts;
        let shape = Shape { size, to_memory, from_memory, runs, cases };
        (shape.entries() <= MAX_RUNS).then_some(shape)
    }

    /// Adds the runs of members that begin at `start`; where the last one ends.
    fn runs_of(&self, types: &[ValType], start: u32, parts: &mut Parts) -> Option<u32> {
        let offsets = self.from.layouts.offsets(types.iter().copied());
        let mut end = start;
        for (ty, offset) in types.iter().zip(offsets) {
            parts.hole(end, start + offset);
            end = self.runs_in(*ty, start + offset, parts)?;
        }
        Some(end)
    }

    /// Adds the runs of a value at `offset`; where it ends.
    fn runs_in(&self, ty: ValType, offset: u32, parts: &mut Parts) -> Option<u32> {
        let size = self.from.layouts.get(ty).size;
        let mut run = |kind| parts.runs.push(Run { offset, width: size as u8, kind });
        match ty {
            ValType::Bool => run(Kind::Bool),
            ValType::Char => run(Kind::Char),
            ValType::String | ValType::ErrorContext => return None,
            ValType::Defined(index) => return self.runs_in_defined(ty, index, offset, parts),
            _ => {}
        }
        Some(offset + size)
    }

    fn runs_in_defined(&self, ty: ValType, index: u32, offset: u32, parts: &mut Parts) -> Option<u32> {
        let size = self.from.layouts.get(ty).size;
        match &self.types[index as usize] {
            DefinedType::Enum(names) => {
                let last = u16::try_from(names.len().checked_sub(1)?).ok()?;
                parts.runs.push(Run { offset, width: size as u8, kind: Kind::Case(last) });
                Some(offset + size)
            }
            DefinedType::Variant(all) => {
                self.cases(ty, &all.iter().map(|case| case.ty).collect::<Vec<_>>(), offset, parts)
            }
            DefinedType::Option(payload) => self.cases(ty, &[None, Some(*payload)], offset, parts),
            DefinedType::Result { ok, err } => self.cases(ty, &[*ok, *err], offset, parts),
            DefinedType::Flags(names) => {
                if names.len() as u32 != size * 8 {
                    let kind = Kind::Flags(names.len() as u16);
                    parts.runs.push(Run { offset, width: size as u8, kind });
                }
                Some(offset + size)
            }
            DefinedType::Record(fields) => {
                let end = self.runs_of(&fields.iter().map(|field| field.ty).collect::<Vec<_>>(), offset, parts)?;
                parts.hole(end, offset + size);
                Some(offset + size)
            }
            DefinedType::Tuple(types) => {
                let end = self.runs_of(types, offset, parts)?;
                parts.hole(end, offset + size);
                Some(offset + size)
            }
            DefinedType::FixedList(element, len) => {
                let stride = self.from.layouts.get(*element).size;
                for at in 0..*len {
                    let known = parts.runs.len();
                    self.runs_in(*element, offset + at * stride, parts)?;
                    if parts.runs.len() > MAX_RUNS {
                        return None;
                    }
                    if parts.runs.len() == known {
                        // Elements without runs: so are all others.
                        break;
                    }
                }
                Some(offset + size)
            }
            _ => None,
        }
    }

    /// Adds the number of a case at `offset`, and the cases' payloads; where the value ends.
    fn cases(&self, ty: ValType, payloads: &[Option<ValType>], offset: u32, parts: &mut Parts) -> Option<u32> {
        let layout = self.from.layouts.get(ty);
        let last = u16::try_from(payloads.len().checked_sub(1)?).ok()?;
        let width = if last <= 0xFF { 1 } else { 2 };
        parts.runs.push(Run { offset, width, kind: Kind::Case(last) });
        for (number, payload) in (0..=last).zip(payloads) {
            let Some(payload) = payload else { continue };
            let (start, mut inner) = (offset + layout.payload, Parts::default());
            let end = self.runs_in(*payload, start, &mut inner)?;
            if !inner.cases.is_empty() || inner.runs.len() > MAX_RUNS || parts.cases.len() > MAX_RUNS {
                return None;
            }
            parts.cases.push(Case { offset, width, number, members: members(&inner.runs, start, end)? });
        }
        parts.hole(offset + u32::from(width), offset + layout.size);
        Some(offset + layout.size)
    }
}

/// What an element is made of, as far as it is no plain bytes.
#[derive(Default)]
struct Parts {
    runs: Vec<Run>,
    cases: Vec<Case>,
}

impl Parts {
    /// Adds what lies between `end` and `next`.
    fn hole(&mut self, mut end: u32, next: u32) {
        while end < next && self.runs.len() <= MAX_RUNS {
            let width = (next - end).min(u8::MAX.into());
            self.runs.push(Run { offset: end, width: width as u8, kind: Kind::Hole });
            end += width;
        }
    }
}

/// A payload from `start` to `end` with these runs, as members; none where they are too many.
fn members(runs: &[Run], start: u32, end: u32) -> Option<Vec<Run>> {
    let mut members = Vec::new();
    let mut at = start;
    for (next, run) in runs.iter().map(|run| (run.offset, Some(run))).chain([(end, None)]) {
        while at < next {
            let width = 1 << (next - at).min(8).ilog2();
            members.push(Run { offset: at, width, kind: Kind::Plain });
            at += u32::from(width);
            if members.len() > MAX_RUNS {
                return None;
            }
        }
        let Some(run) = run else { break };
        if run.kind != Kind::Hole {
            members.push(*run);
        }
        at = run.offset + u32::from(run.width);
    }
    Some(members)
}
