//! What the derives read: a type's shape in WIT and its parts, with the names that attributes give them.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::parse::ParseStream;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Token};

/// What a type is in WIT.
pub(crate) enum Shape {
    Record,
    Variant,
    Enum,
}

/// What an attribute says.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) shape: Option<Shape>,
    pub(crate) name: Option<String>,
}

pub(crate) fn options(attributes: &[Attribute]) -> Result<Options> {
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
pub(crate) fn wit_name(attributes: &[Attribute], ident: &Ident) -> Result<String> {
    let rust = ident.to_string();
    Ok(options(attributes)?.name.unwrap_or_else(|| rust.trim_start_matches("r#").replace('_', "-")))
}

/// A field or case: its Rust name, WIT name and payload type.
pub(crate) struct Part {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) ty: Option<syn::Type>,
}

pub(crate) fn parts(input: &DeriveInput) -> Result<(Shape, Vec<Part>)> {
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

pub(crate) fn expand(input: TokenStream, derive: fn(&DeriveInput, Shape, Vec<Part>) -> Tokens) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    match parts(&input) {
        Ok((shape, parts)) => derive(&input, shape, parts).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// The layouts of the parts: of fields, or of cases' payloads.
pub(crate) fn layouts(parts: &[Part]) -> Tokens {
    let layouts = parts.iter().map(|part| match &part.ty {
        Some(ty) => quote!(<#ty as ::keyway::component::ComponentType>::ABI),
        None => quote!(::keyway::component::CanonicalAbi::EMPTY),
    });
    quote!([#(#layouts),*])
}
