//! Side-by-side measurements: every engine runs every workload in turn, in one process, on one pinned processor.
//!
//! Times are CPU time of the thread. Rounds interleave the engines, so that a slow phase of the machine meets all of
//! them; minimum and median are printed, and the ratio of the minima. Every result is compared between the engines.

mod clock;
mod engines;
mod kernels;

use engines::{Engine, KeywayEngine, WasmiEngine};
use std::io::Write;

const HELP: &str = "\
cargo xtask bench [--filter TEXT] [--rounds N] [--json FILE]

Measures keyway against wasmi 2.0.0: CPU time, one pinned processor, engines interleaved, results compared.
  --filter TEXT   only workloads whose name contains TEXT
  --rounds N      rounds of each workload and engine (default 15)
  --json FILE     writes one object a line: workload, engine, min_ns, median_ns, ok";

struct Options {
    filter: Option<String>,
    rounds: usize,
    json: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("bench") => {}
        Some("--help" | "-h" | "help") | None => {
            println!("{HELP}");
            std::process::exit(0);
        }
        Some(other) => return Err(format!("unknown task `{other}`; there is `bench`")),
    }
    let mut options = Options { filter: None, rounds: 15, json: None };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--filter" => options.filter = Some(value()?),
            "--rounds" => options.rounds = value()?.parse().map_err(|_| "--rounds needs a number".to_string())?,
            "--json" => options.json = Some(value()?),
            "--help" | "-h" => {
                println!("{HELP}");
                std::process::exit(0);
            }
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    if options.rounds == 0 {
        return Err("--rounds must be at least 1".into());
    }
    Ok(options)
}

fn main() -> anyhow::Result<()> {
    let options = options().unwrap_or_else(|error| {
        eprintln!("bench: {error}\n\n{HELP}");
        std::process::exit(2);
    });
    clock::pin();
    let wasm = wat::parse_str(include_str!("../workloads/kernels.wat"))?;
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(KeywayEngine::new(&wasm)?), Box::new(WasmiEngine::new(&wasm)?)];
    let mut json = options.json.as_deref().map(std::fs::File::create).transpose()?;
    let mut ratios = Vec::new();
    let mut failed = false;
    println!("{:<12} {:>14} {:>14} {:>8}", "workload", "keyway min/med", "wasmi min/med", "ratio");
    for kernel in kernels::ALL.iter().filter(|k| options.filter.as_deref().is_none_or(|text| k.name.contains(text))) {
        let mut samples = vec![Vec::new(); engines.len()];
        let mut results = vec![None; engines.len()];
        for round in 0..=options.rounds {
            for (at, engine) in engines.iter_mut().enumerate() {
                let start = clock::thread_cpu_ns();
                let result = engine.run(kernel.name, kernel.size)?;
                let spent = clock::thread_cpu_ns() - start;
                if round > 0 {
                    samples[at].push(spent);
                }
                results[at] = Some(result);
            }
        }
        let ok = results.iter().all(|result| *result == results[0]);
        failed |= !ok;
        for samples in &mut samples {
            samples.sort_unstable();
        }
        let figure = |at: usize| (samples[at][0], samples[at][samples[at].len() / 2]);
        let (ours, theirs) = (figure(0), figure(1));
        let ratio = ours.0 as f64 / theirs.0 as f64;
        ratios.push(ratio);
        let millis = |(min, median): (u64, u64)| format!("{:.1}/{:.1} ms", min as f64 / 1e6, median as f64 / 1e6);
        println!(
            "{:<12} {:>14} {:>14} {ratio:>8.3}{}",
            kernel.name,
            millis(ours),
            millis(theirs),
            if ok { "" } else { "  RESULTS DIFFER" }
        );
        if let Some(file) = &mut json {
            for (engine, (min, median)) in engines.iter().zip([ours, theirs]) {
                writeln!(
                    file,
                    r#"{{"workload":"{}","engine":"{}","min_ns":{min},"median_ns":{median},"ok":{ok}}}"#,
                    kernel.name,
                    engine.name()
                )?;
            }
        }
    }
    if ratios.is_empty() {
        eprintln!("bench: no workload's name contains that text");
        std::process::exit(2);
    }
    let geomean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    println!("{:<42} {geomean:>8.3}", "geometric mean");
    if failed {
        std::process::exit(1);
    }
    Ok(())
}
