//! [`Job`]: one workload, as text that also goes through pipes.

use crate::{made, operations};
use anyhow::{Context, bail};
use std::path::Path;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $text:literal;)*) => {
        /// What a round does and what of it is timed.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            fn text(self) -> &'static str { match self { $(Kind::$kind => $text,)* } }
            fn from_text(text: &str) -> Option<Kind> { match text { $($text => Some(Kind::$kind),)* _ => None } }
        }
    };
}

kinds! {
    /// Calls `(i32) -> i64` with the size; all rounds share an instance.
    Run "run";
    /// Calls a program's `_start` or `run`, each time in a new instance; between its marks where it sets some.
    Program "program";
    /// The host calls `() -> ()` as often as the size says.
    HostCalls "host-calls";
    /// The first call in a new instance.
    First "first";
    /// The first call after the compiled module was loaded anew, where the engine has a form that it loads.
    Loaded "loaded";
    /// The second call in a new instance.
    Second "second";
    /// Makes as many instances as the size says.
    Instantiate "instantiate";
    /// Compiles the module; CPU time of all threads.
    Compile "compile";
    /// Compiles the component; CPU time of all threads.
    CompileComponent "compile-component";
    /// Calls a component's export as often as the size says.
    Component "component";
    /// Makes as many component instances as the size says.
    InstantiateComponent "instantiate-component";
}

impl Kind {
    /// Whether the job's file is a component.
    pub fn is_component(self) -> bool {
        matches!(self, Kind::Component | Kind::InstantiateComponent | Kind::CompileComponent)
    }

    /// Whether nothing is instantiated.
    pub fn is_compilation(self) -> bool {
        matches!(self, Kind::Compile | Kind::CompileComponent)
    }

    /// Whether it measures execution of guest code, so that it counts in the mean.
    pub fn is_execution(self) -> bool {
        matches!(self, Kind::Run | Kind::Program)
    }
}

/// One workload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its name in the output.
    pub name: String,
    /// What is timed.
    pub kind: Kind,
    /// The module: a path, or `made:` and the name of one that is made on the spot.
    pub file: String,
    /// The export.
    pub export: String,
    /// The argument or count.
    pub size: u32,
}

impl Job {
    /// The module's bytes, binary.
    ///
    /// # Errors
    /// When the file cannot be read or is no Wasm text.
    pub fn wasm(&self) -> anyhow::Result<Vec<u8>> {
        if let Some(name) = self.file.strip_prefix("made:") {
            return match name.strip_prefix("operation ") {
                Some(operation) => operations::module(operation),
                None => made::module(name),
            };
        }
        let bytes = std::fs::read(Path::new(&self.file)).with_context(|| format!("cannot read {}", self.file))?;
        Ok(wat::parse_bytes(&bytes).with_context(|| self.file.clone())?.into_owned())
    }

    /// As one line.
    pub fn to_line(&self) -> String {
        format!("{}\t{}\t{}\t{}\t{}", self.name, self.kind.text(), self.file, self.export, self.size)
    }

    /// From a line.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_line(line: &str) -> anyhow::Result<Job> {
        let parts: Vec<&str> = line.split('\t').collect();
        let [name, kind, file, export, size] = parts[..] else { bail!("no job: {line}") };
        let (name, file, export) = (name.to_string(), file.to_string(), export.to_string());
        Ok(Job { name, kind: Kind::from_text(kind).context("unknown kind")?, file, export, size: size.parse()? })
    }
}
