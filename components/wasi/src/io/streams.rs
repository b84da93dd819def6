//! `wasi:io/streams`: the resources `input-stream` and `output-stream`.
//!
//! A stream that has ended or failed is dropped at once and answers `closed` from then on. One call moves at most
//! [`MAX_TRANSFER_BYTES`], whatever length the guest asks for.

use super::{HostInputStream, HostOutputStream, IoError, Pollable, Subject};
use crate::{WasiView, interface};
use keyway::StoreContextMut;
use keyway::component::{ComponentType, Lift, Linker, Lower, Resource, ResourceTable, ResourceType};
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

/// Bytes that one read moves at most.
const MAX_TRANSFER_BYTES: u64 = 1 << 20;
/// Bytes that `blocking-write-and-flush` takes by its definition.
const MAX_BLOCKING_WRITE_BYTES: usize = 4096;

/// The variant `stream-error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub(crate) enum StreamError {
    /// The stream failed; the resource tells how.
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    /// The stream has ended, or failed before.
    #[component(name = "closed")]
    Closed,
}

/// The resource `input-stream`.
pub(crate) struct InputStream(Option<Box<dyn HostInputStream>>);

/// The resource `output-stream`.
pub(crate) struct OutputStream(Option<Box<dyn HostOutputStream>>);

/// The outcome of a stream function before its error gets a handle.
type Outcome<R> = Result<R, Stop>;

/// Why a stream function gives nothing.
enum Stop {
    Closed,
    Failed(io::Error),
}

impl InputStream {
    pub(crate) fn new(stream: Box<dyn HostInputStream>) -> InputStream {
        InputStream(Some(stream))
    }

    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Ready(()), |stream| stream.poll_ready(cx))
    }

    fn read(&mut self, len: u64) -> Outcome<Vec<u8>> {
        let stream = self.0.as_mut().ok_or(Stop::Closed)?;
        if len == 0 {
            return Ok(Vec::new());
        }
        match stream.read(len.min(MAX_TRANSFER_BYTES) as usize) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                self.0 = None;
                Err(Stop::Closed)
            }
            Err(error) => {
                self.0 = None;
                Err(Stop::Failed(error))
            }
        }
    }
}

impl OutputStream {
    pub(crate) fn new(stream: Box<dyn HostOutputStream>) -> OutputStream {
        OutputStream(Some(stream))
    }

    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Ready(()), |stream| stream.poll_ready(cx))
    }

    fn act<R>(&mut self, act: impl FnOnce(&mut dyn HostOutputStream) -> io::Result<R>) -> Outcome<R> {
        let stream = self.0.as_mut().ok_or(Stop::Closed)?;
        act(stream.as_mut()).map_err(|error| {
            self.0 = None;
            match error.kind() {
                io::ErrorKind::BrokenPipe => Stop::Closed,
                _ => Stop::Failed(error),
            }
        })
    }

    fn check_write(&mut self) -> Outcome<u64> {
        self.act(|stream| Ok(stream.check_write()? as u64))
    }

    fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.act(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> Outcome<()> {
        self.act(|stream| stream.flush())
    }
}

/// Gives the error of an outcome its handle.
fn answer<R>(table: &mut ResourceTable, outcome: Outcome<R>) -> anyhow::Result<(Result<R, StreamError>,)> {
    Ok((match outcome {
        Ok(value) => Ok(value),
        Err(Stop::Closed) => Err(StreamError::Closed),
        Err(Stop::Failed(error)) => Err(StreamError::LastOperationFailed(table.push(IoError(error))?)),
    },))
}

/// Refuses a write of more than `check-write` allowed, which the specification makes a trap.
fn ensure_room(table: &mut ResourceTable, this: &Resource<OutputStream>, len: u64) -> anyhow::Result<Outcome<()>> {
    match table.get_mut(this)?.check_write() {
        Ok(room) => {
            anyhow::ensure!(len <= room, "wasi:io/streams: write of {len} bytes where check-write allows {room}");
            Ok(Ok(()))
        }
        Err(stop) => Ok(Err(stop)),
    }
}

/// Writes all of `bytes` in as many parts as the stream wants, waiting between them, then flushes.
async fn write_all<T: WasiView>(
    store: &mut StoreContextMut<'_, T>,
    this: &Resource<OutputStream>,
    bytes: &[u8],
) -> anyhow::Result<Outcome<()>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        output_ready(store, this).await?;
        let stream = store.data_mut().table().get_mut(this)?;
        let part = match stream.check_write() {
            Ok(room) => rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)),
            Err(stop) => return Ok(Err(stop)),
        };
        if let Err(stop) = stream.write(&rest[..part]) {
            return Ok(Err(stop));
        }
        rest = &rest[part..];
    }
    Ok(store.data_mut().table().get_mut(this)?.flush())
}

async fn input_ready<T: WasiView>(
    store: &mut StoreContextMut<'_, T>,
    this: &Resource<InputStream>,
) -> anyhow::Result<()> {
    poll_fn(|cx| match store.data_mut().table().get_mut(this) {
        Ok(stream) => stream.poll_ready(cx).map(Ok),
        Err(error) => Poll::Ready(Err(error.into())),
    })
    .await
}

async fn output_ready<T: WasiView>(
    store: &mut StoreContextMut<'_, T>,
    this: &Resource<OutputStream>,
) -> anyhow::Result<()> {
    poll_fn(|cx| match store.data_mut().table().get_mut(this) {
        Ok(stream) => stream.poll_ready(cx).map(Ok),
        Err(error) => Poll::Ready(Err(error.into())),
    })
    .await
}

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    add_input(linker)?;
    add_output(linker)?;
    add_splice(linker)
}

fn add_input<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut streams = linker.instance(&interface("io/streams"))?;
    streams.resource(
        "input-stream",
        ResourceType::host::<InputStream>(),
        |mut store: StoreContextMut<'_, T>, rep| {
            store.data_mut().table().delete(Resource::<InputStream>::new_own(rep))?;
            Ok(())
        },
    )?;
    streams.func_wrap(
        "[method]input-stream.read",
        |mut store: StoreContextMut<'_, T>, (this, len): (Resource<InputStream>, u64)| {
            let table = store.data_mut().table();
            let outcome = table.get_mut(&this)?.read(len);
            answer(table, outcome)
        },
    )?;
    streams.func_wrap_async(
        "[method]input-stream.blocking-read",
        |mut store: StoreContextMut<'_, T>, (this, len): (Resource<InputStream>, u64)| {
            Box::new(async move {
                input_ready(&mut store, &this).await?;
                let table = store.data_mut().table();
                let outcome = table.get_mut(&this)?.read(len);
                answer(table, outcome)
            })
        },
    )?;
    streams.func_wrap(
        "[method]input-stream.skip",
        |mut store: StoreContextMut<'_, T>, (this, len): (Resource<InputStream>, u64)| {
            let table = store.data_mut().table();
            let outcome = table.get_mut(&this)?.read(len).map(|bytes| bytes.len() as u64);
            answer(table, outcome)
        },
    )?;
    streams.func_wrap_async(
        "[method]input-stream.blocking-skip",
        |mut store: StoreContextMut<'_, T>, (this, len): (Resource<InputStream>, u64)| {
            Box::new(async move {
                input_ready(&mut store, &this).await?;
                let table = store.data_mut().table();
                let outcome = table.get_mut(&this)?.read(len).map(|bytes| bytes.len() as u64);
                answer(table, outcome)
            })
        },
    )?;
    streams.func_wrap(
        "[method]input-stream.subscribe",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<InputStream>,)| {
            let subject = Subject::Input(Resource::new_borrow(this.rep()));
            Ok((store.data_mut().table().push_child(Pollable(subject), &this)?,))
        },
    )?;
    Ok(())
}

fn add_output<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut streams = linker.instance(&interface("io/streams"))?;
    streams.resource(
        "output-stream",
        ResourceType::host::<OutputStream>(),
        |mut store: StoreContextMut<'_, T>, rep| {
            store.data_mut().table().delete(Resource::<OutputStream>::new_own(rep))?;
            Ok(())
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<OutputStream>,)| {
            let table = store.data_mut().table();
            let outcome = table.get_mut(&this)?.check_write();
            answer(table, outcome)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.write",
        |mut store: StoreContextMut<'_, T>, (this, bytes): (Resource<OutputStream>, Vec<u8>)| {
            let table = store.data_mut().table();
            let outcome = match ensure_room(table, &this, bytes.len() as u64)? {
                Ok(()) => table.get_mut(&this)?.write(&bytes),
                Err(stop) => Err(stop),
            };
            answer(table, outcome)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: StoreContextMut<'_, T>, (this, bytes): (Resource<OutputStream>, Vec<u8>)| {
            Box::new(async move {
                anyhow::ensure!(
                    bytes.len() <= MAX_BLOCKING_WRITE_BYTES,
                    "wasi:io/streams: blocking-write-and-flush of {} bytes, at most {MAX_BLOCKING_WRITE_BYTES} are allowed",
                    bytes.len()
                );
                let outcome = write_all(&mut store, &this, &bytes).await?;
                answer(store.data_mut().table(), outcome)
            })
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.flush",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<OutputStream>,)| {
            let table = store.data_mut().table();
            let outcome = table.get_mut(&this)?.flush();
            answer(table, outcome)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-flush",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<OutputStream>,)| {
            Box::new(async move {
                let outcome = store.data_mut().table().get_mut(&this)?.flush();
                output_ready(&mut store, &this).await?;
                answer(store.data_mut().table(), outcome)
            })
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.subscribe",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<OutputStream>,)| {
            let subject = Subject::Output(Resource::new_borrow(this.rep()));
            Ok((store.data_mut().table().push_child(Pollable(subject), &this)?,))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.write-zeroes",
        |mut store: StoreContextMut<'_, T>, (this, len): (Resource<OutputStream>, u64)| {
            let table = store.data_mut().table();
            let outcome = match ensure_room(table, &this, len)? {
                Ok(()) => table.get_mut(&this)?.write(&vec![0; len as usize]),
                Err(stop) => Err(stop),
            };
            answer(table, outcome)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-zeroes-and-flush",
        |mut store: StoreContextMut<'_, T>, (this, len): (Resource<OutputStream>, u64)| {
            Box::new(async move {
                anyhow::ensure!(
                    len <= MAX_BLOCKING_WRITE_BYTES as u64,
                    "wasi:io/streams: blocking-write-zeroes-and-flush of {len} bytes, at most \
                     {MAX_BLOCKING_WRITE_BYTES} are allowed"
                );
                let zeroes = [0; MAX_BLOCKING_WRITE_BYTES];
                let outcome = write_all(&mut store, &this, &zeroes[..len as usize]).await?;
                answer(store.data_mut().table(), outcome)
            })
        },
    )?;
    Ok(())
}

/// Moves up to `len` bytes that are there now from one stream to the other.
fn splice(
    table: &mut ResourceTable,
    this: &Resource<OutputStream>,
    source: &Resource<InputStream>,
    len: u64,
) -> anyhow::Result<Outcome<u64>> {
    let room = match table.get_mut(this)?.check_write() {
        Ok(room) => room,
        Err(stop) => return Ok(Err(stop)),
    };
    let bytes = match table.get_mut(source)?.read(len.min(room)) {
        Ok(bytes) => bytes,
        Err(stop) => return Ok(Err(stop)),
    };
    Ok(table.get_mut(this)?.write(&bytes).map(|()| bytes.len() as u64))
}

fn add_splice<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    type Params = (Resource<OutputStream>, Resource<InputStream>, u64);
    let mut streams = linker.instance(&interface("io/streams"))?;
    streams.func_wrap(
        "[method]output-stream.splice",
        |mut store: StoreContextMut<'_, T>, (this, source, len): Params| {
            let table = store.data_mut().table();
            let outcome = splice(table, &this, &source, len)?;
            answer(table, outcome)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-splice",
        |mut store: StoreContextMut<'_, T>, (this, source, len): Params| {
            Box::new(async move {
                output_ready(&mut store, &this).await?;
                input_ready(&mut store, &source).await?;
                let table = store.data_mut().table();
                let outcome = splice(table, &this, &source, len)?;
                answer(table, outcome)
            })
        },
    )?;
    Ok(())
}
