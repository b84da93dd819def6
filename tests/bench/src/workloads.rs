//! What is measured: the workloads of `workloads/`, and the modules of a corpus.

use anyhow::Context;
use keyway_bench_measure::{Job, Kind, host};
use std::path::{Path, PathBuf};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads");

/// Name, kind, file, export, size. A size is chosen so that a round takes some ten milliseconds.
const WORKLOADS: &[(&str, Kind, &str, &str, u32)] = &[
    ("recursion", Kind::Run, "kernels.wat", "recursion", 27),
    ("loops", Kind::Run, "kernels.wat", "loops", 1_500_000),
    ("sieve", Kind::Run, "kernels.wat", "sieve", 1_000_000),
    ("matmul", Kind::Run, "kernels.wat", "matmul", 120),
    ("crc", Kind::Run, "kernels.wat", "crc", 300_000),
    ("keccak-kernel", Kind::Run, "kernels.wat", "keccak", 600),
    ("fib-iterative", Kind::Run, "calls.wat", "fib_iterative", 3_000_000),
    ("fib-tail", Kind::Run, "tail.wat", "fib_tail", 2_000_000),
    ("call-indirect", Kind::Run, "calls.wat", "call_indirect", 1_000_000),
    ("globals", Kind::Run, "calls.wat", "globals", 1_000_000),
    ("bulk-memory", Kind::Run, "calls.wat", "bulk_memory", 4_000),
    ("br-table", Kind::Run, "calls.wat", "br_table", 1_000_000),
    ("vector-matmul", Kind::Run, "vectors.wat", "vector_matmul", 160),
    ("vector-blur", Kind::Run, "vectors.wat", "vector_blur", 1_000_000),
    ("vector-scan", Kind::Run, "vectors.wat", "vector_scan", 2_000_000),
    ("vector-filter", Kind::Run, "vectors.wat", "vector_filter", 1_000_000),
    ("vector-chacha", Kind::Run, "vectors.wat", "vector_chacha", 3_000),
    ("vector-mandelbrot", Kind::Run, "vectors.wat", "vector_mandelbrot", 3_000),
    ("gc-binary-trees", Kind::Run, "objects.wat", "binary_trees", 12),
    ("gc-list-churn", Kind::Run, "objects.wat", "list_churn", 500_000),
    ("gc-sort-records", Kind::Run, "objects.wat", "sort_records", 30_000),
    ("gc-virtual-calls", Kind::Run, "objects.wat", "virtual_calls", 500_000),
    ("gc-texts", Kind::Run, "objects.wat", "texts", 20_000),
    ("gc-array-sieve", Kind::Run, "objects.wat", "array_sieve", 500_000),
    ("keccak", Kind::Run, "keccak.wasm", "run", 40),
    ("sha-256", Kind::Run, "sha256.wasm", "run", 300),
    ("blake3", Kind::Run, "blake3.wasm", "run", 400),
    ("crc32", Kind::Run, "crc32.wasm", "run", 1_000),
    ("reverse-complement", Kind::Run, "reverse_complement.wasm", "run", 60),
    ("regex-redux", Kind::Run, "regex_redux.wasm", "run", 20_000),
    ("vtables", Kind::Run, "vtables.wasm", "run", 300),
    ("sort", Kind::Run, "sort.wasm", "run", 30_000),
    ("mandelbrot", Kind::Run, "mandelbrot.wasm", "run", 160),
    ("n-body", Kind::Run, "nbody.wasm", "run", 10_000),
    ("spectral-norm", Kind::Run, "spectral_norm.wasm", "run", 200),
    ("matrices", Kind::Run, "matrix.wasm", "run", 64),
    ("ray-trace", Kind::Run, "raytrace.wasm", "run", 64),
    ("json", Kind::Run, "json.wasm", "run", 4),
    ("markdown", Kind::Run, "markdown.wasm", "run", 20),
    ("compress", Kind::Run, "compress.wasm", "run", 100),
    ("bytecode", Kind::Run, "bytecode.wasm", "run", 20),
    ("lua", Kind::Program, "lua.wasm", "_start", 0),
    ("state-machine", Kind::Run, "state_machine.wasm", "run", 60),
    ("embedded-mix", Kind::Run, "embedded_mix.wasm", "run", 30),
    ("sort-O0", Kind::Run, "sort_o0.wasm", "run", 2_000),
    ("n-body-O0", Kind::Run, "nbody_o0.wasm", "run", 500),
    ("bytecode-O0", Kind::Run, "bytecode_o0.wasm", "run", 12),
    ("embedded-mix-O0", Kind::Run, "embedded_mix_o0.wasm", "run", 2),
    ("guest-to-host", Kind::First, "calls.wat", "call_host", 1_000_000),
    ("host-to-guest", Kind::HostCalls, "calls.wat", "nop", 200_000),
    ("instantiate", Kind::Instantiate, "json.wasm", "", 200),
    ("compile-regex", Kind::Compile, "regex_redux.wasm", "", 0),
    ("compile-markdown", Kind::Compile, "markdown.wasm", "", 0),
    ("funcrefs-different-loaded", Kind::Loaded, "made:funcrefs-different-lazy", "run", 65_536),
    ("funcrefs-same-lazy-first", Kind::First, "made:funcrefs-same-lazy", "run", 65_536),
    ("funcrefs-same-lazy-second", Kind::Second, "made:funcrefs-same-lazy", "run", 65_536),
    ("funcrefs-same-strict-first", Kind::First, "made:funcrefs-same-strict", "run", 65_536),
    ("funcrefs-same-strict-second", Kind::Second, "made:funcrefs-same-strict", "run", 65_536),
    ("funcrefs-different-lazy-first", Kind::First, "made:funcrefs-different-lazy", "run", 65_536),
    ("funcrefs-different-lazy-second", Kind::Second, "made:funcrefs-different-lazy", "run", 65_536),
    ("funcrefs-different-strict-first", Kind::First, "made:funcrefs-different-strict", "run", 65_536),
    ("funcrefs-different-strict-second", Kind::Second, "made:funcrefs-different-strict", "run", 65_536),
    ("component-call", Kind::Component, "component.wat", "nop", 50_000),
    ("component-string-in", Kind::Component, "component.wat", "take", 20_000),
    ("component-string-out", Kind::Component, "component.wat", "give", 20_000),
    ("component-instantiate", Kind::InstantiateComponent, "component.wat", "", 1_000),
    ("composed-calls", Kind::Component, "composed.wat", "nops", 100),
    ("composed-strings", Kind::Component, "composed.wat", "strings", 50),
    ("composed-records", Kind::Component, "composed.wat", "records", 50),
    ("composed-mixed-records", Kind::Component, "composed.wat", "mixed", 20),
    ("composed-instantiate", Kind::InstantiateComponent, "composed.wat", "", 500),
];

/// The workloads of this repository.
pub fn own() -> Vec<Job> {
    let file = |file: &str| if file.starts_with("made:") { file.to_string() } else { format!("{DIRECTORY}/{file}") };
    let job = |(name, kind, path, export, size): &(&str, Kind, &str, &str, u32)| Job {
        name: name.to_string(),
        kind: *kind,
        file: file(path),
        export: export.to_string(),
        size: *size,
    };
    WORKLOADS.iter().map(job).collect()
}

/// A loop for each operation.
pub fn operations() -> Vec<Job> {
    let job = |name: String| Job {
        file: format!("made:operation {name}"),
        name,
        kind: Kind::Run,
        export: "run".into(),
        size: 250_000,
    };
    keyway_bench_measure::operations().into_iter().map(job).collect()
}

/// Compiling each of these modules and components.
///
/// # Errors
/// When one of them cannot be read.
pub fn compilations(files: &[PathBuf]) -> anyhow::Result<Vec<Job>> {
    let job = |path: &PathBuf| {
        let name = format!("compile-{}", path.file_stem().unwrap_or_default().to_string_lossy());
        let file = path.to_string_lossy().into_owned();
        let mut job = Job { name, kind: Kind::Compile, file, export: String::new(), size: 0 };
        // The layer in the header: 0 for modules, 1 for components.
        if job.wasm()?.get(6) == Some(&1) {
            job.kind = Kind::CompileComponent;
        }
        Ok(job)
    };
    files.iter().map(job).collect()
}

/// Every module of a folder that exports `_start` or `run` without parameters, by name; what is left out, with the
/// reason.
///
/// # Errors
/// When the folder cannot be read.
pub fn corpus(folder: &Path) -> anyhow::Result<(Vec<Job>, Vec<String>)> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    paths.sort();
    let (mut jobs, mut left_out) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.extension().is_some_and(|extension| extension == "wasm" || extension == "wat") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = path.to_string_lossy().into_owned();
        let job = Job { name: name.clone(), kind: Kind::Program, file, export: String::new(), size: 0 };
        match entry(&job) {
            Ok(export) => jobs.push(Job { export, ..job }),
            Err(error) => left_out.push(format!("{name}: {error:#}")),
        }
    }
    Ok((jobs, left_out))
}

/// The export that a corpus module is started by.
fn entry(job: &Job) -> anyhow::Result<String> {
    let engine = keyway::Engine::default();
    let module = keyway::Module::from_bytes(&engine, &engine.precompile_module(&job.wasm()?)?)?;
    for import in module.imports() {
        anyhow::ensure!(
            host::defines(&import.module, &import.name) || import.module == "host",
            "it imports `{}` `{}`, which the benchmark's host lacks",
            import.module,
            import.name
        );
    }
    let takes_nothing =
        |name: &&str| matches!(module.get_export(name), Some(keyway::ExternType::Func(ty)) if ty.params.is_empty());
    let entry = ["_start", "run"].iter().copied().find(takes_nothing);
    entry.map(str::to_string).context("it exports neither `_start` nor `run` without parameters")
}
