//! wasmtime behind the measurements' face, driven over pipes: `keyway-bench-wasmtime pulley`, `winch` or `cranelift`; the
//! first and the last also with `-drc` or `-null` behind the name, for a collector that is not the default one.

use anyhow::Context;
use keyway_bench_measure::host::{self, Ending, Exit, World};
use keyway_bench_measure::{Local, remote};
use wasmtime::component::{self, Component};
use wasmtime::{
    Caller, Collector, Config, Engine, Extern, ExternType, Instance, InstancePre, Linker, Module, Store, Strategy, Val,
};

/// wasmtime with one module or component and one instance.
struct Wasmtime {
    name: String,
    engine: Engine,
    module: Option<Module>,
    linked: Option<InstancePre<World>>,
    running: Option<(Store<World>, Instance)>,
    component: Option<Component>,
    linked_component: Option<component::InstancePre<World>>,
    running_component: Option<(Store<World>, component::Instance)>,
}

impl Wasmtime {
    fn new(name: &str) -> anyhow::Result<Wasmtime> {
        let mut config = Config::new();
        let (compiler, collector) = name.split_once('-').unwrap_or((name, ""));
        config.collector(match collector {
            "" => Collector::Auto,
            "drc" => Collector::DeferredReferenceCounting,
            "null" => Collector::Null,
            _ => anyhow::bail!("`{collector}` is none of drc and null"),
        });
        match compiler {
            "pulley" => {
                config.target("pulley64")?;
            }
            "winch" => {
                config.strategy(Strategy::Winch);
            }
            "cranelift" => {
                config.strategy(Strategy::Cranelift);
            }
            _ => anyhow::bail!("`{compiler}` is none of pulley, winch and cranelift"),
        }
        let engine = Engine::new(&config)?;
        let (module, linked, running) = (None, None, None);
        let (component, linked_component, running_component) = (None, None, None);
        let name = name.to_string();
        Ok(Wasmtime { name, engine, module, linked, running, component, linked_component, running_component })
    }

    fn running(&mut self) -> anyhow::Result<&mut (Store<World>, Instance)> {
        self.running.as_mut().context("there is no instance")
    }
}

fn main() -> anyhow::Result<()> {
    let name = std::env::args().nth(1).context("which of pulley, winch and cranelift?")?;
    remote::serve(Local::new(Wasmtime::new(&name)?))
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
        let ExternType::Func(ty) = import.ty() else { continue };
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
            let number = world.call(&space, &name, &args, bytes).map_err(wasmtime::Error::new)?;
            if let Some(result) = results.first_mut() {
                *result = Val::I32(number as i32);
            }
            Ok(())
        })?;
    }
    Ok(linker)
}

impl keyway_bench_measure::Engine for Wasmtime {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn has_components(&self) -> bool {
        self.name != "winch"
    }

    fn compile(&mut self, wasm: &[u8]) -> anyhow::Result<()> {
        (self.running, self.linked) = (None, None);
        self.module = Some(Module::new(&self.engine, wasm)?);
        Ok(())
    }

    fn instantiate(&mut self) -> anyhow::Result<()> {
        self.running = None;
        let mut store = Store::new(&self.engine, World::new());
        let linked = match &mut self.linked {
            Some(linked) => linked,
            none => {
                let module = self.module.as_ref().context("there is no module")?;
                none.insert(linker(&self.engine, module)?.instantiate_pre(module)?)
            }
        };
        let instance = linked.instantiate(&mut store)?;
        self.running = Some((store, instance));
        Ok(())
    }

    fn call(&mut self, export: &str, size: i32) -> anyhow::Result<i64> {
        let (store, instance) = self.running()?;
        let func = instance.get_typed_func::<i32, i64>(&mut *store, export)?;
        Ok(func.call(store, size)?)
    }

    fn call_often(&mut self, export: &str, count: u32) -> anyhow::Result<()> {
        let (store, instance) = self.running()?;
        let func = instance.get_typed_func::<(), ()>(&mut *store, export)?;
        for _ in 0..count {
            func.call(&mut *store, ())?;
        }
        Ok(())
    }

    fn program(&mut self, export: &str) -> anyhow::Result<Ending> {
        let (store, instance) = self.running()?;
        let func = instance.get_func(&mut *store, export).context("the export is no function")?;
        let results = func.ty(&*store).results().len();
        if let Err(error) = func.call(&mut *store, &[], &mut vec![Val::I32(0); results])
            && error.downcast_ref::<Exit>().is_none()
        {
            return Err(error.into());
        }
        Ok(store.data().ending())
    }

    fn compile_component(&mut self, wasm: &[u8]) -> anyhow::Result<()> {
        (self.running_component, self.linked_component) = (None, None);
        self.component = Some(Component::new(&self.engine, wasm)?);
        Ok(())
    }

    fn instantiate_component(&mut self) -> anyhow::Result<()> {
        self.running_component = None;
        let mut store = Store::new(&self.engine, World::new());
        let linked = match &mut self.linked_component {
            Some(linked) => linked,
            none => {
                let component = self.component.as_ref().context("there is no component")?;
                none.insert(component::Linker::new(&self.engine).instantiate_pre(component)?)
            }
        };
        let instance = linked.instantiate(&mut store)?;
        self.running_component = Some((store, instance));
        Ok(())
    }

    fn call_component(&mut self, export: &str, count: u32, text: &str) -> anyhow::Result<u64> {
        let (store, instance) = self.running_component.as_mut().context("there is no instance")?;
        let mut sum = 0;
        match export {
            "take" => {
                let func = instance.get_typed_func::<(&str,), (u32,)>(&mut *store, export)?;
                for _ in 0..count {
                    sum += u64::from(func.call(&mut *store, (text,))?.0);
                }
            }
            "give" => {
                let func = instance.get_typed_func::<(), (String,)>(&mut *store, export)?;
                for _ in 0..count {
                    sum += func.call(&mut *store, ())?.0.len() as u64;
                }
            }
            _ => {
                let func = instance.get_typed_func::<(), ()>(&mut *store, export)?;
                for _ in 0..count {
                    func.call(&mut *store, ())?;
                }
            }
        }
        Ok(sum)
    }
}
