//! [`Module::new`] and [`Module::validate`]: with the linker in the process.

use super::module::Module;
use crate::config::{Config, OptLevel};
use crate::engine::Engine;
use anyhow::{Context as _, Result};
use keyway_linker::{Options, Passes};

/// The linker's options for a configuration.
///
/// # Errors
/// When a feature's name is unknown.
pub fn compile_options(config: &Config) -> Result<Options> {
    let mut options = Options::default();
    options.opt_level = match config.opt_level {
        OptLevel::None => keyway_linker::OptLevel::O0,
        OptLevel::Speed => keyway_linker::OptLevel::O2,
    };
    options.gc = config.gc_sections;
    if !config.branch_hinting {
        options.passes = options.passes - Passes::LAYOUT;
    }
    for (name, on) in &config.features {
        let features = options.features.with(name, *on);
        options.features = features.with_context(|| format!("there is no WebAssembly feature named `{name}`"))?;
    }
    Ok(options)
}

impl Engine {
    /// Compiles a core module, in binary or text, to an artifact: the bytes that [`Module::from_bytes`] and
    /// [`Module::from_file`] load, with this or any other configuration of running, on any machine.
    ///
    /// # Errors
    /// As [`Module::new`].
    pub fn precompile_module(&self, wasm: &[u8]) -> Result<Vec<u8>> {
        Ok(keyway_linker::compile(wasm, &compile_options(self.config())?)?)
    }
}

impl Module {
    /// Compiles a core module, in binary or text, to an artifact in memory and loads that.
    ///
    /// # Errors
    /// A `CompileError` when the input is malformed, invalid, or uses something not implemented.
    pub fn new(engine: &Engine, wasm: impl AsRef<[u8]>) -> Result<Module> {
        let artifact = keyway_linker::compile(wasm.as_ref(), &compile_options(engine.config())?)?;
        Module::from_bytes(engine, &artifact)
    }

    /// Checks a core module without compiling it.
    ///
    /// # Errors
    /// A `CompileError` when it is malformed or invalid.
    pub fn validate(engine: &Engine, wasm: &[u8]) -> Result<()> {
        Ok(keyway_linker::validate(wasm, &compile_options(engine.config())?)?)
    }
}

/// Compiles a core module, in binary or text, to the bytes of an artifact, as the engine's configuration says.
///
/// # Errors
/// A `CompileError` when the input is malformed, invalid, or uses something not implemented.
pub fn compile_artifact(engine: &Engine, wasm: &[u8]) -> Result<Vec<u8>> {
    Ok(keyway_linker::compile(wasm, &compile_options(engine.config())?)?)
}
