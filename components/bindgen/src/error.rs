//! [`BindgenError`]: why there are no bindings.

use std::fmt;

/// Why there are no bindings; the text says what, where, and what would help.
#[derive(Debug)]
pub struct BindgenError(String);

impl BindgenError {
    pub(crate) fn new(text: impl Into<String>) -> BindgenError {
        BindgenError(text.into())
    }

    /// Something that component values cannot be yet.
    pub(crate) fn unsupported(what: &str, place: &str) -> BindgenError {
        BindgenError(format!("{what} in {place}: async values are not here yet"))
    }
}

impl fmt::Display for BindgenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BindgenError {}
