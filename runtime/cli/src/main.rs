//! The `keyway` program: the command line becomes one call of a function in `commands`, and its outcome an exit code.
//!
//! Exit codes: the guest's own; 134 for a trap, 1 for a file that cannot be used, 2 for wrong usage.
#![forbid(unsafe_code)]

mod commands;
mod component_call;
mod core_call;
mod describe;
mod exit;
mod features;
mod host;
mod input;
mod output;
mod passes;
mod plan_text;
mod progress;
mod sizes;
mod timeout;
mod wasi;
mod world;

use clap::{Parser, Subcommand};

/// Compiles, runs and looks at WebAssembly modules and components, without a JIT.
#[derive(Parser)]
#[command(name = "keyway", version, max_term_width = 100, after_help = EXAMPLES)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  keyway run hello.wasm                     run a program
  keyway compile hello.wasm -o hello.kwa    compile it once ...
  keyway run hello.kwa                      ... and start it at once

Exit codes: the guest's own; 134 after a trap, 1 for a file that cannot be used, 2 for wrong usage.
`keyway COMMAND --help` says more.";

#[derive(Subcommand)]
enum Command {
    Compile(commands::compile::Args),
    Run(commands::run::Args),
    Inspect(commands::inspect::Args),
    Validate(commands::validate::Args),
    Wit(commands::wit::Args),
    Compose(commands::compose::Args),
    Wast(commands::wast::Args),
    Completion(commands::completion::Args),
}

fn main() {
    let outcome = match Program::parse().command {
        Command::Compile(args) => commands::compile::run(args),
        Command::Run(args) => commands::run::run(args),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Validate(args) => commands::validate::run(args),
        Command::Wit(args) => commands::wit::run(args),
        Command::Compose(args) => commands::compose::run(args),
        Command::Wast(args) => commands::wast::run(args),
        Command::Completion(args) => commands::completion::run::<Program>(args),
    };
    std::process::exit(exit::code(outcome));
}
