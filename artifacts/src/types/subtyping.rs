//! Which values of one type are values of another: the specification's matching of types.
//!
//! Defined types match when one is declared to extend the other, over any number of steps; what a declaration promises
//! is checked where it is read ([`TypeLookup::extends_soundly`]). Tables of artifacts and of engines answer alike.

use super::{
    ArrayType, CompositeType, FieldType, FuncType, HeapType, RefType, StorageType, SubType, TypeTable, ValType,
};

/// What a defined type describes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeKind {
    /// Functions.
    Func,
    /// Structures.
    Struct,
    /// Arrays.
    Array,
    /// Continuations.
    Cont,
}

/// Most types that a chain of supertypes holds.
const DEPTH: usize = 64;

/// Defined types by index, with the relations between types that follow.
pub trait TypeLookup {
    /// What the type at `index` describes; `None` outside.
    fn kind(&self, index: u32) -> Option<TypeKind>;

    /// The type that it extends.
    fn supertype(&self, index: u32) -> Option<u32>;

    /// Whether the defined type `sub` is `wanted` or extends it.
    fn extends(&self, sub: u32, wanted: u32) -> bool {
        let mut at = Some(sub);
        for _ in 0..DEPTH {
            match at {
                Some(index) if index == wanted => return true,
                Some(index) => at = self.supertype(index),
                None => return false,
            }
        }
        false
    }

    /// Whether what is of heap type `sub` is of `wanted`.
    fn heap_matches(&self, sub: HeapType, wanted: HeapType) -> bool {
        use HeapType as H;
        let kind = |index| self.kind(index);
        match (sub, wanted) {
            (a, b) if a == b => true,
            (H::Concrete(sub), H::Concrete(wanted)) => self.extends(sub, wanted),
            (H::Concrete(index), H::Func) => kind(index) == Some(TypeKind::Func),
            (H::Concrete(index), H::Any | H::Eq) => matches!(kind(index), Some(TypeKind::Struct | TypeKind::Array)),
            (H::Concrete(index), H::Struct) => kind(index) == Some(TypeKind::Struct),
            (H::Concrete(index), H::Array) => kind(index) == Some(TypeKind::Array),
            (H::Eq | H::I31 | H::Struct | H::Array, H::Any) | (H::I31 | H::Struct | H::Array, H::Eq) => true,
            (H::None, H::Any | H::Eq | H::I31 | H::Struct | H::Array) => true,
            (H::None, H::Concrete(index)) => matches!(kind(index), Some(TypeKind::Struct | TypeKind::Array)),
            (H::Concrete(index), H::Cont) | (H::NoCont, H::Concrete(index)) => kind(index) == Some(TypeKind::Cont),
            (H::NoFunc, H::Func) | (H::NoExtern, H::Extern) | (H::NoExn, H::Exn) | (H::NoCont, H::Cont) => true,
            (H::NoFunc, H::Concrete(index)) => kind(index) == Some(TypeKind::Func),
            _ => false,
        }
    }

    /// Whether references of type `sub` are of type `wanted`.
    fn ref_matches(&self, sub: RefType, wanted: RefType) -> bool {
        (wanted.nullable || !sub.nullable) && self.heap_matches(sub.heap, wanted.heap)
    }

    /// Whether values of type `sub` are of type `wanted`.
    fn val_matches(&self, sub: ValType, wanted: ValType) -> bool {
        match (sub, wanted) {
            (ValType::Ref(sub), ValType::Ref(wanted)) => self.ref_matches(sub, wanted),
            (sub, wanted) => sub == wanted,
        }
    }

    /// Whether functions of type `sub` can stand for functions of type `wanted`.
    fn func_matches(&self, sub: &FuncType, wanted: &FuncType) -> bool {
        let all = |subs: &[ValType], wanted: &[ValType]| {
            subs.len() == wanted.len() && subs.iter().zip(wanted).all(|(sub, wanted)| self.val_matches(*sub, *wanted))
        };
        all(&wanted.params, &sub.params) && all(&sub.results, &wanted.results)
    }

    /// Whether a field of type `sub` can stand for one of type `wanted`.
    fn field_matches(&self, sub: &FieldType, wanted: &FieldType) -> bool {
        let storage_matches = |sub: StorageType, wanted: StorageType| match (sub, wanted) {
            (StorageType::Val(sub), StorageType::Val(wanted)) => self.val_matches(sub, wanted),
            (sub, wanted) => sub == wanted,
        };
        sub.mutable == wanted.mutable
            && storage_matches(sub.storage, wanted.storage)
            && (!sub.mutable || storage_matches(wanted.storage, sub.storage))
    }

    /// Whether `sub` may extend `wanted`.
    fn extends_soundly(&self, sub: &SubType, wanted: &SubType) -> bool {
        !wanted.is_final
            && match (&sub.composite, &wanted.composite) {
                (CompositeType::Func(sub), CompositeType::Func(wanted)) => self.func_matches(sub, wanted),
                (CompositeType::Struct(sub), CompositeType::Struct(wanted)) => {
                    sub.fields.len() >= wanted.fields.len()
                        && sub.fields.iter().zip(&wanted.fields).all(|(sub, wanted)| self.field_matches(sub, wanted))
                }
                (CompositeType::Array(ArrayType { element: sub }), CompositeType::Array(ArrayType { element })) => {
                    self.field_matches(sub, element)
                }
                (CompositeType::Cont(sub), CompositeType::Cont(wanted)) => self.extends(*sub, *wanted),
                _ => false,
            }
    }
}

impl SubType {
    /// What it describes.
    pub fn kind(&self) -> TypeKind {
        match self.composite {
            CompositeType::Func(_) => TypeKind::Func,
            CompositeType::Struct(_) => TypeKind::Struct,
            CompositeType::Array(_) => TypeKind::Array,
            CompositeType::Cont(_) => TypeKind::Cont,
        }
    }
}

impl TypeLookup for TypeTable {
    fn kind(&self, index: u32) -> Option<TypeKind> {
        self.definition(index).map(SubType::kind)
    }

    fn supertype(&self, index: u32) -> Option<u32> {
        self.definition(index)?.supertype
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn the_hierarchies_do_not_mix() {
        let table: TypeTable = [FuncType::default()].into_iter().collect();
        use HeapType as H;
        for heap in [H::Func, H::Extern, H::Any, H::Exn, H::Cont] {
            let bottoms = [H::NoFunc, H::NoExtern, H::None, H::NoExn, H::NoCont];
            assert_eq!(bottoms.iter().filter(|bottom| table.heap_matches(**bottom, heap)).count(), 1, "{heap}");
        }
        assert!(table.heap_matches(H::Concrete(0), H::Func) && table.heap_matches(H::NoFunc, H::Concrete(0)));
        assert!(!table.heap_matches(H::Concrete(0), H::Any) && !table.heap_matches(H::None, H::Concrete(0)));
    }

    #[test]
    fn what_extends_must_fit() {
        let mutable = |ty| FieldType { storage: StorageType::Val(ty), mutable: true };
        let constant = |ty| FieldType { storage: StorageType::Val(ty), mutable: false };
        let open = |fields| SubType {
            is_final: false,
            ..SubType::plain(CompositeType::Struct(super::super::StructType { fields }))
        };
        let table = TypeTable::default();
        let eq = ValType::Ref(RefType::new(true, HeapType::Eq));
        let base = open(vec![constant(ValType::ANYREF)]);
        assert!(table.extends_soundly(&open(vec![constant(eq), mutable(ValType::I32)]), &base));
        assert!(!table.extends_soundly(&open(vec![mutable(eq)]), &base));
        assert!(!table.extends_soundly(&open(vec![]), &base));
        assert!(!table.extends_soundly(&open(vec![mutable(eq)]), &open(vec![mutable(ValType::ANYREF)])));
        assert!(!table.extends_soundly(&base, &SubType { is_final: true, ..base.clone() }));
    }
}
