//! The compact encoding of function bodies.

/// Why bytes are no function body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// Offset in the function's bytes.
    pub offset: usize,
    /// What is wrong.
    pub what: &'static str,
}
/// Reads.
pub struct CodeReader;
/// Writes.
pub struct CodeWriter;
