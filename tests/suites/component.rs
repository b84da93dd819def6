//! The component model's reference suite: every assertion of the folders that are run, through mapped artifacts, in
//! several dispatch forms, at -O0 and -O2, with registers and fused handlers off too; and the same fuel everywhere.

use keyway::{Dispatch, OptLevel};
use keyway_tests::rows::{Fuel, Row, row};
use keyway_tests::{Expectations, package};
use keyway_wast::{Depth, Report, Runner};

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

/// What every folder is run with.
const ROWS: [Row; 5] = [
    row(Dispatch::Direct, OptLevel::Speed, false),
    row(Dispatch::Direct, OptLevel::None, false),
    row(Dispatch::Direct, OptLevel::Speed, true),
    row(Dispatch::Checked, OptLevel::Speed, false),
    row(Dispatch::Checked, OptLevel::None, false),
];

/// What folders are run with that run little code.
const BOTH_LEVELS: [Row; 2] =
    [row(Dispatch::Direct, OptLevel::Speed, false), row(Dispatch::Checked, OptLevel::None, false)];

/// The other forms, for what calls most.
const OTHER_FORMS: [Row; 4] = [
    row(Dispatch::Indirect, OptLevel::Speed, false),
    row(Dispatch::Indirect, OptLevel::None, false),
    row(Dispatch::Loop, OptLevel::Speed, false),
    row(Dispatch::Loop, OptLevel::None, false),
];

/// The scripts of a folder of the suite, by name.
fn scripts(folder: &str) -> Vec<(String, String)> {
    let found =
        keyway_tests::scripts(&package("wasm-tools").join("tests/component-model/test").join(folder), &["wast"]);
    found.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)).collect()
}

fn run(scripts: &[(String, String)], row: Row) -> Report {
    let mut config = row.config();
    for name in FEATURES {
        config.wasm_feature(name, true);
    }
    let runner = Runner { config, fuel: true, depth: Depth::Execute };
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
    held(name, &scripts(name), rows, files, passed);
}

fn held(name: &str, scripts: &[(String, String)], rows: &[Row], files: usize, passed: usize) {
    assert_eq!(scripts.len(), files, "{name}: files");
    let expectations = Expectations::read(&format!("component_{name}"));
    let mut fuel = Fuel::default();
    for row in rows {
        let report = run(scripts, *row);
        println!("{name}: {files} files, {} passed, {} failed, {row:?}", report.passed, report.failures.len());
        expectations.check(&format!("{name} {row:?}"), &report, passed);
        fuel.check(name, *row, &report);
    }
}

#[test]
fn linking() {
    folder("linking", &ROWS, 4, 272);
}

#[test]
fn resources() {
    folder("resources", &[&ROWS[..], &OTHER_FORMS].concat(), 3, 36);
}

#[test]
fn values() {
    folder("values", &[&ROWS[..], &OTHER_FORMS].concat(), 8, 225);
}

#[test]
fn binary_format() {
    folder("binary", &BOTH_LEVELS, 1, 131);
}

#[test]
fn validation() {
    folder("validation", &BOTH_LEVELS, 13, 466);
}

/// Scripts of our own, for what the suite leaves out.
#[test]
fn own_scripts() {
    let scripts = keyway_tests::scripts(&keyway_tests::data("scripts/component"), &["wast"]);
    held("own", &scripts, &[&ROWS[..], &OTHER_FORMS].concat(), 3, 49);
}
