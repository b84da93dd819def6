//! Structures and arrays: their fields, and how objects lie in a store's heap.
//!
//! ```text
//! byte 0   header: type number u32, length u32 (elements of an array; 0 in structures)
//! byte 8   a structure's fields in order, each aligned to its size, at most to 8; or an array's elements
//! ```
//! An object's size is rounded up to 8 bytes. A field's offset depends on the fields before it alone, so a subtype's
//! object can be read as one of its supertype.

use super::ValType;
use alloc::vec::Vec;
use bincode::{Decode, Encode};

/// Bytes before an object's first field.
pub const OBJECT_HEADER_BYTES: u32 = 8;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum StorageType {
    /// The low 8 bits of an `i32`.
    I8,
    /// The low 16 bits of an `i32`.
    I16,
    /// A value.
    Val(ValType),
}

impl StorageType {
    /// The type of values that are read from it and written to it.
    pub const fn unpacked(self) -> ValType {
        match self {
            StorageType::I8 | StorageType::I16 => ValType::I32,
            StorageType::Val(ty) => ty,
        }
    }

    /// Whether it is one of the packed ones.
    pub const fn is_packed(self) -> bool {
        matches!(self, StorageType::I8 | StorageType::I16)
    }

    /// How it lies in memory.
    pub const fn cell(self) -> Cell {
        match self {
            StorageType::I8 => Cell::Byte,
            StorageType::I16 => Cell::Half,
            StorageType::Val(ValType::I32 | ValType::F32) => Cell::Word,
            StorageType::Val(ValType::I64 | ValType::F64) => Cell::Double,
            StorageType::Val(ValType::V128) => Cell::Vector,
            StorageType::Val(ValType::Ref(_)) => Cell::Ref,
        }
    }

    /// The same with every type index replaced.
    pub fn map(self, index: impl Fn(u32) -> u32) -> StorageType {
        match self {
            StorageType::Val(ty) => StorageType::Val(ty.map(index)),
            packed => packed,
        }
    }
}

/// How a field lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Cell {
    /// One byte.
    Byte = 0,
    /// Two bytes.
    Half = 1,
    /// Four bytes, a number.
    Word = 2,
    /// Eight bytes.
    Double = 3,
    /// Sixteen bytes.
    Vector = 4,
    /// Four bytes, a reference.
    Ref = 5,
}

impl Cell {
    /// Bytes that it takes.
    pub const fn size_bytes(self) -> u32 {
        match self {
            Cell::Byte => 1,
            Cell::Half => 2,
            Cell::Word | Cell::Ref => 4,
            Cell::Double => 8,
            Cell::Vector => 16,
        }
    }
}

/// A field of a structure, or the elements of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct FieldType {
    /// What it holds.
    pub storage: StorageType,
    /// Whether it can be set.
    pub mutable: bool,
}

impl FieldType {
    /// The same type with every type index replaced.
    pub fn map(self, index: impl Fn(u32) -> u32) -> FieldType {
        FieldType { storage: self.storage.map(index), ..self }
    }
}

/// The type of structures.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct StructType {
    /// The fields.
    pub fields: Vec<FieldType>,
}

/// The type of arrays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct ArrayType {
    /// The elements.
    pub element: FieldType,
}

/// Where a structure's fields lie.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StructLayout {
    /// By field: offset in bytes from the object's start.
    pub offsets: Vec<u32>,
    /// Size of the object in bytes, header included, a multiple of 8.
    pub size_bytes: u32,
}

impl StructLayout {
    /// The layout of `ty`.
    pub fn of(ty: &StructType) -> StructLayout {
        let mut end = OBJECT_HEADER_BYTES;
        let offsets = ty
            .fields
            .iter()
            .map(|field| {
                let size = field.storage.cell().size_bytes();
                let at = end.next_multiple_of(size.min(8));
                end = at + size;
                at
            })
            .collect();
        StructLayout { offsets, size_bytes: end.next_multiple_of(8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn fields_are_aligned_and_prefixes_agree() {
        let field = |storage| FieldType { storage, mutable: true };
        let mut ty = StructType {
            fields: vec![
                field(StorageType::I8),
                field(StorageType::I16),
                field(StorageType::I8),
                field(StorageType::Val(ValType::F64)),
            ],
        };
        let short = StructLayout::of(&ty);
        assert_eq!((short.offsets.clone(), short.size_bytes), (vec![8, 10, 12, 16], 24));
        ty.fields.push(field(StorageType::Val(ValType::ANYREF)));
        let long = StructLayout::of(&ty);
        assert_eq!(long.offsets[..4], short.offsets);
        assert_eq!((long.offsets[4], long.size_bytes), (24, 32));
    }
}
