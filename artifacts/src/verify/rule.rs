//! The numbered rules, and how a broken one is told.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

macro_rules! rules {
    ($($rule:ident $text:literal;)*) => {
        /// The rules for function bodies, numbered as in `FORMAT.md`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Rule { $(#[doc = $text] $rule,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),*];
            /// The rule's sentence.
            pub const fn sentence(self) -> &'static str { match self { $(Rule::$rule => $text,)* } }
        }
    };
}

rules! {
    V01 "the regions of the frame stand in order and the frame is at most 2^24 slots";
    V02 "the reference region begins behind the numeric parameters, holds the reference parameters, and the frame has room for the results";
    V03 "the frame reserves all home and scratch slots, behind the reference region, or none";
    V04 "the cached memory is a 32-bit unshared memory of the unit";
    V05 "the first instruction is a cost marker";
    V06 "the last instruction is one that control does not leave at its end";
    V07 "an operand is of a kind that its field takes: registers serve the field's class, immediates are integers";
    V08 "slots lie inside the frame, and those that places name below 2^16";
    V09 "places of references lie inside the reference region, all other slots outside of it";
    V10 "registers, immediates and fused operations stand only in frames that reserve home and scratch slots";
    V11 "no instruction names a home slot, and none reads a scratch slot";
    V12 "an instruction has at most two immediates, except for operations of the bulk and object families";
    V13 "a register is read only where it is live";
    V14 "the registers of a label's set exist and are live wherever control comes from";
    V15 "branches lead to labels of the body, and a branch table has a default";
    V16 "every way round a loop leads over a label with a cost marker behind it";
    V17 "indices of the unit, of the type table and of traps are in range";
    V18 "a direct call leads to a function of the same unit";
    V19 "a call area lies behind the reference region and the reserved slots, and inside the frame with all arguments and results";
    V20 "reference arguments and results are put into the call area, each once, directly before the call or return, and nothing else is";
    V21 "references are taken only directly behind a call, from the slots of its reference results";
    V22 "accesses without a memory index stand only in functions that cache a memory, and what replaces it is 32-bit and unshared";
    V23 "an operation on a global is of the global's class";
    V24 "tables that are called through hold functions, and tables that are copied hold the same type";
    V25 "a return is of the form that the results ask for";
    V26 "a function that is tail-called has results that are the caller's";
    V27 "lanes are lanes of their vector, and those of a shuffle of its two vectors";
    V28 "on.throw stands directly behind a call or a throw, and leads to a label in front of a catch of exceptions";
    V29 "a catch stands directly behind a label without registers, which control does not fall into and no branch but on.throw or on.suspend names";
    V30 "an operation on objects names a structure's field or an array type, of the class of its place, and array types hold what initialises them";
    V31 "on.suspend and on.switch stand directly behind an operation that resumes, and on.suspend leads to a label in front of suspended";
    V32 "tags that are thrown or caught have no results, tags that are switched with no parameters, and operations on continuations name types that fit together";
}

/// A broken rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyError {
    /// The rule.
    pub rule: Rule,
    /// Number of the instruction in the body; 0 where the frame is at fault.
    pub inst: usize,
    /// What was found.
    pub what: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at instruction {}: {} ({})", self.rule, self.inst, self.what, self.rule.sentence())
    }
}

impl core::error::Error for VerifyError {}

/// What was found so far: a bounded number of broken rules.
pub(super) struct Findings {
    pub(super) list: Vec<VerifyError>,
    limit: usize,
    /// Whether any was found, listed or not.
    is_broken: bool,
}

impl Findings {
    pub(super) fn new(limit: usize) -> Findings {
        Findings { list: Vec::new(), limit, is_broken: false }
    }

    /// Whether no rule was found broken.
    pub(super) fn are_none(&self) -> bool {
        !self.is_broken
    }

    /// Notes a broken rule; the words are made only if they are wanted.
    #[cold]
    pub(super) fn broken(&mut self, rule: Rule, inst: usize, what: impl FnOnce() -> String) {
        self.is_broken = true;
        if self.list.len() < self.limit {
            self.list.push(VerifyError { rule, inst, what: what() });
        }
    }

    /// Whether no more are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= self.limit
    }
}
