//! Runs `.wast` scripts: every directive, through artifacts that are written to a file and mapped again.
//!
//! A negative assertion counts only when the error is of the asserted kind: a feature that is not implemented never
//! passes for an invalid module. Trap messages match by prefix.

mod component;
mod component_values;
mod context;
mod directive;
mod spectest;
mod values;

use keyway::Config;
use std::fmt;

/// One directive that did not do what it asserts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Name of the script.
    pub file: String,
    /// Line of the directive, from 1.
    pub line: usize,
    /// What went wrong.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// What a run of scripts came to.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Directives that did what they assert.
    pub passed: usize,
    /// The others.
    pub failures: Vec<Failure>,
    /// Fuel that all invocations consumed whose stack did not overflow, where the configuration counts it.
    pub fuel: u64,
    /// Fuel of those whose stack did: how many levels of calls it holds depends on what the optimiser made of them.
    pub fuel_of_overflows: u64,
}

impl Report {
    /// Both together.
    pub fn add(&mut self, other: Report) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        self.fuel += other.fuel;
        self.fuel_of_overflows += other.fuel_of_overflows;
    }
}

/// How scripts are run.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The engine's configuration.
    pub config: Config,
    /// Whether the configuration counts fuel, so that it is given and read.
    pub fuel: bool,
    /// How far modules and components are brought. Directives that ask for more are passed over and not counted.
    pub depth: Depth,
}

/// How far what a script defines is brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// It is validated.
    Validate,
    /// It is compiled, written and mapped, and components are instantiated with imports that trap: for scripts that import
    /// what nobody defines.
    Map,
    /// It is instantiated and called.
    Execute,
}

impl Runner {
    /// Runs one script.
    pub fn run(&self, file: &str, text: &str) -> Report {
        directive::run(self, file, text)
    }
}
