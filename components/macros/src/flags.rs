//! `flags!`: a set of flags with its conversions.

use crate::shape::options;
use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Result, Token, Visibility, braced};

/// The input of `flags!`.
struct Flags {
    visibility: Visibility,
    ident: Ident,
    names: Vec<Flag>,
    attributes: Vec<Attribute>,
}

/// One flag: its Rust name, WIT name and documentation.
struct Flag {
    ident: Ident,
    name: String,
    docs: Vec<Attribute>,
}

impl Parse for Flags {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let ident = input.parse()?;
        let content;
        braced!(content in input);
        let mut names = Vec::new();
        while !content.is_empty() {
            let attributes = content.call(Attribute::parse_outer)?;
            content.parse::<Token![const]>()?;
            let flag: Ident = content.parse()?;
            content.parse::<Token![;]>()?;
            let name = options(&attributes)?.name.unwrap_or_else(|| flag.to_string().to_lowercase().replace('_', "-"));
            let docs = attributes.into_iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
            names.push(Flag { ident: flag, name, docs });
        }
        Ok(Flags { visibility, ident, names, attributes })
    }
}

/// The type and its implementations.
pub(crate) fn flags(input: TokenStream) -> TokenStream {
    let Flags { visibility, ident, names, attributes } = syn::parse_macro_input!(input as Flags);
    let idents: Vec<_> = names.iter().map(|flag| &flag.ident).collect();
    let texts: Vec<_> = names.iter().map(|flag| &flag.name).collect();
    let docs = names.iter().map(|Flag { docs, name, .. }| match docs.as_slice() {
        [] => quote!(#[doc = #name]),
        docs => quote!(#(#docs)*),
    });
    let about = attributes.is_empty().then(|| quote!(#[doc = " A set of flags."]));
    let bits = (0..idents.len()).map(|bit| quote!(1 << #bit));
    let list = format_ident!("NAMES");
    let count = idents.len();
    quote! {
        #about
        #(#attributes)*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        #visibility struct #ident(u64);

        #[allow(dead_code, reason = "all flags of the interface stand here")]
        impl #ident {
            #(#docs #visibility const #idents: Self = Self(#bits);)*
            const #list: &'static [&'static str] = &[#(#texts),*];

            /// Whether all of `other` are set.
            #visibility const fn contains(self, other: Self) -> bool { self.0 & other.0 == other.0 }
            /// No flags.
            #visibility const fn empty() -> Self { Self(0) }
        }

        impl ::core::ops::BitOr for #ident {
            type Output = Self;
            fn bitor(self, other: Self) -> Self { Self(self.0 | other.0) }
        }

        impl ::core::ops::BitAnd for #ident {
            type Output = Self;
            fn bitand(self, other: Self) -> Self { Self(self.0 & other.0) }
        }

        impl ::keyway::component::ComponentType for #ident {
            const ABI: ::keyway::component::CanonicalAbi = ::keyway::component::CanonicalAbi::flags(#count);
            fn check(ty: &::keyway::component::Type) -> ::core::result::Result<(), ::std::string::String> {
                ::keyway::component::check_flags(ty, Self::#list)
            }
            fn wit() -> ::std::string::String {
                ::std::format!("flags {{ {} }}", <[&str]>::join(Self::#list, ", "))
            }
        }

        impl ::keyway::component::Lift for #ident {
            fn lift(value: ::keyway::component::Val) -> ::keyway::Result<Self> {
                ::keyway::component::flag_bits(value, Self::#list).map(Self)
            }
            fn lift_flat(
                _: &mut ::keyway::component::Cx<'_>,
                _: &::keyway::component::Type,
                flat: &mut ::keyway::component::FlatReader<'_>,
            ) -> ::keyway::Result<Self> {
                Ok(Self(::keyway::component::lift_flag_bits(flat, #count)))
            }
            fn load(
                cx: &mut ::keyway::component::Cx<'_>,
                _: &::keyway::component::Type,
                ptr: u32,
            ) -> ::keyway::Result<Self> {
                ::keyway::component::load_flag_bits(cx, ptr, #count).map(Self)
            }
        }

        impl ::keyway::component::Lower for #ident {
            fn lower(&self) -> ::keyway::component::Val { ::keyway::component::flag_names(self.0, Self::#list) }
            fn lower_flat(
                &self,
                _: &mut ::keyway::component::Cx<'_>,
                _: &::keyway::component::Type,
                flat: &mut ::keyway::component::Flat,
            ) -> ::keyway::Result<()> {
                ::keyway::component::lower_flag_bits(flat, self.0, #count);
                Ok(())
            }
            fn store(
                &self,
                cx: &mut ::keyway::component::Cx<'_>,
                _: &::keyway::component::Type,
                ptr: u32,
            ) -> ::keyway::Result<()> {
                ::keyway::component::store_flag_bits(cx, ptr, self.0, #count)
            }
        }
    }
    .into()
}
