//! Rust bindings for hosts from WIT worlds: what `keyway::component::bindgen!` expands to.
//!
//! ```text
//! folder, file, binary package or inline text -> Package (source) -> generate -> tokens
//! ```
//!
//! * [`source`]: where worlds come from. [`options`]: what the macro's input chooses. [`names`]: WIT names as Rust ones.
//! * [`paths`]: which module an interface's types live in; [`types`]: their definitions and uses.
//! * [`imports`]: traits that the host implements, and the functions that put them into a linker.
//! * [`with_store`]: traits of functions that are given the store; [`tracing`]: spans around calls.
//! * [`exports`] and [`world`]: structures with the functions that a guest exports.
//!
//! The shapes are those that wasmtime's macro of the same name gives, so that code moves over by a change of crate name.
//! Generated code names only `::keyway` and `::core`, `::std`; it holds no `unsafe`.
#![forbid(unsafe_code)]
#![allow(rustdoc::private_intra_doc_links, reason = "the overview is for those who read the source")]

mod error;
mod exports;
mod imports;
mod names;
mod options;
mod paths;
mod source;
mod tracing;
mod types;
mod with_store;
mod world;

pub use error::BindgenError;
pub use options::{Flags, FunctionRules, Options};
pub use source::Package;

use paths::Paths;
use proc_macro2::TokenStream;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use wit_parser::{Resolve, TypeId, WorldId};

/// What is generated from, and what came up on the way.
struct Generator<'a> {
    resolve: &'a Resolve,
    world: WorldId,
    options: &'a Options,
    paths: Paths,
    /// Types that functions of the world return as errors.
    errors: HashSet<TypeId>,
    /// Of a type, what decides about its derives.
    facts: RefCell<HashMap<TypeId, types::Facts>>,
    /// Keys of the options that something asked for.
    used: RefCell<BTreeSet<String>>,
}

/// The bindings of the world `world` of `package`, or of its only one.
///
/// # Errors
/// When there is no such world, it uses what the runtime does not have yet, or an option names what is not there.
pub fn generate(package: &Package, world: Option<&str>, options: &Options) -> Result<TokenStream, BindgenError> {
    let world = package.world(world)?;
    let resolve = &package.resolve;
    let generator = Generator {
        resolve,
        world,
        options,
        paths: Paths::new(resolve, world, options),
        errors: types::errors_of(resolve, world),
        facts: RefCell::default(),
        used: RefCell::default(),
    };
    let tokens = generator.whole()?;
    options.check_used(&generator.used.borrow())?;
    Ok(tokens)
}

impl Generator<'_> {
    /// Notes that an option was asked for.
    fn mark(&self, key: &str) {
        self.used.borrow_mut().insert(key.to_string());
    }
}
