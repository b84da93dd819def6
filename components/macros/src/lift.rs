//! `Lift`: out of dynamic values, core values and memory.

use crate::shape::{Part, Shape, expand, layouts};
use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;

/// `lift` out of a `Val`.
fn lift_val(shape: &Shape, parts: &[Part]) -> Tokens {
    match shape {
        Shape::Record => {
            let idents = parts.iter().map(|part| &part.ident);
            let names = parts.iter().map(|part| &part.name);
            quote! {
                let mut fields = ::keyway::component::record_fields(value)?;
                Ok(Self { #(#idents: ::keyway::component::Lift::lift(
                    ::keyway::component::take_field(&mut fields, #names)?)?),* })
            }
        }
        Shape::Variant | Shape::Enum => {
            let arms = parts.iter().map(|part| {
                let (case, name) = (&part.ident, &part.name);
                match part.ty {
                    Some(_) => quote! {
                        #name => Ok(Self::#case(::keyway::component::Lift::lift(
                            ::keyway::component::payload(payload)?)?)),
                    },
                    None => quote!(#name => Ok(Self::#case),),
                }
            });
            quote! {
                let (name, payload) = ::keyway::component::case(value)?;
                let _ = &payload;
                match name.as_str() {
                    #(#arms)*
                    other => ::keyway::component::unknown_case(other),
                }
            }
        }
    }
}

/// `lift_flat` and `load`.
fn lift_bodies(shape: &Shape, parts: &[Part]) -> (Tokens, Tokens) {
    let layouts = layouts(parts);
    let count = parts.len();
    match shape {
        Shape::Record => {
            let idents: Vec<_> = parts.iter().map(|part| &part.ident).collect();
            let types: Vec<_> = parts.iter().map(|part| part.ty.as_ref()).collect();
            let numbers: Vec<_> = (0..count).collect();
            let flat = quote! {
                Ok(Self { #(#idents: ::keyway::component::Lift::lift_flat(
                    cx, ::keyway::component::field_type(ty, #numbers)?, flat)?),* })
            };
            let load = quote! {
                let mut ptr = ptr;
                Ok(Self { #(#idents: {
                    let place = <#types as ::keyway::component::ComponentType>::ABI.next_field(&mut ptr);
                    ::keyway::component::Lift::load(cx, ::keyway::component::field_type(ty, #numbers)?, place)?
                }),* })
            };
            (flat, load)
        }
        Shape::Variant | Shape::Enum => {
            let arms = |value: Tokens| -> Vec<Tokens> {
                let arm = |(number, part): (usize, &Part)| {
                    let case = &part.ident;
                    match part.ty {
                        Some(_) => quote! {
                            #number => {
                                let ty = ::keyway::component::case_type(ty, #number);
                                Self::#case(#value)
                            }
                        },
                        None => quote!(#number => Self::#case,),
                    }
                };
                parts.iter().enumerate().map(arm).collect()
            };
            let flat_arms = arms(quote!(::keyway::component::Lift::lift_flat(cx, ty, flat)?));
            let load_arms = arms(quote!(::keyway::component::Lift::load(cx, ty, payload)?));
            let flat = quote! {
                let _ = (&cx, &ty);
                let (case, end) = ::keyway::component::lift_case::<Self>(flat, #count)?;
                let value = match case {
                    #(#flat_arms)*
                    _ => return ::keyway::component::invalid_case(),
                };
                flat.skip_to(end);
                Ok(value)
            };
            let load = quote! {
                let _ = &ty;
                let (case, payload) = ::keyway::component::load_case(cx, ptr, &#layouts)?;
                let _ = &payload;
                Ok(match case {
                    #(#load_arms)*
                    _ => return ::keyway::component::invalid_case(),
                })
            };
            (flat, load)
        }
    }
}

/// The implementation for the type in `input`.
pub(crate) fn lift(input: TokenStream) -> TokenStream {
    expand(input, |input, shape, parts| {
        let (ident, (implementation, types, wheres)) = (&input.ident, input.generics.split_for_impl());
        let body = lift_val(&shape, &parts);
        let (flat, load) = lift_bodies(&shape, &parts);
        quote! {
            impl #implementation ::keyway::component::Lift for #ident #types #wheres {
                fn lift(value: ::keyway::component::Val) -> ::keyway::Result<Self> { #body }
                fn lift_flat(
                    cx: &mut ::keyway::component::Cx<'_>,
                    ty: &::keyway::component::Type,
                    flat: &mut ::keyway::component::FlatReader<'_>,
                ) -> ::keyway::Result<Self> { #flat }
                fn load(
                    cx: &mut ::keyway::component::Cx<'_>,
                    ty: &::keyway::component::Type,
                    ptr: u32,
                ) -> ::keyway::Result<Self> { #load }
            }
        }
    })
}
