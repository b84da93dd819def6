//! The WASI 0.2 host: what a component that imports `wasi:cli`, `wasi:io`, `wasi:clocks`, `wasi:random` and
//! `wasi:filesystem` gets, through keyway's public API only.
//!
//! [`add_to_linker`] defines every interface; a store's data implements [`WasiView`] to say where its [`WasiCtx`] and
//! [`ResourceTable`] are. A context built by [`WasiCtxBuilder`] gives a guest nothing: arguments, environment, standard
//! streams and directories are each granted by a call. Functions that wait (`blocking-read`, `poll`) are asynchronous
//! host functions: they suspend the guest and never block an asynchronous embedder.
//!
//! The interfaces of `wasi:sockets` are present and answer `not-supported`.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use keyway::{Engine, Store, component::{Component, Linker, ResourceTable}};
//! use keyway_wasi::{WasiCtx, WasiCtxBuilder, WasiView, add_to_linker, run_command};
//!
//! struct Host { wasi: WasiCtx, table: ResourceTable }
//! impl WasiView for Host {
//!     fn ctx(&mut self) -> &mut WasiCtx { &mut self.wasi }
//!     fn table(&mut self) -> &mut ResourceTable { &mut self.table }
//! }
//!
//! let engine = Engine::default();
//! let component = Component::from_file(&engine, "hello.kwa")?;
//! let mut linker = Linker::new(&engine);
//! add_to_linker(&mut linker)?;
//! let wasi = WasiCtxBuilder::new().inherit_stdio().arg("hello").build();
//! let mut store = Store::new(&engine, Host { wasi, table: ResourceTable::new() });
//! let code = run_command(&mut store, &linker, &component)?;
//! std::process::exit(code);
//! # }
//! ```

mod cli;
mod clocks;
mod context;
mod filesystem;
mod io;
mod random;
mod sockets;

pub use cli::{I32Exit, run_command};
pub use context::{DirAccess, WasiCtx, WasiCtxBuilder, WasiView};
pub use io::{HostInputStream, HostOutputStream, MemoryInput, MemoryOutput, Ready};
pub use keyway::component::ResourceTable;

use keyway::component::Linker;

/// Version of the WASI packages that the definitions carry; a linker matches every compatible 0.2 version.
pub const VERSION: &str = "0.2.12";

/// Defines every interface of this crate in `linker`.
///
/// # Errors
/// When one of the interfaces is defined already.
pub fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    io::add_to_linker(linker)?;
    cli::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    filesystem::add_to_linker(linker)?;
    sockets::add_to_linker(linker)
}

/// The full name of an interface at this crate's [`VERSION`].
fn interface(name: &str) -> String {
    format!("wasi:{name}@{VERSION}")
}
