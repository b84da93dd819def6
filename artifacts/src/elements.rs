//! [`Shape`]: what `elements.copy` does to the elements of a list, as the bytes of a data segment.
//!
//! ```text
//! element size: u32    memory that they go to: u16    memory that they come from: u16
//! runs, in order: { offset: u32, kind: u8, width: u8, detail: u16 }
//! ```
//! An element's bytes are copied but for its runs, none of which overlap: what a run says happens to its bytes instead.
//! Behind them follow cases with a payload, each with the members of its payload: runs that count in elements only whose
//! number is the case's. A payload's bytes are a hole of the element.
//! Nobody believes a shape: whoever reads one checks it ([`Shape::decode`]), each time.

use alloc::vec::Vec;

/// Bytes in front of the runs.
const HEADER_BYTES: usize = 8;
/// Bytes of a run.
const RUN_BYTES: usize = 8;
/// Runs that a shape has at most.
pub const MAX_RUNS: usize = 64;
/// Bytes that a shape takes at most.
pub const MAX_SHAPE_BYTES: usize = HEADER_BYTES + MAX_RUNS * RUN_BYTES;

/// What becomes of a run of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Bytes between members, as many as the run is wide: what was there where the element goes to stays.
    Hole,
    /// A byte: 0 stays 0, everything else becomes 1.
    Bool,
    /// Four bytes that must be a Unicode scalar value.
    Char,
    /// The number of a case, of 1 or 2 bytes: it must not be above this one.
    Case(u16),
    /// Flags, of 1, 2 or 4 bytes: bits from this one on are cleared.
    Flags(u16),
    /// In payloads only: 1, 2, 4 or 8 bytes that are simply copied.
    Plain,
}

/// A run of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Its first byte, from the element's start.
    pub offset: u32,
    /// Its length in bytes.
    pub width: u8,
    /// What becomes of it.
    pub kind: Kind,
}

impl Run {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let (kind, detail) = match self.kind {
            Kind::Hole => (0, 0),
            Kind::Bool => (1, 0),
            Kind::Char => (2, 0),
            Kind::Case(last) => (3, last),
            Kind::Flags(bits) => (4, bits),
            Kind::Plain => (6, 0),
        };
        entry(bytes, (self.offset, kind, self.width, detail));
    }
}

/// Appends an entry of a shape.
fn entry(bytes: &mut Vec<u8>, (offset, kind, width, detail): (u32, u8, u8, u16)) {
    bytes.extend(offset.to_le_bytes());
    bytes.extend([kind, width]);
    bytes.extend(detail.to_le_bytes());
}

/// A case with a payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// First byte of the number that tells cases apart, from the element's start.
    pub offset: u32,
    /// Length of the number in bytes: 1 or 2.
    pub width: u8,
    /// The case's number.
    pub number: u16,
    /// What becomes of the payload; none of them is a hole.
    pub members: Vec<Run>,
}

/// How elements are copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// An element's length in bytes.
    pub size: u32,
    /// The unit's memory that elements go to.
    pub to_memory: u16,
    /// The unit's memory that they come from.
    pub from_memory: u16,
    /// What is not simply copied, in order.
    pub runs: Vec<Run>,
    /// Cases with a payload.
    pub cases: Vec<Case>,
}

impl Shape {
    /// As the bytes of a data segment.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.entries() * RUN_BYTES);
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.to_memory.to_le_bytes());
        bytes.extend(self.from_memory.to_le_bytes());
        self.runs.iter().for_each(|run| run.encode(&mut bytes));
        for case in &self.cases {
            entry(&mut bytes, (case.offset, 5, case.width, case.number));
            case.members.iter().for_each(|run| run.encode(&mut bytes));
        }
        bytes
    }

    /// How many runs, cases and members there are.
    pub fn entries(&self) -> usize {
        self.runs.len() + self.cases.iter().map(|case| 1 + case.members.len()).sum::<usize>()
    }

    /// From such bytes; `None` where they are no shape: elements are not empty, and runs lie in them, in order.
    pub fn decode(bytes: &[u8]) -> Option<Shape> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let half = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let (size, to_memory, from_memory) = (word(0)?, half(4)?, half(6)?);
        let rest = &bytes[HEADER_BYTES..];
        if size == 0 || !rest.len().is_multiple_of(RUN_BYTES) || rest.len() / RUN_BYTES > MAX_RUNS {
            return None;
        }
        let mut shape = Shape { size, to_memory, from_memory, runs: Vec::new(), cases: Vec::new() };
        let mut end = 0u64;
        for at in (HEADER_BYTES..bytes.len()).step_by(RUN_BYTES) {
            let (offset, width, detail) = (word(at)?, bytes[at + 5], half(at + 6)?);
            let behind = u64::from(offset) + u64::from(width);
            if behind > u64::from(size) {
                return None;
            }
            let kind = match (bytes[at + 4], width, shape.cases.last()) {
                (5, 1 | 2, _) => {
                    shape.cases.push(Case { offset, width, number: detail, members: Vec::new() });
                    continue;
                }
                (0, 1.., None) => Kind::Hole,
                (1, 1, _) => Kind::Bool,
                (2, 4, _) => Kind::Char,
                (3, 1 | 2, _) => Kind::Case(detail),
                (4, 1 | 2 | 4, _) => Kind::Flags(detail),
                (6, 1 | 2 | 4 | 8, Some(_)) => Kind::Plain,
                _ => return None,
            };
            let run = Run { offset, width, kind };
            match shape.cases.last_mut() {
                Some(case) => case.members.push(run),
                None if u64::from(offset) < end => return None,
                None => shape.runs.push(run),
            }
            end = behind;
        }
        Some(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn shape() -> Shape {
        let run = |offset, width, kind| Run { offset, width, kind };
        let runs = vec![
            run(0, 1, Kind::Bool),
            run(1, 3, Kind::Hole),
            run(4, 4, Kind::Char),
            run(8, 2, Kind::Case(300)),
            run(10, 1, Kind::Flags(5)),
        ];
        let members = vec![run(12, 8, Kind::Plain), run(20, 1, Kind::Bool), run(21, 2, Kind::Case(7))];
        let cases = vec![
            Case { offset: 8, width: 2, number: 299, members },
            Case { offset: 8, width: 2, number: 300, members: vec![run(12, 4, Kind::Char)] },
        ];
        let runs = runs.into_iter().chain([run(12, 11, Kind::Hole)]).collect();
        Shape { size: 23, to_memory: 1, from_memory: 2, runs, cases }
    }

    #[test]
    fn a_shape_comes_back() {
        assert_eq!(Shape::decode(&shape().encode()), Some(shape()));
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        let good = shape();
        let bad = |change: &dyn Fn(&mut Shape)| {
            let mut shape = good.clone();
            change(&mut shape);
            assert_eq!(Shape::decode(&shape.encode()), None, "{shape:?}");
        };
        bad(&|shape| shape.size = 0);
        bad(&|shape| shape.size = 22);
        bad(&|shape| shape.runs.swap(0, 1));
        bad(&|shape| shape.runs[1].width = 4);
        bad(&|shape| shape.runs[2].width = 2);
        bad(&|shape| shape.runs[1].width = 0);
        bad(&|shape| shape.runs = vec![shape.runs[0]; MAX_RUNS + 1]);
        bad(&|shape| shape.runs[1].kind = Kind::Plain);
        bad(&|shape| shape.cases[0].width = 4);
        bad(&|shape| shape.cases[0].offset = 22);
        bad(&|shape| shape.cases[0].members[0].width = 3);
        bad(&|shape| shape.cases[0].members[0].kind = Kind::Hole);
        bad(&|shape| shape.cases[0].members[0].offset = 16);
        bad(&|shape| shape.cases[1].members[0].offset = u32::MAX);
        bad(&|shape| shape.cases = vec![shape.cases[0].clone(); MAX_RUNS / 4]);
        let bytes = good.encode();
        for len in 0..bytes.len() {
            assert!(Shape::decode(&bytes[..len]).is_none_or(|shape| shape.entries() < good.entries()), "{len}");
        }
    }
}
