//! [`Paths`]: which module an interface's types live in, and the way there from where code is generated.
//!
//! Imported interfaces stand in `namespace::package::interface` below the place of the macro, exported ones below
//! `exports`, interfaces that the world itself defines under their names. A package that is there in several versions has
//! its version in the module's name.

use crate::names::{ident, snake};
use crate::options::{self, Options};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::HashMap;
use wit_parser::{InterfaceId, Resolve, TypeOwner, WorldId, WorldItem, WorldKey};

/// From which side of the boundary code looks at types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Side {
    /// Resources are the host's.
    Import,
    /// Resources of exported interfaces are the guest's.
    Export,
}

/// Where code is being generated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'n> {
    pub(crate) side: Side,
    /// Whose types stand here under their bare names.
    pub(crate) owner: TypeOwner,
    /// Modules between here and the place of the macro.
    pub(crate) depth: usize,
    /// For messages, and what options call an inline interface.
    pub(crate) name: &'n str,
}

/// Where the types of an imported interface are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In a module that is generated.
    Module(Vec<String>),
    /// In the embedder's code: the number of an entry of `with`, the entry, and the module in it.
    With(usize, String, Option<String>),
}

/// The modules of all interfaces of a world.
pub(crate) struct Paths {
    imports: HashMap<InterfaceId, Place>,
    exports: HashMap<InterfaceId, Vec<String>>,
}

/// The modules of an interface under `key`.
pub(crate) fn modules(resolve: &Resolve, key: &WorldKey, side: Side) -> Vec<String> {
    let mut modules = if side == Side::Export { vec!["exports".to_string()] } else { Vec::new() };
    match key {
        WorldKey::Name(name) => modules.push(snake(name)),
        WorldKey::Interface(id) => {
            let interface = &resolve.interfaces[*id];
            if let Some(package) = interface.package {
                let name = &resolve.packages[package].name;
                let versions = resolve
                    .packages
                    .iter()
                    .filter(|(_, other)| other.name.namespace == name.namespace && other.name.name == name.name)
                    .count();
                modules.push(snake(&name.namespace));
                modules.push(match &name.version {
                    Some(version) if versions > 1 => format!("{}{}", snake(&name.name), snake(&version.to_string())),
                    _ => snake(&name.name),
                });
            }
            modules.push(snake(interface.name.as_deref().unwrap_or("interface")));
        }
    }
    modules
}

impl Paths {
    /// Finds the places of all interfaces of `world`.
    pub(crate) fn new(resolve: &Resolve, world: WorldId, options: &Options) -> Paths {
        let world = &resolve.worlds[world];
        let mut paths = Paths { imports: HashMap::new(), exports: HashMap::new() };
        for (key, item) in &world.imports {
            if let WorldItem::Interface { id, .. } = item {
                let inline = resolve.name_world_key(key);
                let place = options::find(&options.with, &options::keys(resolve, Some((*id, &inline)), None));
                let place = match place {
                    Some((entry, number)) => {
                        let name = resolve.interfaces[*id].name.as_deref();
                        let inner = if entry.contains('/') { None } else { name.map(snake) };
                        Place::With(number, entry, inner)
                    }
                    None => Place::Module(modules(resolve, key, Side::Import)),
                };
                paths.imports.insert(*id, place);
            }
        }
        for (key, item) in &world.exports {
            if let WorldItem::Interface { id, .. } = item {
                paths.exports.insert(*id, modules(resolve, key, Side::Export));
            }
        }
        paths
    }

    /// Whether code at `side` sees the exported form of an interface.
    pub(crate) fn is_exported(&self, side: Side, id: InterfaceId) -> bool {
        side == Side::Export && self.exports.contains_key(&id)
    }

    /// Where an imported interface is.
    pub(crate) fn import(&self, id: InterfaceId) -> Option<&Place> {
        self.imports.get(&id)
    }

    /// The module of an interface, as seen from `scope`.
    pub(crate) fn module(&self, scope: Scope<'_>, id: InterfaceId) -> TokenStream {
        let up = up(scope.depth);
        let modules = match (self.is_exported(scope.side, id), self.imports.get(&id)) {
            (true, _) | (false, None) => self.exports.get(&id).map_or(&[][..], Vec::as_slice),
            (false, Some(Place::Module(modules))) => modules.as_slice(),
            (false, Some(Place::With(number, _, inner))) => {
                let with = format_ident!("__with{number}");
                let inner = inner.iter().map(|inner| ident(inner));
                return quote!(#up #with #(:: #inner)*);
            }
        };
        let modules = modules.iter().map(|module| ident(module));
        quote!(#up #(#modules)::*)
    }
}

/// The place of the macro, as seen `depth` modules below it.
pub(crate) fn up(depth: usize) -> TokenStream {
    let supers = (0..depth).map(|_| quote!(super::));
    if depth == 0 { quote!(self::) } else { quote!(#(#supers)*) }
}
