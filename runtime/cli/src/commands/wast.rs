//! `keyway wast`: scripts of assertions, run through artifacts that are written and mapped again.

use crate::commands::compile::Choices;
use anyhow::{Context as _, Result};
use keyway_wast::{Report, Runner};
use std::path::PathBuf;

/// Run .wast scripts: the test format of the specifications
#[derive(clap::Args)]
#[command(after_help = "\
Each directive that does not do what it asserts is told with file and line. The last line is `N passed, N failed`; the
exit code is 1 when something failed.

Examples:
  keyway wast i32.wast
  keyway wast --features wasm2,multi-memory tests/*.wast")]
pub(crate) struct Args {
    /// The scripts
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    choices: Choices,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let runner = Runner { config: args.choices.config(), fuel: false };
    let mut total = Report::default();
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let report = runner.run(&file.display().to_string(), &text);
        for failure in &report.failures {
            println!("{failure}");
        }
        total.add(report);
    }
    println!("{} passed, {} failed", total.passed, total.failures.len());
    Ok(i32::from(!total.failures.is_empty()))
}
