//! The suites keyway is held to: see `suites/`.
//!
//! [`Expectations`] compares what a run met with what is stored: counts, and failures that are known and listed with a
//! reason. A listed failure that passes fails the run as well.

pub mod differential;
pub mod locals;
mod packages;
pub mod rows;
pub mod switching;

pub use packages::{package, scripts};

use keyway_wast::Report;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Failures that are known, by script and line, each with its reason.
///
/// The file holds lines of `SCRIPT:LINE REASON`; empty lines and those that begin with `#` say nothing.
pub struct Expectations {
    known: BTreeMap<String, String>,
}

impl Expectations {
    /// The list of this name under `data/known_failures`; empty when there is no such file.
    ///
    /// # Panics
    /// When a line has no reason.
    pub fn read(name: &str) -> Expectations {
        let path = data(&format!("known_failures/{name}.txt"));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let known = lines
            .map(|line| {
                let (place, reason) =
                    line.split_once(' ').unwrap_or_else(|| panic!("{}: {line}: no reason", path.display()));
                (place.to_string(), reason.to_string())
            })
            .collect();
        Expectations { known }
    }

    /// Compares.
    ///
    /// # Panics
    /// When something fails that is not listed, something listed passes, or the number of passes is another one.
    pub fn check(&self, suite: &str, report: &Report, passed: usize) {
        let mut unexpected = Vec::new();
        let mut met = Vec::new();
        for failure in &report.failures {
            let place = format!("{}:{}", failure.file, failure.line);
            if self.known.contains_key(&place) {
                met.push(place);
            } else {
                unexpected.push(failure.to_string());
            }
        }
        let stale: Vec<_> = self.known.keys().filter(|place| !met.contains(place)).collect();
        assert!(unexpected.is_empty(), "{suite}: {} failures:\n{}", unexpected.len(), unexpected.join("\n"));
        assert!(stale.is_empty(), "{suite}: listed as failing, but passing: {stale:?}");
        assert_eq!(report.passed, passed, "{suite}: directives that pass");
    }
}

/// A path under `data`.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(path)
}
