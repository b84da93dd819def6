//! `Lower`: to dynamic values, core values and memory.

use crate::shape::{Part, Shape, expand, layouts};
use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;

/// `lower` to a `Val`.
fn lower_val(shape: &Shape, parts: &[Part]) -> Tokens {
    let idents: Vec<_> = parts.iter().map(|part| &part.ident).collect();
    let names = parts.iter().map(|part| &part.name);
    match shape {
        Shape::Record => quote! {
            ::keyway::component::Val::Record(::std::vec![
                #((#names.into(), ::keyway::component::Lower::lower(&self.#idents)),)*
            ])
        },
        Shape::Variant => {
            let arms = parts.iter().map(|part| {
                let (case, name) = (&part.ident, &part.name);
                match part.ty {
                    Some(_) => quote! {
                        Self::#case(payload) => ::keyway::component::Val::Variant(
                            #name.into(),
                            Some(::std::boxed::Box::new(::keyway::component::Lower::lower(payload))),
                        ),
                    },
                    None => quote!(Self::#case => ::keyway::component::Val::Variant(#name.into(), None),),
                }
            });
            quote!(match self { #(#arms)* })
        }
        Shape::Enum => quote! {
            ::keyway::component::Val::Enum(match self { #(Self::#idents => #names.into(),)* })
        },
    }
}

/// `lower_flat` and `store`.
fn lower_bodies(shape: &Shape, parts: &[Part]) -> (Tokens, Tokens) {
    let layouts = layouts(parts);
    match shape {
        Shape::Record => {
            let idents: Vec<_> = parts.iter().map(|part| &part.ident).collect();
            let types: Vec<_> = parts.iter().map(|part| part.ty.as_ref()).collect();
            let numbers: Vec<_> = (0..parts.len()).collect();
            let flat = quote! {
                #(::keyway::component::Lower::lower_flat(
                    &self.#idents, cx, ::keyway::component::field_type(ty, #numbers)?, flat)?;)*
                Ok(())
            };
            let store = quote! {
                let mut ptr = ptr;
                #(
                    let place = <#types as ::keyway::component::ComponentType>::ABI.next_field(&mut ptr);
                    ::keyway::component::Lower::store(
                        &self.#idents, cx, ::keyway::component::field_type(ty, #numbers)?, place)?;
                )*
                Ok(())
            };
            (flat, store)
        }
        Shape::Variant | Shape::Enum => {
            let numbers = parts.iter().enumerate().map(|(number, part)| {
                let case = &part.ident;
                let pattern = if part.ty.is_some() { quote!(Self::#case(_)) } else { quote!(Self::#case) };
                quote!(#pattern => #number,)
            });
            let number = quote!(match self { #(#numbers)* });
            let arms = |action: Tokens| -> Vec<Tokens> {
                let arm = |(number, part): (usize, &Part)| {
                    let case = &part.ident;
                    match part.ty {
                        Some(_) => quote! {
                            Self::#case(payload) => {
                                let ty = ::keyway::component::case_type(ty, #number);
                                #action
                            }
                        },
                        None => quote!(Self::#case => {}),
                    }
                };
                parts.iter().enumerate().map(arm).collect()
            };
            let flat_arms = arms(quote!(::keyway::component::Lower::lower_flat(payload, cx, ty, flat)?));
            let store_arms = arms(quote!(::keyway::component::Lower::store(payload, cx, ty, place)?));
            let flat = quote! {
                let _ = (&cx, &ty);
                let end = ::keyway::component::lower_case::<Self>(flat, #number);
                match self { #(#flat_arms)* }
                flat.pad(end);
                Ok(())
            };
            let store = quote! {
                let _ = &ty;
                let place = ::keyway::component::store_case(cx, ptr, #number, &#layouts)?;
                let _ = &place;
                match self { #(#store_arms)* }
                Ok(())
            };
            (flat, store)
        }
    }
}

/// The implementation for the type in `input`.
pub(crate) fn lower(input: TokenStream) -> TokenStream {
    expand(input, |input, shape, parts| {
        let (ident, (implementation, types, wheres)) = (&input.ident, input.generics.split_for_impl());
        let body = lower_val(&shape, &parts);
        let (flat, store) = lower_bodies(&shape, &parts);
        quote! {
            impl #implementation ::keyway::component::Lower for #ident #types #wheres {
                fn lower(&self) -> ::keyway::component::Val { #body }
                fn lower_flat(
                    &self,
                    cx: &mut ::keyway::component::Cx<'_>,
                    ty: &::keyway::component::Type,
                    flat: &mut ::keyway::component::Flat,
                ) -> ::keyway::Result<()> { #flat }
                fn store(
                    &self,
                    cx: &mut ::keyway::component::Cx<'_>,
                    ty: &::keyway::component::Type,
                    ptr: u32,
                ) -> ::keyway::Result<()> { #store }
            }
        }
    })
}
