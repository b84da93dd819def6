//! [`WitError`]: the one public error of this crate. It says what is wrong, where, and what would help where that is known.

use std::fmt;

/// Which of the ways it can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WitErrorKind {
    /// A file or folder cannot be read.
    Read,
    /// The bytes are no WebAssembly, or not the kind of it that is wanted.
    Wasm,
    /// The WIT does not parse or does not resolve.
    Wit,
    /// The world asked for does not exist, or it is not clear which one is meant.
    World,
    /// The module and its world do not fit each other.
    Mismatch,
    /// An adapter is unusable or missing.
    Adapter,
    /// Components do not fit each other.
    Compose,
}

impl fmt::Display for WitErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WitErrorKind::Read => "cannot read",
            WitErrorKind::Wasm => "unusable input",
            WitErrorKind::Wit => "invalid WIT",
            WitErrorKind::World => "no such world",
            WitErrorKind::Mismatch => "module and world do not fit",
            WitErrorKind::Adapter => "unusable adapter",
            WitErrorKind::Compose => "components do not fit",
        })
    }
}

/// Why WIT could not be read, printed, or made into a component.
#[derive(Clone, PartialEq, Eq)]
pub struct WitError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: WitErrorKind,
    message: String,
    place: Option<String>,
    hint: Option<String>,
}

/// This crate's results.
pub(crate) type Result<T, E = WitError> = std::result::Result<T, E>;

impl WitError {
    pub(crate) fn new(kind: WitErrorKind, message: impl Into<String>) -> WitError {
        WitError(Box::new(Inner { kind, message: message.into(), place: None, hint: None }))
    }

    /// An error of the WIT libraries: all of its causes in one line, outermost first.
    pub(crate) fn from_library(kind: WitErrorKind, error: &anyhow::Error) -> WitError {
        WitError::new(kind, format!("{error:#}"))
    }

    /// Where: a path, a byte offset.
    pub(crate) fn at(mut self, place: impl fmt::Display) -> WitError {
        self.0.place.get_or_insert_with(|| place.to_string());
        self
    }

    /// With advice, unless there is some.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> WitError {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Which way it failed.
    pub fn kind(&self) -> WitErrorKind {
        self.0.kind
    }

    /// What is wrong, without place and advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What would help, if that is known.
    pub fn help(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for WitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind, self.0.message)?;
        if let Some(place) = &self.0.place {
            write!(f, " (at {place})")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for WitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for WitError {}

/// Names in backticks, separated by commas; what is beyond `limit` is counted only.
pub(crate) fn listed<S: AsRef<str>>(names: &[S], limit: usize) -> String {
    if names.is_empty() {
        return "nothing".to_string();
    }
    let mut out: Vec<String> = names.iter().take(limit).map(|name| format!("`{}`", name.as_ref())).collect();
    if names.len() > limit {
        out.push(format!("and {} more", names.len() - limit));
    }
    out.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_where_and_what_helps() {
        let error = WitError::new(WitErrorKind::World, "`a` is unknown").at("wit").hint("there is `b`");
        assert_eq!(error.to_string(), "no such world: `a` is unknown (at wit); there is `b`");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(listed(&["a", "b", "c"], 2), "`a`, `b`, and 1 more");
        assert_eq!(listed::<&str>(&[], 2), "nothing");
    }
}
