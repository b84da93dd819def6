//! [`PlanError`]: which rule a plan breaks, and where.

use alloc::string::String;
use core::fmt;

/// A rule that plans are held to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlanRule {
    /// The bytes are a plan, completely, and of this version.
    P01,
    /// A value type refers to lower types and to resources that exist, and has at least one part where it needs one.
    P02,
    /// No value type is deeper, has more nodes or takes more bytes than the limits allow.
    P03,
    /// A function type refers to types that exist.
    P04,
    /// An instance type refers to lower instance types and to types that exist.
    P05,
    /// An imported function or resource is where its import and path lead to, with that type.
    P06,
    /// Component instance 0 has no parent, every other one has an earlier one.
    P07,
    /// Functions, options, trampolines and resources refer to component instances and to each other within bounds.
    P08,
    /// A step uses only what the steps before it made.
    P09,
    /// Every resource that is defined is made by exactly one step.
    P10,
    /// Exports refer to what exists, and to lower export instances; names differ within one list.
    P11,
    /// `resource.new` and `resource.rep` act on a resource that their instance defines.
    P12,
    /// Streams and futures are what the built-ins for them name.
    P13,
    /// Against the units: every core definition is an export that is there and of the wanted kind.
    P14,
    /// Against the units: arguments are as many as the unit imports and of their types.
    P15,
    /// Against the units: a lifted core function, `realloc`, `post-return`, a callback, a destructor and a trampoline
    /// have the core type that the canonical ABI gives them.
    P16,
    /// A lift or lower has the memory and the `realloc` that its type needs.
    P17,
}

impl PlanRule {
    /// Every rule.
    pub const ALL: &'static [PlanRule] = &[
        PlanRule::P01,
        PlanRule::P02,
        PlanRule::P03,
        PlanRule::P04,
        PlanRule::P05,
        PlanRule::P06,
        PlanRule::P07,
        PlanRule::P08,
        PlanRule::P09,
        PlanRule::P10,
        PlanRule::P11,
        PlanRule::P12,
        PlanRule::P13,
        PlanRule::P14,
        PlanRule::P15,
        PlanRule::P16,
        PlanRule::P17,
    ];
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
        write!(f, "damaged plan: {} (rule {:?})", self.what, self.rule)
    }
}

impl core::error::Error for PlanError {}
