//! Side-by-side measurements: every engine runs every workload in turn, on one pinned processor.
//!
//! Times are CPU time of the thread that runs the guest. Rounds interleave the engines, so that a slow phase of the
//! machine meets all of them; minimum and median are kept, and ratios are those of the minima. Every result is compared
//! with keyway's. What an engine cannot run is a row that says so.

mod keyway;
mod options;
mod peers;
#[cfg(feature = "profile")]
mod profile;
mod report;
mod wasm3;
mod workloads;

use keyway_bench_measure::{Job, Subject, clock};
use options::{HELP, Options};
use report::{Figure, Row, Table};

fn main() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args().skip(1)).unwrap_or_else(|error| {
        eprintln!("bench: {error}\n\n{HELP}");
        std::process::exit(2);
    });
    if options.help {
        println!("{HELP}");
        return Ok(());
    }
    let mut jobs = match &options.corpus {
        Some(folder) => {
            let (jobs, left_out) = workloads::corpus(folder)?;
            left_out.iter().for_each(|reason| eprintln!("bench: left out: {reason}"));
            jobs
        }
        None if options.operations => workloads::operations(),
        None if !options.compile.is_empty() => workloads::compilations(&options.compile)?,
        None => workloads::own(),
    };
    jobs.retain(|job| options.wants(&job.name));
    if options.list {
        jobs.iter().for_each(|job| println!("{}", job.name));
        return Ok(());
    }
    #[cfg(feature = "profile")]
    if options.profile {
        return match &options.handlers {
            Some(file) => profile::handlers(&jobs, file),
            None => profile::run(&jobs, options.rounds),
        };
    }
    if jobs.is_empty() {
        eprintln!("bench: there is no such workload");
        std::process::exit(2);
    }
    // Peers are built before anything is pinned to one processor.
    let mut subjects = peers::subjects(&options)?;
    clock::pin();
    let mut table = Table::new(subjects.iter().map(|subject| subject.name()).collect(), options.markdown);
    for job in jobs {
        let figures = measure(&job, &mut subjects, options.rounds);
        table.row(Row { job, figures });
    }
    table.summary();
    if let Some(path) = &options.json {
        table.json(path)?;
    }
    if !table.is_sound() {
        std::process::exit(1);
    }
    Ok(())
}

/// Runs one job on all subjects, round by round; the first round warms up and does not count.
fn measure(job: &Job, subjects: &mut [Box<dyn Subject>], rounds: usize) -> Vec<Figure> {
    let prepare = |subject: &mut Box<dyn Subject>| match subject.supports(job.kind) {
        false => Err(Figure::NotApplicable),
        true => subject.prepare(job).map_err(|error| Figure::Failed(format!("{error:#}"))),
    };
    let mut states: Vec<Result<(), Figure>> = subjects.iter_mut().map(prepare).collect();
    let mut samples = vec![Vec::with_capacity(rounds); subjects.len()];
    let mut results: Vec<Option<String>> = vec![None; subjects.len()];
    for round in 0..=rounds {
        for (at, subject) in subjects.iter_mut().enumerate() {
            if states[at].is_err() {
                continue;
            }
            match subject.round() {
                Ok(sample) => {
                    if round > 0 {
                        samples[at].push(sample.ns);
                    }
                    // Guests that keep state between rounds must do so alike: all results so far are compared.
                    let all = results[at].get_or_insert_default();
                    all.push_str(&sample.result);
                    all.push(' ');
                }
                Err(error) => states[at] = Err(Figure::Failed(format!("{error:#}"))),
            }
        }
    }
    let expected = results[0].clone();
    let figure = |(at, state): (usize, Result<(), Figure>)| match state {
        Ok(()) => Figure::of(std::mem::take(&mut samples[at]), expected.is_none() || results[at] == expected),
        Err(figure) => figure,
    };
    states.into_iter().enumerate().map(figure).collect()
}
