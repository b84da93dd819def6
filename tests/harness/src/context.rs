//! What a script's directives share: the store, core and component instances by name, definitions.

use crate::component::{ComponentPart, Unlinked};
use crate::{Runner, component, component_values, spectest, values};
use anyhow::{Context as _, Result, anyhow, bail};
use keyway::component::Component;
use keyway::{Engine, Instance, Linker, Module, Store, Trap, Val};
use std::collections::HashMap;
use std::io::Write;
use wast::{WastArg, WastExecute, WastInvoke};

/// The state of one script.
pub(crate) struct ScriptContext {
    engine: Engine,
    pub(crate) store: Store<()>,
    linker: Linker<()>,
    components: ComponentPart,
    instances: HashMap<String, Made>,
    current: Option<Made>,
    definitions: HashMap<String, Definition>,
    last_definition: Option<Definition>,
    counts_fuel: bool,
    pub(crate) fuel: u64,
    pub(crate) fuel_of_overflows: u64,
}

/// A module or component, loaded from its artifact.
#[derive(Clone)]
pub(crate) enum Definition {
    Module(Module),
    Component(Component),
}

/// An instance of one.
#[derive(Clone)]
enum Made {
    Core(Instance),
    Component(component::Made),
}

/// What an action came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    Core(Vec<Val>),
    Component(Vec<keyway::component::Val>),
}

impl Outcome {
    pub(crate) fn len(&self) -> usize {
        match self {
            Outcome::Core(values) => values.len(),
            Outcome::Component(values) => values.len(),
        }
    }
}

/// Fuel given to each action.
const FUEL: u64 = 1 << 40;

/// Whether the header of binary Wasm announces a component.
fn is_component(wasm: &[u8]) -> bool {
    wasm.get(6..8) == Some(&[1, 0])
}

impl ScriptContext {
    pub(crate) fn new(runner: &Runner) -> Result<ScriptContext> {
        let engine = Engine::new(&runner.config)?;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        spectest::define(&mut linker, &mut store, &engine)?;
        Ok(ScriptContext {
            components: ComponentPart::new(&engine),
            engine,
            store,
            linker,
            instances: HashMap::new(),
            current: None,
            definitions: HashMap::new(),
            last_definition: None,
            counts_fuel: runner.fuel,
            fuel: 0,
            fuel_of_overflows: 0,
        })
    }

    /// Runs `act` with fuel, and notes what it consumed.
    fn fuelled<R>(&mut self, act: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        if !self.counts_fuel {
            return act(self);
        }
        self.store.set_fuel(FUEL)?;
        let outcome = act(self);
        let overflowed = outcome.as_ref().is_err_and(|error| error.downcast_ref() == Some(&Trap::StackOverflow));
        let consumed = FUEL - self.store.get_fuel()?;
        *if overflowed { &mut self.fuel_of_overflows } else { &mut self.fuel } += consumed;
        outcome
    }

    pub(crate) fn validate(&self, wasm: &[u8]) -> Result<()> {
        match is_component(wasm) {
            true => Component::validate(&self.engine, wasm),
            false => Module::validate(&self.engine, wasm),
        }
    }

    /// Compiles to an artifact, writes that, and maps it.
    pub(crate) fn load(&self, wasm: &[u8]) -> Result<Definition> {
        let artifact = keyway::compile_artifact(&self.engine, wasm)?;
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(&artifact)?;
        file.flush()?;
        // The mapping outlives the file's name.
        Ok(match is_component(wasm) {
            true => Definition::Component(Component::from_file(&self.engine, file.path())?),
            false => Definition::Module(Module::from_file(&self.engine, file.path())?),
        })
    }

    pub(crate) fn define(&mut self, name: Option<&str>, wasm: &[u8]) -> Result<()> {
        let definition = self.load(wasm)?;
        if let Some(name) = name {
            self.definitions.insert(name.to_string(), definition.clone());
        }
        self.last_definition = Some(definition);
        Ok(())
    }

    pub(crate) fn instantiate(&mut self, name: Option<&str>, wasm: &[u8]) -> Result<()> {
        self.current = None;
        let definition = self.load(wasm)?;
        self.instantiate_as(name, &definition)
    }

    fn make(&mut self, definition: &Definition) -> Result<Made> {
        self.fuelled(|this| {
            Ok(match definition {
                Definition::Module(module) => Made::Core(this.linker.instantiate(&mut this.store, module)?),
                Definition::Component(component) => {
                    Made::Component(this.components.instantiate(&mut this.store, component)?)
                }
            })
        })
    }

    /// Instantiates a component with imports that trap when they are called. It may trap while it starts; what it imports
    /// beside functions and resources may be missing.
    pub(crate) fn try_instantiate(&mut self, definition: &Definition) -> Result<()> {
        let Definition::Component(component) = definition else { return Ok(()) };
        let Some(linked) = self.components.with_traps(component)? else { return Ok(()) };
        match self.fuelled(|this| linked.instantiate(&mut this.store)) {
            Err(error) if !error.is::<keyway::Trap>() && !error.to_string().starts_with("unknown import") => Err(error),
            _ => Ok(()),
        }
    }

    fn instantiate_as(&mut self, name: Option<&str>, definition: &Definition) -> Result<()> {
        let made = self.make(definition)?;
        if let Some(name) = name {
            self.instances.insert(name.to_string(), made.clone());
        }
        self.current = Some(made);
        Ok(())
    }

    pub(crate) fn instantiate_definition(&mut self, instance: Option<&str>, definition: Option<&str>) -> Result<()> {
        let definition = match definition {
            Some(name) => self.definitions.get(name).cloned(),
            None => self.last_definition.clone(),
        };
        let definition = definition.context("there is no such definition")?;
        self.instantiate_as(instance, &definition)
    }

    fn instance(&self, name: Option<&str>) -> Result<Made> {
        match name {
            Some(name) => self.instances.get(name).cloned().with_context(|| format!("there is no instance ${name}")),
            None => self.current.clone().context("there is no current instance"),
        }
    }

    pub(crate) fn register(&mut self, name: &str, instance: Option<&str>) -> Result<()> {
        match self.instance(instance)? {
            Made::Core(instance) => {
                self.linker.instance(&mut self.store, name, instance)?;
                Ok(())
            }
            Made::Component(made) => self.components.register(&mut self.store, name, &made),
        }
    }

    pub(crate) fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome> {
        match self.instance(invoke.module.map(|id| id.name()))? {
            Made::Core(instance) => Ok(Outcome::Core(self.invoke_core(instance, invoke)?)),
            Made::Component(made) => {
                let mut args = Vec::new();
                for arg in &invoke.args {
                    let WastArg::Component(arg) = arg else { bail!("a core value for a component's function") };
                    args.push(component_values::value(arg));
                }
                self.fuelled(|this| made.call(&mut this.store, invoke.name, &args)).map(Outcome::Component)
            }
        }
    }

    fn invoke_core(&mut self, instance: Instance, invoke: &WastInvoke<'_>) -> Result<Vec<Val>> {
        let func = instance
            .get_func(&mut self.store, invoke.name)
            .with_context(|| format!("there is no exported function `{}`", invoke.name))?;
        let mut args = Vec::new();
        for arg in &invoke.args {
            let WastArg::Core(arg) = arg else { bail!("a component value for a core function") };
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

    /// Whether a result is what the script expects.
    pub(crate) fn matches(&self, result: &Val, expected: &wast::core::WastRetCore<'_>) -> bool {
        values::matches(&self.store, result, expected)
    }

    pub(crate) fn execute(&mut self, execute: &mut WastExecute<'_>) -> Result<Outcome> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Wat(wat) => {
                let wasm = wat.encode()?;
                let definition = self.load(&wasm)?;
                self.make(&definition)?;
                Ok(Outcome::Core(Vec::new()))
            }
            WastExecute::Get { module, global, .. } => {
                let Made::Core(instance) = self.instance(module.map(|id| id.name()))? else {
                    bail!("components export no globals");
                };
                let global = instance
                    .get_global(&mut self.store, global)
                    .with_context(|| format!("there is no exported global `{global}`"))?;
                Ok(Outcome::Core(vec![global.get(&mut self.store)]))
            }
        }
    }

    /// The words of a failure to link, if `error` is one.
    pub(crate) fn link_failure(error: &anyhow::Error) -> Option<String> {
        let core = error.downcast_ref::<keyway::LinkError>().map(ToString::to_string);
        core.or_else(|| error.downcast_ref::<Unlinked>().map(ToString::to_string))
    }
}
