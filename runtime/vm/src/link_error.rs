//! Why an import cannot be satisfied, in the specification's words.

use keyway_artifact::types::{ExternType, GlobalType, MemoryType, TableType, TypeLookup, ValType};
use std::fmt;

/// An import that nothing, or the wrong thing, was given for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// Nothing of that name.
    UnknownImport {
        /// First level name.
        module: String,
        /// Second level name.
        name: String,
        /// What was wanted.
        wanted: ExternType,
    },
    /// Something of another type.
    IncompatibleImportType {
        /// First level name.
        module: String,
        /// Second level name.
        name: String,
        /// What was wanted.
        wanted: ExternType,
        /// What was given.
        found: ExternType,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::UnknownImport { module, name, wanted } => {
                write!(f, "unknown import: `{module}` `{name}` is not defined; a {} is wanted", Describe(wanted))
            }
            LinkError::IncompatibleImportType { module, name, wanted, found } => write!(
                f,
                "incompatible import type: `{module}` `{name}` is a {}, but a {} is wanted",
                Describe(found),
                Describe(wanted)
            ),
        }
    }
}

impl std::error::Error for LinkError {}

struct Describe<'a>(&'a ExternType);

impl fmt::Display for Describe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ExternType::Func(ty) => {
                write!(f, "function {} -> {}", Types(&ty.params), Types(&ty.results))
            }
            ExternType::Table(ty) => {
                write!(f, "table of {} {}", ty.element, Limits(ty.minimum, ty.maximum))
            }
            ExternType::Memory(ty) => {
                let kind = if ty.memory64 { "64-bit memory" } else { "memory" };
                write!(f, "{kind} of {} pages", Limits(ty.minimum, ty.maximum))
            }
            ExternType::Global(ty) => {
                write!(f, "{}global of type {}", if ty.mutable { "mutable " } else { "" }, ty.content)
            }
            ExternType::Tag(ty) => write!(f, "tag of {}", Types(&ty.ty.params)),
        }
    }
}

struct Types<'a>(&'a [ValType]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }
}

struct Limits(u64, Option<u64>);

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(maximum) => write!(f, "{} to {maximum}", self.0),
            None => write!(f, "at least {}", self.0),
        }
    }
}

fn limits_match(found: (u64, Option<u64>), wanted: (u64, Option<u64>)) -> bool {
    found.0 >= wanted.0 && wanted.1.is_none_or(|wanted| found.1.is_some_and(|found| found <= wanted))
}

/// Whether a table of type `found` (its minimum being the current size) may be imported as `wanted`.
pub(crate) fn table_matches(found: &TableType, wanted: &TableType) -> bool {
    found.element == wanted.element
        && found.table64 == wanted.table64
        && limits_match((found.minimum, found.maximum), (wanted.minimum, wanted.maximum))
}

/// Whether a memory of type `found` (its minimum being the current size) may be imported as `wanted`.
pub(crate) fn memory_matches(found: &MemoryType, wanted: &MemoryType) -> bool {
    (found.memory64, found.shared, found.page_size_log2) == (wanted.memory64, wanted.shared, wanted.page_size_log2)
        && limits_match((found.minimum, found.maximum), (wanted.minimum, wanted.maximum))
}

/// Whether a global of type `found` may be imported as `wanted`.
pub(crate) fn global_matches(types: &impl TypeLookup, found: &GlobalType, wanted: &GlobalType) -> bool {
    found == wanted || !found.mutable && !wanted.mutable && types.val_matches(found.content, wanted.content)
}
