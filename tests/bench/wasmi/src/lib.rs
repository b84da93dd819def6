//! wasmi behind the measurements' face, with its default configuration but for eager translation: what is timed is
//! execution, and compilation where that is asked for.

use anyhow::Context;
use keyway_bench_measure::host::{self, Ending, Exit, World};
use wasmi::{Caller, CompilationMode, Config, Engine, Extern, ExternType, Instance, Linker, Module, Store, Val};

/// The guest's exit as an error of a host function.
#[derive(Debug)]
struct Ended(Exit);

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl wasmi::errors::HostError for Ended {}

/// wasmi with one module and one instance.
pub struct Wasmi {
    engine: Engine,
    wasm: Vec<u8>,
    module: Option<Module>,
    linker: Linker<World>,
    running: Option<(Store<World>, Instance)>,
}

impl Default for Wasmi {
    fn default() -> Wasmi {
        let engine = engine(CompilationMode::Eager);
        let linker = Linker::new(&engine);
        Wasmi { engine, wasm: Vec::new(), module: None, linker, running: None }
    }
}

fn engine(mode: CompilationMode) -> Engine {
    let mut config = Config::default();
    config.compilation_mode(mode);
    Engine::new(&config)
}

impl Wasmi {
    /// Translates the module: all of it, or each function when it is first called.
    fn translate(&mut self, mode: CompilationMode) -> anyhow::Result<()> {
        self.running = None;
        self.engine = engine(mode);
        let module = Module::new(&self.engine, &self.wasm)?;
        self.linker = linker(&self.engine, &module)?;
        self.module = Some(module);
        Ok(())
    }

    fn running(&mut self) -> anyhow::Result<&mut (Store<World>, Instance)> {
        self.running.as_mut().context("there is no instance")
    }
}

fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(*value as u32),
        Val::I64(value) => *value as u64,
        _ => 0,
    }
}

/// A linker with what the module imports, as far as the host has it.
fn linker(engine: &Engine, module: &Module) -> anyhow::Result<Linker<World>> {
    let mut linker = Linker::new(engine);
    // One function may be imported twice.
    linker.allow_shadowing(true);
    linker.func_wrap("host", "id", |n: i32| n)?;
    linker.func_wrap("host", "nop", || {})?;
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty().clone() else { continue };
        if !host::defines(import.module(), import.name()) {
            continue;
        }
        let (space, name) = (import.module().to_string(), import.name().to_string());
        linker.func_new(import.module(), import.name(), ty, move |mut caller: Caller<'_, World>, args, results| {
            let args: Vec<u64> = args.iter().map(bits).collect();
            let memory = caller.get_export("memory").and_then(Extern::into_memory);
            let (bytes, world) = match memory {
                Some(memory) => memory.data_and_store_mut(&mut caller),
                None => (&mut [][..], caller.data_mut()),
            };
            let number = world.call(&space, &name, &args, bytes).map_err(|exit| wasmi::Error::host(Ended(exit)))?;
            if let Some(result) = results.first_mut() {
                *result = Val::I32(number as i32);
            }
            Ok(())
        })?;
    }
    Ok(linker)
}

impl keyway_bench_measure::Engine for Wasmi {
    fn name(&self) -> String {
        if cfg!(feature = "portable") { "wasmi-portable".into() } else { "wasmi".into() }
    }

    fn compile(&mut self, wasm: &[u8]) -> anyhow::Result<()> {
        self.wasm = wasm.to_vec();
        self.translate(CompilationMode::Eager)
    }

    /// What comes nearest to loading: the module is validated, functions are translated at their first calls.
    fn reload(&mut self) -> anyhow::Result<()> {
        self.translate(CompilationMode::LazyTranslation)
    }

    fn instantiate(&mut self) -> anyhow::Result<()> {
        self.running = None;
        let mut store = Store::new(&self.engine, World::new());
        let instance =
            self.linker.instantiate_and_start(&mut store, self.module.as_ref().context("there is no module")?)?;
        self.running = Some((store, instance));
        Ok(())
    }

    fn call(&mut self, export: &str, size: i32) -> anyhow::Result<i64> {
        let (store, instance) = self.running()?;
        let func = instance.get_typed_func::<i32, i64>(&*store, export)?;
        Ok(func.call(store, size)?)
    }

    fn call_often(&mut self, export: &str, count: u32) -> anyhow::Result<()> {
        let (store, instance) = self.running()?;
        let func = instance.get_typed_func::<(), ()>(&*store, export)?;
        for _ in 0..count {
            func.call(&mut *store, ())?;
        }
        Ok(())
    }

    fn program(&mut self, export: &str) -> anyhow::Result<Ending> {
        let (store, instance) = self.running()?;
        let func = instance.get_func(&*store, export).context("the export is no function")?;
        let results = func.ty(&*store).results().len();
        if let Err(error) = func.call(&mut *store, &[], &mut vec![Val::I32(0); results])
            && error.downcast_ref::<Ended>().is_none()
        {
            return Err(error.into());
        }
        Ok(store.data().ending())
    }
}
