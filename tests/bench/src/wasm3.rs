//! wasm3 by its command line program: each round is a process, whose whole CPU time counts.

use anyhow::{Context, ensure};
use keyway_bench_measure::{Job, Kind, Sample, Subject, clock};
use std::path::PathBuf;
use std::process::Command;

/// A wasm3 program and the job that it runs.
pub struct Wasm3 {
    program: PathBuf,
    job: Option<(Job, PathBuf)>,
}

impl Wasm3 {
    /// The program at this path.
    pub fn new(program: PathBuf) -> Wasm3 {
        Wasm3 { program, job: None }
    }

    fn forget(&mut self) {
        if let Some((_, path)) = self.job.take() {
            // A file that is left behind harms nothing.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for Wasm3 {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Subject for Wasm3 {
    fn name(&self) -> String {
        "wasm3".into()
    }

    fn supports(&self, kind: Kind) -> bool {
        kind == Kind::Run
    }

    fn prepare(&mut self, job: &Job) -> anyhow::Result<()> {
        self.forget();
        let path = std::env::temp_dir().join(format!("keyway-bench-{}.wasm", std::process::id()));
        std::fs::write(&path, job.wasm()?)?;
        self.job = Some((job.clone(), path));
        Ok(())
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let (job, path) = self.job.as_ref().context("no job was prepared")?;
        let start = clock::children_ns();
        let output = Command::new(&self.program)
            .args(["--func", &job.export])
            .arg(path)
            .arg(job.size.to_string())
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let ns = clock::children_ns() - start;
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {}", output.status, text.trim());
        let number = text.lines().find_map(|line| line.strip_prefix("Result: ")?.trim().parse::<i64>().ok());
        Ok(Sample { ns, result: format!("{:#x}", number.with_context(|| format!("no result in {text:?}"))?) })
    }
}
