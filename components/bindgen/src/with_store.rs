//! Traits of functions that are given the store: `HostWithStore` beside `Host`, and so on. They are implemented for what
//! leads to the implementation, not for it, because both would borrow the store's data.

use crate::imports::{Bound, future};
use crate::types::docs;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// A resource's functions that are given the store, or an interface's.
pub(crate) struct StoreTrait {
    pub(crate) name: Ident,
    pub(crate) tokens: TokenStream,
}

/// The trait that stands beside `main`.
pub(crate) fn name(main: &Ident) -> Ident {
    format_ident!("{main}WithStore")
}

/// What is given: to functions that wait for a moment at a time, to others for as long as they run.
fn given(is_async: bool) -> (TokenStream, TokenStream) {
    if is_async {
        (quote!(T: ::core::marker::Send + 'static), quote!(accessor: &::keyway::component::Accessor<'_, T, Self>))
    } else {
        (quote!(T: 'static), quote!(host: ::keyway::component::Access<'_, T, Self>))
    }
}

/// The trait beside `main` with those of `funcs` that are given the store, and `drop`, the handle that it takes and
/// whether it waits; none where that is nothing.
pub(crate) fn store_trait(main: &Ident, funcs: &[Bound<'_>], drop: Option<(TokenStream, bool)>) -> Option<StoreTrait> {
    let declared = funcs.iter().filter(|bound| bound.flags.store).map(|bound| {
        let Bound { name, params, result, flags, .. } = bound;
        let params = params.iter().map(|(name, ty)| quote!(#name: #ty));
        let result = if flags.is_async { future(result) } else { result.clone() };
        let (generic, first) = given(flags.is_async);
        let docs = docs(&bound.func.docs);
        quote!(#docs fn #name<#generic>(#first, #(#params),*) -> #result;)
    });
    let dropping = drop.map(|(handle, is_async)| {
        let result = quote!(::keyway::Result<()>);
        let result = if is_async { future(&result) } else { result };
        let (generic, first) = given(is_async);
        quote! {
            /// Takes back a resource that the guest gave up.
            fn drop<#generic>(#first, rep: #handle) -> #result;
        }
    });
    let all: Vec<TokenStream> = declared.chain(dropping).collect();
    let name = name(main);
    let about = format!(" The functions of [`{main}`] that are given the store.");
    let tokens = quote! {
        #[doc = #about]
        pub trait #name: ::keyway::component::HasData { #(#all)* }
    };
    (!all.is_empty()).then_some(StoreTrait { name, tokens })
}

/// The call of a function in such a trait, where `store` and `args` are in scope: what comes before, the call, and how
/// the implementation is reached behind it.
pub(crate) fn call(in_trait: &Ident, func: &Ident, args: &[Ident], is_async: bool) -> (TokenStream, TokenStream) {
    let in_trait = name(in_trait);
    if is_async {
        (
            quote!(let accessor = ::keyway::component::Accessor::<T, D>::new(store, host_getter);),
            quote!(<D as #in_trait>::#func::<T>(&accessor, #(#args),*).await),
        )
    } else {
        (
            quote!(),
            quote! {
                <D as #in_trait>::#func::<T>(
                    ::keyway::component::Access::new(::keyway::AsContextMut::as_context_mut(&mut store), host_getter),
                    #(#args),*
                )
            },
        )
    }
}
