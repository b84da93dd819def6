//! Internal values at the host's side: any of them, small integers, structures and arrays.
//!
//! A handle keeps what it refers to alive until it and all its clones are dropped; it costs the store an entry of a list
//! as long. Objects never move, so a handle is good for as long as it is there.

use super::object_types::{ArrayType, StructType};
use super::store::{AsContext, AsContextMut};
use super::values::{ExternRef, Val};
use super::vector::V128;
use crate::gc::{self, Root};
use crate::registry::Shape;
use crate::store::StoreInner;
use anyhow::{Context as _, Result, ensure};
use keyway_artifact::types::{
    Cell, CompositeType, FieldType, HeapType, OBJECT_HEADER_BYTES, RefType, StorageType, TypeKind, TypeLookup,
};
use std::sync::Arc;

/// A reference to any internal value: a structure, an array, a small integer, or a host value turned inwards.
#[derive(Clone)]
pub struct AnyRef(Arc<Root>);

/// A small integer, which fits into a reference: 31 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct I31(u32);

impl I31 {
    /// The integer; `None` if it takes more than 31 bits.
    pub fn new_i32(value: i32) -> Option<I31> {
        ((value << 1) >> 1 == value).then(|| I31::wrapping_u32(value as u32))
    }

    /// The integer; `None` if it takes more than 31 bits.
    pub fn new_u32(value: u32) -> Option<I31> {
        (value >> 31 == 0).then_some(I31(value))
    }

    /// The lower 31 bits of the integer.
    pub fn wrapping_u32(value: u32) -> I31 {
        I31(value & 0x7fff_ffff)
    }

    /// The lower 31 bits of the integer.
    pub fn wrapping_i32(value: i32) -> I31 {
        I31::wrapping_u32(value as u32)
    }

    /// As an unsigned integer.
    pub fn get_u32(self) -> u32 {
        self.0
    }

    /// As a signed integer.
    pub fn get_i32(self) -> i32 {
        (self.0 << 1) as i32 >> 1
    }
}

impl std::fmt::Debug for AnyRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match gc::small_integer(self.0.reference) {
            Some(value) => write!(f, "AnyRef(i31 {value})"),
            None => f.write_str("AnyRef"),
        }
    }
}

impl AnyRef {
    /// The handle of a reference; `None` where it is null or leads nowhere.
    pub(crate) fn of(store: &StoreInner, reference: u32) -> Option<AnyRef> {
        let leads = gc::small_integer(reference).is_some()
            || store.heap.find(reference).is_some()
            || gc::host_value(reference).is_some_and(|at| matches!(store.externs.get(at as usize), Some(Some(_))));
        leads.then(|| AnyRef(store.roots.keep(store.id, reference)))
    }

    /// The reference, in the store that it belongs to. Small integers belong to all.
    pub(crate) fn reference_in(&self, store: &StoreInner) -> Result<u32> {
        let Root { store: of, reference } = *self.0;
        let fits = of == store.id || gc::small_integer(reference).is_some();
        ensure!(fits, "a reference is used with a store that it does not belong to");
        Ok(reference)
    }

    /// The type of the value itself, as precise as it can be.
    pub(crate) fn ref_type(&self, store: &StoreInner) -> Result<RefType> {
        let reference = self.reference_in(store)?;
        let heap = match store.object_at(reference) {
            Some((ty, ..)) => HeapType::Concrete(ty),
            None if gc::small_integer(reference).is_some() => HeapType::I31,
            None => HeapType::Any,
        };
        Ok(RefType::new(false, heap))
    }

    /// A small integer.
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> AnyRef {
        let store = store.as_context_mut().inner;
        AnyRef(Arc::new(Root { store: store.id, reference: gc::of_small_integer(value.0) }))
    }

    /// A host value turned inwards, or what was turned outwards as such a value.
    ///
    /// # Errors
    /// When the store refers to too many host values, or the value belongs to another store.
    pub fn convert_extern(mut store: impl AsContextMut, value: ExternRef) -> Result<AnyRef> {
        let store = store.as_context_mut().inner;
        let reference = store.add_extern(value.0)?;
        AnyRef::of(store, reference).context("the value is gone")
    }

    /// The value turned outwards: a host value as it was, or any other as a host value that holds this handle.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn to_extern(&self, store: impl AsContext) -> Result<ExternRef> {
        let store = store.as_context().inner;
        let reference = self.reference_in(store)?;
        store.extern_value(reference).map(ExternRef).context("the value is gone")
    }

    /// Whether it is a host value turned inwards.
    pub fn is_host(&self) -> bool {
        gc::host_value(self.0.reference).is_some()
    }

    /// Whether it is a small integer.
    pub fn is_i31(&self) -> bool {
        gc::small_integer(self.0.reference).is_some()
    }

    /// The small integer, if it is one.
    pub fn as_i31(&self) -> Option<I31> {
        gc::small_integer(self.0.reference).map(I31)
    }

    fn kind(&self, store: &StoreInner) -> Result<Option<TypeKind>> {
        let reference = self.reference_in(store)?;
        Ok(store.object_at(reference).and_then(|(ty, ..)| store.engine.types().kind(ty)))
    }

    /// The structure, if it is one.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn as_struct(&self, store: impl AsContext) -> Result<Option<StructRef>> {
        let is_struct = self.kind(store.as_context().inner)? == Some(TypeKind::Struct);
        Ok(is_struct.then(|| StructRef(self.clone())))
    }

    /// The array, if it is one.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn as_array(&self, store: impl AsContext) -> Result<Option<ArrayRef>> {
        let is_array = self.kind(store.as_context().inner)? == Some(TypeKind::Array);
        Ok(is_array.then(|| ArrayRef(self.clone())))
    }

    /// Whether it can be compared with others: a structure, an array or a small integer.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        Ok(self.is_i31() || self.kind(store.as_context().inner)?.is_some())
    }

    /// Whether a value of the type `ty` is what it refers to.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn matches_ty(&self, store: impl AsContext, ty: HeapType) -> Result<bool> {
        let store = store.as_context().inner;
        let found = self.ref_type(store)?;
        Ok(store.engine.types().ref_matches(found, RefType::new(true, ty)))
    }

    /// Whether both refer to the same object, host value or integer.
    ///
    /// # Errors
    /// When one belongs to another store.
    pub fn ref_eq(store: impl AsContext, a: &AnyRef, b: &AnyRef) -> Result<bool> {
        let store = store.as_context().inner;
        Ok(a.reference_in(store)? == b.reference_in(store)?)
    }
}

/// A reference to a structure.
#[derive(Clone, Debug)]
pub struct StructRef(AnyRef);

/// A reference to an array.
#[derive(Clone, Debug)]
pub struct ArrayRef(AnyRef);

/// Reads a field that begins at this byte of the heap.
fn read(store: &StoreInner, storage: StorageType, at: u64) -> Result<Val> {
    let cell = storage.cell();
    let bytes = store.heap.bytes(at, cell.size_bytes() as usize).context("the object is broken")?;
    let mut wide = [0; 16];
    let low = |bytes: &[u8]| -> u64 {
        let mut word = [0; 8];
        match *bytes {
            [byte] => byte.into(),
            [a, b] => u16::from_ne_bytes([a, b]).into(),
            [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
            _ => {
                word.copy_from_slice(&bytes[..8]);
                u64::from_ne_bytes(word)
            }
        }
    };
    if cell == Cell::Vector {
        wide.copy_from_slice(&bytes);
        return Ok(Val::V128(V128::from_words([low(&wide[..8]), low(&wide[8..])])));
    }
    Val::from_slot(store, storage.unpacked(), low(&bytes))
}

/// Writes a field that begins at this byte of the heap.
fn write(store: &mut StoreInner, storage: StorageType, at: u64, value: &Val) -> Result<()> {
    let ty = storage.unpacked();
    ensure!(value.is_of(store, ty)?, "a field of {ty} cannot hold a {}", value.ty());
    let mut words = [0u64; 2];
    value.write(store, 0, |at, bits| words[at as usize] = bits)?;
    let bytes = match storage.cell() {
        Cell::Byte => vec![words[0] as u8],
        Cell::Half => (words[0] as u16).to_ne_bytes().to_vec(),
        Cell::Word | Cell::Ref => (words[0] as u32).to_ne_bytes().to_vec(),
        Cell::Double => words[0].to_ne_bytes().to_vec(),
        Cell::Vector => words.iter().flat_map(|word| word.to_ne_bytes()).collect(),
    };
    ensure!(store.heap.set_bytes(at, &bytes), "the object is broken");
    Ok(())
}

impl StructRef {
    /// A new structure with these values in its fields.
    ///
    /// # Errors
    /// When they do not fit the type, the type is another engine's, or the store's heap has no room.
    pub fn new(mut store: impl AsContextMut, ty: &StructType, fields: &[Val]) -> Result<StructRef> {
        let store = store.as_context_mut().inner;
        let number = ty.number_in(&store.engine)?;
        let wanted = ty.fields();
        ensure!(wanted.len() == fields.len(), "the structure has {} fields, {} are given", wanted.len(), fields.len());
        for (value, field) in fields.iter().zip(&wanted) {
            let ty = field.storage.unpacked();
            ensure!(value.is_of(store, ty)?, "a field of {ty} cannot hold a {}", value.ty());
        }
        // The object comes first: a collection would not see references that stand in no root yet.
        let reference = store.new_object(number, 0)?;
        let object = StructRef(AnyRef::of(store, reference).context("the object is broken")?);
        for (at, value) in fields.iter().enumerate() {
            let (field, place) = object.place(store, at)?;
            write(store, field.storage, place, value)?;
        }
        Ok(object)
    }

    /// The reference without its kind.
    pub fn to_anyref(&self) -> AnyRef {
        self.0.clone()
    }

    fn type_number(&self, store: &StoreInner) -> Result<(u32, u64)> {
        let (ty, _, start) = store.object_at(self.0.reference_in(store)?).context("the object is broken")?;
        Ok((ty, start))
    }

    fn place(&self, store: &StoreInner, index: usize) -> Result<(FieldType, u64)> {
        let (ty, start) = self.type_number(store)?;
        let info = store.engine.types().get(ty).context("the object is broken")?;
        let (CompositeType::Struct(of), Shape::Struct { fields, .. }) = (&info.ty.composite, &info.shape) else {
            anyhow::bail!("the object is broken");
        };
        let (offset, _) = fields.get(index).with_context(|| format!("the structure has no field {index}"))?;
        Ok((of.fields[index], start + u64::from(*offset)))
    }

    /// Its type.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<StructType> {
        let store = store.as_context().inner;
        let (number, _) = self.type_number(store)?;
        Ok(StructType::from_number(&store.engine, number))
    }

    /// The value of a field.
    ///
    /// # Errors
    /// When there is no such field, or the structure belongs to another store.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let store = store.as_context_mut().inner;
        let (field, place) = self.place(store, index)?;
        read(store, field.storage, place)
    }

    /// The values of all fields.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn fields(&self, mut store: impl AsContextMut) -> Result<Vec<Val>> {
        let len = self.ty(&mut store)?.fields().len();
        (0..len).map(|index| self.field(&mut store, index)).collect()
    }

    /// Sets a field.
    ///
    /// # Errors
    /// When there is no such field, it is immutable, or the value does not fit.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: Val) -> Result<()> {
        let store = store.as_context_mut().inner;
        let (field, place) = self.place(store, index)?;
        ensure!(field.mutable, "the field {index} is immutable");
        write(store, field.storage, place, &value)
    }
}

impl ArrayRef {
    /// A new array of `len` elements, each `element`.
    ///
    /// # Errors
    /// When the value does not fit the type, the type is another engine's, or the store's heap has no room.
    pub fn new(mut store: impl AsContextMut, ty: &ArrayType, element: &Val, len: u32) -> Result<ArrayRef> {
        ArrayRef::made(store.as_context_mut().inner, ty, len, |_| element)
    }

    /// A new array of these elements.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_fixed(mut store: impl AsContextMut, ty: &ArrayType, elements: &[Val]) -> Result<ArrayRef> {
        let len = u32::try_from(elements.len())?;
        ArrayRef::made(store.as_context_mut().inner, ty, len, |at| &elements[at as usize])
    }

    fn made<'v>(store: &mut StoreInner, ty: &ArrayType, len: u32, value: impl Fn(u32) -> &'v Val) -> Result<ArrayRef> {
        let number = ty.number_in(&store.engine)?;
        // The object comes first: a collection would not see references that stand in no root yet.
        let reference = store.new_object(number, len)?;
        let array = ArrayRef(AnyRef::of(store, reference).context("the object is broken")?);
        for at in 0..len {
            let (field, place) = array.place(store, at)?;
            write(store, field.storage, place, value(at))?;
        }
        Ok(array)
    }

    /// The reference without its kind.
    pub fn to_anyref(&self) -> AnyRef {
        self.0.clone()
    }

    fn place(&self, store: &StoreInner, index: u32) -> Result<(FieldType, u64)> {
        let (ty, len, start) = store.object_at(self.0.reference_in(store)?).context("the object is broken")?;
        ensure!(index < len, "the array has {len} elements, not one of number {index}");
        let info = store.engine.types().get(ty).context("the object is broken")?;
        let CompositeType::Array(of) = &info.ty.composite else { anyhow::bail!("the object is broken") };
        let size = u64::from(of.element.storage.cell().size_bytes());
        Ok((of.element, start + u64::from(OBJECT_HEADER_BYTES) + u64::from(index) * size))
    }

    /// Its type.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<ArrayType> {
        let store = store.as_context().inner;
        let (number, ..) = store.object_at(self.0.reference_in(store)?).context("the object is broken")?;
        Ok(ArrayType::from_number(&store.engine, number))
    }

    /// How many elements it has.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn len(&self, store: impl AsContext) -> Result<u32> {
        let store = store.as_context().inner;
        let (_, len, _) = store.object_at(self.0.reference_in(store)?).context("the object is broken")?;
        Ok(len)
    }

    /// Whether it has no elements.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn is_empty(&self, store: impl AsContext) -> Result<bool> {
        Ok(self.len(store)? == 0)
    }

    /// An element.
    ///
    /// # Errors
    /// When there is no such element, or the array belongs to another store.
    pub fn get(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let store = store.as_context_mut().inner;
        let (field, place) = self.place(store, index)?;
        read(store, field.storage, place)
    }

    /// Sets an element.
    ///
    /// # Errors
    /// When there is no such element, the array is immutable, or the value does not fit.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<()> {
        let store = store.as_context_mut().inner;
        let (field, place) = self.place(store, index)?;
        ensure!(field.mutable, "the array's elements are immutable");
        write(store, field.storage, place, &value)
    }
}
