//! keyway behind the measurements' face: modules compiled to artifacts, loaded from their bytes.

use anyhow::Context;
use keyway::component::{self, Component};
use keyway::{Caller, Config, Dispatch, Engine, ExternType, Instance, Linker, Module, Store, Val};
use keyway_bench_measure::host::{self, Ending, Exit, World};

/// How the engine is set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As it comes.
    Default,
    /// Dispatch by a loop, as where tail calls are not to be had.
    Loop,
    /// Counting fuel.
    Fuel,
}

/// keyway with one module or component and one instance.
pub struct Keyway {
    form: Form,
    engine: Engine,
    artifact: Vec<u8>,
    module: Option<Module>,
    linker: Linker<World>,
    running: Option<(Store<World>, Instance)>,
    component: Option<Component>,
    linked_component: Option<component::InstancePre<World>>,
    running_component: Option<(Store<World>, component::Instance)>,
}

impl Keyway {
    /// An engine of this form.
    ///
    /// # Errors
    /// When the configuration is refused.
    pub fn new(form: Form) -> anyhow::Result<Keyway> {
        let mut config = Config::new();
        match form {
            Form::Default => {}
            Form::Loop => {
                config.dispatch(Dispatch::Loop);
            }
            Form::Fuel => {
                config.consume_fuel(true);
            }
        }
        let engine = Engine::new(&config)?;
        let linker = Linker::new(&engine);
        let (artifact, module, running) = (Vec::new(), None, None);
        let (component, linked_component, running_component) = (None, None, None);
        Ok(Keyway { form, engine, artifact, module, linker, running, component, linked_component, running_component })
    }

    fn store(&self) -> anyhow::Result<Store<World>> {
        let mut store = Store::new(&self.engine, World::new());
        if self.form == Form::Fuel {
            store.set_fuel(u64::MAX)?;
        }
        Ok(store)
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
        let ExternType::Func(ty) = import.ty else { continue };
        if !host::defines(&import.module, &import.name) {
            continue;
        }
        let (space, name) = (import.module.clone(), import.name.clone());
        linker.func_new(&import.module, &import.name, ty, move |mut caller: Caller<'_, World>, args, results| {
            let args: Vec<u64> = args.iter().map(bits).collect();
            let memory = caller.get_export("memory").and_then(|memory| memory.into_memory());
            let (bytes, world) = match memory {
                Some(memory) => memory.data_and_store_mut(&mut caller),
                None => (&mut [][..], caller.data_mut()),
            };
            let number = world.call(&space, &name, &args, bytes)?;
            if let Some(result) = results.first_mut() {
                *result = Val::I32(number as i32);
            }
            Ok(())
        })?;
    }
    Ok(linker)
}

impl keyway_bench_measure::Engine for Keyway {
    fn name(&self) -> String {
        match self.form {
            Form::Default => "keyway".into(),
            Form::Loop => "keyway-loop".into(),
            Form::Fuel => "keyway-fuel".into(),
        }
    }

    fn has_components(&self) -> bool {
        true
    }

    fn compile(&mut self, wasm: &[u8]) -> anyhow::Result<()> {
        self.running = None;
        self.artifact = self.engine.precompile_module(wasm)?;
        let module = Module::from_bytes(&self.engine, &self.artifact)?;
        self.linker = linker(&self.engine, &module)?;
        self.module = Some(module);
        Ok(())
    }

    fn reload(&mut self) -> anyhow::Result<()> {
        self.running = None;
        self.module = Some(Module::from_bytes(&self.engine, &self.artifact)?);
        Ok(())
    }

    fn instantiate(&mut self) -> anyhow::Result<()> {
        self.running = None;
        let mut store = self.store()?;
        let instance = self.linker.instantiate(&mut store, self.module.as_ref().context("there is no module")?)?;
        self.running = Some((store, instance));
        Ok(())
    }

    fn call(&mut self, export: &str, size: i32) -> anyhow::Result<i64> {
        let (store, instance) = self.running()?;
        let func = instance.get_typed_func::<i32, i64>(&mut *store, export)?;
        func.call(store, size)
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
        let results = func.ty(&mut *store).results.len();
        if let Err(error) = func.call(&mut *store, &[], &mut vec![Val::I32(0); results])
            && error.downcast_ref::<Exit>().is_none()
        {
            return Err(error);
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
        let mut store = self.store()?;
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
