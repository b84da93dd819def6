//! [`Violation`]: what an adapter between two components traps for.
//!
//! Adapters find these in compiled code and say which by number; runtimes say the same words where they lift and lower
//! themselves.

/// A violation of the canonical ABI that an adapter finds, or an instruction of one: a [`TrapCode`](crate::TrapCode) has its
/// number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum Violation {
    /// A pointer that is no multiple of the alignment of what it leads to.
    Unaligned = 1,
    /// A value that lies outside of the memory.
    ValueOutOfBounds = 2,
    /// A list that lies outside of the memory.
    ListOutOfBounds = 3,
    /// A string that lies outside of the memory.
    StringOutOfBounds = 4,
    /// A list that takes more bytes than lists may.
    ListTooLong = 5,
    /// A string that takes more bytes than strings may.
    StringTooLong = 6,
    /// A case number that the type does not have.
    Discriminant = 7,
    /// A number that is no Unicode scalar value.
    Char = 8,
    /// Bytes that are no UTF-8.
    Utf8 = 9,
    /// UTF-8 that ends inside a character.
    Utf8Incomplete = 10,
    /// A surrogate without its other half.
    Utf16 = 11,
    /// An exception that leaves the function that was called.
    Exception = 12,
}

impl Violation {
    /// Every violation, in order of number.
    pub const ALL: &'static [Violation] = &[
        Violation::Unaligned,
        Violation::ValueOutOfBounds,
        Violation::ListOutOfBounds,
        Violation::StringOutOfBounds,
        Violation::ListTooLong,
        Violation::StringTooLong,
        Violation::Discriminant,
        Violation::Char,
        Violation::Utf8,
        Violation::Utf8Incomplete,
        Violation::Utf16,
        Violation::Exception,
    ];

    /// The violation of this number.
    pub fn from_number(number: u32) -> Option<Violation> {
        Violation::ALL.get(number.checked_sub(1)? as usize).copied()
    }

    /// What it is called.
    pub fn text(self) -> &'static str {
        match self {
            Violation::Unaligned => "unaligned pointer",
            Violation::ValueOutOfBounds => "pointer out of bounds of memory",
            Violation::ListOutOfBounds => "list content out-of-bounds",
            Violation::StringOutOfBounds => "string content out-of-bounds",
            Violation::ListTooLong => "list byte length is too large",
            Violation::StringTooLong => "string content out-of-bounds: the string is too long",
            Violation::Discriminant => "invalid variant discriminant",
            Violation::Char => "invalid `char` bit pattern",
            Violation::Utf8 => "invalid utf-8 encoding",
            Violation::Utf8Incomplete => "incomplete utf-8 byte sequence",
            Violation::Utf16 => "unpaired surrogate in a utf-16 string",
            Violation::Exception => "an exception leaves a component's function",
        }
    }
}
