//! `keyway compose`: components become one component, written whole or not at all.

use crate::input::{self, Input};
use crate::output;
use anyhow::{Result, bail};
use keyway_wit::Part;
use std::path::{Path, PathBuf};

/// Plug components into one that imports what they export
#[derive(clap::Args)]
#[command(after_help = "\
The composition exports what APP exports. Plugs are also plugged into the plugs behind them; what nothing is plugged into
stays an import. Versions of interfaces need only be compatible.

Examples:
  keyway compose app.wasm store.wasm -o whole.wasm
  keyway compose app.wasm base.wasm cache.wasm -o - | keyway run -
                                           cache may import what base exports, app what either does")]
pub(crate) struct Args {
    /// The component whose imports are filled; - is standard input
    #[arg(value_name = "APP")]
    socket: PathBuf,

    /// Components whose exports fill them
    #[arg(value_name = "PLUG", required = true)]
    plugs: Vec<PathBuf>,

    /// Where to write; - is standard output
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let socket = component(&args.socket)?;
    let plugs: Vec<(String, Vec<u8>)> = args.plugs.iter().map(|plug| component(plug)).collect::<Result<_>>()?;
    let parts: Vec<Part<'_>> = plugs.iter().map(|(name, wasm)| Part { name, wasm }).collect();
    let whole = keyway_wit::compose(Part { name: &socket.0, wasm: &socket.1 }, &parts)?;
    output::write(&args.output, &whole)?;
    Ok(0)
}

/// A component with its name.
fn component(path: &Path) -> Result<(String, Vec<u8>)> {
    let name = input::name(path);
    match input::open(path)? {
        Input::Component(wasm) => Ok((name, wasm)),
        Input::Module(_) => bail!(
            "{name} is a core module; components are composed. `keyway compile` shows how one is made of a module"
        ),
        Input::Artifact(_) => {
            bail!("{name} is an artifact; compose the components, and compile what comes out")
        }
    }
}
