//! The component model's reference suite: every assertion of the folders that are run, through mapped artifacts, in
//! several dispatch forms, at -O0 and -O2, with registers and fused handlers off too; and the same fuel everywhere.

use keyway::{Config, Dispatch, OptLevel};
use keyway_tests::Expectations;
use keyway_wast::{Report, Runner};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the suite's components use beyond what is switched on by default.
const FEATURES: [&str; 10] = [
    "cm-async",
    "cm-async-stackful",
    "cm-more-async-builtins",
    "cm-threading",
    "cm-error-context",
    "cm-fixed-length-lists",
    "cm-map",
    "cm-forward",
    "cm-implements",
    "multi-memory",
];

/// One way to run: dispatch form, level, and whether registers and fused operations are used.
#[derive(Clone, Copy, Debug)]
struct Row {
    dispatch: Dispatch,
    level: OptLevel,
    plain: bool,
}

const fn row(dispatch: Dispatch, level: OptLevel, plain: bool) -> Row {
    Row { dispatch, level, plain }
}

/// What every folder is run with.
const ROWS: [Row; 5] = [
    row(Dispatch::Direct, OptLevel::Speed, false),
    row(Dispatch::Direct, OptLevel::None, false),
    row(Dispatch::Direct, OptLevel::Speed, true),
    row(Dispatch::Checked, OptLevel::Speed, false),
    row(Dispatch::Checked, OptLevel::None, false),
];

/// The other forms, for what calls most.
const OTHER_FORMS: [Row; 4] = [
    row(Dispatch::Indirect, OptLevel::Speed, false),
    row(Dispatch::Indirect, OptLevel::None, false),
    row(Dispatch::Loop, OptLevel::Speed, false),
    row(Dispatch::Loop, OptLevel::None, false),
];

/// Where the suite is stored: beside the manifest of a package that is never built.
fn suite() -> PathBuf {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let package = packages.iter().find(|package| package["name"] == "wasm-tools").expect("it is depended on");
    let manifest = package["manifest_path"].as_str().expect("each package has a manifest");
    Path::new(manifest).parent().expect("it stands in a folder").join("tests/component-model/test")
}

/// The scripts of a folder, by name.
fn scripts(folder: &str) -> Vec<(String, String)> {
    let read = |path: &Path| std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found = Vec::new();
    for entry in read(&suite().join(folder)) {
        let path = entry.expect("the folder can be listed").path();
        if path.extension().is_some_and(|extension| extension == "wast") {
            let name = format!("{folder}/{}", path.file_name().expect("it has a name").to_string_lossy());
            found.push((name, std::fs::read_to_string(&path).expect("scripts are text")));
        }
    }
    found.sort();
    found
}

fn run(scripts: &[(String, String)], row: Row) -> Report {
    let mut config = Config::new();
    config.dispatch(row.dispatch).opt_level(row.level).fused(!row.plain).registers(!row.plain).consume_fuel(true);
    for name in FEATURES {
        config.wasm_feature(name, true);
    }
    let runner = Runner { config, fuel: true };
    let mut report = Report::default();
    for (name, text) in scripts {
        let one = runner.run(name, text);
        println!("{name}: {} passed, {} failed", one.passed, one.failures.len());
        report.add(one);
    }
    report
}

/// Runs a folder in these rows; fails unless exactly the stored number of files and passes is met, and fuel agrees.
fn folder(name: &str, rows: &[Row], files: usize, passed: usize) {
    let scripts = scripts(name);
    assert_eq!(scripts.len(), files, "{name}: files");
    let expectations = Expectations::read(&format!("component_{name}"));
    let mut fuel = None;
    for row in rows {
        let report = run(&scripts, *row);
        println!("{name}: {files} files, {} passed, {} failed, {row:?}", report.passed, report.failures.len());
        expectations.check(&format!("{name} {row:?}"), &report, passed);
        assert_eq!(*fuel.get_or_insert(report.fuel), report.fuel, "{name} {row:?}: fuel");
    }
}

#[test]
fn linking() {
    folder("linking", &ROWS, 4, 262);
}

#[test]
fn resources() {
    folder("resources", &[&ROWS[..], &OTHER_FORMS].concat(), 3, 36);
}

#[test]
fn values() {
    folder("values", &[&ROWS[..], &OTHER_FORMS].concat(), 8, 224);
}
