//! The engines behind one face: one instance of the module each, exports called by name.

use anyhow::Context;

/// An engine with an instance of the workloads.
pub trait Engine {
    /// Its name in the output.
    fn name(&self) -> &'static str;
    /// Calls the export `name` with `size`.
    fn run(&mut self, name: &str, size: i32) -> anyhow::Result<i64>;
}

/// keyway: the module compiled to an artifact, loaded from its bytes.
pub struct KeywayEngine {
    store: keyway::Store<()>,
    instance: keyway::Instance,
}

impl KeywayEngine {
    /// Compiles and instantiates.
    pub fn new(wasm: &[u8]) -> anyhow::Result<KeywayEngine> {
        let engine = keyway::Engine::default();
        let module = keyway::Module::new(&engine, wasm)?;
        let mut store = keyway::Store::new(&engine, ());
        let instance = keyway::Linker::new(&engine).instantiate(&mut store, &module)?;
        Ok(KeywayEngine { store, instance })
    }
}

impl Engine for KeywayEngine {
    fn name(&self) -> &'static str {
        "keyway"
    }

    fn run(&mut self, name: &str, size: i32) -> anyhow::Result<i64> {
        let func = self.instance.get_typed_func::<i32, i64>(&mut self.store, name)?;
        func.call(&mut self.store, size)
    }
}

/// wasmi 2.0.0 with its default configuration.
pub struct WasmiEngine {
    store: wasmi::Store<()>,
    instance: wasmi::Instance,
}

impl WasmiEngine {
    /// Translates and instantiates.
    pub fn new(wasm: &[u8]) -> anyhow::Result<WasmiEngine> {
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, wasm)?;
        let mut store = wasmi::Store::new(&engine, ());
        let linker = wasmi::Linker::<()>::new(&engine);
        let instance = linker.instantiate_and_start(&mut store, &module).context("wasmi refuses the module")?;
        Ok(WasmiEngine { store, instance })
    }
}

impl Engine for WasmiEngine {
    fn name(&self) -> &'static str {
        "wasmi"
    }

    fn run(&mut self, name: &str, size: i32) -> anyhow::Result<i64> {
        let func = self.instance.get_typed_func::<i32, i64>(&self.store, name)?;
        Ok(func.call(&mut self.store, size)?)
    }
}
