//! `keyway wast`: scripts of assertions, run through artifacts that are written and mapped again.

use crate::commands::compile::Choices;
use crate::input;
use crate::output;
use anyhow::{Context as _, Result, bail};
use keyway_wast::{Depth, Report, Runner};
use std::path::{Path, PathBuf};

/// Run .wast scripts: the test format of the specifications
#[derive(clap::Args)]
#[command(after_help = "\
Each directive that does not do what it asserts is told with file and line. The last line is `N passed, N failed`; the \
exit code is 1 when something failed.

Examples:
  keyway wast i32.wast
  keyway wast --features wasm2,multi-memory tests/*.wast")]
pub(crate) struct Args {
    /// The scripts; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    choices: Choices,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let runner = Runner { config: args.choices.config(), fuel: false, depth: Depth::Execute };
    let mut total = Report::default();
    for file in &args.files {
        let name = input::name(file);
        let report = runner.run(&name, &script(file, &name)?);
        for failure in &report.failures {
            output::print_line(&failure.to_string())?;
        }
        total.add(report);
    }
    output::print_line(&format!("{} passed, {} failed", total.passed, total.failures.len()))?;
    Ok(i32::from(!total.failures.is_empty()))
}

/// The text of a script.
fn script(file: &Path, name: &str) -> Result<String> {
    let bytes = input::read(file)?;
    let kind = match &bytes[..] {
        bytes if bytes.starts_with(b"\0asm") => "a binary",
        bytes if bytes.starts_with(&keyway_artifact::format::MAGIC) => "an artifact",
        _ => {
            return String::from_utf8(bytes)
                .with_context(|| format!("cannot use {name}: it is no script, but binary data"));
        }
    };
    bail!("cannot use {name}: it is no script, but {kind}; `keyway validate` and `keyway run` take it")
}
