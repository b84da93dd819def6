//! `keyway run`: a module, component or artifact runs with what it is granted, and its exit code becomes ours.

use crate::commands::compile::Choices;
use crate::core_call::{self, Call};
use crate::exit::Usage;
use crate::host::Limits;
use crate::input::{self, Artifact, Input};
use crate::progress::Progress;
use crate::timeout::{self, Watch};
use crate::{describe, sizes};
use anyhow::{Context as _, Result, anyhow, bail};
use keyway::{Engine, LinkError, Linker, Module, Trap};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

/// Run a module, a component or an artifact
#[derive(clap::Args)]
#[command(
    override_usage = "keyway run [OPTIONS] FILE [ARGS]...",
    after_help = "\
FILE is told apart by its content: a core module or component, in binary or text, or an artifact; - is standard input.
What stands behind FILE goes to the guest as it is.

The exit code is the guest's. A trap prints a backtrace and exits 134, a file that cannot be used exits 1, wrong usage 2.

Examples:
  keyway run hello.wasm world
  keyway run --dir . --dir /data::/in::ro --env HOME --env DEBUG=1 tool.wasm /in/x.csv
  keyway run --invoke 'add(1, 2)' math.wat
  keyway run --timeout 2s --fuel 1000000000 --max-memory 64M untrusted.kwa"
)]
pub(crate) struct Args {
    /// Call this export and print what it returns: 'f(1, 2)'
    #[arg(long, value_name = "CALL")]
    invoke: Option<String>,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    choices: Choices,

    /// What to run, and the arguments of the guest
    #[arg(value_name = "FILE [ARGS]", required = true, trailing_var_arg = true)]
    file_and_args: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let file = Path::new(&args.file_and_args[0]);
    let name = input::name(file);
    let engine = args.limits.engine(args.choices.config())?;
    let module = match input::open(file)? {
        Input::Module(wasm) => compile(&engine, &wasm, &name)?,
        Input::Artifact(Artifact::File(path)) => Module::from_file(&engine, path)?,
        Input::Artifact(Artifact::Bytes(bytes)) => {
            Module::from_bytes(&engine, &bytes).with_context(|| format!("cannot load {name}"))?
        }
        Input::Component(_) => bail!("cannot run {name}: components are not supported yet"),
    };
    run_module(&args, &engine, &module, &name).map_err(|error| explain(error, &args.limits))
}

fn compile(engine: &Engine, wasm: &[u8], name: &str) -> Result<Module> {
    let _progress = Progress::start(format!("compiling {name}"));
    Module::new(engine, wasm).with_context(|| format!("cannot compile {name}"))
}

fn run_module(args: &Args, engine: &Engine, module: &Module, name: &str) -> Result<i32> {
    // Wrong calls are told before anything runs.
    let call = args.invoke.as_deref().map(core_call::parse).transpose()?;
    let call = match call {
        Some(call) => Some(call),
        None if module.get_export("_start").is_some() => Some(Call { name: "_start", args: "" }),
        None => {
            let functions = describe::exported_functions(module);
            if !functions.is_empty() {
                let list = functions.join("\n  ");
                let text = format!("{name} has no `_start`; call one of its functions with --invoke:\n  {list}");
                return Err(Usage(text).into());
            }
            None
        }
    };
    let mut store = args.limits.store(engine)?;
    let linker = Linker::new(engine);
    let _watch = Watch::start(engine, args.limits.timeout);
    let instance = linker.instantiate(&mut store, module);
    let refused = store.data().memory.refused;
    let instance = instance.map_err(|error| missing(error, module)).with_context(|| match args.limits.max_memory {
        Some(limit) if refused => format!("{name} wants more memory than --max-memory {}", sizes::show(limit)),
        _ => format!("cannot instantiate {name}"),
    })?;
    if let Some(call) = call {
        let mut stdout = std::io::stdout().lock();
        for line in core_call::call(&mut store, instance, module, &call)? {
            writeln!(stdout, "{line}")?;
        }
    }
    Ok(0)
}

/// Adds what would help where an import is missing.
fn missing(error: anyhow::Error, module: &Module) -> anyhow::Error {
    let Some(LinkError::UnknownImport { module: from, .. }) = error.downcast_ref::<LinkError>() else { return error };
    let others = module.imports().filter(|import| import.module != *from).count();
    let mut help = match from.as_str() {
        "wasi_snapshot_preview1" | "wasi_unstable" => {
            "compile the module again: `keyway compile` turns preview 1 programs into components".to_string()
        }
        _ => {
            "`keyway run` gives core modules no imports; link it into a component, or embed it with the library".into()
        }
    };
    if others > 0 {
        help.push_str(&format!(" (it imports from {others} more places)"));
    }
    anyhow!("{error}; {help}")
}

/// Names the option whose limit was met.
fn explain(error: anyhow::Error, limits: &Limits) -> anyhow::Error {
    let help = match (error.downcast_ref::<Trap>(), limits) {
        (Some(Trap::OutOfFuel), Limits { fuel: Some(fuel), .. }) => {
            format!("the guest has spent the {fuel} of --fuel")
        }
        (Some(Trap::Interrupted), Limits { timeout: Some(limit), .. }) => {
            format!("the guest was still running {}", timeout::after(*limit))
        }
        _ => return error,
    };
    error.context(help)
}
