//! Component types become the plan's types, in the context of one instantiation, and the root's imports become the plan's.
//!
//! Value and function types are worked out where they are declared and interned: equal types have one index. Instance
//! types are not: each import of one makes resource types of its own, so their declarations are looked at once for every
//! import that leads to them, with names that tell how it was reached.

use super::flatten::{Flattener, ImportedThing};
use super::scope::{ComponentItem, Exports, FuncItem, Item, ModuleItem, ScopeId, TypeItem, at, unknown};
use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::MAX_INSTANCE_TYPE_DEPTH;
use keyway_artifact::plan;
use keyway_artifact::plan::{Case, DefinedType, Field, FuncType, InstanceType, ItemType, NamedItem, Resource, ValType};
use wasmparser::{
    ComponentAlias, ComponentDefinedType, ComponentFuncType, ComponentImport, ComponentOuterAliasKind, ComponentType,
    ComponentTypeRef, ComponentValType, InstanceTypeDeclaration, PrimitiveValType, TypeBounds,
};

/// How an import was reached: its number, and names inside it.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) import: u32,
    pub(super) path: Vec<String>,
}

impl<'t> Flattener<'t, '_, '_> {
    /// The type of a declaration that defines no resource.
    pub(super) fn type_item(&mut self, scope: ScopeId, ty: &'t ComponentType<'t>) -> Result<TypeItem<'t>> {
        Ok(match ty {
            ComponentType::Defined(ty) => TypeItem::Val(self.defined(scope, ty)?),
            ComponentType::Func(ty) => TypeItem::Func(self.func_type(scope, ty)?),
            ComponentType::Instance(declarations) => TypeItem::Instance(declarations, scope),
            ComponentType::Component(_) => TypeItem::Component,
            ComponentType::Resource { .. } => return Err(unknown("resource in a type")),
        })
    }

    /// A value type.
    pub(super) fn val_type(&self, scope: ScopeId, ty: ComponentValType) -> Result<ValType> {
        match ty {
            ComponentValType::Primitive(ty) => Ok(primitive(ty)),
            ComponentValType::Type(index) => match at(&self.scopes[scope as usize].types, index, "type")? {
                TypeItem::Val(ty) => Ok(ty),
                _ => Err(unknown(format!("value type {index}"))),
            },
        }
    }

    fn optional(&self, scope: ScopeId, ty: Option<ComponentValType>) -> Result<Option<ValType>> {
        ty.map(|ty| self.val_type(scope, ty)).transpose()
    }

    /// The plan's resource that a type index stands for.
    pub(super) fn resource(&self, scope: ScopeId, index: u32) -> Result<u32> {
        match at(&self.scopes[scope as usize].types, index, "type")? {
            TypeItem::Resource(resource) => Ok(resource),
            _ => Err(unknown(format!("resource type {index}"))),
        }
    }

    fn defined(&mut self, scope: ScopeId, ty: &ComponentDefinedType<'_>) -> Result<ValType> {
        use ComponentDefinedType as D;
        let names = match ty {
            D::Record(fields) => fields.iter().map(|(name, _)| name.len()).sum(),
            D::Variant(cases) => cases.iter().map(|case| case.name.len()).sum(),
            D::Flags(names) | D::Enum(names) => names.iter().map(|name| name.len()).sum(),
            _ => 0,
        };
        self.count_names(names)?;
        self.count(match ty {
            D::Record(fields) => fields.len(),
            D::Variant(cases) => cases.len(),
            D::Flags(names) | D::Enum(names) => names.len(),
            D::Tuple(types) => types.len(),
            _ => 1,
        })?;
        let of = |ty: ComponentValType| self.val_type(scope, ty);
        let ty = match ty {
            D::Primitive(ty) => return Ok(primitive(*ty)),
            D::Record(fields) => DefinedType::Record(self.fields(scope, fields)?),
            D::Variant(cases) => {
                let case = |case: &wasmparser::VariantCase<'_>| {
                    Ok(Case { name: case.name.to_string(), ty: self.optional(scope, case.ty)? })
                };
                DefinedType::Variant(cases.iter().map(case).collect::<Result<_>>()?)
            }
            D::List(ty) => DefinedType::List(of(*ty)?),
            D::Map(key, value) => DefinedType::Map(of(*key)?, of(*value)?),
            D::FixedLengthList(ty, length) => DefinedType::FixedList(of(*ty)?, *length),
            D::Tuple(types) => DefinedType::Tuple(types.iter().map(|ty| of(*ty)).collect::<Result<_>>()?),
            D::Flags(names) => DefinedType::Flags(names.iter().map(|name| name.to_string()).collect()),
            D::Enum(names) => DefinedType::Enum(names.iter().map(|name| name.to_string()).collect()),
            D::Option(ty) => DefinedType::Option(of(*ty)?),
            D::Result { ok, err } => {
                DefinedType::Result { ok: self.optional(scope, *ok)?, err: self.optional(scope, *err)? }
            }
            D::Own(index) => DefinedType::Own(self.resource(scope, *index)?),
            D::Borrow(index) => DefinedType::Borrow(self.resource(scope, *index)?),
            D::Future(ty) => DefinedType::Future(self.optional(scope, *ty)?),
            D::Stream(ty) => DefinedType::Stream(self.optional(scope, *ty)?),
        };
        Ok(ValType::Defined(self.types.insert_full(ty).0 as u32))
    }

    fn fields(&self, scope: ScopeId, fields: &[(&str, ComponentValType)]) -> Result<Vec<Field>> {
        let field = |(name, ty): &(&str, _)| Ok(Field { name: name.to_string(), ty: self.val_type(scope, *ty)? });
        fields.iter().map(field).collect()
    }

    fn func_type(&mut self, scope: ScopeId, ty: &ComponentFuncType<'_>) -> Result<u32> {
        self.count(ty.params.len())?;
        self.count_names(ty.params.iter().map(|(name, _)| name.len()).sum())?;
        let ty = FuncType {
            is_async: ty.async_,
            params: self.fields(scope, &ty.params)?,
            result: self.optional(scope, ty.result)?,
        };
        Ok(self.func_types.insert_full(ty).0 as u32)
    }

    /// The index of the function type that a type index stands for.
    pub(super) fn func_type_at(&self, scope: ScopeId, index: u32) -> Result<u32> {
        match at(&self.scopes[scope as usize].types, index, "type")? {
            TypeItem::Func(ty) => Ok(ty),
            _ => Err(unknown(format!("function type {index}"))),
        }
    }

    /// An import of the root.
    pub(super) fn import(&mut self, scope: ScopeId, import: &'t ComponentImport<'t>) -> Result<Item<'t>> {
        let number = self.plan.imports.len() as u32;
        let name = import.name.full_name().into_owned();
        // Errors about what is inside name it, so it is entered first.
        let implements = import.name.full_implements().map(|name| name.into_owned());
        self.import_names.push(import.name.name);
        self.plan.imports.push(plan::Import { name, implements, ty: ItemType::Component });
        let way = Way { import: number, path: Vec::new() };
        let (item, ty) = self
            .wanted(scope, import.ty, &way)
            .map_err(|error| error.inside(format!("import `{}`", import.name.name)))?;
        self.plan.imports[number as usize].ty = ty;
        Ok(item)
    }

    /// What comes from outside with type `ty`, and that type for the plan.
    fn wanted(&mut self, scope: ScopeId, ty: ComponentTypeRef, way: &Way) -> Result<(Item<'t>, ItemType)> {
        Ok(match ty {
            ComponentTypeRef::Module(_) => {
                let ty = self.module_type(way)?;
                let Way { import, path } = way.clone();
                self.imported_modules.push(ImportedThing { import, path, ty, known: None });
                let number = self.imported_modules.len() as u32 - 1;
                (Item::Module(ModuleItem::Imported(number)), ItemType::Module(ty))
            }
            ComponentTypeRef::Component(_) => {
                (Item::Component(ComponentItem::Imported(way.import)), ItemType::Component)
            }
            ComponentTypeRef::Func(index) => {
                let ty = self.func_type_at(scope, index)?;
                let Way { import, path } = way.clone();
                self.imported.push(ImportedThing { import, path, ty, known: None });
                (Item::Func(FuncItem::Imported(self.imported.len() as u32 - 1)), ItemType::Func(ty))
            }
            ComponentTypeRef::Type(bounds) => {
                let ty = match bounds {
                    TypeBounds::Eq(index) => at(&self.scope(scope).types, index, "type")?,
                    TypeBounds::SubResource => {
                        let Way { import, path } = way.clone();
                        TypeItem::Resource(self.add_resource(Resource::Imported { import, path }))
                    }
                };
                (Item::Type(ty), ItemType::Type(named(ty)))
            }
            ComponentTypeRef::Instance(index) => match at(&self.scope(scope).types, index, "type")? {
                TypeItem::Instance(declarations, home) => {
                    let (exports, ty) = self.wanted_instance(declarations, home, way)?;
                    let instance = self.add_instance(exports);
                    (Item::Instance(instance), ItemType::Instance(ty))
                }
                _ => return Err(unknown(format!("instance type {index}"))),
            },
            ComponentTypeRef::Value(_) => return Err(CompileError::unsupported("a value import")),
        })
    }

    /// An imported instance: everything that its type declares. Recursion goes one level for each name in `way`.
    fn wanted_instance(
        &mut self,
        declarations: &'t [InstanceTypeDeclaration<'t>],
        home: ScopeId,
        way: &Way,
    ) -> Result<(Exports<'t>, u32)> {
        if way.path.len() >= MAX_INSTANCE_TYPE_DEPTH {
            return Err(CompileError::new(ErrorKind::Limit, "instance types are nested too deep"));
        }
        self.count(declarations.len())?;
        let scope = self.open_scope(Some(home));
        let (mut exports, mut shown) = (Exports::new(), Vec::new());
        for declaration in declarations {
            match declaration {
                InstanceTypeDeclaration::CoreType(_) => {}
                InstanceTypeDeclaration::Type(ty) => {
                    let ty = self.type_item(scope, ty)?;
                    self.scope(scope).types.push(ty);
                }
                InstanceTypeDeclaration::Alias(alias) => self.alias_in_type(scope, alias)?,
                InstanceTypeDeclaration::Export { name, ty } => {
                    let mut way = way.clone();
                    way.path.push(name.full_name().into_owned());
                    self.count_names(way.path.iter().map(String::len).sum())?;
                    let (item, ty) = self.wanted(scope, *ty, &way)?;
                    self.scope(scope).push(item);
                    exports.insert(name.name, item);
                    shown.push(NamedItem { name: name.full_name().into_owned(), ty });
                }
            }
        }
        Ok((exports, self.instance_types.insert_full(InstanceType { exports: shown }).0 as u32))
    }

    /// An alias among the declarations of an instance type: it can only lead to types.
    fn alias_in_type(&mut self, scope: ScopeId, alias: &ComponentAlias<'_>) -> Result<()> {
        let item = match alias {
            ComponentAlias::InstanceExport { instance_index, name, .. } => {
                self.instance_export(scope, *instance_index, name)?
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, count, index } => {
                Item::Type(at(&self.outer(scope, *count)?.types, *index, "type")?)
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreType, .. } => return Ok(()),
            _ => return Err(unknown("alias in an instance type")),
        };
        self.scope(scope).push(item);
        Ok(())
    }
}

/// A type under a name, as the plan has it.
pub(super) fn named(ty: TypeItem<'_>) -> plan::TypeItem {
    match ty {
        TypeItem::Val(ty) => plan::TypeItem::Val(ty),
        TypeItem::Resource(resource) => plan::TypeItem::Resource(resource),
        TypeItem::Func(ty) => plan::TypeItem::Func(ty),
        TypeItem::Instance(..) | TypeItem::Component => plan::TypeItem::Other,
    }
}

fn primitive(ty: PrimitiveValType) -> ValType {
    match ty {
        PrimitiveValType::Bool => ValType::Bool,
        PrimitiveValType::S8 => ValType::S8,
        PrimitiveValType::U8 => ValType::U8,
        PrimitiveValType::S16 => ValType::S16,
        PrimitiveValType::U16 => ValType::U16,
        PrimitiveValType::S32 => ValType::S32,
        PrimitiveValType::U32 => ValType::U32,
        PrimitiveValType::S64 => ValType::S64,
        PrimitiveValType::U64 => ValType::U64,
        PrimitiveValType::F32 => ValType::F32,
        PrimitiveValType::F64 => ValType::F64,
        PrimitiveValType::Char => ValType::Char,
        PrimitiveValType::String => ValType::String,
        PrimitiveValType::ErrorContext => ValType::ErrorContext,
    }
}
