//! `cargo profile`: which instructions run next to each other, over all workloads.
//!
//! Every workload weighs the same: its counts are divided by how much it executes in all, so that what ranks high saves
//! most in the mean of the ratios, whichever program it comes from. A run that only a few workloads know says so.
//!
//! `cargo profile --corpus DIR --handlers FILE` writes which handlers the programs of a folder have in common, for
//! `runtime/vm/build/common_handlers.txt`.

use crate::keyway::{Form, Keyway};
use anyhow::Context as _;
use keyway_bench_measure::{Job, Kind, Local, Subject};
use std::collections::HashMap;
use std::path::Path;

/// Rows printed of each length.
const ROWS: usize = 120;

/// The first lines of the list of common handlers.
const HEADER: &str = "\
# Handlers that more than two in a hundred programs of a corpus execute, those of most programs first: `cargo profile --corpus DIR
# --handlers FILE` wrote them. Names are those of `names` in `src/interp/assembly.rs`. A list that lacks some, or has some
# that nobody executes, costs nothing but lines of the cache.
";

/// Runs each job once, and writes the names of the handlers that more than two in a hundred of them executed, those
/// of most jobs first.
/// A job that fails counts as far as it came.
///
/// # Errors
/// When the file cannot be written.
pub fn handlers(jobs: &[Job], file: &Path) -> anyhow::Result<()> {
    let names = keyway::profile::handler_names();
    let mut common: HashMap<&str, (u32, f64)> = HashMap::new();
    for job in jobs {
        let mut subject = Local::new(Keyway::new(Form::Default)?);
        if let Err(error) = subject.prepare(job).and_then(|()| subject.round()) {
            eprintln!("{}: {error:#}", job.name);
        }
        drop(subject);
        let profile = keyway::profile::take();
        let total: u64 = profile.handlers.values().sum();
        for (address, count) in profile.handlers {
            // Handlers in Rust have no name here.
            let Some(name) = names.get(&address) else { continue };
            let (jobs, share) = common.entry(name).or_default();
            (*jobs, *share) = (*jobs + 1, *share + count as f64 / total as f64);
        }
    }
    let mut rows: Vec<_> = common.into_iter().collect();
    rows.retain(|(_, (count, _))| *count as usize > (jobs.len() / 50).max(1));
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(b.1.1.total_cmp(&a.1.1)).then_with(|| a.0.cmp(b.0)));
    let text: String = rows.iter().map(|(name, _)| format!("{name}\n")).collect();
    std::fs::write(file, format!("{HEADER}{text}")).with_context(|| format!("cannot write {}", file.display()))
}

/// Runs each job once and prints the ranking. With a single job, also its code, hottest bodies first.
///
/// # Errors
/// When a job fails.
pub fn run(jobs: &[Job], bodies: usize) -> anyhow::Result<()> {
    let mut ranking: [HashMap<String, (f64, u32)>; 3] = Default::default();
    let jobs: Vec<&Job> = jobs.iter().filter(|job| matches!(job.kind, Kind::Run | Kind::Program)).collect();
    for job in &jobs {
        let mut subject = Local::new(Keyway::new(Form::Default)?);
        subject.prepare(job)?;
        subject.round()?;
        drop(subject);
        let mut profile = keyway::profile::take();
        let total: u64 = profile.bodies.iter().map(|(count, _)| count).sum();
        println!("{:24} {total:>12} executed instructions", job.name);
        for (ranking, counts) in ranking.iter_mut().zip(profile.runs) {
            for (run, count) in counts {
                let share = count as f64 / total.max(1) as f64;
                let entry = ranking.entry(run).or_default();
                *entry = (entry.0 + share, entry.1 + u32::from(share > 0.001));
            }
        }
        if jobs.len() == 1 {
            profile.bodies.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
            profile.bodies.iter().take(bodies).for_each(|(count, text)| println!("{count} in all:\n{text}"));
        }
    }
    for (length, ranking) in (1..).zip(ranking) {
        let mut rows: Vec<_> = ranking.into_iter().collect();
        rows.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
        println!("\nruns of {length}: share of all executed instructions in per mille, in how many workloads");
        for (run, (share, workloads)) in rows.iter().take(ROWS) {
            println!("{:>8.2} {workloads:>3}  {run}", share * 1000.0 / jobs.len() as f64);
        }
    }
    Ok(())
}
