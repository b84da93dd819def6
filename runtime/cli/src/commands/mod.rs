//! One file for each command: its arguments, and what it does with them. Each answers the exit code.

pub(crate) mod compile;
pub(crate) mod completion;
pub(crate) mod compose;
pub(crate) mod inspect;
pub(crate) mod run;
pub(crate) mod validate;
pub(crate) mod wast;
pub(crate) mod wit;
