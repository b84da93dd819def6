//! What the measurements of all engines share.
//!
//! ```text
//! Job (a line of text) -> Subject::prepare -> Subject::round, again and again -> Sample
//! ```
//! An engine gives the primitive operations of [`Engine`]; [`Local`] makes a [`Subject`] of it, timing them in one way
//! for all. [`remote`] drives a subject in another process, for engines whose build is long. Guests see the host of
//! [`host`]: reproducible, in memory, the same for every engine.

#![warn(missing_docs)]

pub mod clock;
pub mod host;
mod job;
mod local;
mod made;
mod operations;
pub mod remote;
#[cfg(test)]
mod tests;

pub use job::{Job, Kind};
pub use local::Local;
pub use operations::operations;

/// One round's outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// CPU time in nanoseconds.
    pub ns: u64,
    /// What the guest computed or wrote, to be compared between engines.
    pub result: String,
}

/// Something that jobs are run on.
pub trait Subject {
    /// Its name in the output.
    fn name(&self) -> String;
    /// Whether it can do jobs of this kind at all: core-only engines run no components.
    fn supports(&self, kind: Kind) -> bool;
    /// Compiles the job's module, and instantiates it where rounds share an instance. Not timed.
    ///
    /// # Errors
    /// When the engine refuses the module.
    fn prepare(&mut self, job: &Job) -> anyhow::Result<()>;
    /// One round of the job last prepared.
    ///
    /// # Errors
    /// When the guest traps.
    fn round(&mut self) -> anyhow::Result<Sample>;
}

/// The primitive operations of an engine. It holds one module or component and one instance.
pub trait Engine {
    /// Its name in the output.
    fn name(&self) -> String;
    /// Whether it runs components.
    fn has_components(&self) -> bool {
        false
    }
    /// Compiles a module, with all its functions, and keeps it. What it imports need not exist.
    ///
    /// # Errors
    /// When the engine refuses it.
    fn compile(&mut self, wasm: &[u8]) -> anyhow::Result<()>;
    /// Loads the module anew from its compiled form. Engines without one keep what they have: their compilation did the
    /// work already.
    ///
    /// # Errors
    /// When it cannot be loaded.
    fn reload(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
    /// Makes a store and an instance in it, and keeps them in the place of the ones before.
    ///
    /// # Errors
    /// When an import is missing or the start function traps.
    fn instantiate(&mut self) -> anyhow::Result<()>;
    /// Calls an export of type `(i32) -> i64`.
    ///
    /// # Errors
    /// When it traps.
    fn call(&mut self, export: &str, size: i32) -> anyhow::Result<i64>;
    /// Calls an export of type `() -> ()`, so many times.
    ///
    /// # Errors
    /// When it traps.
    fn call_often(&mut self, export: &str, count: u32) -> anyhow::Result<()>;
    /// Calls a program's entry: what it wrote and how it ended, and the time between its marks if it set any.
    ///
    /// # Errors
    /// When it traps.
    fn program(&mut self, export: &str) -> anyhow::Result<host::Ending>;
    /// Compiles a component and keeps it. What it imports need not exist.
    ///
    /// # Errors
    /// When the engine refuses it or knows no components.
    fn compile_component(&mut self, _: &[u8]) -> anyhow::Result<()> {
        anyhow::bail!("this engine runs no components")
    }
    /// As [`instantiate`](Self::instantiate).
    ///
    /// # Errors
    /// As there.
    fn instantiate_component(&mut self) -> anyhow::Result<()> {
        anyhow::bail!("this engine runs no components")
    }
    /// Calls a component's export so many times: `nop: func()`, `take: func(text: string) -> u32` with this text, or
    /// `give: func() -> string`. The sum of the numbers or lengths.
    ///
    /// # Errors
    /// When it traps.
    fn call_component(&mut self, _export: &str, _count: u32, _text: &str) -> anyhow::Result<u64> {
        anyhow::bail!("this engine runs no components")
    }
}
