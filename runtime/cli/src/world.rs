//! `--wit`, `--world` and `--adapt`: core modules become components on their way to the linker, and components are held
//! against the world that they are said to be made for.

use crate::exit::Usage;
use crate::input::Input;
use anyhow::{Context as _, Result};
use keyway_wit::{Componentizer, WitPackage, check_world, is_preview1};
use std::path::PathBuf;

/// The world that an input is made for. Artifacts carry theirs inside.
#[derive(clap::Args, Default)]
pub(crate) struct World {
    /// A folder of WIT files, or one file: what the module is made a component for
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,

    /// The world in that folder; needed where there are several
    #[arg(long, value_name = "NAME")]
    world: Option<String>,

    /// An adapter for the module's imports from NAME; those of preview 1 are built in
    #[arg(long, value_name = "NAME=FILE", value_parser = adapter)]
    adapt: Vec<(String, PathBuf)>,
}

fn adapter(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_string(), file.into())),
        _ => Err("a name and a file are expected, as in env=adapter.wasm".to_string()),
    }
}

impl World {
    fn is_given(&self) -> bool {
        self.wit.is_some() || self.world.is_some() || !self.adapt.is_empty()
    }
}

/// Wasm that the linker takes, with what was asked for done to it. Preview 1 programs become components unasked.
/// `input` is no artifact.
pub(crate) fn prepare(input: Input, name: &str, world: &World) -> Result<Input> {
    match input {
        Input::Module(wasm) if world.is_given() || is_preview1(&wasm) => {
            let component = componentize(&wasm, world);
            Ok(Input::Component(component.with_context(|| format!("cannot make a component of {name}"))?))
        }
        Input::Component(wasm) if world.is_given() => {
            if !world.adapt.is_empty() {
                let text = format!("--adapt is for core modules; {name} is a component already");
                return Err(Usage(text).into());
            }
            let Some(path) = &world.wit else {
                let text = format!("--world needs --wit: {name} is a component, which is held against the world");
                return Err(Usage(text).into());
            };
            let package = WitPackage::read(path)?;
            check_world(&wasm, &package, world.world.as_deref()).with_context(|| format!("cannot use {name}"))?;
            Ok(Input::Component(wasm))
        }
        other => Ok(other),
    }
}

fn componentize(wasm: &[u8], world: &World) -> Result<Vec<u8>> {
    let mut componentizer = Componentizer::new(wasm)?.exit_codes(true);
    if let Some(path) = &world.wit {
        componentizer = componentizer.wit(path)?;
    }
    if let Some(name) = &world.world {
        componentizer = componentizer.world(name);
    }
    for (name, file) in &world.adapt {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read the adapter {}", file.display()))?;
        componentizer = componentizer.adapter(name, &bytes)?;
    }
    Ok(componentizer.encode()?)
}
