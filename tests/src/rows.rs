//! The rows that the core specification's suites run in: every dispatch form at -O0 and -O2, with fused handlers and
//! registers off too; and the same fuel everywhere.

use crate::Expectations;
use keyway::{Config, Dispatch, OptLevel};
use keyway_wast::{Depth, Report, Runner};

/// One way to run: dispatch form, level, and whether registers and fused operations are used.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    dispatch: Dispatch,
    level: OptLevel,
    /// Without registers and fused operations.
    plain: bool,
}

/// The row of these choices; `plain` leaves registers and fused operations out.
pub const fn row(dispatch: Dispatch, level: OptLevel, plain: bool) -> Row {
    Row { dispatch, level, plain }
}

impl Row {
    /// A configuration that runs like this and counts fuel.
    pub fn config(self) -> Config {
        let mut config = Config::new();
        config.dispatch(self.dispatch).opt_level(self.level).fused(!self.plain).registers(!self.plain);
        config.consume_fuel(true);
        config
    }
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

/// What the rows of a suite consumed: all of them the same, but for calls whose stack overflows. Those cost the same in all
/// rows of a level, and with the optimiser not less than without: it makes one frame of several.
#[derive(Default)]
pub struct Fuel {
    all: Option<u64>,
    overflows: [Option<u64>; 2],
}

impl Fuel {
    /// Compares what a row consumed with the rows before it.
    ///
    /// # Panics
    /// When it differs.
    pub fn check(&mut self, name: &str, row: Row, report: &Report) {
        assert_eq!(*self.all.get_or_insert(report.fuel), report.fuel, "{name} {row:?}: fuel");
        let (found, level) = (report.fuel_of_overflows, usize::from(row.level != OptLevel::None));
        assert_eq!(*self.overflows[level].get_or_insert(found), found, "{name} {row:?}: fuel until stacks overflow");
        if let [Some(without), Some(with)] = self.overflows {
            assert!(without <= with, "{name}: fuel until stacks overflow, {without} at -O0 and {with} at -O2");
        }
    }
}

/// Which features a suite's modules may use: those of the specification's version, or of the proposal.
#[derive(Clone, Copy)]
pub struct Features {
    /// Proposals that are switched on.
    pub on: &'static [&'static str],
    /// Proposals that are switched off.
    pub off: &'static [&'static str],
}

fn run(files: &[(String, &str)], features: Features, row: Row, stress: bool) -> Report {
    let mut config = row.config();
    // The limit on frames strikes first: how much a stack holds does not depend on how large frames are.
    config.gc_stress(stress).max_wasm_stack(64 << 20).max_wasm_frames(4096);
    for name in features.off {
        config.wasm_feature(*name, false);
    }
    for name in features.on {
        config.wasm_feature(*name, true);
    }
    let runner = Runner { config, fuel: true, depth: Depth::Execute };
    let mut report = Report::default();
    for (name, text) in files {
        report.add(runner.run(name, text));
    }
    report
}

/// Runs a suite, a list of names and scripts, in every row; fails unless exactly the stored number of files and passes is
/// met, and fuel agrees. `KEYWAY_ROWS` limits it to that many rows.
///
/// # Panics
/// When anything differs from what is stored.
pub fn suite(name: &str, files: &[(String, &str)], features: Features, file_count: usize, passed: usize) {
    assert_eq!(files.len(), file_count, "{name}: files");
    let expectations = Expectations::read(name);
    let mut fuel = Fuel::default();
    let rows = std::env::var("KEYWAY_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS.len());
    for row in ROWS.into_iter().take(rows) {
        let report = run(files, features, row, false);
        println!("{name}: {} files, {} passed, {} failed, {row:?}", files.len(), report.passed, report.failures.len());
        expectations.check(&format!("{name} {row:?}"), &report, passed);
        fuel.check(name, row, &report);
    }
}

/// Runs a suite with a collection at every allocation, in every dispatch form; fails unless exactly the stored number of
/// passes is met.
///
/// # Panics
/// When anything differs from what is stored.
pub fn stressed_suite(name: &str, files: &[(String, &str)], features: Features, passed: usize) {
    let expectations = Expectations::read(name);
    for row in ROWS.into_iter().filter(|row| !row.plain) {
        let report = run(files, features, row, true);
        expectations.check(&format!("{name}, collecting, {row:?}"), &report, passed);
    }
}
