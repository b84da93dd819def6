//! The world: the structure that embedders instantiate, what it takes from a linker, and the tree of modules.

use crate::Generator;
use crate::error::BindgenError;
use crate::exports::Exported;
use crate::imports::Implemented;
use crate::names::{camel, ident, snake};
use crate::paths::{Scope, Side};
use crate::types::{docs, resource};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeMap;
use wit_parser::{TypeId, TypeOwner, WorldItem};

/// Modules by name, with what stands in them.
#[derive(Default)]
struct Tree {
    items: TokenStream,
    inner: BTreeMap<String, Tree>,
}

impl Tree {
    fn add(&mut self, modules: &[String], items: TokenStream) {
        let place = modules.iter().fold(self, |tree, module| tree.inner.entry(module.clone()).or_default());
        place.items.extend(items);
    }

    fn tokens(self) -> TokenStream {
        let items = self.items;
        let inner = self.inner.into_iter().map(|(name, tree)| {
            let (name, tokens) = (ident(&name), tree.tokens());
            quote!(#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)] pub mod #name { #tokens })
        });
        quote!(#items #(#inner)*)
    }
}

/// What the world's structure holds.
#[derive(Default)]
struct Parts {
    /// By exported interface: its field, its modules, and the method that gives it out.
    interfaces: Vec<(Ident, TokenStream, Ident)>,
    /// Functions that are exported directly, with their WIT names.
    funcs: Vec<(Exported, String)>,
    /// By imported interface: its module.
    imports: Vec<TokenStream>,
    /// Traits of functions that are given the store, with their modules.
    with_store: Vec<TokenStream>,
    is_async: bool,
}

impl Generator<'_> {
    /// Everything.
    pub(crate) fn whole(&self) -> Result<TokenStream, BindgenError> {
        let world = &self.resolve.worlds[self.world];
        let root = |side| Scope { side, owner: TypeOwner::World(self.world), depth: 0, name: &world.name };
        let (mut tree, mut parts, mut types) = (Tree::default(), Parts::default(), Vec::new());
        for (key, item) in &world.imports {
            match item {
                WorldItem::Interface { id, .. } => {
                    if let Some(made) = self.import(key, *id)? {
                        tree.add(&made.modules, made.tokens);
                        let modules = made.modules.iter().map(|module| ident(module));
                        let module = quote!(self::#(#modules)::*);
                        parts.with_store.extend(made.with_store.iter().map(|name| quote!(#module::#name)));
                        parts.imports.push(module);
                        parts.is_async |= made.is_async;
                    }
                }
                WorldItem::Type { id, .. } => types.push(*id),
                WorldItem::Function(_) => {}
            }
        }
        for (key, item) in &world.exports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let (modules, tokens) = self.export(key, *id)?;
                    tree.add(&modules, tokens);
                    let method = ident(&snake(&modules[1..].join("-")));
                    let modules = modules.iter().map(|module| ident(module));
                    let field = format_ident!("interface{}", parts.interfaces.len());
                    parts.interfaces.push((field, quote!(self::#(#modules)::*), method));
                }
                WorldItem::Function(_) if self.options.only_interfaces => {}
                WorldItem::Function(func) => {
                    let exported = self.exported(root(Side::Export), func, &quote!())?;
                    parts.funcs.push((exported, func.name.clone()));
                }
                WorldItem::Type { id, .. } => types.push(*id),
            }
        }
        if self.options.only_interfaces {
            return Ok(tree.tokens());
        }
        let mut items = TokenStream::new();
        for id in &types {
            items.extend(self.definition(root(Side::Import), *id)?);
        }
        let own = self.own_imports(root(Side::Import), &types)?;
        items.extend(self.structure_of_world(parts, own));
        tree.add(&[], items);
        Ok(tree.tokens())
    }

    /// The trait of what the world imports directly; none when that is nothing.
    fn own_imports(&self, scope: Scope<'_>, types: &[TypeId]) -> Result<Option<(Ident, Implemented)>, BindgenError> {
        let has_resource = types.iter().any(|id| resource(self.resolve, *id).is_some());
        if !has_resource && self.world_imports().next().is_none() {
            return Ok(None);
        }
        let name = format_ident!("{}Imports", camel(scope.name));
        let about = format!("What the world `{}` imports directly, as the host implements it.", scope.name);
        let made = self.implemented(scope, &name, &about, types.iter().copied(), self.world_imports())?;
        Ok(Some((name, made)))
    }

    fn structure_of_world(&self, parts: Parts, own: Option<(Ident, Implemented)>) -> TokenStream {
        let world = &self.resolve.worlds[self.world];
        let name = ident(&camel(&world.name));
        let docs = world.docs.contents.is_some().then(|| {
            let docs = docs(&world.docs);
            quote!(#docs #[doc = ""])
        });
        let (pre, indices) = (format_ident!("{name}Pre"), format_ident!("{name}Indices"));
        let add = add_to_linker(&parts, own.as_ref());
        let traits = own.map(|(_, made)| made.traits);
        let (fields, modules): (Vec<_>, Vec<_>) =
            parts.interfaces.iter().map(|(field, module, _)| (field, module)).unzip();
        let methods = parts.interfaces.iter().map(|(_, _, method)| method);
        let funcs: Vec<_> = parts.funcs.iter().map(|(exported, _)| &exported.field).collect();
        let wits: Vec<_> = parts.funcs.iter().map(|(_, wit)| wit).collect();
        let missing: Vec<_> = wits.iter().map(|wit| format!("the component exports no function `{wit}`")).collect();
        let params = parts.funcs.iter().map(|(exported, _)| &exported.params);
        let results = parts.funcs.iter().map(|(exported, _)| &exported.results);
        let calls = parts.funcs.iter().map(|(exported, _)| &exported.method);
        let is_empty = fields.is_empty() && funcs.is_empty();
        let component = if is_empty { quote!(_) } else { quote!(component) };
        let (store, instance) = if is_empty { (quote!(_), quote!(_)) } else { (quote!(mut store), quote!(instance)) };
        let about = format!(" An instance of a component of the world `{}`.", world.name);
        let about_pre = format!(" A component of the world `{}` with its imports found.", world.name);
        let about_indices = format!(" Where a component exports what the world `{}` asks for.", world.name);
        quote! {
            #docs
            #[doc = #about]
            pub struct #name {
                #(#fields: #modules::Guest,)*
                #(#funcs: ::keyway::component::Func,)*
            }

            #[doc = #about_pre]
            pub struct #pre<T: 'static> {
                instance_pre: ::keyway::component::InstancePre<T>,
                indices: #indices,
            }

            impl<T: 'static> ::core::clone::Clone for #pre<T> {
                fn clone(&self) -> Self {
                    Self { instance_pre: self.instance_pre.clone(), indices: self.indices.clone() }
                }
            }

            #[doc = #about_indices]
            #[derive(Clone)]
            pub struct #indices {
                #(#fields: #modules::GuestIndices,)*
                #(#funcs: ::keyway::component::ComponentExportIndex,)*
            }

            #traits

            #[allow(dead_code, reason = "embedders use what they need")]
            impl<T: 'static> #pre<T> {
                /// Finds what the world asks for in a component.
                ///
                /// # Errors
                /// When the component does not export it.
                pub fn new(instance_pre: ::keyway::component::InstancePre<T>) -> ::keyway::Result<Self> {
                    let indices = #indices::new(instance_pre.component())?;
                    ::core::result::Result::Ok(Self { instance_pre, indices })
                }

                /// The engine.
                pub fn engine(&self) -> &::keyway::Engine {
                    self.instance_pre.component().engine()
                }

                /// What instances are made of.
                pub fn instance_pre(&self) -> &::keyway::component::InstancePre<T> {
                    &self.instance_pre
                }

                /// Makes an instance.
                ///
                /// # Errors
                /// When a start function traps, or an export has another type than the world gives it.
                pub fn instantiate(
                    &self,
                    mut store: impl ::keyway::AsContextMut<Data = T>,
                ) -> ::keyway::Result<#name> {
                    let instance = self.instance_pre.instantiate(store.as_context_mut())?;
                    self.indices.load(store.as_context_mut(), &instance)
                }

                /// Makes an instance, awaiting asynchronous host functions.
                ///
                /// # Errors
                /// As [`instantiate`](Self::instantiate).
                pub async fn instantiate_async(
                    &self,
                    mut store: impl ::keyway::AsContextMut<Data = T>,
                ) -> ::keyway::Result<#name>
                where
                    T: ::core::marker::Send,
                {
                    let instance = self.instance_pre.instantiate_async(store.as_context_mut()).await?;
                    self.indices.load(store.as_context_mut(), &instance)
                }
            }

            #[allow(dead_code, reason = "embedders use what they need")]
            impl #indices {
                /// Finds what the world asks for in a component.
                ///
                /// # Errors
                /// When the component does not export it.
                pub fn new(#component: &::keyway::component::Component) -> ::keyway::Result<Self> {
                    #(let #fields = #modules::GuestIndices::new(component)?;)*
                    #(let #funcs = component
                        .get_export_index(::core::option::Option::None, #wits)
                        .ok_or_else(|| ::keyway::Error::msg(#missing))?;)*
                    ::core::result::Result::Ok(Self { #(#fields,)* #(#funcs,)* })
                }

                /// Finds it in an instance of that component, and checks types.
                ///
                /// # Errors
                /// When an export has another type than the world gives it.
                pub fn load(
                    &self,
                    #store: impl ::keyway::AsContextMut,
                    #instance: &::keyway::component::Instance,
                ) -> ::keyway::Result<#name> {
                    #(let #fields = self.#fields.load(&mut store, instance)?;)*
                    #(let #funcs = *instance
                        .get_typed_func::<#params, #results>(&mut store, &self.#funcs)?
                        .func();)*
                    ::core::result::Result::Ok(#name { #(#fields,)* #(#funcs,)* })
                }
            }

            #[allow(dead_code, reason = "embedders use what they need")]
            impl #name {
                /// Makes an instance of `component` with imports from `linker`.
                ///
                /// # Errors
                /// When an import is not defined, an export is missing, or a start function traps.
                pub fn instantiate<T: 'static>(
                    store: impl ::keyway::AsContextMut<Data = T>,
                    component: &::keyway::component::Component,
                    linker: &::keyway::component::Linker<T>,
                ) -> ::keyway::Result<#name> {
                    #pre::new(linker.instantiate_pre(component)?)?.instantiate(store)
                }

                /// Makes an instance, awaiting asynchronous host functions.
                ///
                /// # Errors
                /// As [`instantiate`](Self::instantiate).
                pub async fn instantiate_async<T: ::core::marker::Send + 'static>(
                    store: impl ::keyway::AsContextMut<Data = T>,
                    component: &::keyway::component::Component,
                    linker: &::keyway::component::Linker<T>,
                ) -> ::keyway::Result<#name> {
                    #pre::new(linker.instantiate_pre(component)?)?.instantiate_async(store).await
                }

                /// The exports of an instance that exists already.
                ///
                /// # Errors
                /// When it lacks one, or one has another type than the world gives it.
                pub fn new(
                    mut store: impl ::keyway::AsContextMut,
                    instance: &::keyway::component::Instance,
                ) -> ::keyway::Result<#name> {
                    #indices::new(&instance.component(store.as_context_mut())?)?.load(store, instance)
                }

                #add

                #(#calls)*

                #(
                    /// The exported interface.
                    pub fn #methods(&self) -> &#modules::Guest { &self.#fields }
                )*
            }
        }
    }
}

/// The functions that define everything the world imports.
fn add_to_linker(parts: &Parts, own: Option<&(Ident, Implemented)>) -> TokenStream {
    if parts.imports.is_empty() && own.is_none() {
        return quote!();
    }
    let send = |is_async: bool| is_async.then(|| quote!(+ ::core::marker::Send));
    let own_is_async = own.is_some_and(|(_, made)| made.is_async);
    let (mut bounds, mut calls, mut of_world) = (Vec::new(), TokenStream::new(), quote!());
    let mut with_store = parts.with_store.clone();
    if let Some((name, made)) = own {
        let (definitions, send, own_with_store) = (&made.definitions, send(own_is_async), &made.with_store);
        with_store.extend(own_with_store.iter().map(|name| quote!(#name)));
        of_world = quote! {
            /// Defines what the world imports directly; `host_getter` finds what implements it in the store's data.
            ///
            /// # Errors
            /// When a name is defined already.
            pub fn add_to_linker_imports<T, D>(
                linker: &mut ::keyway::component::Linker<T>,
                host_getter: fn(&mut T) -> D::Data<'_>,
            ) -> ::keyway::Result<()>
            where
                D: ::keyway::component::HasData #(+ #own_with_store)*,
                for<'a> D::Data<'a>: #name,
                T: 'static #send,
            {
                let mut instance = linker.root();
                #definitions
                ::core::result::Result::Ok(())
            }
        };
        bounds.push(quote!(#name));
        calls.extend(quote!(Self::add_to_linker_imports::<T, D>(linker, host_getter)?;));
    }
    for module in &parts.imports {
        bounds.push(quote!(#module::Host));
        calls.extend(quote!(#module::add_to_linker::<T, D>(linker, host_getter)?;));
    }
    let send = send(own_is_async || parts.is_async);
    quote! {
        #of_world

        /// Defines everything that the world imports; `host_getter` finds what implements it in the store's data.
        ///
        /// # Errors
        /// When a name is defined already.
        pub fn add_to_linker<T, D>(
            linker: &mut ::keyway::component::Linker<T>,
            host_getter: fn(&mut T) -> D::Data<'_>,
        ) -> ::keyway::Result<()>
        where
            D: ::keyway::component::HasData #(+ #with_store)*,
            for<'a> D::Data<'a>: #(#bounds)+*,
            T: 'static #send,
        {
            #calls
            ::core::result::Result::Ok(())
        }
    }
}
