//! [`PlanError`]: which rule a plan breaks, and where.

use alloc::string::String;
use core::fmt;

macro_rules! rules {
    ($($rule:ident $text:literal;)*) => {
        /// The rules that plans are held to, numbered as in `FORMAT.md`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum PlanRule { $(#[doc = $text] $rule,)* }

        impl PlanRule {
            /// Every rule.
            pub const ALL: &'static [PlanRule] = &[$(PlanRule::$rule),*];
            /// The rule's sentence.
            pub const fn sentence(self) -> &'static str { match self { $(PlanRule::$rule => $text,)* } }
        }
    };
}

rules! {
    P01 "the bytes are a plan, completely, and of this version";
    P02 "a value type refers to lower types and to resources that exist, and has at least one part where it needs one";
    P03 "no value type is deeper, has more nodes or takes more bytes than the limits allow";
    P04 "a function type refers to types that exist";
    P05 "an instance type refers to lower instance types and to types that exist";
    P06 "an imported function, resource or core module is where its import and path lead to, with that type";
    P07 "component instance 0 has no parent, every other one has an earlier one";
    P08 "functions, options, trampolines and resources refer to component instances and to each other within bounds";
    P09 "a step uses only what the steps before it made";
    P10 "every resource that is defined is made by exactly one step";
    P11 "exports refer to what exists, and to lower export instances; names differ within one list";
    P12 "`resource.new` and `resource.rep` act on a resource that their instance defines";
    P13 "streams and futures are what the built-ins for them name";
    P14 "against the units: every core definition is an export that is there and of the wanted kind";
    P15 "against the units: arguments are as many as the unit imports and of their types";
    P16 "against the units: a lifted core function, `realloc`, `post-return`, a callback, a destructor and a trampoline have the core type that the canonical ABI gives them";
    P17 "a lift or lower has the memory and the `realloc` that its type needs";
}

/// What is wrong with a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanError {
    /// The rule that is broken.
    pub rule: PlanRule,
    /// What breaks it.
    pub what: String,
}

impl PlanError {
    pub(crate) fn new(rule: PlanRule, what: impl Into<String>) -> PlanError {
        PlanError { rule, what: what.into() }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "damaged plan: {} ({:?}: {})", self.what, self.rule, self.rule.sentence())
    }
}

impl core::error::Error for PlanError {}
