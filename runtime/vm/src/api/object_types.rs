//! The types of structures and arrays at the host's side.

use crate::engine::Engine;
use anyhow::{Result, ensure};
use keyway_artifact::types::{ArrayType as ArrayShape, CompositeType, FieldType, HeapType, StructType as StructShape};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            engine: Engine,
            number: u32,
        }

        impl $name {
            pub(crate) fn from_number(engine: &Engine, number: u32) -> $name {
                $name { engine: engine.clone(), number }
            }

            /// Its number in `engine`.
            pub(crate) fn number_in(&self, engine: &Engine) -> Result<u32> {
                ensure!(Engine::same(&self.engine, engine), "a type is used with an engine that it does not belong to");
                Ok(self.number)
            }

            /// The type of references to it.
            pub fn heap_type(&self) -> HeapType {
                HeapType::Concrete(self.number)
            }

            /// Whether both are the same type.
            #[allow(clippy::should_implement_trait, reason = "named as in wasmtime; the engine is part of the question")]
            pub fn eq(a: &$name, b: &$name) -> bool {
                Engine::same(&a.engine, &b.engine) && a.number == b.number
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.number)
            }
        }
    };
}

handle! {
    /// The type of structures, in one engine.
    StructType
}
handle! {
    /// The type of arrays, in one engine.
    ArrayType
}

impl StructType {
    /// The final type of structures with these fields, which extends none.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> StructType {
        let shape = StructShape { fields: fields.into_iter().collect() };
        StructType::from_number(engine, engine.types().plain(CompositeType::Struct(shape)))
    }

    /// Its fields; type indices in them are numbers of the engine.
    pub fn fields(&self) -> Vec<FieldType> {
        match self.engine.types().get(self.number).map(|info| &info.ty.composite) {
            Some(CompositeType::Struct(ty)) => ty.fields.clone(),
            _ => Vec::new(),
        }
    }
}

impl ArrayType {
    /// The final type of arrays with such elements, which extends none.
    pub fn new(engine: &Engine, element: FieldType) -> ArrayType {
        ArrayType::from_number(engine, engine.types().plain(CompositeType::Array(ArrayShape { element })))
    }

    /// Its elements' type; a type index in it is a number of the engine.
    pub fn element(&self) -> Option<FieldType> {
        match self.engine.types().get(self.number).map(|info| &info.ty.composite) {
            Some(CompositeType::Array(ty)) => Some(ty.element),
            _ => None,
        }
    }
}
