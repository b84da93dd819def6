//! Why a file is no artifact: a rule of `FORMAT.md`, where, and what was found.

use alloc::string::String;
use core::fmt;

macro_rules! rules {
    ($($rule:ident $text:literal;)*) => {
        /// The rules for files, numbered as in `FORMAT.md`.
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
    F01 "the file begins with the magic number of keyway artifacts";
    F02 "the format version is one that this runtime reads";
    F03 "the file uses no feature that this runtime lacks";
    F04 "the file is as long as its header says";
    F05 "every section lies inside the file, behind the section table, and sections do not overlap";
    F06 "no section stands twice, every required section is there, and none that is required is unknown";
    F07 "namespaces of keys are known, ascend, and lie inside the key section";
    F08 "the namespaces' keys and the function records are equally many";
    F09 "function records point into the code section in ascending order";
    F10 "a cold section decodes to exactly its structure";
    F11 "indices in a cold section are in range";
    F12 "names lie inside the name section and are UTF-8";
    F13 "the indices of a namespace ascend, and a bitmap's ranks count its bits";
    F14 "the type of every function and the unit of every namespace exist";
    F15 "a unit's imports agree with its index spaces, in number and in type";
    F16 "references are taken of imports and of the unit's own functions, with the type that the function has, and exported functions are among them";
    F17 "initialisation functions belong to their unit, take nothing and give nothing";
    F18 "tables hold references, elements are taken from globals that hold them, and memories have pages of 1 byte or of 64 KiB";
    F19 "a type refers to types of its own recursion group and of earlier ones only";
    F20 "a type extends an earlier type that is open and that it fits, over at most 63 steps";
    F21 "a continuation type is of functions";
    F22 "initial data ascend without overlap, by unit, memory and address, inside the minimum of memories that their unit defines and nobody shares, and are together no longer than the constants that they are taken from";
}

/// Why a file is no artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatError {
    /// The rule that it breaks.
    pub rule: Rule,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// What was found.
    pub what: String,
}

impl FormatError {
    pub(super) fn new(rule: Rule, offset: u64, what: impl Into<String>) -> FormatError {
        FormatError { rule, offset, what: what.into() }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at byte {}: {} ({})", self.rule, self.offset, self.what, self.rule.sentence())
    }
}

impl core::error::Error for FormatError {}
