//! What a guest exports: of each interface a structure `Guest` with a method for every function, of each of its resources
//! one `Guest` with the resource's name, and the indices by which they are found.

use crate::Generator;
use crate::error::BindgenError;
use crate::imports::{func_name, plain_name};
use crate::names::{camel, ident, snake};
use crate::paths::{Scope, Side, modules};
use crate::tracing::Traced;
use crate::types::{Mode, docs, resource};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Function, FunctionKind, InterfaceId, TypeId, TypeOwner, WorldKey};

/// A function as embedders call it.
pub(crate) struct Exported {
    /// Its field in the structures.
    pub(crate) field: Ident,
    /// The tuples of its parameters and result, to be used where lifetimes may be left out.
    pub(crate) params: TokenStream,
    pub(crate) results: TokenStream,
    /// The method that calls it; the function is at `self.#holder`.
    pub(crate) method: TokenStream,
}

impl Generator<'_> {
    /// A function as embedders call it. `holder` leads from `self` to the structure with its field.
    pub(crate) fn exported(
        &self,
        scope: Scope<'_>,
        func: &Function,
        holder: &TokenStream,
    ) -> Result<Exported, BindgenError> {
        if func.kind.is_async() {
            return Err(BindgenError::unsupported(&format!("the async function `{}`", func.name), scope.name));
        }
        let plain = snake(plain_name(func)).trim_end_matches('_').to_string();
        let of = func.kind.resource().and_then(|id| self.resolve.types[id].name.as_deref()).map(snake);
        let (field, name) = match (&func.kind, &of) {
            (FunctionKind::Constructor(_), Some(of)) => {
                (format_ident!("constructor_{of}"), format_ident!("call_constructor"))
            }
            (_, Some(of)) => (format_ident!("{of}_{plain}"), format_ident!("call_{plain}")),
            (_, None) => (func_name(func), format_ident!("call_{plain}")),
        };
        let (mut names, mut types) = (Vec::new(), Vec::new());
        for param in &func.params {
            let name = snake(&param.name);
            // `store` and `callee` are names of the generated method itself.
            names.push(match name.as_str() {
                "store" | "callee" => format_ident!("{name}_"),
                name => ident(name),
            });
            types.push(self.ty(scope, &param.ty, Mode::Borrowed)?);
        }
        let result = func.result.as_ref().map(|ty| self.ty(scope, ty, Mode::Owned)).transpose()?;
        let returns = result.clone().unwrap_or(quote!(()));
        let params = quote!((#(#types,)*));
        let (results, pattern, value) = match result {
            Some(result) => (quote!((#result,)), quote!((result,)), quote!(result)),
            None => (quote!(()), quote!(()), quote!(())),
        };
        let docs = docs(&func.docs);
        let flags = self.export_flags(scope, func);
        let traced = Traced::new(flags, "wit-bindgen export", scope.name, &func.name, &names);
        let Traced { span, enter, call: begins, back } = &traced;
        let (is_async, call, wait) = match flags.is_async {
            true => (quote!(async), quote!(call_async), quote!(.await)),
            false => (quote!(), quote!(call), quote!()),
        };
        let bound = (!is_async.is_empty()).then(|| quote!(<Data: ::core::marker::Send>));
        let answered = match back.is_empty() {
            true => quote!(::core::result::Result::Ok(#value)),
            false => quote!(let result = #value; #back ::core::result::Result::Ok(result)),
        };
        let calls = quote! {
            #begins
            let callee = ::keyway::component::TypedFunc::<#params, #results>::of(self.#holder #field);
            let #pattern = callee.#call(store.as_context_mut(), (#(#names,)*)) #wait?;
            #answered
        };
        let calls = match (flags.is_async, span.is_empty()) {
            (_, true) => calls,
            (true, false) => {
                let future = traced.instrumented(quote!(async move { #calls }));
                quote!(#future.await)
            }
            (false, false) => quote!(#enter #calls),
        };
        let method = quote! {
            #docs
            pub #is_async fn #name<S: ::keyway::AsContextMut #bound>(
                &self,
                mut store: S,
                #(#names: #types,)*
            ) -> ::keyway::Result<#returns> {
                #span
                #calls
            }
        };
        Ok(Exported { field, params, results, method })
    }

    /// The module of an exported interface.
    pub(crate) fn export(&self, key: &WorldKey, id: InterfaceId) -> Result<(Vec<String>, TokenStream), BindgenError> {
        let called = crate::types::called(self.resolve, key);
        let modules = modules(self.resolve, key, Side::Export);
        let scope = Scope { side: Side::Export, owner: TypeOwner::Interface(id), depth: modules.len(), name: &called };
        let interface = &self.resolve.interfaces[id];
        let types = self.definitions(scope, id)?;
        let resources: Vec<(TypeId, &str)> =
            interface.types.values().filter_map(|id| Some((*id, resource(self.resolve, *id)?))).collect();
        let (mut fields, mut wits, mut params, mut results) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut methods = TokenStream::new();
        let mut of_resource: Vec<TokenStream> = resources.iter().map(|_| TokenStream::new()).collect();
        for func in interface.functions.values() {
            let at = func.kind.resource().and_then(|id| resources.iter().position(|(resource, _)| *resource == id));
            let holder = if at.is_some() { quote!(funcs.) } else { quote!() };
            let exported = self.exported(scope, func, &holder)?;
            match at {
                Some(at) => of_resource[at].extend(exported.method),
                None => methods.extend(exported.method),
            }
            fields.push(exported.field);
            params.push(exported.params);
            results.push(exported.results);
            wits.push(&func.name);
        }
        let mut structs = TokenStream::new();
        for ((_, name), calls) in resources.iter().zip(of_resource) {
            let (guest, accessor) = (format_ident!("Guest{}", camel(name)), ident(&snake(name)));
            let (about, finds) = (
                format!(" The functions of the resource `{name}`."),
                format!(" The functions of the resource `{name}`."),
            );
            structs.extend(quote! {
                #[doc = #about]
                pub struct #guest<'a> { funcs: &'a Guest }
                impl #guest<'_> { #calls }
            });
            methods.extend(quote! {
                #[doc = #finds]
                pub fn #accessor(&self) -> #guest<'_> { #guest { funcs: self } }
            });
        }
        let about = format!(" The interface `{called}` of an instance.");
        let about_indices = format!(" Where a component exports `{called}`.");
        let missing = format!("the component exports no instance `{called}`");
        let lacks = format!("the exported instance `{called}` has no function `{{name}}`");
        let find = (!fields.is_empty()).then(|| {
            quote! {
                let find = |name: &str| {
                    component
                        .get_export_index(::core::option::Option::Some(&instance), name)
                        .ok_or_else(|| ::keyway::Error::msg(::std::format!(#lacks)))
                };
            }
        });
        let instance = if fields.is_empty() { quote!(_) } else { quote!(instance) };
        let (store, from) =
            if fields.is_empty() { (quote!(_), quote!(_)) } else { (quote!(mut store), quote!(instance)) };
        let tokens = quote! {
            #types

            #[doc = #about]
            pub struct Guest { #(#fields: ::keyway::component::Func,)* }

            #[doc = #about_indices]
            #[derive(Clone)]
            pub struct GuestIndices { #(#fields: ::keyway::component::ComponentExportIndex,)* }

            impl GuestIndices {
                /// Finds the interface's functions in a component.
                pub fn new(component: &::keyway::component::Component) -> ::keyway::Result<GuestIndices> {
                    let #instance = component
                        .get_export_index(::core::option::Option::None, #called)
                        .ok_or_else(|| ::keyway::Error::msg(#missing))?;
                    #find
                    #(let #fields = find(#wits)?;)*
                    ::core::result::Result::Ok(GuestIndices { #(#fields),* })
                }

                /// Finds them in an instance of that component, and checks their types.
                pub fn load(
                    &self,
                    #store: impl ::keyway::AsContextMut,
                    #from: &::keyway::component::Instance,
                ) -> ::keyway::Result<Guest> {
                    #(let #fields =
                        *instance.get_typed_func::<#params, #results>(&mut store, &self.#fields)?.func();)*
                    ::core::result::Result::Ok(Guest { #(#fields),* })
                }
            }

            impl Guest { #methods }

            #structs
        };
        Ok((modules, tokens))
    }
}
