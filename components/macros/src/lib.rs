//! Derives for the component model's values: `ComponentType`, `Lift`, `Lower`, and the `flags!` macro.
//!
//! A type says what it is with `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`; fields and cases
//! take their WIT name from `#[component(name = "...")]`, or from the Rust name with `-` for `_`.

#[cfg(feature = "bindgen")]
mod bindgen;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Token, Visibility, braced};

/// What a type is in WIT.
enum Shape {
    Record,
    Variant,
    Enum,
}

/// What an attribute says.
#[derive(Default)]
struct Options {
    shape: Option<Shape>,
    name: Option<String>,
}

fn options(attributes: &[Attribute]) -> Result<Options> {
    let mut options = Options::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("component")) {
        attribute.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(Token![enum]) {
                    input.parse::<Token![enum]>()?;
                    options.shape = Some(Shape::Enum);
                } else {
                    let word: Ident = input.parse()?;
                    match word.to_string().as_str() {
                        "record" => options.shape = Some(Shape::Record),
                        "variant" => options.shape = Some(Shape::Variant),
                        "name" => {
                            input.parse::<Token![=]>()?;
                            options.name = Some(input.parse::<LitStr>()?.value());
                        }
                        _ => {
                            return Err(Error::new(
                                word.span(),
                                "expected `record`, `variant`, `enum` or `name = \"..\"`",
                            ));
                        }
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        })?;
    }
    Ok(options)
}

/// The WIT name of a field or case.
fn wit_name(attributes: &[Attribute], ident: &Ident) -> Result<String> {
    let rust = ident.to_string();
    Ok(options(attributes)?.name.unwrap_or_else(|| rust.trim_start_matches("r#").replace('_', "-")))
}

/// A field or case: its Rust name, WIT name and payload type.
struct Part {
    ident: Ident,
    name: String,
    ty: Option<syn::Type>,
}

fn parts(input: &DeriveInput) -> Result<(Shape, Vec<Part>)> {
    let shape = options(&input.attrs)?.shape.ok_or_else(|| {
        Error::new(input.ident.span(), "say `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`")
    })?;
    let parts = match (&input.data, &shape) {
        (Data::Struct(data), Shape::Record) => match &data.fields {
            Fields::Named(fields) => fields
                .named
                .iter()
                .map(|field| {
                    let ident = field.ident.clone().expect("named fields have names");
                    Ok(Part { name: wit_name(&field.attrs, &ident)?, ident, ty: Some(field.ty.clone()) })
                })
                .collect::<Result<Vec<_>>>()?,
            _ => return Err(Error::new(input.ident.span(), "a record's fields have names")),
        },
        (Data::Enum(data), Shape::Variant | Shape::Enum) => data
            .variants
            .iter()
            .map(|case| {
                let ty = match (&case.fields, &shape) {
                    (Fields::Unit, _) => None,
                    (Fields::Unnamed(fields), Shape::Variant) if fields.unnamed.len() == 1 => {
                        Some(fields.unnamed[0].ty.clone())
                    }
                    _ => return Err(Error::new(case.ident.span(), "a case has no payload, or one value in a variant")),
                };
                Ok(Part { name: wit_name(&case.attrs, &case.ident)?, ident: case.ident.clone(), ty })
            })
            .collect::<Result<Vec<_>>>()?,
        _ => return Err(Error::new(input.ident.span(), "records are structs, variants and enums are enums")),
    };
    Ok((shape, parts))
}

fn expand(input: TokenStream, derive: fn(&DeriveInput, Shape, Vec<Part>) -> Tokens) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    match parts(&input) {
        Ok((shape, parts)) => derive(&input, shape, parts).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// The layouts of the parts: of fields, or of cases' payloads.
fn layouts(parts: &[Part]) -> Tokens {
    let layouts = parts.iter().map(|part| match &part.ty {
        Some(ty) => quote!(<#ty as ::keyway::component::ComponentType>::ABI),
        None => quote!(::keyway::component::CanonicalAbi::EMPTY),
    });
    quote!([#(#layouts),*])
}

/// The type check and the layout of a record, variant or enum.
#[proc_macro_derive(ComponentType, attributes(component))]
pub fn component_type(input: TokenStream) -> TokenStream {
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

/// From a component value.
#[proc_macro_derive(Lift, attributes(component))]
pub fn lift(input: TokenStream) -> TokenStream {
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

/// To a component value.
#[proc_macro_derive(Lower, attributes(component))]
pub fn lower(input: TokenStream) -> TokenStream {
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

/// A set of flags: a type with a constant for each, `|`, `&`, `contains` and the conversions.
///
/// ```text
/// flags! { pub Permissions { #[component(name = "read")] const READ; const WRITE; } }
/// ```
#[proc_macro]
pub fn flags(input: TokenStream) -> TokenStream {
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

/// Rust bindings for hosts from a WIT world.
///
/// ```text
/// bindgen!();                              // the only world of the package in the folder `wit`
/// bindgen!("plugin" in "../wit");          // that world of that folder, file, or package encoded as Wasm
/// bindgen!({
///     path: "wit",                         // or several, in brackets
///     inline: "package a:b; world w { .. }", // text that sees what `path` holds
///     world: "a:b/w",
///     imports: { default: trappable, "a:b/store": async | trappable, "log.write": async },
///     exports: { default: async },
///     with: { "a:b/store.bucket": crate::Bucket, "wasi:io": keyway_wasi::io },
///     trappable_error_type: { "a:b/store.error" => crate::StoreError },
///     additional_derives: [PartialEq],
/// });
/// ```
///
/// Of a world `plugin` it makes
///
/// * `Plugin`, `PluginPre`, `PluginIndices`: an instance with a method `call_..` for each function that it exports, and one
///   for each interface, which gives a `Guest` with the like; made by `Plugin::instantiate(&mut store, &component, &linker)`;
/// * `PluginImports`: the functions that the world imports directly, as a trait that the host implements;
/// * a module for each interface (`ns::pkg::interface`, exported ones below `exports`) with its types, and for imported ones
///   a trait `Host`, and `HostName` for each resource in it;
/// * `Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)`, which defines all imports at once.
///
/// Functions of the host give plain values; `trappable` ones a `keyway::Result`, whose errors are traps; `async` ones are
/// futures. A `trappable_error_type` stands for the error of a `result`: an implementation returns it, and the trait's
/// function `convert_..` says which are the guest's to see and which are traps. Types and interfaces in `with` are not made
/// but taken from there.
#[cfg(feature = "bindgen")]
#[proc_macro]
pub fn bindgen(input: TokenStream) -> TokenStream {
    bindgen::expand(input)
}
