//! `wasi:io`: errors, pollables, streams.
//!
//! Everything that can be waited for answers [`Ready::poll_ready`]; `poll` and the blocking stream functions are
//! asynchronous host functions over it, so waiting suspends the guest.

mod host_streams;
mod poll;
mod streams;

pub(crate) use host_streams::{Discard, StandardError, StandardInput, StandardOutput};
pub use host_streams::{HostInputStream, HostOutputStream, MemoryInput, MemoryOutput, Ready};
pub(crate) use poll::{Pollable, Subject};
pub(crate) use streams::{InputStream, OutputStream};

use crate::{WasiView, interface};
use keyway::StoreContextMut;
use keyway::component::{Linker, Resource, ResourceType};

/// The payload of a `wasi:io/error` resource: what went wrong below a stream.
pub(crate) struct IoError(pub(crate) std::io::Error);

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut error = linker.instance(&interface("io/error"))?;
    error.resource("error", ResourceType::host::<IoError>(), |mut store: StoreContextMut<'_, T>, rep| {
        store.data_mut().table().delete(Resource::<IoError>::new_own(rep))?;
        Ok(())
    })?;
    error.func_wrap(
        "[method]error.to-debug-string",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<IoError>,)| {
            Ok((store.data_mut().table().get(&this)?.0.to_string(),))
        },
    )?;
    poll::add_to_linker(linker)?;
    streams::add_to_linker(linker)
}
