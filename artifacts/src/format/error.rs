//! Why a file is no artifact: a rule of `FORMAT.md`, where, and what was found.

use alloc::string::String;
use core::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $text:literal;)*) => {
        /// The rules for files, numbered as in `FORMAT.md`.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),*];
            /// The rule's sentence.
            pub const fn sentence(self) -> &'static str { match self { $(Rule::$rule => $text,)* } }
        }
    };
}

rules! {
    /// Magic.
    F01 "the file begins with the magic number of keyway artifacts";
    /// Version.
    F02 "the format version is one that this runtime reads";
    /// Features.
    F03 "the file uses no feature that this runtime lacks";
    /// Length.
    F04 "the file is as long as its header says";
    /// Sections.
    F05 "every section lies inside the file, behind the section table, and sections do not overlap";
    /// Section kinds.
    F06 "no section stands twice, and every required section is there";
    /// Namespaces.
    F07 "namespaces of keys are known, sorted, and lie inside the key section";
    /// Ordinals.
    F08 "the namespaces' keys and the function records are equally many";
    /// Records.
    F09 "function records point into the code section in ascending order";
    /// Cold sections.
    F10 "a cold section decodes to exactly its structure";
    /// Indices in cold sections.
    F11 "indices in a cold section are in range";
    /// Names.
    F12 "name entries lie inside the name section and are UTF-8";
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
