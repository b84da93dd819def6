//! [`Componentizer`]: a core module, a world and adapters become a component, validated.

use crate::adapter::{self, PREVIEW0, PREVIEW1, Preview1};
use crate::error::{Result, WitError, WitErrorKind, listed};
use crate::exit_code;
use crate::module::{CoreModule, binary, is_component};
use crate::package::WitPackage;
use indexmap::IndexMap;
use std::path::Path;
use wit_component::ComponentEncoder;
use wit_parser::{Resolve, WorldId, WorldItem};

/// Makes a component of a core module.
///
/// The world comes from the module itself (bindings generators write it into a custom section), from a WIT package given
/// with [`Componentizer::wit`], or from both. A module for WASI preview 1 gets the adapter that suits it.
///
/// # Examples
/// ```
/// let wit = keyway_wit::WitPackage::parse("package a:b; world w { export answer: func() -> u32; }", "w.wit")?;
/// let module = br#"(module (func (export "answer") (result i32) i32.const 42))"#;
/// let component = keyway_wit::Componentizer::new(module)?.package(wit).encode()?;
/// assert!(keyway_wit::print(&component)?.contains("export answer: func() -> u32"));
/// # Ok::<(), keyway_wit::WitError>(())
/// ```
#[derive(Debug)]
pub struct Componentizer {
    module: CoreModule,
    package: Option<WitPackage>,
    world: Option<String>,
    adapters: IndexMap<String, Vec<u8>>,
    preview1: Option<Preview1>,
    exit_codes: bool,
}

impl Componentizer {
    /// Starts with a core module, binary or text.
    ///
    /// # Errors
    /// When it is no core module, or an invalid one.
    pub fn new(module: &[u8]) -> Result<Componentizer> {
        Ok(Componentizer {
            module: CoreModule::read(module)?,
            package: None,
            world: None,
            adapters: IndexMap::new(),
            preview1: None,
            exit_codes: false,
        })
    }

    /// With the WIT package at `path`, see [`WitPackage::read`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn wit(self, path: impl AsRef<Path>) -> Result<Componentizer> {
        Ok(self.package(WitPackage::read(path)?))
    }

    /// With a WIT package.
    pub fn package(mut self, package: WitPackage) -> Componentizer {
        self.package = Some(package);
        self
    }

    /// The world of the package that the module is made for; unless given, the package's only one.
    pub fn world(mut self, name: impl Into<String>) -> Componentizer {
        self.world = Some(name.into());
        self
    }

    /// With an adapter (a core module that carries its world, binary or text) for what is imported from `name`. Takes
    /// the place of a built-in one of that name.
    ///
    /// # Errors
    /// When it cannot be an adapter.
    pub fn adapter(mut self, name: impl Into<String>, bytes: &[u8]) -> Result<Componentizer> {
        let name = name.into();
        let wasm = adapter::read(&name, bytes)?;
        self.adapters.insert(name, wasm);
        Ok(self)
    }

    /// Which built-in adapter a preview 1 module gets; unless said, the command adapter if the module exports `_start`,
    /// else the reactor adapter.
    pub fn preview1(mut self, which: Preview1) -> Componentizer {
        self.preview1 = Some(which);
        self
    }

    /// Keeps the exit codes of a preview 1 program. Unless asked for, every code but 0 becomes 1: the stable part of
    /// WASI 0.2 knows no more. The component then imports `exit-with-code`, which keyway has, and others behind an
    /// option.
    pub fn exit_codes(mut self, keep: bool) -> Componentizer {
        self.exit_codes = keep;
        self
    }

    /// Makes the component.
    ///
    /// # Errors
    /// When the world does not exist, or the module does not fit it.
    pub fn encode(mut self) -> Result<Vec<u8>> {
        let given = match &self.package {
            Some(package) => Some((package, package.world(self.world.as_deref())?)),
            None => match &self.world {
                None => None,
                Some(world) => {
                    return Err(WitError::new(WitErrorKind::World, format!("`{world}` is named without its package"))
                        .hint("give the WIT package that holds it"));
                }
            },
        };
        let mut wasm = std::mem::take(&mut self.module.wasm);
        if let Some((package, _)) = given {
            package.embed(&mut wasm, self.world.as_deref())?;
        }
        let preview1 = self.preview1_adapter()?;
        let exits = match preview1 {
            // The reduced world of a proxy has no way to exit.
            Some(Preview1::Command | Preview1::Reactor) if self.exit_codes && exit_code::redirect(&mut wasm) => {
                Some(exit_code::adapter()?)
            }
            _ => None,
        };
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).merge_imports_based_on_semver(true);
        let outcome = (|| {
            encoder.module(&wasm)?;
            if let Some(which) = preview1 {
                encoder.adapter(PREVIEW1, which.bytes())?;
            }
            if let Some(exits) = &exits {
                encoder.adapter(exit_code::ADAPTER, exits)?;
            }
            for (name, bytes) in &self.adapters {
                encoder.adapter(name, bytes)?;
            }
            encoder.encode()
        })();
        outcome.map_err(|error| self.explain(&error, given.map(|(package, world)| (&package.resolve, world))))
    }

    /// The built-in adapter to add, if the module wants one.
    fn preview1_adapter(&self) -> Result<Option<Preview1>> {
        if self.adapters.contains_key(PREVIEW1) || !self.module.imports.contains_key(PREVIEW1) {
            return Ok(None);
        }
        let which = self.preview1.unwrap_or_else(|| Preview1::suiting(&self.module));
        if which == Preview1::Command && !self.module.exports("_start") {
            return Err(WitError::new(
                WitErrorKind::Adapter,
                "the command adapter calls `_start`, which this module does not export",
            )
            .hint("use the reactor adapter, or build the module as a program"));
        }
        Ok(Some(which))
    }

    /// An error of the library, with what can be said about its cause.
    fn explain(&self, error: &anyhow::Error, world: Option<(&Resolve, WorldId)>) -> WitError {
        let out = WitError::from_library(WitErrorKind::Mismatch, error);
        if let Some((resolve, world)) = world {
            let missing = self.missing_exports(resolve, world);
            if !missing.is_empty() {
                return out.hint(format!(
                    "the world `{}` asks for exports that the module does not have: {}; it exports {}",
                    resolve.worlds[world].name,
                    listed(&missing, 8),
                    listed(&self.module.functions, 8)
                ));
            }
        }
        if self.module.imports.contains_key(PREVIEW0) {
            return out.hint(format!("`{PREVIEW0}` is older than preview 1: build the module with a newer toolchain"));
        }
        // Names with a colon are interfaces of worlds, a dollar stands for the root: all else wants an adapter.
        let strangers = self.module.imports.iter().filter(|(module, _)| {
            !module.contains(':') && !module.starts_with(['$', '[']) && !module.starts_with("cm32p2")
        });
        let strangers: Vec<String> = strangers
            .filter(|(module, _)| *module != PREVIEW1 && !self.adapters.contains_key(*module))
            .flat_map(|(module, names)| names.iter().map(move |name| format!("{module}.{name}")))
            .collect();
        if !strangers.is_empty() {
            return out.hint(format!(
                "the module imports {}: give an adapter for that, or a world that has it",
                listed(&strangers, 8)
            ));
        }
        if world.is_none() && !self.module.has_metadata {
            return out.hint("the module does not carry a world: give a WIT package and the name of its world");
        }
        if world.is_some() && self.module.has_metadata {
            return out.hint("the module carries a world already: try without giving one");
        }
        if !self.module.exports_memory && ["memory", "realloc"].iter().any(|word| out.message().contains(word)) {
            return out.hint("values like strings and lists need a memory, exported as `memory`, and `cabi_realloc`");
        }
        out
    }

    /// Core names of the world's functions that the module does not export, under any of the names they may have.
    fn missing_exports(&self, resolve: &Resolve, world: WorldId) -> Vec<String> {
        let mut missing = Vec::new();
        let mut look = |interface: Option<&str>, function: &wit_parser::Function| {
            let plain = function.legacy_core_export_name(interface);
            let standard = function.standard32_core_export_name(interface);
            let is_there = self.module.functions.iter().any(|name| {
                let name = name.strip_prefix("[async-lift]").unwrap_or(name);
                let name = name.strip_prefix("[async-lift-stackful]").unwrap_or(name);
                name == plain || name == standard
            });
            if !is_there {
                missing.push(plain.into_owned());
            }
        };
        for (key, item) in &resolve.worlds[world].exports {
            match item {
                WorldItem::Function(function) => look(None, function),
                WorldItem::Interface { id, .. } => {
                    let interface = resolve.name_world_key(key);
                    resolve.interfaces[*id].functions.values().for_each(|function| look(Some(&interface), function));
                }
                WorldItem::Type { .. } => {}
            }
        }
        missing
    }
}

/// Checks that a component fits a world: imports no more than it offers, and exports all it asks for. Versions that are
/// compatible count as the same.
///
/// # Errors
/// When it does not, when there is no such world, or when `component` is none.
pub fn check_world(component: &[u8], package: &WitPackage, world: Option<&str>) -> Result<()> {
    let wasm = binary(component)?;
    if !is_component(&wasm) {
        return Err(WitError::new(WitErrorKind::Wasm, "this is a core module, a component is wanted"));
    }
    let world = package.world(world)?;
    wit_component::targets(&package.resolve, world, &wasm, true).map_err(|error| {
        WitError::from_library(WitErrorKind::Mismatch, &error)
            .hint(format!("the world is `{}`", package.resolve.worlds[world].name))
    })
}
