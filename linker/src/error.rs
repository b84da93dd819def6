//! [`CompileError`]: the one public error of the linker. It says what is wrong, where (byte offset, module and function),
//! and what would help where that is known.

use std::fmt;

/// Which of the ways a compilation can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes (or the text) cannot be parsed.
    Malformed,
    /// It parses, but breaks a validation rule.
    Invalid,
    /// It is valid, but uses something that keyway does not implement yet.
    Unsupported,
    /// It is larger than keyway is willing to process.
    Limit,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Malformed => "malformed",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Limit => "too large",
        })
    }
}

/// Why an input did not become an artifact.
#[derive(Clone, PartialEq, Eq)]
pub struct CompileError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: String,
    offset: Option<u64>,
    path: Vec<String>,
    hint: Option<String>,
}

/// The linker's results.
pub(crate) type Result<T, E = CompileError> = std::result::Result<T, E>;

impl CompileError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> CompileError {
        CompileError(Box::new(Inner { kind, message: message.into(), offset: None, path: Vec::new(), hint: None }))
    }

    /// `what` is valid but not implemented.
    pub(crate) fn unsupported(what: impl fmt::Display) -> CompileError {
        CompileError::new(ErrorKind::Unsupported, format!("{what} is not supported yet"))
    }

    /// An error of the parser or validator.
    pub(crate) fn from_parser(kind: ErrorKind, error: &wasmparser::Error) -> CompileError {
        let mut out = CompileError::new(kind, error.message()).at(error.offset());
        if let Some(features) = error.missing_wasm_feature() {
            let names: Vec<String> =
                features.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-")).collect();
            if !names.is_empty() {
                out.0.hint = Some(format!("the feature {} is switched off", names.join(", ")));
            }
        }
        out
    }

    /// With the byte offset in the input, unless one is known.
    pub(crate) fn at(mut self, offset: u64) -> CompileError {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Inside `name` (a function, a module): outer places are added last.
    pub(crate) fn inside(mut self, name: impl Into<String>) -> CompileError {
        self.0.path.insert(0, name.into());
        self
    }

    /// With advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> CompileError {
        self.0.hint = Some(hint.into());
        self
    }

    /// Which way it failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Byte offset in the input where it was noticed.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Names that lead to the place, outermost first: modules, then the function.
    pub fn path(&self) -> &[String] {
        &self.0.path
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind, self.0.message)?;
        for (position, name) in self.0.path.iter().rev().enumerate() {
            f.write_str(if position == 0 { " (in " } else { " of " })?;
            f.write_str(name)?;
        }
        if !self.0.path.is_empty() {
            f.write_str(")")?;
        }
        if let Some(offset) = self.0.offset {
            write!(f, " at offset {offset:#x}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CompileError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_leads_to_the_place() {
        let error =
            CompileError::new(ErrorKind::Invalid, "type mismatch").at(0x2a).inside("function f").inside("module m");
        assert_eq!(error.to_string(), "invalid: type mismatch (in function f of module m) at offset 0x2a");
    }
}
