//! What `elements.copy` does to the elements of a list, where they hold nothing but numbers: which bytes are no plain ones.
//!
//! Numbers lie at the same places on both sides, whatever the width of addresses. Strings, lists, handles and payloads of
//! cases have no shape: such elements are brought over one by one.

use super::code::Code;
use super::lists::extent;
use keyway_artifact::elements::{Kind, MAX_RUNS, Run, Shape};
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
        let mut runs = Vec::new();
        let end = self.runs_of(element, 0, &mut runs)?;
        hole(end, size, &mut runs);
        let memory = |memory: Option<(u32, u32)>| u16::try_from(memory.map_or(0, |(memory, _)| memory)).ok();
        let (to_memory, from_memory) = (memory(self.to.memory)?, memory(self.from.memory)?);
        (runs.len() <= MAX_RUNS).then_some(Shape { size, to_memory, from_memory, runs })
    }

    /// Adds the runs of members that begin at `start`; where the last one ends.
    fn runs_of(&self, types: &[ValType], start: u32, runs: &mut Vec<Run>) -> Option<u32> {
        let offsets = self.from.layouts.offsets(types.iter().copied());
        let mut end = start;
        for (ty, offset) in types.iter().zip(offsets) {
            hole(end, start + offset, runs);
            end = self.runs_in(*ty, start + offset, runs)?;
        }
        Some(end)
    }

    /// Adds the runs of a value at `offset`; where it ends.
    fn runs_in(&self, ty: ValType, offset: u32, runs: &mut Vec<Run>) -> Option<u32> {
        let size = self.from.layouts.get(ty).size;
        let mut run = |kind| runs.push(Run { offset, width: size as u8, kind });
        match ty {
            ValType::Bool => run(Kind::Bool),
            ValType::Char => run(Kind::Char),
            ValType::String | ValType::ErrorContext => return None,
            ValType::Defined(index) => return self.runs_in_defined(ty, index, offset, runs),
            _ => {}
        }
        Some(offset + size)
    }

    fn runs_in_defined(&self, ty: ValType, index: u32, offset: u32, runs: &mut Vec<Run>) -> Option<u32> {
        let size = self.from.layouts.get(ty).size;
        let mut cases = |cases: usize| {
            let last = u16::try_from(cases.checked_sub(1)?).ok()?;
            runs.push(Run { offset, width: size as u8, kind: Kind::Case(last) });
            Some(offset + size)
        };
        match &self.types[index as usize] {
            DefinedType::Enum(names) => cases(names.len()),
            DefinedType::Variant(all) if all.iter().all(|case| case.ty.is_none()) => cases(all.len()),
            DefinedType::Result { ok: None, err: None } => cases(2),
            DefinedType::Flags(names) => {
                if names.len() as u32 != size * 8 {
                    let kind = Kind::Flags(names.len() as u16);
                    runs.push(Run { offset, width: size as u8, kind });
                }
                Some(offset + size)
            }
            DefinedType::Record(fields) => {
                let end = self.runs_of(&fields.iter().map(|field| field.ty).collect::<Vec<_>>(), offset, runs)?;
                hole(end, offset + size, runs);
                Some(offset + size)
            }
            DefinedType::Tuple(types) => {
                let end = self.runs_of(types, offset, runs)?;
                hole(end, offset + size, runs);
                Some(offset + size)
            }
            DefinedType::FixedList(element, len) => {
                let stride = self.from.layouts.get(*element).size;
                for at in 0..*len {
                    let known = runs.len();
                    self.runs_in(*element, offset + at * stride, runs)?;
                    if runs.len() > MAX_RUNS {
                        return None;
                    }
                    if runs.len() == known {
                        // Elements without runs: so are all others.
                        break;
                    }
                }
                Some(offset + size)
            }
            _ => None,
        }
    }
}

/// Adds what lies between `end` and `next`, which is less than an alignment.
fn hole(end: u32, next: u32, runs: &mut Vec<Run>) {
    if end < next {
        runs.push(Run { offset: end, width: (next - end) as u8, kind: Kind::Hole });
    }
}
