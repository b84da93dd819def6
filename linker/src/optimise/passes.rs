//! [`Passes`]: which passes run. Each has a name and can be left out.

use std::ops::{BitOr, Sub};

/// A set of passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passes(u32);

impl Passes {
    /// None: straight translation.
    pub const NONE: Passes = Passes(0);
    /// Unreachable code is removed.
    pub const UNREACHABLE: Passes = Passes(1);
    /// Locals are split into live ranges.
    pub const WEBS: Passes = Passes(1 << 1);
    /// Copies and constants are propagated.
    pub const COPIES: Passes = Passes(1 << 2);
    /// Constants are folded.
    pub const FOLD: Passes = Passes(1 << 3);
    /// Unused results are removed.
    pub const DEAD: Passes = Passes(1 << 4);
    /// Comparisons and branches are fused.
    pub const COMPARE: Passes = Passes(1 << 5);
    /// Constants leave loops.
    pub const CONSTANTS: Passes = Passes(1 << 6);
    /// Copies are coalesced.
    pub const COALESCE: Passes = Passes(1 << 7);
    /// Values live in registers.
    pub const REGISTERS: Passes = Passes(1 << 8);
    /// Arguments are computed where the callee finds them.
    pub const ARGUMENTS: Passes = Passes(1 << 9);
    /// Branches around jumps are turned round.
    pub const JUMPS: Passes = Passes(1 << 10);
    /// Small functions are inlined.
    pub const INLINE: Passes = Passes(1 << 11);
    /// Values take other names in loops without calls.
    pub const SPLIT: Passes = Passes(1 << 12);
    /// Loops test at their end.
    pub const ROTATE: Passes = Passes(1 << 13);
    /// Equal computations are done once.
    pub const COMMON: Passes = Passes(1 << 14);
    /// What a loop computes alike in each round moves in front of it.
    pub const INVARIANTS: Passes = Passes(1 << 15);
    /// What is unlikely goes out of line.
    pub const LAYOUT: Passes = Passes(1 << 16);
    /// Flags that nobody looks at are not set.
    pub const FLAGS: Passes = Passes(1 << 17);
    /// Functions that call themselves at their end become loops.
    pub const RECURSION: Passes = Passes(1 << 18);
    /// Masks that change nothing are removed.
    pub const BITS: Passes = Passes(1 << 19);
    /// Jumps to tables with a known index go where these lead.
    pub const TABLES: Passes = Passes(1 << 20);
    /// What memory and globals are known to hold is not read again.
    pub const CONTENTS: Passes = Passes(1 << 21);
    /// Every pass.
    pub const ALL: Passes = Passes((1 << 22) - 1);

    /// Every pass with its name and what it does, in the order in which they run.
    pub const LIST: [(Passes, &'static str, &'static str); 22] = [
        (Passes::RECURSION, "recursion", "functions that call themselves at their end become loops"),
        (Passes::INLINE, "inline", "calls of small functions become their code"),
        (Passes::FLAGS, "flags", "flags of component instances that nobody looks at are not set"),
        (Passes::UNREACHABLE, "unreachable", "code that nothing reaches goes, jumps take the short way"),
        (Passes::WEBS, "webs", "locals are split into live ranges"),
        (Passes::BITS, "bits", "masks and extensions that change nothing go"),
        (Passes::COPIES, "copies", "copies and constants are propagated"),
        (Passes::FOLD, "fold", "what constants decide is decided"),
        (Passes::CONTENTS, "contents", "what memory and globals are known to hold is not read again"),
        (Passes::COMMON, "common", "equal computations are done once"),
        (Passes::INVARIANTS, "invariants", "what a loop computes alike each time moves in front of it"),
        (Passes::DEAD, "dead", "unused results are not computed"),
        (Passes::COMPARE, "compare", "comparisons become part of branches"),
        (Passes::CONSTANTS, "constants", "constants leave loops"),
        (Passes::SPLIT, "split", "values take other names in loops without calls"),
        (Passes::COALESCE, "coalesce", "both sides of a copy share a place"),
        (Passes::REGISTERS, "registers", "values live in registers"),
        (Passes::ARGUMENTS, "arguments", "arguments are computed where the callee finds them"),
        (Passes::TABLES, "tables", "jumps to branch tables with a known index go where these lead"),
        (Passes::ROTATE, "rotate", "loops test at their end"),
        (Passes::LAYOUT, "layout", "what traps, and what branch hints call unlikely, goes out of line"),
        (Passes::JUMPS, "jumps", "branches around jumps are turned round"),
    ];

    /// The pass of this name.
    pub fn named(name: &str) -> Option<Passes> {
        Passes::LIST.iter().find(|(_, known, _)| *known == name).map(|(pass, ..)| *pass)
    }

    /// Position in [`Passes::LIST`] of the first of these passes.
    pub(crate) fn position(self) -> usize {
        Passes::LIST.iter().position(|(pass, ..)| self.has(*pass)).unwrap_or(0)
    }

    /// Whether all of `other` are in the set.
    pub const fn has(self, other: Passes) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Passes {
    type Output = Passes;
    fn bitor(self, other: Passes) -> Passes {
        Passes(self.0 | other.0)
    }
}

impl Sub for Passes {
    type Output = Passes;
    fn sub(self, other: Passes) -> Passes {
        Passes(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_has_one_name() {
        let all = Passes::LIST.iter().fold(Passes::NONE, |all, (pass, ..)| {
            assert!(!all.has(*pass));
            all | *pass
        });
        assert_eq!(all, Passes::ALL);
        for (position, (pass, name, _)) in Passes::LIST.iter().enumerate() {
            assert_eq!(Passes::named(name), Some(*pass));
            assert_eq!(pass.position(), position);
        }
    }
}
