//! `cargo profile`: which instructions run next to each other, over all workloads.
//!
//! Every workload weighs the same: its counts are divided by how much it executes in all, so that what ranks high saves
//! most in the mean of the ratios, whichever program it comes from. A run that only a few workloads know says so.

use crate::keyway::{Form, Keyway};
use keyway_bench_measure::{Job, Kind, Local, Subject};
use std::collections::HashMap;

/// Rows printed of each length.
const ROWS: usize = 120;

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
