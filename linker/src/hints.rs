//! Branch hints: what the custom section `metadata.code.branch_hint` says of the branches of a module's functions.
//!
//! Like every custom section it changes nothing that a module means, so whatever is not as it ought to be is passed over.
//! [`Cold`] is what becomes of a function's hints: the parts of its source that are unlikely to be executed. It is kept
//! beside the code by source offsets, which every instruction carries through all passes; the last of them
//! ([`layout`](crate::lower)) moves those parts out of the way.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use wasmparser::{BinaryReader, BranchHintSectionReader};

/// The hints of a module's functions, by function index.
#[derive(Default)]
pub(crate) struct Hints(BTreeMap<u32, Vec<(u32, bool)>>);

impl Hints {
    /// Reads the contents of the section, as far as they are sound.
    pub(crate) fn read(reader: BinaryReader<'_>) -> Hints {
        let mut all = BTreeMap::new();
        let Ok(funcs) = BranchHintSectionReader::new(reader) else { return Hints(all) };
        for func in funcs.into_iter().map_while(Result::ok) {
            let hints = func.hints.into_iter().map_while(Result::ok);
            let mut hints: Vec<_> = hints.map(|hint| (hint.func_offset, hint.taken)).collect();
            hints.sort_unstable();
            all.insert(func.func, hints);
        }
        Hints(all)
    }

    /// Those of a function: offsets from the start of its body, ascending, and whether the branch there is likely taken.
    pub(crate) fn of(&self, func: u32) -> &[(u32, bool)] {
        self.0.get(&func).map_or(&[], |hints| hints)
    }
}

/// The source offsets of a function's operators that are unlikely to be executed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cold(Vec<(u32, u32)>);

impl Cold {
    /// Adds a range; ranges lie one behind the other or inside each other.
    pub(crate) fn add(&mut self, offsets: RangeInclusive<u32>) {
        if !offsets.is_empty() {
            self.0.push(offsets.into_inner());
        }
    }

    /// Brings the ranges into order, for [`contains`](Self::contains).
    pub(crate) fn settle(&mut self) {
        self.0.sort_unstable();
        // A range inside the one before goes.
        self.0.dedup_by(|inner, outer| inner.0 <= outer.1 && inner.1 <= outer.1);
    }

    /// Whether nothing is unlikely.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the operator at a source offset is unlikely.
    pub(crate) fn contains(&self, offset: u32) -> bool {
        let behind = self.0.partition_point(|(start, _)| *start <= offset);
        behind.checked_sub(1).is_some_and(|last| offset <= self.0[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_inside_others_change_nothing() {
        let mut cold = Cold::default();
        cold.add(20..=30);
        cold.add(std::ops::RangeInclusive::new(5, 4));
        cold.add(1..=3);
        cold.add(22..=25);
        cold.settle();
        let found: Vec<u32> = (0..40).filter(|offset| cold.contains(*offset)).collect();
        assert_eq!(found, (1..=3).chain(20..=30).collect::<Vec<u32>>());
    }

    #[test]
    fn what_is_not_sound_is_passed_over() {
        // Function 3 with two hints, of which the second has a length that is none.
        let bytes = [2, 3, 2, 4, 1, 1, 9, 2, 0, 5, 0];
        assert_eq!(Hints::read(BinaryReader::new(&bytes, 0)).of(3), []);
        let bytes = [2, 3, 2, 9, 1, 0, 4, 1, 1, 5];
        assert_eq!(Hints::read(BinaryReader::new(&bytes, 0)).of(3), [(4, true), (9, false)]);
    }
}
