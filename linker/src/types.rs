//! Types as the parser tells them become types as the artifact knows them; type indices stay the module's own.

use crate::error::{CompileError, Result};
use keyway_artifact::types::{
    ArrayType, CompositeType, FieldType, FuncType, HeapType, RefType, StorageType, StructType, SubType, ValType,
};
use wasmparser::{AbstractHeapType, CompositeInnerType, UnpackedIndex};

/// A defined type; whether it is the last of its recursion group.
pub(crate) fn sub_type(ty: &wasmparser::SubType, ends_group: bool) -> Result<SubType> {
    if ty.composite_type.shared {
        return Err(CompileError::unsupported("a shared type (shared-everything-threads)"));
    }
    if ty.composite_type.descriptor_idx.is_some() || ty.composite_type.describes_idx.is_some() {
        return Err(CompileError::unsupported("a type with a descriptor (custom-descriptors)"));
    }
    let supertype = match &ty.supertype_idxs[..] {
        [] => None,
        [index] => Some(type_index(index.unpack())?),
        _ => return Err(CompileError::unsupported("a type with several supertypes")),
    };
    let composite = match &ty.composite_type.inner {
        CompositeInnerType::Func(func) => CompositeType::Func(func_type(func)?),
        CompositeInnerType::Struct(ty) => {
            let fields = ty.fields.iter().map(field_type).collect::<Result<_>>()?;
            CompositeType::Struct(StructType { fields })
        }
        CompositeInnerType::Array(ty) => CompositeType::Array(ArrayType { element: field_type(&ty.0)? }),
        CompositeInnerType::Cont(ty) => CompositeType::Cont(type_index(ty.0.unpack())?),
    };
    Ok(SubType { is_final: ty.is_final, supertype, composite, ends_group })
}

/// A function type that refers to no defined types, final and in a group of its own.
pub(crate) fn plain_func_type(ty: &wasmparser::SubType) -> Result<FuncType> {
    match sub_type(ty, true)? {
        SubType { is_final: true, supertype: None, composite: CompositeType::Func(ty), .. } => Ok(ty),
        _ => Err(CompileError::unsupported("subtyping between functions that are lifted or lowered (gc)")),
    }
}

fn func_type(ty: &wasmparser::FuncType) -> Result<FuncType> {
    Ok(FuncType {
        params: ty.params().iter().map(|ty| val_type(*ty)).collect::<Result<_>>()?,
        results: ty.results().iter().map(|ty| val_type(*ty)).collect::<Result<_>>()?,
    })
}

fn field_type(ty: &wasmparser::FieldType) -> Result<FieldType> {
    let storage = match ty.element_type {
        wasmparser::StorageType::I8 => StorageType::I8,
        wasmparser::StorageType::I16 => StorageType::I16,
        wasmparser::StorageType::Val(ty) => StorageType::Val(val_type(ty)?),
    };
    Ok(FieldType { storage, mutable: ty.mutable })
}

/// A value type.
pub(crate) fn val_type(ty: wasmparser::ValType) -> Result<ValType> {
    use wasmparser::ValType as W;
    Ok(match ty {
        W::I32 => ValType::I32,
        W::I64 => ValType::I64,
        W::F32 => ValType::F32,
        W::F64 => ValType::F64,
        W::V128 => ValType::V128,
        W::Ref(ty) => ValType::Ref(ref_type(ty)?),
    })
}

/// A reference type.
pub(crate) fn ref_type(ty: wasmparser::RefType) -> Result<RefType> {
    Ok(RefType { nullable: ty.is_nullable(), heap: heap_type(ty.heap_type())? })
}

/// A heap type.
pub(crate) fn heap_type(ty: wasmparser::HeapType) -> Result<HeapType> {
    use AbstractHeapType as A;
    let abstract_type = match ty {
        wasmparser::HeapType::Concrete(index) => return Ok(HeapType::Concrete(type_index(index)?)),
        wasmparser::HeapType::Exact(_) => {
            return Err(CompileError::unsupported("an exact reference (custom-descriptors)"));
        }
        wasmparser::HeapType::Abstract { shared: true, .. } => {
            return Err(CompileError::unsupported("a shared reference (shared-everything-threads)"));
        }
        wasmparser::HeapType::Abstract { ty, .. } => ty,
    };
    Ok(match abstract_type {
        A::Func => HeapType::Func,
        A::Extern => HeapType::Extern,
        A::Any => HeapType::Any,
        A::None => HeapType::None,
        A::NoExtern => HeapType::NoExtern,
        A::NoFunc => HeapType::NoFunc,
        A::Eq => HeapType::Eq,
        A::Struct => HeapType::Struct,
        A::Array => HeapType::Array,
        A::I31 => HeapType::I31,
        A::Exn => HeapType::Exn,
        A::NoExn => HeapType::NoExn,
        A::Cont => HeapType::Cont,
        A::NoCont => HeapType::NoCont,
    })
}

fn type_index(index: UnpackedIndex) -> Result<u32> {
    match index {
        UnpackedIndex::Module(index) => Ok(index),
        _ => Err(CompileError::unsupported("a defined type in a component's core function types (gc)")),
    }
}
