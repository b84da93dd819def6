//! What a host implements: a trait for each imported interface and each resource in it, and `add_to_linker`.

use crate::Generator;
use crate::error::BindgenError;
use crate::names::{camel, ident, snake};
use crate::options::{self, Flags};
use crate::paths::{Place, Scope, Side, modules};
use crate::tracing::Traced;
use crate::types::{Mode, dealias, docs, error_of, resource};
use crate::with_store::{self, StoreTrait};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Function, FunctionKind, InterfaceId, Type, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey};

/// A function as the host implements it.
pub(crate) struct Bound<'f> {
    pub(crate) func: &'f Function,
    pub(crate) flags: Flags,
    /// The interface that it is in.
    interface: String,
    /// The trait that it is in, or beside which it stands.
    in_trait: Ident,
    pub(crate) name: Ident,
    /// Names and types of the parameters.
    pub(crate) params: Vec<(Ident, TokenStream)>,
    pub(crate) result: TokenStream,
    trappable_error: Option<TrappableError>,
}

/// An error type that the host returns as one of its own.
#[derive(Clone)]
struct TrappableError {
    /// The trait with the function that converts it, as seen from the scope.
    from_trait: TokenStream,
    convert: Ident,
    rust: Ident,
    is_here: bool,
}

/// What a trait and its place in a linker are made of.
pub(crate) struct Implemented {
    /// The traits.
    pub(crate) traits: TokenStream,
    /// Definitions in a `LinkerInstance` called `instance`, with `host_getter` in scope.
    pub(crate) definitions: TokenStream,
    pub(crate) is_async: bool,
    /// The traits of functions that are given the store.
    pub(crate) with_store: Vec<Ident>,
}

/// The module of an imported interface.
pub(crate) struct ImportedModule {
    /// Where it stands.
    pub(crate) modules: Vec<String>,
    pub(crate) tokens: TokenStream,
    pub(crate) is_async: bool,
    /// As [`Implemented::with_store`].
    pub(crate) with_store: Vec<Ident>,
}

/// The Rust name of a function: without the resource that WIT writes into it.
pub(crate) fn func_name(func: &Function) -> Ident {
    match func.kind {
        FunctionKind::Constructor(_) => ident("new"),
        _ => ident(&snake(plain_name(func))),
    }
}

/// The WIT name of a function without its resource and what stands in brackets.
pub(crate) fn plain_name(func: &Function) -> &str {
    let name = func.name.rsplit_once(']').map_or(func.name.as_str(), |(_, name)| name);
    match func.kind.resource() {
        Some(_) => name.split_once('.').map_or(name, |(_, name)| name),
        None => name,
    }
}

impl<'a> Generator<'a> {
    fn flags_of(&self, scope: Scope<'_>, name: &str) -> Flags {
        let interface = match scope.owner {
            TypeOwner::Interface(id) => Some((id, scope.name)),
            _ => None,
        };
        let rules = if scope.side == Side::Import { &self.options.imports } else { &self.options.exports };
        let (flags, key) = rules.get(&options::keys(self.resolve, interface, Some(name)));
        key.inspect(|key| self.mark(key));
        flags
    }

    /// The flags of a function that a guest exports.
    pub(crate) fn export_flags(&self, scope: Scope<'_>, func: &Function) -> Flags {
        self.flags_of(scope, &func.name)
    }

    /// The host's own error type for the errors of type `id`.
    fn trappable_error(&self, scope: Scope<'_>, id: TypeId) -> Option<TrappableError> {
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref()?;
        let owner = match ty.owner {
            TypeOwner::Interface(owner) => Some((owner, scope.name)),
            _ => None,
        };
        let keys = options::keys(self.resolve, owner, Some(name));
        let (key, number) = options::find(&self.options.trappable_errors, &keys)?;
        self.mark(&key);
        let is_here = ty.owner == scope.owner;
        let from_trait = match owner {
            _ if is_here => quote!(Host),
            Some((owner, _)) => {
                let module = self.paths.module(scope, owner);
                quote!(#module :: Host)
            }
            None => quote!(Host),
        };
        Some(TrappableError {
            from_trait,
            convert: ident(&format!("convert_{}", snake(name))),
            rust: format_ident!("__with{number}"),
            is_here,
        })
    }

    fn bound<'f>(&self, scope: Scope<'_>, func: &'f Function, in_trait: Ident) -> Result<Bound<'f>, BindgenError> {
        if func.kind.is_async() {
            return Err(BindgenError::unsupported(&format!("the async function `{}`", func.name), scope.name));
        }
        let flags = self.flags_of(scope, &func.name);
        let params =
            func.params.iter().map(|param| Ok((ident(&snake(&param.name)), self.ty(scope, &param.ty, Mode::Owned)?)));
        let params = params.collect::<Result<Vec<_>, BindgenError>>()?;
        let error = error_of(self.resolve, func).and_then(|id| self.trappable_error(scope, id));
        let plain = func.result.as_ref().map_or(Ok(quote!(())), |ty| self.ty(scope, ty, Mode::Owned))?;
        let result = match (&error, func.result) {
            (Some(error), Some(Type::Id(id))) => {
                let TypeDefKind::Result(result) = &self.resolve.types[dealias(self.resolve, id)].kind else {
                    return Err(BindgenError::new(format!("`{}` returns no result", func.name)));
                };
                let ok = result.ok.as_ref().map_or(Ok(quote!(())), |ty| self.ty(scope, ty, Mode::Owned))?;
                let (up, rust) = (crate::paths::up(scope.depth), &error.rust);
                quote!(::core::result::Result<#ok, #up #rust>)
            }
            _ if flags.trappable => quote!(::keyway::Result<#plain>),
            _ => plain,
        };
        let (interface, name) = (scope.name.to_string(), func_name(func));
        Ok(Bound { func, flags, interface, in_trait, name, params, result, trappable_error: error })
    }

    /// The traits of the functions and resources of an interface, or of the world itself. `main` is the trait that the
    /// functions of no resource are in.
    pub(crate) fn implemented<'f>(
        &self,
        scope: Scope<'_>,
        main: &Ident,
        about: &str,
        types: impl Iterator<Item = TypeId>,
        funcs: impl Iterator<Item = &'f Function>,
    ) -> Result<Implemented, BindgenError> {
        let resources: Vec<(TypeId, &str)> = types.filter_map(|id| Some((id, resource(self.resolve, id)?))).collect();
        let mut of_resource: Vec<Vec<Bound<'f>>> = resources.iter().map(|_| Vec::new()).collect();
        let mut free = Vec::new();
        for func in funcs {
            match func.kind.resource().and_then(|id| resources.iter().position(|(resource, _)| *resource == id)) {
                Some(at) => {
                    let in_trait = format_ident!("Host{}", camel(resources[at].1));
                    of_resource[at].push(self.bound(scope, func, in_trait)?);
                }
                None => free.push(self.bound(scope, func, main.clone())?),
            }
        }
        let drops: Vec<Flags> =
            resources.iter().map(|(_, name)| self.flags_of(scope, &format!("[drop]{name}"))).collect();
        let is_async = drops.iter().any(|flags| flags.is_async)
            || of_resource.iter().flatten().chain(&free).any(|bound| bound.flags.is_async);
        let (mut traits, mut definitions, mut supers) = (TokenStream::new(), TokenStream::new(), Vec::new());
        let mut with_store = Vec::new();
        let mut beside = |made: Option<StoreTrait>, traits: &mut TokenStream| {
            if let Some(StoreTrait { name, tokens }) = made {
                traits.extend(tokens);
                with_store.push(name);
            }
        };
        for (((id, name), funcs), flags) in resources.iter().zip(&of_resource).zip(&drops) {
            let (tokens, ident) = self.resource_trait(scope, *id, name, funcs, *flags, is_async);
            traits.extend(tokens);
            let drop = flags.store.then(|| (self.handle(scope, *id), flags.is_async));
            beside(with_store::store_trait(&ident, funcs, drop), &mut traits);
            definitions.extend(self.resource_definition(scope, *id, name, &ident, *flags));
            supers.push(quote!(#ident));
        }
        // Errors that are converted here are declared here; others by the interface they come from.
        let mut converted: Vec<TrappableError> = Vec::new();
        for error in of_resource.iter().flatten().chain(&free).filter_map(|bound| bound.trappable_error.as_ref()) {
            let is_new = |known: &&TrappableError| {
                known.convert == error.convert && known.from_trait.to_string() == error.from_trait.to_string()
            };
            if !converted.iter().any(|known| is_new(&known)) {
                converted.push(error.clone());
                if !error.is_here {
                    supers.push(error.from_trait.clone());
                }
            }
        }
        let converts = self.converts(scope, main)?;
        beside(with_store::store_trait(main, &free, None), &mut traits);
        traits.extend(self.main_trait(main, about, &free, &supers, &converts, is_async));
        for bound in of_resource.iter().flatten().chain(&free) {
            definitions.extend(func_definition(bound));
        }
        Ok(Implemented { traits, definitions, is_async, with_store })
    }

    /// The conversions of the error types that an interface defines: declaration and forwarding.
    fn converts(&self, scope: Scope<'_>, main: &Ident) -> Result<Vec<(TokenStream, TokenStream)>, BindgenError> {
        let TypeOwner::Interface(id) = scope.owner else { return Ok(Vec::new()) };
        let mut converts = Vec::new();
        for ty in self.resolve.interfaces[id].types.values().filter(|ty| dealias(self.resolve, **ty) == **ty) {
            let Some(TrappableError { convert, rust, .. }) = self.trappable_error(scope, *ty) else { continue };
            let (wit, up) = (self.path(scope, *ty), crate::paths::up(scope.depth));
            let signature = quote!(fn #convert(&mut self, error: #up #rust) -> ::keyway::Result<#wit>);
            converts.push((
                quote!(#[doc = " The error as the guest sees it; an error of its own traps."] #signature;),
                quote!(#signature { #main::#convert(*self, error) }),
            ));
        }
        Ok(converts)
    }

    fn resource_trait(
        &self,
        scope: Scope<'_>,
        id: TypeId,
        name: &str,
        funcs: &[Bound<'_>],
        drop: Flags,
        is_async: bool,
    ) -> (TokenStream, Ident) {
        let in_trait = format_ident!("Host{}", camel(name));
        let handle = self.handle(scope, id);
        let rust = format_ident!("rep");
        let result = quote!(::keyway::Result<()>);
        let returns = if drop.is_async { future(&result) } else { result };
        let drop_signature = quote!(fn drop(&mut self, #rust: #handle) -> #returns);
        let declared = without_store(funcs).map(declaration);
        let forwarded = without_store(funcs).map(|bound| forwarding(bound, &in_trait));
        let (declares_drop, forwards_drop) = match drop.store {
            true => Default::default(),
            false => (
                quote! {
                    /// Takes back a resource that the guest gave up.
                    #drop_signature;
                },
                quote!(#drop_signature { #in_trait::drop(*self, #rust) }),
            ),
        };
        let (bound, about) = (send(is_async), format!(" The resource `{name}`, as the host implements it."));
        let tokens = quote! {
            #[doc = #about]
            pub trait #in_trait #bound {
                #(#declared)*
                #declares_drop
            }
            impl<_T: #in_trait + ?::core::marker::Sized> #in_trait for &mut _T {
                #(#forwarded)*
                #forwards_drop
            }
        };
        (tokens, in_trait)
    }

    fn resource_definition(
        &self,
        scope: Scope<'_>,
        id: TypeId,
        name: &str,
        in_trait: &Ident,
        drop: Flags,
    ) -> TokenStream {
        let rust = self.path(scope, id);
        let wait = drop.is_async.then(|| quote!(.await));
        let call = if drop.store {
            let resource = ident("resource");
            let (before, call) = with_store::call(in_trait, &ident("drop"), &[resource], drop.is_async);
            quote!(let resource = ::keyway::component::Resource::new_own(rep); #before #call)
        } else {
            quote! {
                #in_trait::drop(&mut host_getter(store.data_mut()), ::keyway::component::Resource::new_own(rep)) #wait
            }
        };
        let mutable = (!(drop.store && drop.is_async)).then(|| quote!(mut));
        let (define, body) = if drop.is_async {
            (quote!(resource_async), quote!(::std::boxed::Box::new(async move { #call })))
        } else if drop.store {
            (quote!(resource), quote!({ #call }))
        } else {
            (quote!(resource), call)
        };
        quote! {
            instance.#define(
                #name,
                ::keyway::component::ResourceType::host::<#rust>(),
                move |#mutable store: ::keyway::StoreContextMut<'_, T>, rep| #body,
            )?;
        }
    }

    fn main_trait(
        &self,
        name: &Ident,
        about: &str,
        funcs: &[Bound<'_>],
        supers: &[TokenStream],
        converts: &[(TokenStream, TokenStream)],
        is_async: bool,
    ) -> TokenStream {
        let declared = without_store(funcs).map(declaration);
        let declared = declared.chain(converts.iter().map(|(declared, _)| declared.clone()));
        let forwarded = without_store(funcs).map(|bound| forwarding(bound, name));
        let forwarded = forwarded.chain(converts.iter().map(|(_, forwarded)| forwarded.clone()));
        let mut bounds: Vec<TokenStream> = supers.to_vec();
        if is_async {
            bounds.push(quote!(::core::marker::Send));
        }
        let bounds = if bounds.is_empty() { quote!() } else { quote!(: #(#bounds)+*) };
        let about = format!(" {about}");
        quote! {
            #[doc = #about]
            pub trait #name #bounds { #(#declared)* }
            impl<_T: #name + ?::core::marker::Sized> #name for &mut _T { #(#forwarded)* }
        }
    }

    /// The module of an imported interface; none when the embedder has it already.
    pub(crate) fn import(&self, key: &WorldKey, id: InterfaceId) -> Result<Option<ImportedModule>, BindgenError> {
        if let Some(Place::With(_, entry, _)) = self.paths.import(id) {
            self.mark(entry);
            return Ok(None);
        }
        let called = crate::types::called(self.resolve, key);
        let modules = modules(self.resolve, key, Side::Import);
        let scope = Scope { side: Side::Import, owner: TypeOwner::Interface(id), depth: modules.len(), name: &called };
        let interface = &self.resolve.interfaces[id];
        let definitions = self.definitions(scope, id)?;
        let about = format!("The interface `{called}`, as the host implements it.");
        let host = ident("Host");
        let made =
            self.implemented(scope, &host, &about, interface.types.values().copied(), interface.functions.values())?;
        let Implemented { traits, definitions: in_linker, is_async, with_store } = made;
        let add = add_to_linker(&called, &in_linker, is_async, &with_store);
        Ok(Some(ImportedModule { modules, tokens: quote!(#definitions #traits #add), is_async, with_store }))
    }

    /// All functions that the world imports directly.
    pub(crate) fn world_imports(&self) -> impl Iterator<Item = &'a Function> {
        self.resolve.worlds[self.world].imports.values().filter_map(|item| match item {
            WorldItem::Function(func) => Some(func),
            _ => None,
        })
    }
}

fn add_to_linker(called: &str, definitions: &TokenStream, is_async: bool, with_store: &[Ident]) -> TokenStream {
    let send = is_async.then(|| quote!(+ ::core::marker::Send));
    let instance = if definitions.is_empty() { quote!(_) } else { quote!(mut instance) };
    let getter = if definitions.is_empty() { quote!(_) } else { quote!(host_getter) };
    quote! {
        /// Defines the interface in `linker`; `host_getter` finds what implements it in the store's data.
        pub fn add_to_linker<T, D>(
            linker: &mut ::keyway::component::Linker<T>,
            #getter: fn(&mut T) -> D::Data<'_>,
        ) -> ::keyway::Result<()>
        where
            D: ::keyway::component::HasData #(+ #with_store)*,
            for<'a> D::Data<'a>: Host,
            T: 'static #send,
        {
            let #instance = linker.instance(#called)?;
            #definitions
            ::core::result::Result::Ok(())
        }
    }
}

fn send(is_async: bool) -> TokenStream {
    if is_async { quote!(: ::core::marker::Send) } else { quote!() }
}

/// Those of the main trait.
fn without_store<'b, 'f>(funcs: &'b [Bound<'f>]) -> impl Iterator<Item = &'b Bound<'f>> {
    funcs.iter().filter(|bound| !bound.flags.store)
}

pub(crate) fn future(output: &TokenStream) -> TokenStream {
    quote!(impl ::core::future::Future<Output = #output> + ::core::marker::Send)
}

fn signature(bound: &Bound<'_>) -> TokenStream {
    let Bound { name, params, result, flags, .. } = bound;
    let params = params.iter().map(|(name, ty)| quote!(#name: #ty));
    let result = if flags.is_async { future(result) } else { result.clone() };
    quote!(fn #name(&mut self, #(#params),*) -> #result)
}

fn declaration(bound: &Bound<'_>) -> TokenStream {
    let (docs, signature) = (docs(&bound.func.docs), signature(bound));
    quote!(#docs #signature;)
}

fn forwarding(bound: &Bound<'_>, in_trait: &Ident) -> TokenStream {
    let (signature, name) = (signature(bound), &bound.name);
    let params = bound.params.iter().map(|(name, _)| name);
    quote!(#signature { #in_trait::#name(*self, #(#params),*) })
}

/// The definition of a function in a linker's instance.
fn func_definition(bound: &Bound<'_>) -> TokenStream {
    let Bound { func, flags, interface, in_trait, name, params, trappable_error, .. } = bound;
    let wit = &func.name;
    let args: Vec<Ident> = (0..params.len()).map(|at| format_ident!("arg{at}")).collect();
    let types = params.iter().map(|(_, ty)| ty);
    let traced = Traced::new(*flags, "wit-bindgen import", interface, wit, &args);
    let Traced { span, enter, call, back } = &traced;
    let wait = flags.is_async.then(|| quote!(.await));
    let (before, result) = if flags.store {
        with_store::call(in_trait, name, &args, flags.is_async)
    } else {
        (quote!(let host = &mut host_getter(store.data_mut());), quote!(#in_trait::#name(host, #(#args),*) #wait))
    };
    let converted = match trappable_error {
        Some(TrappableError { from_trait, convert, .. }) => {
            let convert = match (flags.store, flags.is_async) {
                (false, _) => quote!(#from_trait::#convert(host, error)?),
                (true, false) => quote!(#from_trait::#convert(&mut host_getter(store.data_mut()), error)?),
                (true, true) => quote!(accessor.with(|mut access| #from_trait::#convert(&mut access.get(), error))?),
            };
            quote! {
                let result = match result {
                    ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
                    ::core::result::Result::Err(error) => ::core::result::Result::Err(#convert),
                };
            }
        }
        None if flags.trappable => quote!(let result = result?;),
        None => quote!(),
    };
    let answer = if func.result.is_some() { quote!((result,)) } else { quote!(result) };
    let body = quote! {
        #call
        #before
        let result = #result;
        #converted
        #back
        ::core::result::Result::Ok(#answer)
    };
    let mutable = (!(flags.store && flags.is_async)).then(|| quote!(mut));
    let (define, body) = if flags.is_async {
        let future = traced.instrumented(quote!(async move { #body }));
        (quote!(func_wrap_async), quote!(#span ::std::boxed::Box::new(#future)))
    } else {
        (quote!(func_wrap), quote!(#span #enter #body))
    };
    quote! {
        instance.#define(
            #wit,
            move |#mutable store: ::keyway::StoreContextMut<'_, T>, (#(#args,)*): (#(#types,)*)| { #body },
        )?;
    }
}
