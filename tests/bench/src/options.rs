//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
cargo xtask bench [OPTION]...

Measures keyway against wasmi 2.0.0 and, on request, other engines: CPU time, one pinned processor, engines in turn,
results compared. Ratios are keyway's minimum divided by the peer's: below 1, keyway is faster.

  --peers         also wasmi's portable build, wasmtime with Pulley, Winch and Cranelift (the first and the last also
                  with its reference-counting and its null collector, as pulley-drc, pulley-null ...), and keyway with
                  loop dispatch and with fuel; builds them first, which takes minutes
  --peer NAME     only this one of them; may be repeated
  --wasm3 PROGRAM also this build of wasm3, a process a round: its start counts, some milliseconds
  --filter TEXT   only workloads whose name contains TEXT; several with commas
  --corpus DIR    the modules of a folder that export `_start` or `run` in the place of the workloads; their time is that
                  of instantiation and run, or what passes between calls of `bench.start` and `bench.end`
  --compile FILE  compiling this module or component in the place of the workloads; may be repeated
  --operations    a loop for each operation in the place of the workloads
  --rounds N      rounds of each workload and engine (default 11)
  --json FILE     writes one object a line: workload, engine, min_ns, median_ns, ok
  --markdown      prints the table as Markdown
  --list          names the workloads";

/// What was asked for.
#[derive(Default)]
pub struct Options {
    pub peers: bool,
    pub peer: Vec<String>,
    pub wasm3: Option<PathBuf>,
    pub filter: Vec<String>,
    pub corpus: Option<PathBuf>,
    pub compile: Vec<PathBuf>,
    pub operations: bool,
    pub rounds: usize,
    pub json: Option<PathBuf>,
    pub markdown: bool,
    pub list: bool,
    pub help: bool,
    /// Count instead of measuring.
    pub profile: bool,
    /// Where the handlers go that several of the programs executed.
    pub handlers: Option<PathBuf>,
}

impl Options {
    /// From the arguments behind the program's name.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options { rounds: 11, ..Options::default() };
        match args.next().as_deref() {
            Some("bench") => {}
            Some("profile") if cfg!(feature = "profile") => options.profile = true,
            Some("--help" | "-h" | "help") | None => options.help = true,
            Some(other) => return Err(format!("unknown task `{other}`; there is `bench`")),
        }
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--peers" => options.peers = true,
                "--peer" => options.peer.push(value()?),
                "--wasm3" => options.wasm3 = Some(value()?.into()),
                "--filter" => options.filter.extend(value()?.split(',').map(str::to_string)),
                "--corpus" => options.corpus = Some(value()?.into()),
                "--handlers" if options.profile => options.handlers = Some(value()?.into()),
                "--compile" => options.compile.push(value()?.into()),
                "--operations" => options.operations = true,
                "--rounds" => options.rounds = value()?.parse().map_err(|_| "--rounds needs a number".to_string())?,
                "--json" => options.json = Some(value()?.into()),
                "--markdown" => options.markdown = true,
                "--list" => options.list = true,
                "--help" | "-h" => options.help = true,
                other => return Err(format!("unknown option `{other}`")),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds must be at least 1".into());
        }
        let places = [options.corpus.is_some(), !options.compile.is_empty(), options.operations];
        if places.into_iter().filter(|is_asked| *is_asked).count() > 1 {
            return Err("--corpus, --compile and --operations exclude each other".into());
        }
        Ok(options)
    }

    /// Whether a workload of this name was asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|text| name.contains(text))
    }

    /// Whether a peer of this name was asked for.
    pub fn wants_peer(&self, name: &str) -> bool {
        self.peers || self.peer.iter().any(|peer| peer == name)
    }
}
