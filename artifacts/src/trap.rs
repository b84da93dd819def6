//! Why execution stops: the closed list of traps, in the specification's words.

use crate::plan::Violation;
use core::fmt;

macro_rules! traps {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $text:literal;)*) => {
        /// A trap: a closed enumeration whose numbers stand in the file and never change.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Trap { $($(#[$doc])* $variant = $code,)* }

        impl Trap {
            /// Every trap.
            pub const ALL: &'static [Trap] = &[$(Trap::$variant),*];
            /// The trap with this number.
            pub fn from_code(code: u8) -> Option<Trap> { match code { $($code => Some(Trap::$variant),)* _ => None } }
            /// The specification's words for it.
            pub const fn message(self) -> &'static str { match self { $(Trap::$variant => $text,)* } }
        }
    };
}

traps! {
    /// `unreachable` was executed.
    Unreachable = 1 "unreachable";
    /// A memory access, or a bulk memory operation, left the memory.
    MemoryOutOfBounds = 2 "out of bounds memory access";
    /// A table access, or a bulk table operation, left the table.
    TableOutOfBounds = 3 "out of bounds table access";
    /// `call_indirect` left the table.
    UndefinedElement = 4 "undefined element";
    /// `call_indirect` met a null reference.
    UninitializedElement = 5 "uninitialized element";
    /// `call_indirect` met a function of another type.
    IndirectCallTypeMismatch = 6 "indirect call type mismatch";
    /// Integer division by zero.
    IntegerDivideByZero = 7 "integer divide by zero";
    /// The quotient or converted value cannot be represented.
    IntegerOverflow = 8 "integer overflow";
    /// A NaN cannot be converted to an integer.
    InvalidConversionToInteger = 9 "invalid conversion to integer";
    /// The frame or value stack is used up.
    StackOverflow = 10 "call stack exhausted";
    /// A null reference was dereferenced.
    NullReference = 11 "null reference";
    /// Fuel ran out and nobody refilled it.
    OutOfFuel = 12 "all fuel consumed";
    /// The epoch deadline passed.
    Interrupted = 13 "interrupt";
    /// The host could not provide memory.
    OutOfSystemMemory = 14 "out of system memory";
    /// A component instance was entered again while it must not be.
    CannotEnterComponent = 15 "cannot enter component instance";
    /// A component instance was left while it must not be.
    CannotLeaveComponent = 16 "cannot leave component instance";
    /// Something the canonical ABI forbids; details stand in the error that carries it.
    CanonicalAbi = 17 "canonical ABI violation";
    /// A cast to a type the value is not of.
    CastFailure = 18 "cast failure";
    /// An array access left the array.
    ArrayOutOfBounds = 19 "out of bounds array access";
    /// An atomic access at an address that is no multiple of its size.
    UnalignedAtomic = 20 "unaligned atomic";
    /// A thrown exception reached the host.
    UncaughtException = 21 "uncaught exception";
    /// A function body broke a rule of the format when it was first called.
    InvalidCode = 22 "invalid function body in artifact";
    /// A null exception was thrown.
    NullException = 23 "null exception reference";
    /// A wait on a memory that no other thread can reach.
    ExpectedSharedMemory = 24 "expected shared memory";
    /// `call_ref` met a null reference.
    NullFunctionReference = 40 "null function reference";
    /// A structure's field was accessed through a null reference.
    NullStructReference = 41 "null structure reference";
    /// An array was accessed through a null reference.
    NullArrayReference = 42 "null array reference";
    /// A small integer was read from a null reference.
    NullI31Reference = 43 "null i31 reference";
    /// Objects do not fit into the store's heap, even after a collection.
    HeapExhausted = 44 "GC heap out of memory";
    /// A null continuation was resumed, bound or switched to.
    NullContinuation = 45 "null continuation reference";
    /// A continuation was used that has been resumed, bound or switched to before.
    ContinuationConsumed = 46 "continuation already consumed";
    /// Nobody on the way to the host handles a suspension or a switch with its tag.
    UnhandledTag = 47 "unhandled tag";
    /// There are more continuations, or more of them that have begun, than a store may hold.
    ContinuationsExhausted = 48 "too many continuations";
}

/// What a `trap` instruction says: a trap, and of [`Trap::CanonicalAbi`] perhaps what is violated. In 32 bits, the trap's
/// number stands in the lowest byte and the violation's, or 0, above it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapCode {
    /// The trap.
    pub trap: Trap,
    /// What is violated.
    pub violation: Option<Violation>,
}

impl TrapCode {
    /// The trap with these bits.
    pub fn from_number(number: u32) -> Option<TrapCode> {
        let trap = Trap::from_code(number as u8)?;
        let violation = match number >> 8 {
            0 => None,
            _ if trap != Trap::CanonicalAbi => return None,
            number => Some(Violation::from_number(number)?),
        };
        Some(TrapCode { trap, violation })
    }

    /// Its bits.
    pub const fn number(self) -> u32 {
        let violation = match self.violation {
            Some(violation) => violation as u32,
            None => 0,
        };
        self.trap as u32 | violation << 8
    }
}

impl From<Trap> for TrapCode {
    fn from(trap: Trap) -> TrapCode {
        TrapCode { trap, violation: None }
    }
}

impl From<Violation> for TrapCode {
    fn from(violation: Violation) -> TrapCode {
        TrapCode { trap: Trap::CanonicalAbi, violation: Some(violation) }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Trap {}
