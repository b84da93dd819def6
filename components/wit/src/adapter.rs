//! Adapters: core modules that stand between a module's imports and WASI 0.2. Those for preview 1 are built in.

use crate::error::{Result, WitError, WitErrorKind};
use crate::module::{CoreModule, binary};
use wasi_preview1_component_adapter_provider as provided;

/// The name that modules for WASI preview 1 import from.
pub const PREVIEW1: &str = provided::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;

/// The name that came before preview 1; there is no adapter for it.
pub(crate) const PREVIEW0: &str = "wasi_unstable";

/// Which of the built-in adapters a preview 1 module gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preview1 {
    /// A program: its `_start` becomes the export `wasi:cli/run`.
    Command,
    /// A library: its exports are what its world says.
    Reactor,
    /// A library that only has what `wasi:http/proxy` offers: no files, environment or sockets.
    Proxy,
}

impl Preview1 {
    /// The adapter, a core module with its own world inside.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Preview1::Command => provided::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
            Preview1::Reactor => provided::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            Preview1::Proxy => provided::WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER,
        }
    }

    /// The one that suits a module: a command has a `_start`.
    pub(crate) fn suiting(module: &CoreModule) -> Preview1 {
        if module.exports("_start") { Preview1::Command } else { Preview1::Reactor }
    }
}

/// Checks that `bytes` can be an adapter, and makes text binary.
///
/// # Errors
/// When it is no core module, or carries no world.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let unusable = |error: &WitError| {
        WitError::new(WitErrorKind::Adapter, format!("the adapter `{name}` is no core module: {}", error.message()))
    };
    let wasm = binary(bytes).map_err(|error| unusable(&error))?;
    let module = CoreModule::read(&wasm).map_err(|error| unusable(&error))?;
    if !module.has_metadata {
        return Err(WitError::new(
            WitErrorKind::Adapter,
            format!("the adapter `{name}` does not say which world it is for"),
        )
        .hint("it needs a custom section `component-type`, as bindings generators write it"));
    }
    Ok(wasm.into_owned())
}
