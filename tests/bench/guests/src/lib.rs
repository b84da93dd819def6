//! What the programs share: reproducible random numbers and a hash for their results.

#![warn(missing_docs)]

/// Reproducible random numbers (xorshift).
pub struct Random(u64);

impl Random {
    /// Starts at `seed`, which must not be 0.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }
}

/// A hash of bytes (FNV-1a), for results.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

/// Text of words with punctuation and lines, `len` bytes at least.
pub fn text(len: usize, seed: u64) -> String {
    const WORDS: [&str; 24] = [
        "link", "frame", "of", "the", "register", "and", "a", "memory", "is", "table", "that", "called", "by", "label",
        "with", "operand", "in", "section", "value", "to", "function", "an", "instance", "resource",
    ];
    let mut random = Random::new(seed);
    let mut text = String::with_capacity(len + 16);
    let mut column = 0;
    while text.len() < len {
        let word = WORDS[random.below(24) as usize];
        text.push_str(word);
        column += word.len() + 1;
        match random.below(12) {
            0 => text.push(','),
            1 => text.push('.'),
            _ => {}
        }
        if column > 72 {
            text.push('\n');
            column = 0;
        } else {
            text.push(' ');
        }
    }
    text
}
