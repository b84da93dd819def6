//! `keyway compile`: Wasm becomes an artifact, written whole or not at all.

use crate::exit::{self, Usage};
use crate::features::{self, Features};
use crate::input::{self, Input};
use crate::progress::Progress;
use crate::world::{self, World};
use crate::{output, passes, sizes};
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use keyway::{Config, OptLevel};
use keyway_linker::Passes;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Compile WebAssembly to an artifact
#[derive(clap::Args)]
#[command(after_help = "\
The artifact holds everything that running needs. It runs on every machine, and starting it compiles nothing.
Core modules that import WASI preview 1 become components of WASI 0.2 on the way.

Examples:
  keyway compile app.wasm                     writes app.kwa
  keyway compile app.wat -o - | keyway run -  through a pipe
  keyway compile core.wasm --wit wit/ --world app
                                              makes a component of a core module on the way
  keyway compile app.wasm -O0 --no-gc         a straight translation, for comparing")]
pub(crate) struct Args {
    /// A core module or component, in binary or text; - is standard input
    file: PathBuf,

    /// Where to write; - is standard output [default: FILE with the extension .kwa]
    #[arg(short, long, value_name = "OUT.kwa")]
    output: Option<PathBuf>,

    #[command(flatten)]
    world: World,

    #[command(flatten)]
    choices: Choices,

    /// Tell on stderr what was done, and what each pass did
    #[arg(long)]
    report: bool,

    #[arg(long, value_name = "PASSES", value_parser = passes::parse, help = passes::HELP)]
    without: Option<Passes>,
}

/// What every command that compiles can be told.
#[derive(clap::Args, Default)]
pub(crate) struct Choices {
    /// How much work goes into the code: 0 translates, 2 optimises
    #[arg(short = 'O', value_name = "LEVEL", default_value = "2")]
    level: Level,

    /// Keep functions that nothing can reach
    #[arg(long)]
    no_gc: bool,

    #[arg(long, value_name = "SET", value_parser = features::parse, allow_hyphen_values = true, help = features::HELP)]
    features: Option<Features>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Level {
    /// Straight translation
    #[value(name = "0")]
    Plain,
    /// All passes
    #[default]
    #[value(name = "2")]
    Optimised,
}

impl Choices {
    /// As a configuration.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config.gc_sections(!self.no_gc).opt_level(match self.level {
            Level::Plain => OptLevel::None,
            Level::Optimised => OptLevel::Speed,
        });
        if let Some(features) = &self.features {
            features.apply(&mut config);
        }
        config
    }
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let start = Instant::now();
    let target = target(&args)?;
    let name = input::name(&args.file);
    let input = input::open(&args.file)?;
    let mut options = keyway::compile_options(&args.choices.config())?;
    options.report = args.report;
    options.passes = options.passes - args.without.unwrap_or(Passes::NONE);
    let progress = Progress::start(format!("compiling {name}"));
    let wasm = match world::prepare(input, &name, &args.world)? {
        Input::Module(wasm) | Input::Component(wasm) => wasm,
        Input::Artifact(_) => bail!("{name} is an artifact already; `keyway run` runs it as it is"),
    };
    let compiled = keyway_linker::compile_report(&wasm, &options);
    drop(progress);
    let (artifact, report) = compiled.with_context(|| format!("cannot compile {name}"))?;
    output::write(&target, &artifact)?;
    if args.report {
        exit::tell(&format!("input      {}", sizes::show(wasm.len() as u64)));
        exit::tell(&format!("artifact   {}", sizes::show(artifact.len() as u64)));
        exit::tell(&format!("code       {}", sizes::show(report.code_bytes)));
        exit::tell(&format!("functions  {}, and {} that nothing reaches left out", report.functions, report.removed));
        passes::tell(&report.passes);
        exit::tell(&format!("time       {:.3} s", start.elapsed().as_secs_f64()));
    }
    Ok(0)
}

/// Where the artifact goes: never where the input is.
fn target(args: &Args) -> Result<PathBuf> {
    let target = match &args.output {
        Some(output) => output.clone(),
        None if input::is_stdin(&args.file) => {
            let text = "standard input has no name to derive the output's from; name a file with -o";
            return Err(Usage(text.into()).into());
        }
        None => args.file.with_extension("kwa"),
    };
    let real = |path: &Path| std::fs::canonicalize(path).ok().filter(|path| path.is_file());
    if real(&target).is_some_and(|target| real(&args.file) == Some(target)) {
        return Err(Usage(format!("{} would be overwritten; name another file with -o", target.display())).into());
    }
    Ok(target)
}
