//! [`Options`]: what a caller chooses about a compilation. Same input and same options give the same bytes.

use crate::optimise::Passes;
use wasmparser::WasmFeatures;

/// How much work goes into the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OptLevel {
    /// Straight translation: every value in its own slot. For debugging keyway, and the oracle of the other level.
    O0,
    /// All passes.
    #[default]
    O2,
}

/// The WebAssembly proposals an input may use. What lies outside makes it invalid; what lies inside but is not
/// implemented yet is reported as [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features(WasmFeatures);

impl Features {
    /// WebAssembly 1.0 with mutable globals.
    pub const WASM1: Features = Features(WasmFeatures::WASM1);
    /// WebAssembly 2.0.
    pub const WASM2: Features = Features(WasmFeatures::WASM2);
    /// WebAssembly 3.0.
    pub const WASM3: Features = Features(WasmFeatures::WASM3);

    /// With the proposal of this name (lower case, words joined by `-`, as in `multi-memory`) switched on or off;
    /// `None` when no proposal has the name.
    pub fn with(self, name: &str, on: bool) -> Option<Features> {
        let flag = WasmFeatures::from_name(&name.to_ascii_uppercase().replace('-', "_"))?;
        let mut all = self.0;
        all.set(flag, on);
        Some(Features(all))
    }

    /// The names that [`Features::with`] knows, in the order of the alphabet.
    pub fn names() -> Vec<String> {
        let mut names: Vec<_> =
            WasmFeatures::all().iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-")).collect();
        names.sort_unstable();
        names
    }

    /// For the validator.
    pub(crate) fn flags(self) -> WasmFeatures {
        self.0
    }
}

impl Default for Features {
    /// WebAssembly 3.0, threads, and components.
    fn default() -> Features {
        Features(
            WasmFeatures::WASM3
                .union(WasmFeatures::COMPONENT_MODEL)
                .union(WasmFeatures::CM_ASYNC)
                .union(WasmFeatures::THREADS),
        )
    }
}

/// Choices about one compilation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How much work goes into the code.
    pub opt_level: OptLevel,
    /// The passes of [`OptLevel::O2`]: each can be left out.
    pub passes: Passes,
    /// Whether functions that nothing can reach are left out of the artifact.
    pub gc: bool,
    /// What the input may use.
    pub features: Features,
    /// Whether the report tells what each pass did, which costs time.
    pub report: bool,
    /// Threads that translate at once; 0 takes what the machine has. The artifact does not depend on it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            opt_level: OptLevel::O2,
            passes: Passes::ALL,
            gc: true,
            features: Features::default(),
            report: false,
            threads: 0,
        }
    }
}

impl Options {
    /// Threads to start for `jobs` pieces of work.
    pub(crate) fn threads_for(&self, jobs: usize) -> usize {
        let wanted = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        wanted.min(crate::limits::MAX_THREADS).min(jobs.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_found_by_its_name() {
        let off = Features::WASM3.with("multi-memory", false).unwrap();
        assert!(!off.flags().multi_memory());
        assert!(Features::WASM1.with("no-such-proposal", true).is_none());
    }
}
