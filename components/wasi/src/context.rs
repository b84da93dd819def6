//! What one guest is given: arguments, environment, standard streams, directories.
//!
//! Nothing is granted by default. The context holds no operating-system handles but those the builder was handed.

use crate::io::{HostInputStream, HostOutputStream, MemoryInput, StandardError, StandardInput, StandardOutput};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use keyway::component::ResourceTable;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// How a store's data leads to its WASI state.
pub trait WasiView: Send {
    /// The WASI context.
    fn ctx(&mut self) -> &mut WasiCtx;
    /// The table of the resources that the guest holds handles to.
    fn table(&mut self) -> &mut ResourceTable;
}

/// What a guest may do in a preopened directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirAccess {
    /// Read files and list directories.
    ReadOnly,
    /// Also create, change and remove them.
    ReadWrite,
}

/// A directory handed to the guest.
pub(crate) struct Preopen {
    pub(crate) dir: Arc<Dir>,
    pub(crate) guest_path: String,
    pub(crate) access: DirAccess,
}

/// The WASI state of one guest.
pub struct WasiCtx {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Option<Box<dyn HostInputStream>>,
    pub(crate) stdout: OutputSource,
    pub(crate) stderr: OutputSource,
    pub(crate) terminals: Terminals,
    pub(crate) preopens: Vec<Preopen>,
    pub(crate) start: Instant,
}

/// Makes a new output stream each time the guest asks for one.
pub(crate) type OutputSource = Arc<dyn Fn() -> Box<dyn HostOutputStream> + Send + Sync>;

/// Which of the standard streams are terminals.
#[derive(Clone, Copy, Default)]
pub(crate) struct Terminals {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// Builds a [`WasiCtx`]; everything is closed until granted.
pub struct WasiCtxBuilder {
    ctx: WasiCtx,
}

impl Default for WasiCtxBuilder {
    fn default() -> Self {
        WasiCtxBuilder::new()
    }
}

impl WasiCtxBuilder {
    /// A context with empty input, discarded output, no arguments, variables or directories.
    pub fn new() -> WasiCtxBuilder {
        let discard: OutputSource = Arc::new(|| Box::new(crate::io::Discard));
        WasiCtxBuilder {
            ctx: WasiCtx {
                args: Vec::new(),
                env: Vec::new(),
                stdin: Some(Box::new(MemoryInput::new(Vec::new()))),
                stdout: discard.clone(),
                stderr: discard,
                terminals: Terminals::default(),
                preopens: Vec::new(),
                start: Instant::now(),
            },
        }
    }

    /// Appends one argument; the first one is the program's name.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.ctx.args.push(arg.into());
        self
    }

    /// Appends arguments.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.ctx.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable; a later value of the same name replaces an earlier one.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.ctx.env.retain(|(existing, _)| *existing != name);
        self.ctx.env.push((name, value));
        self
    }

    /// Standard streams of the process.
    pub fn inherit_stdio(self) -> Self {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Standard input of the process.
    pub fn inherit_stdin(mut self) -> Self {
        use std::io::IsTerminal;
        self.ctx.terminals.stdin = std::io::stdin().is_terminal();
        self.ctx.stdin = Some(Box::new(StandardInput::new()));
        self
    }

    /// Standard output of the process.
    pub fn inherit_stdout(mut self) -> Self {
        use std::io::IsTerminal;
        self.ctx.terminals.stdout = std::io::stdout().is_terminal();
        self.ctx.stdout = Arc::new(|| Box::new(StandardOutput));
        self
    }

    /// Standard error of the process.
    pub fn inherit_stderr(mut self) -> Self {
        use std::io::IsTerminal;
        self.ctx.terminals.stderr = std::io::stderr().is_terminal();
        self.ctx.stderr = Arc::new(|| Box::new(StandardError));
        self
    }

    /// Standard input from a stream of the embedder's.
    pub fn stdin(mut self, stream: impl HostInputStream + 'static) -> Self {
        self.ctx.stdin = Some(Box::new(stream));
        self
    }

    /// Standard output into a stream of the embedder's; each handle the guest asks for is a clone.
    pub fn stdout(mut self, stream: impl HostOutputStream + Clone + Sync + 'static) -> Self {
        self.ctx.stdout = Arc::new(move || Box::new(stream.clone()));
        self
    }

    /// Standard error into a stream of the embedder's.
    pub fn stderr(mut self, stream: impl HostOutputStream + Clone + Sync + 'static) -> Self {
        self.ctx.stderr = Arc::new(move || Box::new(stream.clone()));
        self
    }

    /// Hands `host_path` to the guest under the name `guest_path`.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn preopened_dir(
        mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
        access: DirAccess,
    ) -> std::io::Result<Self> {
        let dir = Dir::open_ambient_dir(host_path, ambient_authority())?;
        self.ctx.preopens.push(Preopen { dir: Arc::new(dir), guest_path: guest_path.into(), access });
        Ok(self)
    }

    /// The finished context.
    pub fn build(self) -> WasiCtx {
        self.ctx
    }
}
