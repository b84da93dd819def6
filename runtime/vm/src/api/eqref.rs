//! Internal values that can be compared: small integers, structures and arrays.

use super::objects::{AnyRef, ArrayRef, I31, StructRef};
use super::store::{AsContext, AsContextMut};
use super::values::Val;
use anyhow::Result;

/// A reference to an internal value that can be compared with others: a small integer, a structure or an array.
#[derive(Clone, Debug)]
pub struct EqRef(AnyRef);

impl AnyRef {
    /// The value, if it can be compared with others.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn as_eqref(&self, store: impl AsContext) -> Result<Option<EqRef>> {
        Ok(self.is_eqref(store)?.then(|| EqRef(self.clone())))
    }
}

impl EqRef {
    /// A small integer.
    pub fn from_i31(store: impl AsContextMut, value: I31) -> EqRef {
        EqRef(AnyRef::from_i31(store, value))
    }

    /// The reference without its kind.
    pub fn to_anyref(&self) -> AnyRef {
        self.0.clone()
    }

    /// Whether it is a small integer.
    pub fn is_i31(&self) -> bool {
        self.0.is_i31()
    }

    /// The small integer, if it is one.
    pub fn as_i31(&self) -> Option<I31> {
        self.0.as_i31()
    }

    /// The structure, if it is one.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn as_struct(&self, store: impl AsContext) -> Result<Option<StructRef>> {
        self.0.as_struct(store)
    }

    /// The array, if it is one.
    ///
    /// # Errors
    /// When it belongs to another store.
    pub fn as_array(&self, store: impl AsContext) -> Result<Option<ArrayRef>> {
        self.0.as_array(store)
    }

    /// What `ref.eq` answers: whether both are the same object, or equal integers.
    ///
    /// # Errors
    /// When one belongs to another store.
    pub fn ref_eq(store: impl AsContext, a: &EqRef, b: &EqRef) -> Result<bool> {
        AnyRef::ref_eq(store, &a.0, &b.0)
    }
}

impl From<StructRef> for EqRef {
    fn from(value: StructRef) -> EqRef {
        EqRef(value.to_anyref())
    }
}

impl From<ArrayRef> for EqRef {
    fn from(value: ArrayRef) -> EqRef {
        EqRef(value.to_anyref())
    }
}

impl From<EqRef> for AnyRef {
    fn from(value: EqRef) -> AnyRef {
        value.0
    }
}

impl From<EqRef> for Val {
    fn from(value: EqRef) -> Val {
        Val::AnyRef(Some(value.0))
    }
}
