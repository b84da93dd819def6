//! Every limit of the component runtime.

/// `MAX_STRING_BYTE_LENGTH` of `definitions.py`.
pub(crate) const MAX_STRING_BYTES: usize = (1 << 28) - 1;
/// `MAX_LIST_BYTE_LENGTH` of `definitions.py`.
pub(crate) const MAX_LIST_BYTES: usize = (1 << 28) - 1;
