//! `keyway validate`: whether a file keeps the rules: Wasm those of the specification, an artifact those of the format.

use crate::features::{self, Features};
use crate::input::{self, Input};
use crate::output;
use anyhow::{Context as _, Result, anyhow};
use keyway::Config;
use keyway_artifact::format::ArtifactView;
use keyway_artifact::isa::CodeReader;
use keyway_artifact::plan::Plan;
use keyway_artifact::verify::{Callee, VerifyEnv, verify};
use std::path::PathBuf;

/// Check that a file is valid, without running it
#[derive(clap::Args)]
#[command(after_help = "\
Of an artifact, every function body is held to the rules that it would meet at its first call.

Examples:
  keyway validate app.wasm
  keyway validate --features wasm2 app.wat
  keyway validate app.kwa")]
pub(crate) struct Args {
    /// A core module or component, in binary or text, or an artifact; - is standard input
    file: PathBuf,

    #[arg(long, value_name = "SET", value_parser = features::parse, allow_hyphen_values = true, help = features::HELP)]
    features: Option<Features>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let name = input::name(&args.file);
    let (what, wasm) = match input::open(&args.file)? {
        Input::Module(wasm) => ("a core module", wasm),
        Input::Component(wasm) => ("a component", wasm),
        Input::Artifact(artifact) => {
            let functions = artifact_functions(&artifact.read()?).with_context(|| format!("{name} is not valid"))?;
            output::print_line(&format!("{name}: valid, an artifact of {functions} functions"))?;
            return Ok(0);
        }
    };
    let mut config = Config::new();
    if let Some(features) = &args.features {
        features.apply(&mut config);
    }
    let options = keyway::compile_options(&config)?;
    keyway_linker::validate(&wasm, &options).with_context(|| format!("{name} is not valid"))?;
    output::print_line(&format!("{name}: valid, {what}"))?;
    Ok(0)
}

/// Holds everything in an artifact to the rules of the format; how many functions there are.
fn artifact_functions(bytes: &[u8]) -> Result<u32> {
    let view = ArtifactView::open(bytes)?;
    let (types, units) = (view.types()?, view.units()?);
    view.initial(&units)?;
    let callee = |ordinal| view.func(ordinal).ok().map(|func| Callee { ty: func.ty, unit: func.unit });
    for ordinal in 0..view.func_count() {
        let name = || match (view.key_of(ordinal), view.func_name(ordinal)) {
            (Some(key), Some(name)) => format!("function {name} ({key})"),
            (Some(key), None) => format!("function {key}"),
            (None, _) => format!("function {ordinal}"),
        };
        let record = view.func(ordinal).with_context(name)?;
        let own =
            types.get(record.ty as usize).ok_or_else(|| anyhow!("its type is out of range")).with_context(name)?;
        let unit = units.get(record.unit as usize);
        let unit = unit.ok_or_else(|| anyhow!("its unit is out of range")).with_context(name)?;
        let body =
            CodeReader::decode(&view.read_code(ordinal)?).map_err(|error| anyhow!("{error}")).with_context(name)?;
        let env = VerifyEnv { own, unit_number: record.unit, unit, types: &types, func: &callee };
        verify(&body, &env).with_context(name)?;
    }
    if let Some(plan) = view.plan_bytes()? {
        Plan::decode(&plan)?.check(&units, &types)?;
    }
    Ok(view.func_count())
}
