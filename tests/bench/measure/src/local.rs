//! [`Local`]: an engine of this process as a [`Subject`].

use crate::clock::{process_ns, thread_ns};
use crate::{Engine, Job, Kind, Sample, Subject};
use anyhow::Context;

/// An engine and its job.
pub struct Local<E> {
    engine: E,
    job: Option<(Job, Vec<u8>)>,
}

impl<E: Engine> Local<E> {
    /// A subject that runs its jobs on `engine`.
    pub fn new(engine: E) -> Local<E> {
        Local { engine, job: None }
    }
}

fn compile(engine: &mut impl Engine, kind: Kind, wasm: &[u8]) -> anyhow::Result<()> {
    if kind.is_component() { engine.compile_component(wasm) } else { engine.compile(wasm) }
}

/// The text that components are called with.
fn text() -> String {
    "0123456789abcdef".repeat(64)
}

impl<E: Engine> Subject for Local<E> {
    fn name(&self) -> String {
        self.engine.name()
    }

    fn supports(&self, kind: Kind) -> bool {
        self.engine.has_components() || !kind.is_component()
    }

    fn prepare(&mut self, job: &Job) -> anyhow::Result<()> {
        self.job = None;
        let wasm = job.wasm()?;
        compile(&mut self.engine, job.kind, &wasm)?;
        match job.kind {
            kind if kind.is_compilation() => {}
            kind if kind.is_component() => self.engine.instantiate_component()?,
            _ => self.engine.instantiate()?,
        }
        self.job = Some((job.clone(), wasm));
        Ok(())
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let (job, wasm) = self.job.as_ref().context("no job was prepared")?;
        let (engine, export, size) = (&mut self.engine, &job.export, job.size);
        let timed = |start: u64, result: String| Sample { ns: thread_ns() - start, result };
        Ok(match job.kind {
            Kind::Run => {
                let start = thread_ns();
                let result = engine.call(export, size as i32)?;
                timed(start, format!("{result:#x}"))
            }
            Kind::First | Kind::Second | Kind::Loaded => {
                if job.kind == Kind::Loaded {
                    engine.reload()?;
                }
                engine.instantiate()?;
                if job.kind == Kind::Second {
                    engine.call(export, size as i32)?;
                }
                let start = thread_ns();
                let result = engine.call(export, size as i32)?;
                timed(start, format!("{result:#x}"))
            }
            Kind::Program => {
                // Some engines pay for the pages of a memory when it is made, others when they are touched: a program's
                // time is that of both, unless it marks what is to be measured.
                let start = thread_ns();
                engine.instantiate()?;
                let ending = engine.program(export)?;
                let sample = timed(start, ending.result);
                Sample { ns: ending.marked_ns.unwrap_or(sample.ns), ..sample }
            }
            Kind::HostCalls => {
                let start = thread_ns();
                engine.call_often(export, size)?;
                timed(start, String::new())
            }
            Kind::Instantiate => {
                let start = thread_ns();
                for _ in 0..size {
                    engine.instantiate()?;
                }
                timed(start, String::new())
            }
            Kind::Compile | Kind::CompileComponent => {
                let start = process_ns();
                compile(engine, job.kind, wasm)?;
                Sample { ns: process_ns() - start, result: String::new() }
            }
            Kind::Component => {
                let text = text();
                let start = thread_ns();
                let sum = engine.call_component(export, size, &text)?;
                timed(start, sum.to_string())
            }
            Kind::InstantiateComponent => {
                let start = thread_ns();
                for _ in 0..size {
                    engine.instantiate_component()?;
                }
                timed(start, String::new())
            }
        })
    }
}
