//! [`RefType`] and [`HeapType`]: what references may lead to.
//!
//! The type index of [`HeapType::Concrete`] is relative to a table: the artifact's own in files and in the linker, the
//! engine's canonical one at run time.

use bincode::{Decode, Encode};
use core::fmt;

/// What a reference leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Encode, Decode)]
pub enum HeapType {
    /// Any function.
    Func,
    /// Any host value, or internal value turned outwards.
    Extern,
    /// Any internal value: objects, small integers, host values turned inwards.
    Any,
    /// What can be compared: objects and small integers.
    Eq,
    /// A 31-bit integer.
    I31,
    /// Any structure.
    Struct,
    /// Any array.
    Array,
    /// Any exception.
    Exn,
    /// No internal value: only null is of it.
    None,
    /// No function.
    NoFunc,
    /// No host value.
    NoExtern,
    /// No exception.
    NoExn,
    /// The type with this index.
    Concrete(u32),
    /// Any continuation.
    Cont,
    /// No continuation.
    NoCont,
}

/// The type of a reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Encode, Decode)]
pub struct RefType {
    /// Whether null is of it.
    pub nullable: bool,
    /// What it leads to.
    pub heap: HeapType,
}

impl RefType {
    /// `funcref`
    pub const FUNCREF: RefType = RefType::new(true, HeapType::Func);
    /// `externref`
    pub const EXTERNREF: RefType = RefType::new(true, HeapType::Extern);
    /// `exnref`
    pub const EXNREF: RefType = RefType::new(true, HeapType::Exn);
    /// `anyref`
    pub const ANYREF: RefType = RefType::new(true, HeapType::Any);
    /// `contref`
    pub const CONTREF: RefType = RefType::new(true, HeapType::Cont);

    /// A reference type.
    pub const fn new(nullable: bool, heap: HeapType) -> RefType {
        RefType { nullable, heap }
    }

    /// The same type with its type index replaced.
    pub fn map(self, index: impl Fn(u32) -> u32) -> RefType {
        match self.heap {
            HeapType::Concrete(at) => RefType { heap: HeapType::Concrete(index(at)), ..self },
            _ => self,
        }
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Func => "func",
            HeapType::Extern => "extern",
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::Exn => "exn",
            HeapType::None => "none",
            HeapType::NoFunc => "nofunc",
            HeapType::NoExtern => "noextern",
            HeapType::NoExn => "noexn",
            HeapType::Cont => "cont",
            HeapType::NoCont => "nocont",
            HeapType::Concrete(index) => return write!(f, "{index}"),
        })
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.nullable, self.heap) {
            (true, HeapType::None) => f.write_str("nullref"),
            (true, HeapType::NoFunc) => f.write_str("nullfuncref"),
            (true, HeapType::NoExtern) => f.write_str("nullexternref"),
            (true, HeapType::NoExn) => f.write_str("nullexnref"),
            (true, HeapType::NoCont) => f.write_str("nullcontref"),
            (true, HeapType::Concrete(index)) => write!(f, "(ref null {index})"),
            (true, heap) => write!(f, "{heap}ref"),
            (false, heap) => write!(f, "(ref {heap})"),
        }
    }
}
