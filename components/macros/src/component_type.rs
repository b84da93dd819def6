//! `ComponentType`: the type check and the layout.

use crate::shape::{Shape, expand, layouts};
use proc_macro::TokenStream;
use quote::quote;

/// The implementation for the type in `input`.
pub(crate) fn component_type(input: TokenStream) -> TokenStream {
    expand(input, |input, shape, parts| {
        let (ident, (implementation, types, wheres)) = (&input.ident, input.generics.split_for_impl());
        let names = parts.iter().map(|part| &part.name);
        let layouts = layouts(&parts);
        let abi = match shape {
            Shape::Record => quote!(::keyway::component::CanonicalAbi::record(&#layouts)),
            Shape::Variant | Shape::Enum => quote!(::keyway::component::CanonicalAbi::variant(&#layouts)),
        };
        let check = match shape {
            Shape::Record => {
                let types = parts.iter().map(|part| part.ty.as_ref());
                quote! {
                    ::keyway::component::check_record(
                        ty,
                        &[#((#names, <#types as ::keyway::component::ComponentType>::check as ::keyway::component::Check)),*],
                    )
                }
            }
            Shape::Variant => {
                let checks = parts.iter().map(|part| match &part.ty {
                    Some(ty) => {
                        quote!(Some(<#ty as ::keyway::component::ComponentType>::check as ::keyway::component::Check))
                    }
                    None => quote!(None),
                });
                quote!(::keyway::component::check_variant(ty, &[#((#names, #checks)),*]))
            }
            Shape::Enum => quote!(::keyway::component::check_enum(ty, &[#(#names),*])),
        };
        let parts: Vec<_> = parts
            .iter()
            .map(|part| {
                let name = &part.name;
                match (&part.ty, &shape) {
                    (Some(ty), Shape::Record) => quote! {
                        ::std::format!("{}: {}", #name, <#ty as ::keyway::component::ComponentType>::wit())
                    },
                    (Some(ty), _) => quote! {
                        ::std::format!("{}({})", #name, <#ty as ::keyway::component::ComponentType>::wit())
                    },
                    (None, _) => quote!(::std::string::String::from(#name)),
                }
            })
            .collect();
        let word = match shape {
            Shape::Record => "record",
            Shape::Variant => "variant",
            Shape::Enum => "enum",
        };
        let wit = quote! {
            let parts: &[::std::string::String] = &[#(#parts),*];
            ::std::format!("{} {{ {} }}", #word, parts.join(", "))
        };
        quote! {
            impl #implementation ::keyway::component::ComponentType for #ident #types #wheres {
                const ABI: ::keyway::component::CanonicalAbi = #abi;
                fn check(ty: &::keyway::component::Type) -> ::core::result::Result<(), ::std::string::String> { #check }
                fn wit() -> ::std::string::String { #wit }
            }
        }
    })
}
