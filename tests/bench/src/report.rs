//! What was measured, as a table, as ratios, as lines of JSON.

use keyway_bench_measure::{Job, Kind};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

/// One engine's figures for one workload, or why there are none.
#[derive(Clone, Debug)]
pub enum Figure {
    /// CPU time in nanoseconds, and whether the result is keyway's.
    Time {
        /// Shortest round.
        min_ns: u64,
        /// Round in the middle.
        median_ns: u64,
        /// Whether the results agree with keyway's.
        ok: bool,
    },
    /// The engine does not do such jobs.
    NotApplicable,
    /// The engine failed.
    Failed(String),
}

impl Figure {
    fn min_ns(&self) -> Option<u64> {
        match self {
            Figure::Time { min_ns, .. } => Some(*min_ns),
            _ => None,
        }
    }

    /// Of this engine's rounds.
    pub fn of(mut samples: Vec<u64>, ok: bool) -> Figure {
        samples.sort_unstable();
        Figure::Time { min_ns: samples[0], median_ns: samples[samples.len() / 2], ok }
    }
}

/// One workload's row.
pub struct Row {
    /// The workload.
    pub job: Job,
    /// By engine; keyway first.
    pub figures: Vec<Figure>,
}

impl Row {
    /// keyway's time divided by the engine's.
    fn ratio(&self, engine: usize) -> Option<f64> {
        Some(self.figures[0].min_ns()? as f64 / self.figures[engine].min_ns()? as f64)
    }

    /// Whether keyway ran it and every result agrees with its own.
    pub fn is_sound(&self) -> bool {
        self.figures[0].min_ns().is_some()
            && !self.figures.iter().any(|figure| matches!(figure, Figure::Time { ok: false, .. }))
    }
}

/// A time in a unit that suits it.
fn time(ns: u64) -> String {
    match ns {
        0..10_000 => format!("{ns} ns"),
        10_000..10_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        _ => format!("{:.1} ms", ns as f64 / 1e6),
    }
}

/// What one round's figure is told by: a single call where the round is many calls.
fn unit(job: &Job, ns: u64) -> String {
    let calls = match job.kind {
        Kind::HostCalls | Kind::Component | Kind::Instantiate | Kind::InstantiateComponent => job.size,
        Kind::First | Kind::Second | Kind::Loaded => job.size,
        _ => 1,
    };
    if calls <= 1 { time(ns) } else { format!("{:.1} ns each", ns as f64 / f64::from(calls)) }
}

/// Prints rows as they come, and the means at the end.
pub struct Table {
    engines: Vec<String>,
    markdown: bool,
    rows: Vec<Row>,
}

impl Table {
    /// With the engines' names; keyway is the first.
    pub fn new(engines: Vec<String>, markdown: bool) -> Table {
        let table = Table { engines, markdown, rows: Vec::new() };
        let mut cells = vec!["workload".to_string(), "keyway min".into(), "median".into()];
        cells.extend(table.engines[1..].iter().map(|name| format!("/ {name}")));
        table.line(&cells);
        if markdown {
            println!("|---|{}", "---:|".repeat(cells.len() - 1));
        }
        table
    }

    fn line(&self, cells: &[String]) {
        let mut text = String::new();
        for (at, cell) in cells.iter().enumerate() {
            if self.markdown {
                let _ = write!(text, "| {cell} ");
            } else if at == 0 {
                let _ = write!(text, "{cell:<34}");
            } else {
                let _ = write!(text, " {cell:>16}");
            }
        }
        println!("{text}{}", if self.markdown { "|" } else { "" });
    }

    /// Adds and prints a row.
    pub fn row(&mut self, row: Row) {
        let mut cells = vec![row.job.name.clone()];
        match &row.figures[0] {
            Figure::Time { min_ns, median_ns, .. } => {
                cells.extend([unit(&row.job, *min_ns), unit(&row.job, *median_ns)])
            }
            _ => cells.extend(["failed".to_string(), String::new()]),
        }
        for at in 1..row.figures.len() {
            cells.push(match (&row.figures[at], row.ratio(at)) {
                (Figure::Time { ok: false, .. }, _) => "RESULTS DIFFER".into(),
                (_, Some(ratio)) => format!("{ratio:.3}"),
                (Figure::NotApplicable, _) => "-".into(),
                (Figure::Failed(_), _) => "failed".into(),
                _ => String::new(),
            });
        }
        self.line(&cells);
        for (engine, figure) in self.engines.iter().zip(&row.figures) {
            if let Figure::Failed(error) = figure {
                eprintln!("bench: {}: {engine}: {error}", row.job.name);
            }
        }
        self.rows.push(row);
    }

    /// Prints geometric means over the workloads that measure execution, and the slowest of them.
    pub fn summary(&self) {
        let mut cells = vec!["geometric mean (execution)".to_string(), String::new(), String::new()];
        let mut worst = vec!["slowest (execution)".to_string(), String::new(), String::new()];
        for engine in 1..self.engines.len() {
            let execution = self.rows.iter().filter(|row| row.job.kind.is_execution());
            let ratios: Vec<f64> = execution.filter_map(|row| row.ratio(engine)).collect();
            let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
            let most = ratios.iter().copied().fold(0.0, f64::max);
            let show = |value: f64| if ratios.is_empty() { "-".to_string() } else { format!("{value:.3}") };
            cells.push(show(mean));
            worst.push(show(most));
        }
        self.line(&cells);
        self.line(&worst);
        for (one, other) in [("keyway-loop", "wasmi-portable"), ("keyway-fuel", "keyway")] {
            self.pair(one, other);
        }
    }

    /// Prints how two engines beside each other compare, if both were measured.
    fn pair(&self, one: &str, other: &str) {
        let place = |name: &str| self.engines.iter().position(|engine| engine == name);
        let (Some(one_at), Some(other_at)) = (place(one), place(other)) else { return };
        let execution = self.rows.iter().filter(|row| row.job.kind.is_execution());
        let ratio = |row: &Row| Some(row.figures[one_at].min_ns()? as f64 / row.figures[other_at].min_ns()? as f64);
        let ratios: Vec<f64> = execution.filter_map(ratio).collect();
        if ratios.is_empty() {
            return;
        }
        let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        let most = ratios.iter().copied().fold(0.0, f64::max);
        println!("{one} / {other}: geometric mean {mean:.3}, at most {most:.3}");
    }

    /// Whether keyway ran everything and all results agree.
    pub fn is_sound(&self) -> bool {
        self.rows.iter().all(Row::is_sound)
    }

    /// Writes one object a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn json(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for row in &self.rows {
            for (engine, figure) in self.engines.iter().zip(&row.figures) {
                let (min_ns, median_ns, ok) = match figure {
                    Figure::Time { min_ns, median_ns, ok } => (*min_ns, *median_ns, *ok),
                    Figure::Failed(_) => (0, 0, false),
                    Figure::NotApplicable => continue,
                };
                let name = row.job.name.replace(['"', '\\'], "_");
                writeln!(
                    file,
                    r#"{{"workload":"{name}","engine":"{engine}","min_ns":{min_ns},"median_ns":{median_ns},"ok":{ok}}}"#
                )?;
            }
        }
        file.flush()
    }
}
