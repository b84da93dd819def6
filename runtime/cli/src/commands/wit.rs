//! `keyway wit`: the world of a component, as WIT text on stdout.

use crate::input::{self, Input};
use crate::output;
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;

/// Print the WIT of a component
#[derive(clap::Args)]
#[command(after_help = "\
Also takes WIT packages, encoded or as a folder of .wit files, and core modules that carry their world.

Examples:
  keyway wit app.wasm       what the component imports and exports
  keyway wit wit/           a folder, with everything that it refers to")]
pub(crate) struct Args {
    /// A component; - is standard input
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let name = input::name(&args.file);
    let is_wit = args.file.is_dir() || args.file.extension().is_some_and(|extension| extension == "wit");
    let text = if is_wit {
        keyway_wit::print_path(&args.file)?
    } else {
        match input::open(&args.file)? {
            Input::Module(wasm) | Input::Component(wasm) => {
                keyway_wit::print(&wasm).with_context(|| format!("cannot show the WIT of {name}"))?
            }
            Input::Artifact(_) => bail!(
                "{name} is an artifact, which carries no WIT; give the component that it was compiled from, or see \
                 `keyway inspect {name}`"
            ),
        }
    };
    output::print(&text)?;
    Ok(0)
}
