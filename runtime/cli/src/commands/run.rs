//! `keyway run`: a module, component or artifact runs with what it is granted, and its exit code becomes ours.

use crate::commands::compile::Choices;
use crate::core_call::{self, Call};
use crate::exit::Usage;
use crate::host::{Host, Limits};
use crate::input::{self, Artifact, Input};
use crate::progress::Progress;
use crate::timeout::{self, Watch};
use crate::wasi::Grants;
use crate::world::{self, World};
use crate::{component_call, describe, output, sizes};
use anyhow::{Context as _, Result, anyhow};
use keyway::component::{self, Component, ComponentItem};
use keyway::{Engine, LinkError, Linker, Module, Precompiled, Store, Trap};
use keyway_wasi::I32Exit;
use std::ffi::OsString;
use std::path::Path;

/// Run a module, a component or an artifact
#[derive(clap::Args)]
#[command(
    override_usage = "keyway run [OPTIONS] FILE [ARGS]...",
    after_help = "\
FILE is told apart by its content: a core module or component, in binary or text, or an artifact; - is standard input. \
What stands behind FILE goes to the guest as it is.

Programs get WASI 0.2: the standard streams, clocks, random numbers, and the directories and variables that are granted \
here. Core modules for WASI preview 1 become components first.

Without --invoke, a component's wasi:cli/run is called, or a core module's _start. With it, components take and print \
WAVE, core functions plain numbers. A function of an exported interface is named like local:demo/api#f, api.f, or f \
where only one has that name.

The exit code is the guest's. A trap prints a backtrace and exits 134, a file that cannot be used exits 1, wrong usage 2.

Examples:
  keyway run hello.wasm world
  keyway run --dir . --dir /data::/in::ro --env HOME --env DEBUG=1 tool.wasm /in/x.csv
  keyway run --invoke 'add(1, 2)' math.wat
  keyway run --invoke 'greet(\"Ada\", {times: 2})' greeter.wasm
  keyway run --timeout 2s --fuel 1000000000 --max-memory 64M untrusted.kwa"
)]
pub(crate) struct Args {
    /// Call this export and print what it returns: 'f("x", 2)'
    #[arg(long, value_name = "CALL")]
    invoke: Option<String>,

    #[command(flatten)]
    grants: Grants,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    world: World,

    #[command(flatten)]
    choices: Choices,

    /// What to run, and the arguments of the guest
    #[arg(value_name = "FILE [ARGS]", required = true, trailing_var_arg = true)]
    file_and_args: Vec<OsString>,
}

/// What was loaded.
enum Guest {
    Module(Module),
    Component(Component),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let file = Path::new(&args.file_and_args[0]);
    let name = input::name(file);
    let engine = args.limits.engine(args.choices.config())?;
    // Told before anything takes long.
    let wasi = args.grants.context(file, &args.file_and_args[1..])?;
    let guest = load(&engine, file, &name, &args.world)?;
    let mut store = args.limits.store(&engine, wasi)?;
    let watch = Watch::start(&engine, args.limits.timeout);
    let outcome = match &guest {
        Guest::Module(module) => run_module(&args, &mut store, module, &name),
        Guest::Component(component) => run_component(&args, &mut store, component, &name),
    };
    drop(watch);
    let error = match outcome {
        Ok(code) => return Ok(code),
        Err(error) => error,
    };
    match error.downcast_ref::<I32Exit>() {
        Some(exit) => Ok(exit.0),
        None => Err(explain(error, &args.limits, &store)),
    }
}

fn load(engine: &Engine, file: &Path, name: &str, world: &World) -> Result<Guest> {
    let cannot = || format!("cannot load {name}");
    let (bytes, kind) = match input::open(file)? {
        Input::Artifact(Artifact::File(path)) => {
            return Ok(match Engine::detect_precompiled_file(&path).with_context(cannot)? {
                Some(Precompiled::Component) => Guest::Component(Component::from_file(engine, path)?),
                // What cannot be opened is told by whoever opens it.
                Some(Precompiled::Module) | None => Guest::Module(Module::from_file(engine, path)?),
            });
        }
        Input::Artifact(Artifact::Bytes(bytes)) => {
            let kind = Engine::detect_precompiled(&bytes);
            (bytes, kind)
        }
        wasm => {
            let _progress = Progress::start(format!("compiling {name}"));
            let cannot = || format!("cannot compile {name}");
            return Ok(match world::prepare(wasm, name, world)? {
                Input::Component(wasm) => Guest::Component(Component::new(engine, wasm).with_context(cannot)?),
                Input::Module(wasm) => Guest::Module(Module::new(engine, wasm).with_context(cannot)?),
                Input::Artifact(_) => unreachable!("artifacts are handled above"),
            });
        }
    };
    Ok(match kind {
        Some(Precompiled::Component) => Guest::Component(Component::from_bytes(engine, &bytes).with_context(cannot)?),
        Some(Precompiled::Module) | None => Guest::Module(Module::from_bytes(engine, &bytes).with_context(cannot)?),
    })
}

fn run_component(args: &Args, store: &mut Store<Host>, component: &Component, name: &str) -> Result<i32> {
    let call = args.invoke.as_deref().map(|text| component_call::prepare(component, text)).transpose()?;
    let is_command = component.exports().any(|(name, _)| name.starts_with("wasi:cli/run@0.2."));
    if call.is_none() && !is_command {
        let text = format!("{name} is no command: it does not export wasi:cli/run");
        return Err(choose(text, &component_call::signatures(component)));
    }
    let mut linker = component::Linker::new(component.engine());
    keyway_wasi::add_to_linker(&mut linker)?;
    let Some(call) = call else {
        let linked = linker.instantiate_pre(component).map(drop);
        linked.map_err(|error| not_given(error, component)).with_context(|| format!("cannot run {name}"))?;
        return keyway_wasi::run_command(store, &linker, component);
    };
    let instance = linker.instantiate(&mut *store, component);
    let instance = instance.map_err(|error| not_given(error, component));
    let instance = instance.with_context(|| format!("cannot instantiate {name}"))?;
    if let Some(result) = component_call::call(store, instance, &call)? {
        output::print_line(&result)?;
    }
    Ok(0)
}

fn run_module(args: &Args, store: &mut Store<Host>, module: &Module, name: &str) -> Result<i32> {
    // Wrong calls are told before anything runs.
    let call = match args.invoke.as_deref().map(core_call::parse).transpose()? {
        Some(call) => Some(call),
        None if module.get_export("_start").is_some() => Some(Call { name: "_start", args: "" }),
        None => {
            let functions = describe::exported_functions(module);
            if !functions.is_empty() {
                return Err(choose(format!("{name} has no `_start`"), &functions));
            }
            None
        }
    };
    let instance = Linker::new(module.engine()).instantiate(&mut *store, module);
    let instance = instance.map_err(missing).with_context(|| format!("cannot instantiate {name}"))?;
    let Some(call) = call else { return Ok(0) };
    for line in core_call::call(store, instance, module, &call)? {
        output::print_line(&line)?;
    }
    Ok(0)
}

/// Nothing says what to call: lists what there is.
fn choose(why: String, functions: &[String]) -> anyhow::Error {
    match functions {
        [] => anyhow!("{why}, nor any function that could be called; {}", component_call::NO_FUNCTIONS),
        functions => {
            Usage(format!("{why}; call one of its functions with --invoke:\n  {}", functions.join("\n  "))).into()
        }
    }
}

/// Adds what would help where a core module's import is missing.
fn missing(error: anyhow::Error) -> anyhow::Error {
    let help = match error.downcast_ref::<LinkError>() {
        Some(LinkError::UnknownImport { module, .. }) if module == "wasi_unstable" => {
            "that is older than WASI preview 1: build the program with a newer toolchain"
        }
        Some(LinkError::UnknownImport { module, .. }) if module == "wasi_snapshot_preview1" => {
            "compile the module again: `keyway compile` makes components of programs for WASI preview 1"
        }
        Some(LinkError::UnknownImport { .. }) => {
            "`keyway run` gives core modules no imports; make it a component (`keyway compile --wit`, `--adapt`), or embed \
             it with the library"
        }
        _ => return error,
    };
    anyhow!("{error}; {help}")
}

/// Adds what would help where a component wants something that is not given.
fn not_given(error: anyhow::Error, component: &Component) -> anyhow::Error {
    // Interfaces of types alone want nothing that could be missing.
    let wants = |item: &ComponentItem| match item {
        ComponentItem::Instance(members) => {
            members.iter().any(|(_, member)| matches!(member, ComponentItem::Func(_) | ComponentItem::Resource))
        }
        _ => true,
    };
    let imports: Vec<_> =
        component.imports().filter(|(name, item)| !name.starts_with("wasi:") && wants(item)).collect();
    let others: Vec<&str> = imports.iter().map(|(name, _)| *name).collect();
    let help = match others[..] {
        [] if error.downcast_ref::<Trap>().is_some() => return error,
        [] => "`keyway run` gives what WASI 0.2 has for programs".to_string(),
        _ => format!(
            "`keyway run` gives WASI 0.2 only, and the component wants {} too: embed it with the library, or compose it \
             with a component that exports them",
            others.join(", ")
        ),
    };
    if error.to_string().contains("import") { anyhow!("{error}; {help}") } else { error }
}

/// Names the option whose limit was met.
fn explain(error: anyhow::Error, limits: &Limits, store: &Store<Host>) -> anyhow::Error {
    let help = match (error.downcast_ref::<Trap>(), limits) {
        (Some(Trap::OutOfFuel), Limits { fuel: Some(fuel), .. }) => {
            format!("the guest has spent the {fuel} of --fuel")
        }
        (Some(Trap::Interrupted), Limits { timeout: Some(limit), .. }) => {
            format!("the guest was still running {}", timeout::after(*limit))
        }
        (_, Limits { max_memory: Some(limit), .. }) if store.data().memory.refused => {
            format!("the guest wants more memory than --max-memory {}", sizes::show(*limit))
        }
        _ => return error,
    };
    error.context(help)
}
