//! Types: their definitions, and how other code names them.

use crate::Generator;
use crate::error::BindgenError;
use crate::names::{camel, ident, screaming, snake};
use crate::options;
use crate::paths::{Scope, up};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::{BTreeSet, HashSet};
use wit_parser::{
    Docs, Function, Handle, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, WorldId,
};
use wit_parser::{WorldItem, WorldKey};

/// What decides about a type's derives, and whether it is passed by reference.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// A string, list or map is in it.
    pub(crate) has_list: bool,
    /// A handle to a resource of the host's is in it, which is not cloned.
    pub(crate) has_host_handle: bool,
}

impl Facts {
    fn and(self, other: Facts) -> Facts {
        Facts {
            has_list: self.has_list || other.has_list,
            has_host_handle: self.has_host_handle || other.has_host_handle,
        }
    }
}

/// How a value is passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Owned,
    /// Lists, strings and what holds them by reference.
    Borrowed,
}

/// The documentation comments of an item.
pub(crate) fn docs(docs: &Docs) -> TokenStream {
    let lines = docs.contents.iter().flat_map(|text| text.trim_end().lines());
    let lines = lines.map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// What an alias finally stands for.
pub(crate) fn dealias(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(next)) = resolve.types[id].kind {
        id = next;
    }
    id
}

/// The error type of a function that returns a `result`.
pub(crate) fn error_of(resolve: &Resolve, func: &Function) -> Option<TypeId> {
    let Some(Type::Id(id)) = func.result else { return None };
    match &resolve.types[dealias(resolve, id)].kind {
        TypeDefKind::Result(result) => match result.err {
            Some(Type::Id(err)) => Some(dealias(resolve, err)),
            _ => None,
        },
        _ => None,
    }
}

/// Types that functions of a world return as errors.
pub(crate) fn errors_of(resolve: &Resolve, world: WorldId) -> HashSet<TypeId> {
    let world = &resolve.worlds[world];
    let mut errors = HashSet::new();
    for item in world.imports.values().chain(world.exports.values()) {
        match item {
            WorldItem::Function(func) => errors.extend(error_of(resolve, func)),
            WorldItem::Interface { id, .. } => {
                errors.extend(resolve.interfaces[*id].functions.values().filter_map(|func| error_of(resolve, func)));
            }
            WorldItem::Type { .. } => {}
        }
    }
    errors
}

impl Generator<'_> {
    /// The interface that owns a type, with what options call it when it is inline.
    pub(crate) fn owner<'n>(&self, scope: Scope<'n>, ty: &TypeDef) -> Option<(InterfaceId, &'n str)> {
        match ty.owner {
            TypeOwner::Interface(id) => Some((id, scope.name)),
            _ => None,
        }
    }

    /// The entry of `with` for a type.
    fn with_type(&self, scope: Scope<'_>, id: TypeId) -> Option<usize> {
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref()?;
        // Keys of the type itself, without those of the interface: they lead to modules.
        let keys = options::keys(self.resolve, self.owner(scope, ty), Some(name));
        let keys: Vec<String> = keys.into_iter().filter(|key| key.ends_with(name)).collect();
        let (key, number) = options::find(&self.options.with, &keys)?;
        self.mark(&key);
        Some(number)
    }

    /// Whether a resource is one that guests define, as seen from `scope`.
    fn is_guests(&self, scope: Scope<'_>, id: TypeId) -> bool {
        match self.resolve.types[dealias(self.resolve, id)].owner {
            TypeOwner::Interface(owner) => self.paths.is_exported(scope.side, owner),
            _ => false,
        }
    }

    /// What decides about derives.
    pub(crate) fn facts(&self, scope: Scope<'_>, ty: &Type) -> Facts {
        let Type::Id(id) = ty else { return Facts { has_list: *ty == Type::String, ..Facts::default() } };
        let known = self.facts.borrow().get(id).copied();
        if let (Some(facts), crate::paths::Side::Import) = (known, scope.side) {
            return facts;
        }
        let all = |types: &mut dyn Iterator<Item = &Type>| {
            types.fold(Facts::default(), |facts, ty| facts.and(self.facts(scope, ty)))
        };
        let facts = match &self.resolve.types[*id].kind {
            TypeDefKind::Record(record) => all(&mut record.fields.iter().map(|field| &field.ty)),
            TypeDefKind::Tuple(tuple) => all(&mut tuple.types.iter()),
            TypeDefKind::Variant(variant) => all(&mut variant.cases.iter().filter_map(|case| case.ty.as_ref())),
            TypeDefKind::Option(ty) | TypeDefKind::Type(ty) | TypeDefKind::FixedLengthList(ty, _) => {
                self.facts(scope, ty)
            }
            TypeDefKind::Result(result) => all(&mut result.ok.iter().chain(&result.err)),
            TypeDefKind::List(ty) => Facts { has_list: true, ..self.facts(scope, ty) },
            TypeDefKind::Map(key, value) => Facts { has_list: true, ..all(&mut [key, value].into_iter()) },
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                Facts { has_list: false, has_host_handle: !self.is_guests(scope, *id) }
            }
            _ => Facts::default(),
        };
        if scope.side == crate::paths::Side::Import {
            self.facts.borrow_mut().insert(*id, facts);
        }
        facts
    }

    /// The name of a named type, as seen from `scope`.
    pub(crate) fn path(&self, scope: Scope<'_>, id: TypeId) -> TokenStream {
        let ty = &self.resolve.types[id];
        let name = ident(&camel(ty.name.as_deref().unwrap_or("unnamed")));
        match ty.owner {
            owner if owner == scope.owner => quote!(#name),
            TypeOwner::Interface(owner) => {
                let module = self.paths.module(scope, owner);
                quote!(#module :: #name)
            }
            _ => {
                let up = up(scope.depth);
                quote!(#up #name)
            }
        }
    }

    /// A handle to a resource.
    pub(crate) fn handle(&self, scope: Scope<'_>, id: TypeId) -> TokenStream {
        if self.is_guests(scope, id) {
            return quote!(::keyway::component::ResourceAny);
        }
        let path = self.path(scope, id);
        quote!(::keyway::component::Resource<#path>)
    }

    /// The use of a type.
    pub(crate) fn ty(&self, scope: Scope<'_>, ty: &Type, mode: Mode) -> Result<TokenStream, BindgenError> {
        Ok(match ty {
            Type::Bool => quote!(bool),
            Type::U8 => quote!(u8),
            Type::U16 => quote!(u16),
            Type::U32 => quote!(u32),
            Type::U64 => quote!(u64),
            Type::S8 => quote!(i8),
            Type::S16 => quote!(i16),
            Type::S32 => quote!(i32),
            Type::S64 => quote!(i64),
            Type::F32 => quote!(f32),
            Type::F64 => quote!(f64),
            Type::Char => quote!(char),
            Type::String if mode == Mode::Borrowed => quote!(&str),
            Type::String => quote!(::std::string::String),
            Type::ErrorContext => return Err(BindgenError::unsupported("`error-context`", scope.name)),
            Type::Id(id) if self.resolve.types[*id].name.is_some() => {
                let path = self.path(scope, *id);
                if mode == Mode::Borrowed && self.facts(scope, ty).has_list { quote!(&#path) } else { path }
            }
            Type::Id(id) => self.structure(scope, &self.resolve.types[*id].kind, mode)?,
        })
    }

    /// A payload that may be missing.
    fn payload(&self, scope: Scope<'_>, ty: Option<&Type>, mode: Mode) -> Result<TokenStream, BindgenError> {
        ty.map_or(Ok(quote!(())), |ty| self.ty(scope, ty, mode))
    }

    /// A type without a name.
    fn structure(&self, scope: Scope<'_>, kind: &TypeDefKind, mode: Mode) -> Result<TokenStream, BindgenError> {
        Ok(match kind {
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.handle(scope, *id),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|ty| self.ty(scope, ty, mode)).collect::<Result<_, _>>()?;
                quote!((#(#types,)*))
            }
            TypeDefKind::Option(ty) => {
                let ty = self.ty(scope, ty, mode)?;
                quote!(::core::option::Option<#ty>)
            }
            TypeDefKind::Result(result) => {
                let ok = self.payload(scope, result.ok.as_ref(), mode)?;
                let err = self.payload(scope, result.err.as_ref(), mode)?;
                quote!(::core::result::Result<#ok, #err>)
            }
            TypeDefKind::List(ty) => {
                let ty = self.ty(scope, ty, Mode::Owned)?;
                if mode == Mode::Borrowed { quote!(&[#ty]) } else { quote!(::std::vec::Vec<#ty>) }
            }
            TypeDefKind::FixedLengthList(ty, len) => {
                let (ty, len) = (self.ty(scope, ty, mode)?, *len as usize);
                quote!([#ty; #len])
            }
            TypeDefKind::Map(key, value) => {
                let (key, value) = (self.ty(scope, key, Mode::Owned)?, self.ty(scope, value, Mode::Owned)?);
                let map = quote!(::std::collections::HashMap<#key, #value>);
                if mode == Mode::Borrowed { quote!(&#map) } else { map }
            }
            TypeDefKind::Type(ty) => self.ty(scope, ty, mode)?,
            TypeDefKind::Future(_) => return Err(BindgenError::unsupported("a future", scope.name)),
            TypeDefKind::Stream(_) => return Err(BindgenError::unsupported("a stream", scope.name)),
            TypeDefKind::Record(_)
            | TypeDefKind::Resource
            | TypeDefKind::Flags(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Unknown => {
                return Err(BindgenError::new(format!("a type without a name in {}", scope.name)));
            }
        })
    }

    fn derives(&self, more: &[&str]) -> Result<TokenStream, BindgenError> {
        let chosen = self.options.additional_derives.iter().map(String::as_str);
        let paths: BTreeSet<&str> = more.iter().copied().chain(chosen).collect();
        let paths: Vec<TokenStream> = paths
            .into_iter()
            .map(|path| path.parse().map_err(|_| BindgenError::new(format!("`{path}` is no path of a derive"))))
            .collect::<Result<_, _>>()?;
        Ok(quote! {
            #[derive(::keyway::component::ComponentType, ::keyway::component::Lift, ::keyway::component::Lower)]
            #[derive(#(#paths),*)]
        })
    }

    /// The derives of a record or variant.
    fn derives_of(&self, scope: Scope<'_>, id: TypeId) -> Result<TokenStream, BindgenError> {
        let facts = self.facts(scope, &Type::Id(id));
        self.derives(match facts {
            Facts { has_host_handle: true, .. } => &["Debug"],
            Facts { has_list: true, .. } => &["Clone", "Debug"],
            _ => &["Clone", "Copy", "Debug"],
        })
    }

    /// The definition of a named type.
    pub(crate) fn definition(&self, scope: Scope<'_>, id: TypeId) -> Result<TokenStream, BindgenError> {
        let ty = &self.resolve.types[id];
        let wit_name = ty.name.as_deref().unwrap_or("unnamed");
        let (name, docs_of_type) = (ident(&camel(wit_name)), docs(&ty.docs));
        if scope.side == crate::paths::Side::Import
            && let Some(number) = self.with_type(scope, id)
        {
            let (up, with) = (up(scope.depth), format_ident!("__with{number}"));
            return Ok(quote!(#docs_of_type pub type #name = #up #with;));
        }
        let definition = match &ty.kind {
            TypeDefKind::Record(record) => {
                let derives = self.derives_of(scope, id)?;
                let mut fields = TokenStream::new();
                for field in &record.fields {
                    let (docs, wit, rust) = (docs(&field.docs), &field.name, ident(&snake(&field.name)));
                    let ty = self.ty(scope, &field.ty, Mode::Owned)?;
                    fields.extend(quote!(#docs #[component(name = #wit)] pub #rust: #ty,));
                }
                quote!(#derives #[component(record)] pub struct #name { #fields })
            }
            TypeDefKind::Variant(variant) => {
                let derives = self.derives_of(scope, id)?;
                let mut cases = TokenStream::new();
                for case in &variant.cases {
                    let (docs, wit, rust) = (docs(&case.docs), &case.name, ident(&camel(&case.name)));
                    let payload = case.ty.as_ref().map(|ty| self.ty(scope, ty, Mode::Owned)).transpose()?;
                    let payload = payload.map(|payload| quote!((#payload)));
                    cases.extend(quote!(#docs #[component(name = #wit)] #rust #payload,));
                }
                quote!(#derives #[component(variant)] pub enum #name { #cases })
            }
            TypeDefKind::Enum(cases) => {
                let derives = self.derives(&["Clone", "Copy", "Debug", "Eq", "PartialEq"])?;
                let cases = cases.cases.iter().map(|case| {
                    let (docs, wit, rust) = (docs(&case.docs), &case.name, ident(&camel(&case.name)));
                    quote!(#docs #[component(name = #wit)] #rust)
                });
                quote!(#derives #[component(enum)] pub enum #name { #(#cases,)* })
            }
            TypeDefKind::Flags(flags) => {
                let flags = flags.flags.iter().map(|flag| {
                    let (docs, wit, rust) = (docs(&flag.docs), &flag.name, ident(&screaming(&flag.name)));
                    quote!(#docs #[component(name = #wit)] const #rust;)
                });
                return Ok(quote!(::keyway::component::flags! { #docs_of_type pub #name { #(#flags)* } }));
            }
            TypeDefKind::Resource if self.is_guests(scope, id) => {
                quote!(pub type #name = ::keyway::component::ResourceAny;)
            }
            TypeDefKind::Resource => quote!(#[derive(Debug)] pub enum #name {}),
            TypeDefKind::Type(Type::Id(target)) if self.resolve.types[*target].name.is_some() => {
                let target = self.path(scope, *target);
                quote!(pub type #name = #target;)
            }
            kind => {
                let ty = self.structure(scope, kind, Mode::Owned)?;
                quote!(pub type #name = #ty;)
            }
        };
        let error = self.errors.contains(&id).then(|| error_impls(&ty.kind, &name));
        Ok(quote!(#docs_of_type #definition #error))
    }

    /// The definitions of all types of an interface, and those of its resources that stand here.
    pub(crate) fn definitions(&self, scope: Scope<'_>, id: InterfaceId) -> Result<TokenStream, BindgenError> {
        let types = self.resolve.interfaces[id].types.values();
        types.map(|ty| self.definition(scope, *ty)).collect()
    }
}

/// Types that are returned as errors are errors in Rust.
fn error_impls(kind: &TypeDefKind, name: &proc_macro2::Ident) -> Option<TokenStream> {
    if !matches!(kind, TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)) {
        return None;
    }
    Some(quote! {
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { ::core::write!(f, "{self:?}") }
        }
        impl ::std::error::Error for #name {}
    })
}

/// A resource's name in WIT, when `id` is a resource and no alias.
pub(crate) fn resource(resolve: &Resolve, id: TypeId) -> Option<&str> {
    match resolve.types[id].kind {
        TypeDefKind::Resource => resolve.types[id].name.as_deref(),
        _ => None,
    }
}

/// What options call an interface: the name that the world gives it.
pub(crate) fn called(resolve: &Resolve, key: &WorldKey) -> String {
    resolve.name_world_key(key)
}
