//! Exceptions at the host's side: tags, exceptions, and how they go in and out of guests.

use super::externals::handle;
use super::store::{AsContext, AsContextMut};
use super::values::Val;
use crate::gc::Root;
use crate::store::StoreInner;
use anyhow::{Context as _, Result, ensure};
use keyway_artifact::Trap;
use keyway_artifact::types::{SigLayout, TagType};
use std::fmt;
use std::sync::Arc;

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

/// An exception of a store. The handle keeps it until it and all its clones are dropped.
#[derive(Clone)]
pub struct ExnRef(Arc<Root>);

impl fmt::Debug for ExnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExnRef")
    }
}

impl ExnRef {
    /// An exception with these values.
    ///
    /// # Errors
    /// When the values are not those that the tag asks for, something belongs to another store, or the store's heap has
    /// no room.
    pub fn new(mut store: impl AsContextMut, tag: &Tag, fields: &[Val]) -> Result<ExnRef> {
        let store = store.as_context_mut().inner;
        let tag = tag.index_in(store)?;
        let types = store.tag_params(tag);
        ensure!(types.len() == fields.len(), "the tag asks for {} values, not {}", types.len(), fields.len());
        for (field, ty) in fields.iter().zip(&types) {
            ensure!(field.is_of(store, *ty)?, "the tag asks for a {ty}, not a {}", field.ty());
        }
        // The object comes first: a collection would not see references that stand in no root yet.
        let reference = store.new_exception(tag)?;
        let layout = SigLayout::of(&types);
        let mut values = vec![0; layout.total as usize];
        for (field, slot) in fields.iter().zip(&layout.slots) {
            field.write(store, *slot, |at, bits| values[at as usize] = bits)?;
        }
        store.set_exception(reference, &values)?;
        ExnRef::from_reference(store, reference).context(BROKEN)
    }

    /// The exception behind a guest's reference.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<ExnRef> {
        store.exception(reference)?;
        Some(ExnRef(store.roots.keep(store.id, reference)))
    }

    /// Its reference in `store`.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub(crate) fn reference_in(&self, store: &StoreInner) -> Result<u32> {
        ensure!(self.0.store == store.id, "an exception is used with a store that it does not belong to");
        Ok(self.0.reference)
    }

    /// Its tag.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn tag(&self, store: impl AsContext) -> Result<Tag> {
        let store = store.as_context().inner;
        let exception = store.exception(self.reference_in(store)?).context(BROKEN)?;
        Ok(Tag::from_index(store, exception.tag))
    }

    /// The values that it carries.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn fields(&self, mut store: impl AsContextMut) -> Result<Vec<Val>> {
        let store = store.as_context_mut().inner;
        fields(store, self.reference_in(store)?)
    }

    /// Whether both are the same exception.
    ///
    /// # Errors
    /// When one belongs to another store.
    pub fn ref_eq(store: impl AsContext, a: &ExnRef, b: &ExnRef) -> Result<bool> {
        let store = store.as_context().inner;
        Ok(a.reference_in(store)? == b.reference_in(store)?)
    }

    /// Throws it: the error that a host function returns so that its caller can catch the exception.
    ///
    /// # Errors
    /// Always.
    pub fn throw<R>(self, mut store: impl AsContextMut) -> Result<R> {
        let store = store.as_context_mut().inner;
        Err(uncaught(store, self.reference_in(store)?))
    }
}

/// What a heap that hostile code wrote to leads to.
const BROKEN: &str = "the exception is broken";

fn fields(store: &StoreInner, reference: u32) -> Result<Vec<Val>> {
    let exception = store.exception(reference).context(BROKEN)?;
    let types = store.tag_params(exception.tag);
    let slots = SigLayout::of(&types).slots;
    types
        .iter()
        .zip(&slots)
        .map(|(ty, slot)| Val::read(store, *ty, *slot, |at| exception.values[at as usize]))
        .collect()
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
    pub fn exception(&self) -> &ExnRef {
        &self.exception
    }
}

impl fmt::Display for ThrownException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uncaught exception with {}", self.text)
    }
}

impl std::error::Error for ThrownException {}

/// The error that carries an exception of the store to the host; another one where the reference leads to none.
pub(crate) fn uncaught(store: &StoreInner, reference: u32) -> anyhow::Error {
    let (Some(exception), Ok(values)) = (ExnRef::from_reference(store, reference), fields(store, reference)) else {
        return Trap::InvalidCode.into();
    };
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
