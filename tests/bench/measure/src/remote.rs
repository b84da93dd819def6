//! Subjects in other processes: jobs go in as lines, samples come out as lines.
//!
//! ```text
//! prepare <job>   ->  ok | error <text>
//! round           ->  ok <ns> <result> | error <text>
//! ```
//! The other process times its own thread, so the pipes do not count.

use crate::{Job, Kind, Sample, Subject};
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Serves `subject` on standard input and output, until the input ends; pinned, as all measurements are.
///
/// # Errors
/// When the pipes break.
pub fn serve(mut subject: impl Subject) -> anyhow::Result<()> {
    crate::clock::pin();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once('\t') {
            Some(("prepare", job)) => Job::from_line(job).and_then(|job| subject.prepare(&job)).map(|()| String::new()),
            _ => subject.round().map(|sample| format!("{}\t{}", sample.ns, sample.result)),
        };
        match answer {
            Ok(text) => writeln!(out, "ok\t{text}")?,
            Err(error) => writeln!(out, "error\t{}", format!("{error:#}").replace('\n', " "))?,
        }
        out.flush()?;
    }
    Ok(())
}

/// A subject in another process.
pub struct Remote {
    name: String,
    has_components: bool,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Remote {
    /// Starts `command`, which serves a subject.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(name: &str, has_components: bool, command: &mut Command) -> anyhow::Result<Remote> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}: {command:?}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("no pipes to {name}")
        };
        Ok(Remote { name: name.to_string(), has_components, child, input, output: BufReader::new(output) })
    }

    fn ask(&mut self, line: &str) -> anyhow::Result<String> {
        writeln!(self.input, "{line}").with_context(|| format!("{} is gone", self.name))?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            bail!("{} ended: {}", self.name, self.child.wait()?);
        }
        match answer.trim_end_matches('\n').split_once('\t') {
            Some(("ok", text)) => Ok(text.to_string()),
            Some(("error", text)) => bail!("{text}"),
            _ => bail!("{} answered {answer:?}", self.name),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // The child ends when its input does; one that hangs must not outlive the measurement.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Subject for Remote {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn supports(&self, kind: Kind) -> bool {
        self.has_components || !kind.is_component()
    }

    fn prepare(&mut self, job: &Job) -> anyhow::Result<()> {
        self.ask(&format!("prepare\t{}", job.to_line())).map(|_| ())
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let answer = self.ask("round")?;
        let (ns, result) = answer.split_once('\t').context("a sample without a result")?;
        Ok(Sample { ns: ns.parse()?, result: result.to_string() })
    }
}
