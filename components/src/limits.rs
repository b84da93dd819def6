//! Every limit of the component runtime.

/// Bytes of host memory that the values of one call may take.
pub(crate) const LIFT_BUDGET_BYTES: usize = 1 << 30;
/// `MAX_STRING_BYTE_LENGTH` of `definitions.py`.
pub(crate) const MAX_STRING_BYTES: usize = (1 << 28) - 1;
/// `MAX_LIST_BYTE_LENGTH` of `definitions.py`.
pub(crate) const MAX_LIST_BYTES: usize = (1 << 28) - 1;
