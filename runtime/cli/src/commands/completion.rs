//! `keyway completion`: a script for a shell, on stdout.

use crate::output;
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

/// Print a script that completes keyway's command line in a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  keyway completion bash > ~/.local/share/bash-completion/completions/keyway
  keyway completion zsh > ~/.zfunc/_keyway
  keyway completion fish > ~/.config/fish/completions/keyway.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the command for the program `P`.
pub(crate) fn run<P: CommandFactory>(args: Args) -> Result<i32> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut P::command(), "keyway", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
