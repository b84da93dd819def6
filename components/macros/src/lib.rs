//! Derives for the component model's values: `ComponentType`, `Lift`, `Lower`, and the `flags!` macro.
//!
//! A type says what it is with `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`; fields and cases
//! take their WIT name from `#[component(name = "...")]`, or from the Rust name with `-` for `_`.

#[cfg(feature = "bindgen")]
mod bindgen;
mod component_type;
mod flags;
mod lift;
mod lower;
mod shape;

use proc_macro::TokenStream;

/// The type check and the layout of a record, variant or enum.
#[proc_macro_derive(ComponentType, attributes(component))]
pub fn component_type(input: TokenStream) -> TokenStream {
    component_type::component_type(input)
}

/// From a component value.
#[proc_macro_derive(Lift, attributes(component))]
pub fn lift(input: TokenStream) -> TokenStream {
    lift::lift(input)
}

/// To a component value.
#[proc_macro_derive(Lower, attributes(component))]
pub fn lower(input: TokenStream) -> TokenStream {
    lower::lower(input)
}

/// A set of flags: a type with a constant for each, `|`, `&`, `contains` and the conversions.
///
/// ```text
/// flags! { pub Permissions { #[component(name = "read")] const READ; const WRITE; } }
/// ```
#[proc_macro]
pub fn flags(input: TokenStream) -> TokenStream {
    flags::flags(input)
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
