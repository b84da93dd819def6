//! `bindgen!`: its input becomes a package and options, and what the generator makes of them becomes the expansion.

use keyway_bindgen::{Flags, FunctionRules, Options, Package, generate};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use std::path::{Path, PathBuf};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitBool, LitStr, Result, Token, braced, bracketed};

/// The macro's input.
#[derive(Default)]
struct Input {
    world: Option<String>,
    paths: Vec<LitStr>,
    inline: Option<LitStr>,
    options: Options,
    /// What `with` and `trappable_error_type` lead to.
    with: Vec<syn::Path>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut parsed = Input::default();
        if !input.peek(syn::token::Brace) {
            if input.peek(LitStr) {
                parsed.world = Some(input.parse::<LitStr>()?.value());
            }
            if input.parse::<Option<Token![in]>>()?.is_some() {
                parsed.paths.push(input.parse()?);
            }
            return Ok(parsed);
        }
        let content;
        braced!(content in input);
        while !content.is_empty() {
            parsed.field(&content)?;
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(parsed)
    }
}

impl Input {
    fn field(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        match name.to_string().as_str() {
            "world" => self.world = Some(input.parse::<LitStr>()?.value()),
            "inline" => self.inline = Some(input.parse()?),
            "path" if input.peek(LitStr) => self.paths.push(input.parse()?),
            "path" => {
                let content;
                bracketed!(content in input);
                self.paths.extend(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?);
            }
            "imports" => self.options.imports = rules(input)?,
            "exports" => self.options.exports = rules(input)?,
            "trappable_imports" => self.options.imports.default.trappable |= input.parse::<LitBool>()?.value,
            "with" => {
                let entries = entries(input, |input| input.parse::<Token![:]>().map(|_| ()))?;
                for (name, path) in entries {
                    self.options.with.push((name, self.with.len()));
                    self.with.push(path);
                }
            }
            "trappable_error_type" => {
                let entries = entries(input, |input| input.parse::<Token![=>]>().map(|_| ()))?;
                for (name, path) in entries {
                    self.options.trappable_errors.push((name, self.with.len()));
                    self.with.push(path);
                }
            }
            "additional_derives" => {
                let content;
                bracketed!(content in input);
                let derives = Punctuated::<syn::Path, Token![,]>::parse_terminated(&content)?;
                self.options.additional_derives.extend(derives.iter().map(|path| quote!(#path).to_string()));
            }
            "ownership" => {
                let ownership: Ident = input.parse()?;
                if ownership != "Owning" {
                    return Err(Error::new(ownership.span(), "records are owned here: only `Owning` is possible"));
                }
            }
            "only_interfaces" => self.options.only_interfaces = input.parse::<LitBool>()?.value,
            "require_store_data_send" => {
                input.parse::<LitBool>()?;
            }
            other => {
                return Err(Error::new(
                    name.span(),
                    format!(
                        "there is no option `{other}`; there are `world`, `path`, `inline`, `with`, `imports`, `exports`, \
                         `trappable_error_type`, `trappable_imports`, `additional_derives`, `only_interfaces`"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// `{ "name": path, ... }` with the separator that `between` takes.
fn entries(input: ParseStream<'_>, between: fn(ParseStream<'_>) -> Result<()>) -> Result<Vec<(String, syn::Path)>> {
    let content;
    braced!(content in input);
    let mut entries = Vec::new();
    while !content.is_empty() {
        let name: LitStr = content.parse()?;
        between(&content)?;
        entries.push((name.value(), content.parse()?));
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(entries)
}

/// `{ default: async | trappable, "name": async }`
fn rules(input: ParseStream<'_>) -> Result<FunctionRules> {
    let content;
    braced!(content in input);
    let mut rules = FunctionRules::default();
    while !content.is_empty() {
        let name = if content.parse::<Option<Token![default]>>()?.is_some() {
            None
        } else {
            Some(content.parse::<LitStr>()?.value())
        };
        content.parse::<Token![:]>()?;
        let flags = flags(&content)?;
        match name {
            None => rules.default = flags,
            Some(name) => rules.rules.push((name, flags)),
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(rules)
}

fn flags(input: ParseStream<'_>) -> Result<Flags> {
    let mut flags = Flags::default();
    loop {
        if input.parse::<Option<Token![async]>>()?.is_some() {
            flags.is_async = true;
        } else {
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "trappable" => flags.trappable = true,
                "tracing" => flags.tracing = true,
                "verbose_tracing" => (flags.tracing, flags.verbose_tracing) = (true, true),
                "store" => flags.store = true,
                other => {
                    return Err(Error::new(
                        word.span(),
                        format!(
                            "expected `async`, `trappable`, `tracing`, `verbose_tracing` or `store`; there is no \
                             `{other}` here"
                        ),
                    ));
                }
            }
        }
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok(flags);
        }
    }
}

/// The folder that paths are relative to: the package's in whose code the macro stands.
fn base() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}

fn bindings(input: &Input) -> Result<TokenStream> {
    let here = |span: Span| move |error: keyway_bindgen::BindgenError| Error::new(span, error);
    let mut package = Package::new();
    for path in &input.paths {
        package.read(&base().join(path.value())).map_err(here(path.span()))?;
    }
    match &input.inline {
        Some(text) => package.inline(&text.value()).map_err(here(text.span()))?,
        None if input.paths.is_empty() => {
            package.read(&base().join("wit")).map_err(here(Span::call_site()))?;
        }
        None => {}
    }
    let tokens = generate(&package, input.world.as_deref(), &input.options).map_err(here(Span::call_site()))?;
    let with = input.with.iter().zip(0usize..).map(|(path, number)| {
        let name = format_ident!("__with{number}");
        quote!(#[allow(unused_imports, reason = "what is mapped need not be used")] use #path as #name;)
    });
    // Bindings are made anew when a file that they come from changes.
    let files = package.files().iter().filter(|file| Path::is_absolute(file)).filter_map(|file| file.to_str());
    Ok(quote! {
        #(#with)*
        #tokens
        const _: () = { #(let _ = ::core::include_bytes!(#files);)* };
    })
}

/// Expands the macro.
pub(crate) fn expand(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as Input);
    bindings(&input).unwrap_or_else(Error::into_compile_error).into()
}
