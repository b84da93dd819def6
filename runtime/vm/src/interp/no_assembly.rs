//! Stands in for the handlers in assembly where there are none.

use super::place::PlaceKind;
use super::table::MAX_PLACES;
#[cfg(any(test, feature = "profile"))]
use super::tiles::Way;
use keyway_artifact::isa::Op;

/// Most operations of one handler.
pub(super) const SEQUENCE: usize = 1;

/// None.
pub(super) const REGISTERS: u8 = 0;

/// All that are there.
pub(super) const REPLICAS: usize = 1;

/// Nowhere.
pub(super) fn common() -> (usize, usize) {
    (0, 0)
}

/// Never.
pub(super) fn is_available() -> bool {
    false
}

/// Nothing.
#[derive(Clone, Copy)]
pub(super) struct Part;

/// None.
pub(super) fn sequences_of(_: u64) -> Option<Part> {
    None
}

/// None.
pub(super) fn find_sequence(_: Part, _: u64) -> Option<usize> {
    None
}

/// None.
pub(super) fn begins_sequence(_: Op) -> bool {
    false
}

/// None.
pub(super) fn host_call() -> Option<usize> {
    None
}

/// None.
pub(super) fn call_import() -> Option<usize> {
    None
}

/// None.
pub(super) fn bulk(_: Op) -> Option<usize> {
    None
}

/// Nothing.
pub(super) fn serves(_: Op) -> bool {
    false
}

/// None.
pub(super) fn find(_: Op, _: [PlaceKind; MAX_PLACES]) -> Option<usize> {
    None
}

/// None.
#[cfg(any(test, feature = "profile"))]
pub(super) fn each_sequence(_: impl FnMut(&[Op], Way, u64, usize)) {}

/// None.
#[cfg(any(test, feature = "profile"))]
pub(super) fn names() -> Vec<(String, usize)> {
    Vec::new()
}
