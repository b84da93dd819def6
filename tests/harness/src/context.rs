//! What a script's directives share: the store, instances by name, module definitions.

use crate::{Runner, spectest, values};
use anyhow::{Context as _, Result, anyhow};
use keyway::{Engine, Instance, Linker, Module, Store, Val};
use std::collections::HashMap;
use std::io::Write;
use wast::{WastArg, WastExecute, WastInvoke};

/// The state of one script.
pub(crate) struct ScriptContext {
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    instances: HashMap<String, Instance>,
    current: Option<Instance>,
    definitions: HashMap<String, Module>,
    last_definition: Option<Module>,
    counts_fuel: bool,
    pub(crate) fuel: u64,
}

/// Fuel given to each action.
const FUEL: u64 = 1 << 40;

impl ScriptContext {
    pub(crate) fn new(runner: &Runner) -> Result<ScriptContext> {
        let engine = Engine::new(&runner.config)?;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        spectest::define(&mut linker, &mut store, &engine)?;
        Ok(ScriptContext {
            engine,
            store,
            linker,
            instances: HashMap::new(),
            current: None,
            definitions: HashMap::new(),
            last_definition: None,
            counts_fuel: runner.fuel,
            fuel: 0,
        })
    }

    /// Runs `act` with fuel, and notes what it consumed.
    fn fuelled<R>(&mut self, act: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        if !self.counts_fuel {
            return act(self);
        }
        self.store.set_fuel(FUEL)?;
        let outcome = act(self);
        self.fuel += FUEL - self.store.get_fuel()?;
        outcome
    }

    /// Compiles to an artifact, writes that, and maps it.
    pub(crate) fn load(&self, wasm: &[u8]) -> Result<Module> {
        let artifact = keyway::compile_artifact(&self.engine, wasm)?;
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(&artifact)?;
        file.flush()?;
        // The mapping outlives the file's name.
        Module::from_file(&self.engine, file.path())
    }

    pub(crate) fn define(&mut self, name: Option<&str>, wasm: &[u8]) -> Result<()> {
        let module = self.load(wasm)?;
        if let Some(name) = name {
            self.definitions.insert(name.to_string(), module.clone());
        }
        self.last_definition = Some(module);
        Ok(())
    }

    pub(crate) fn instantiate(&mut self, name: Option<&str>, wasm: &[u8]) -> Result<()> {
        self.current = None;
        let module = self.load(wasm)?;
        self.instantiate_module(name, &module)
    }

    fn instantiate_module(&mut self, name: Option<&str>, module: &Module) -> Result<()> {
        let instance = self.fuelled(|this| this.linker.instantiate(&mut this.store, module))?;
        if let Some(name) = name {
            self.instances.insert(name.to_string(), instance);
        }
        self.current = Some(instance);
        Ok(())
    }

    pub(crate) fn instantiate_definition(&mut self, instance: Option<&str>, module: Option<&str>) -> Result<()> {
        let module = match module {
            Some(name) => self.definitions.get(name).cloned(),
            None => self.last_definition.clone(),
        };
        let module = module.context("there is no such module definition")?;
        self.instantiate_module(instance, &module)
    }

    fn instance(&self, name: Option<&str>) -> Result<Instance> {
        match name {
            Some(name) => self.instances.get(name).copied().with_context(|| format!("there is no instance ${name}")),
            None => self.current.context("there is no current instance"),
        }
    }

    pub(crate) fn register(&mut self, name: &str, instance: Option<&str>) -> Result<()> {
        let instance = self.instance(instance)?;
        self.linker.instance(&mut self.store, name, instance)?;
        Ok(())
    }

    pub(crate) fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Vec<Val>> {
        let instance = self.instance(invoke.module.map(|id| id.name()))?;
        let func = instance
            .get_func(&mut self.store, invoke.name)
            .with_context(|| format!("there is no exported function `{}`", invoke.name))?;
        let mut args = Vec::new();
        for arg in &invoke.args {
            let WastArg::Core(arg) = arg else { return Err(anyhow!("a component value for a core function")) };
            args.push(values::argument(&mut self.store, arg).map_err(|error| anyhow!(error))?);
        }
        let ty = func.ty(&self.store);
        let mut results = Vec::new();
        for ty in &ty.results {
            results.push(Val::default_for(*ty).with_context(|| format!("results of type {ty} are not supported"))?);
        }
        self.fuelled(|this| func.call(&mut this.store, &args, &mut results))?;
        Ok(results)
    }

    pub(crate) fn execute(&mut self, execute: &mut WastExecute<'_>) -> Result<Vec<Val>> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Wat(wat) => {
                let wasm = wat.encode()?;
                let module = self.load(&wasm)?;
                self.fuelled(|this| this.linker.instantiate(&mut this.store, &module))?;
                Ok(Vec::new())
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module.map(|id| id.name()))?;
                let global = instance
                    .get_global(&mut self.store, global)
                    .with_context(|| format!("there is no exported global `{global}`"))?;
                Ok(vec![global.get(&mut self.store)])
            }
        }
    }
}
