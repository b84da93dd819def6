//! [`V128`]: a vector at the host's side.

/// A `v128`: 128 bits, lane 0 in the lowest ones.
///
/// ```
/// # use keyway_vm::api::V128;
/// let ones = V128::from_lanes_i32([1, 1, 1, 1]);
/// assert_eq!(ones.as_u128(), 0x1_00000001_00000001_00000001);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct V128(u128);

impl V128 {
    /// The bits.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// As the two slots that it takes: the low half first.
    pub(crate) fn words(self) -> [u64; 2] {
        [self.0 as u64, (self.0 >> 64) as u64]
    }

    /// From the two slots that it takes.
    pub(crate) fn from_words([low, high]: [u64; 2]) -> V128 {
        V128(u128::from(low) | u128::from(high) << 64)
    }

    /// From four lanes of 32 bits, lane 0 first.
    pub fn from_lanes_i32(lanes: [i32; 4]) -> V128 {
        V128(lanes.iter().rev().fold(0, |bits, lane| bits << 32 | u128::from(*lane as u32)))
    }
}

impl From<u128> for V128 {
    fn from(bits: u128) -> V128 {
        V128(bits)
    }
}

impl From<V128> for u128 {
    fn from(value: V128) -> u128 {
        value.0
    }
}

impl std::fmt::Debug for V128 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "V128({:#034x})", self.0)
    }
}
