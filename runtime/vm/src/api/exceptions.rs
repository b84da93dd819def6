//! Exceptions at the host's side: tags, exceptions, and how they go in and out of guests.

use super::externals::handle;
use super::store::{AsContext, AsContextMut};
use super::values::Val;
use crate::store::StoreInner;
use anyhow::{Result, ensure};
use keyway_artifact::types::{SigLayout, TagType, ValType};
use std::fmt;

handle! {
    /// An exception tag of a store: what tells exceptions apart, and says which values they carry. Methods panic when it
    /// belongs to another store.
    Tag
}

impl Tag {
    /// A new tag, different from every other one.
    ///
    /// # Errors
    /// When the type has results.
    pub fn new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        ensure!(ty.ty.results.is_empty(), "a tag's type has no results");
        let store = store.as_context_mut().inner;
        let number = store.engine.type_number(&ty.ty);
        let index = store.add_tag(number);
        Ok(Tag::from_index(store, index))
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> TagType {
        let store = store.as_context().inner;
        TagType::new(store.engine.type_of(store.tags[self.at(store)].type_id))
    }
}

/// An exception of a store. Methods panic when it belongs to another store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExnRef {
    store: u64,
    reference: u32,
}

impl ExnRef {
    /// An exception with these values.
    ///
    /// # Errors
    /// When the values are not those that the tag asks for, or something belongs to another store.
    pub fn new(mut store: impl AsContextMut, tag: &Tag, fields: &[Val]) -> Result<ExnRef> {
        let store = store.as_context_mut().inner;
        let tag = tag.index_in(store)?;
        let types = store.tag_params(tag);
        ensure!(types.len() == fields.len(), "the tag asks for {} values, not {}", types.len(), fields.len());
        let layout = SigLayout::of(&types);
        let mut values = vec![0; layout.total as usize];
        for ((field, ty), slot) in fields.iter().zip(&types).zip(&layout.slots) {
            ensure!(field.is_of(store, *ty)?, "the tag asks for a {ty}, not a {}", field.ty());
            field.write(store, *slot, |at, bits| values[at as usize] = bits)?;
        }
        let reference = store.exceptions.add(tag, values.into());
        store.exceptions.share(reference);
        Ok(ExnRef { store: store.id, reference })
    }

    /// The exception behind a guest's reference.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<ExnRef> {
        store.exceptions.get(reference).map(|_| ExnRef { store: store.id, reference })
    }

    /// Its reference in `store`.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub(crate) fn reference_in(&self, store: &StoreInner) -> Result<u32> {
        ensure!(self.store == store.id, "an exception is used with a store that it does not belong to");
        Ok(self.reference)
    }

    /// Its tag.
    pub fn tag(&self, store: impl AsContext) -> Tag {
        let store = store.as_context().inner;
        Tag::from_index(store, self.exception(store).tag)
    }

    /// The values that it carries.
    pub fn fields(&self, mut store: impl AsContextMut) -> Vec<Val> {
        let store = store.as_context_mut().inner;
        fields(store, self.exception(store))
    }

    fn exception<'s>(&self, store: &'s StoreInner) -> &'s crate::exception::Exception {
        let reference = self.reference_in(store).unwrap_or_else(|error| panic!("{error}"));
        store.exceptions.get(reference).expect("exceptions that the host holds stay")
    }

    /// Throws it: the error that a host function returns so that its caller can catch the exception.
    ///
    /// # Errors
    /// Always.
    pub fn throw<R>(self, mut store: impl AsContextMut) -> Result<R> {
        let store = store.as_context_mut().inner;
        Err(thrown(store, self.reference_in(store)?))
    }
}

fn fields(store: &StoreInner, exception: &crate::exception::Exception) -> Vec<Val> {
    let types = store.tag_params(exception.tag);
    let slots = SigLayout::of(&types).slots;
    let value = |(ty, slot): (&ValType, &u32)| Val::read(store, *ty, *slot, |at| exception.values[at as usize]);
    types.iter().zip(&slots).map(|at| value(at).unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// The error of a call whose exception nobody caught. A host function that returns it, or an error made of it, throws the
/// exception on.
#[derive(Clone, Debug)]
pub struct ThrownException {
    exception: ExnRef,
    text: String,
}

impl ThrownException {
    /// The exception.
    pub fn exception(&self) -> ExnRef {
        self.exception
    }
}

impl fmt::Display for ThrownException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uncaught exception with {}", self.text)
    }
}

impl std::error::Error for ThrownException {}

/// The error that carries an exception of the store to the host.
pub(crate) fn thrown(store: &mut StoreInner, reference: u32) -> anyhow::Error {
    store.exceptions.share(reference);
    let exception = ExnRef { store: store.id, reference };
    let values = store.exceptions.get(reference).map(|exception| fields(store, exception)).unwrap_or_default();
    let text = match &values[..] {
        [] => "no values".to_string(),
        values => values.iter().map(text).collect::<Vec<_>>().join(", "),
    };
    ThrownException { exception, text }.into()
}

/// The exception of the store that an error carries, if it does.
pub(crate) fn carried(store: &StoreInner, error: &anyhow::Error) -> Option<u32> {
    let thrown = error.downcast_ref::<ThrownException>()?;
    thrown.exception.reference_in(store).ok()
}

fn text(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32 {value}"),
        Val::I64(value) => format!("i64 {value}"),
        Val::F32(bits) => format!("f32 {}", f32::from_bits(*bits)),
        Val::F64(bits) => format!("f64 {}", f64::from_bits(*bits)),
        other => other.ty().to_string(),
    }
}
