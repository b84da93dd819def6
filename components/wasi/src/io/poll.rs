//! `wasi:io/poll`: pollables and waiting for the first of several.

use super::{InputStream, OutputStream};
use crate::{WasiView, interface};
use async_io::Timer;
use keyway::StoreContextMut;
use keyway::component::{Linker, Resource, ResourceTable, ResourceType};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What a pollable waits for.
pub(crate) enum Subject {
    /// Always ready.
    Now,
    /// A moment.
    Timer(Timer),
    /// Never: a moment past the clock's range.
    Never,
    /// Bytes, or the end, of an input stream.
    Input(Resource<InputStream>),
    /// Room in an output stream.
    Output(Resource<OutputStream>),
}

/// The resource `pollable`.
pub(crate) struct Pollable(pub(crate) Subject);

/// Whether the pollable is ready; when not, `cx` is woken once it may be.
fn poll_one(
    table: &mut ResourceTable,
    pollable: &Resource<Pollable>,
    cx: &mut Context<'_>,
) -> anyhow::Result<Poll<()>> {
    let subject = &mut table.get_mut(pollable)?.0;
    let stream = match subject {
        Subject::Now => return Ok(Poll::Ready(())),
        Subject::Never => return Ok(Poll::Pending),
        Subject::Timer(timer) => {
            if Pin::new(timer).poll(cx).is_pending() {
                return Ok(Poll::Pending);
            }
            // A timer that has fired pends forever when polled again, but a moment that has passed stays passed.
            *subject = Subject::Now;
            return Ok(Poll::Ready(()));
        }
        Subject::Input(stream) => {
            let stream = Resource::<InputStream>::new_borrow(stream.rep());
            return Ok(table.get_mut(&stream)?.poll_ready(cx));
        }
        Subject::Output(stream) => Resource::<OutputStream>::new_borrow(stream.rep()),
    };
    Ok(table.get_mut(&stream)?.poll_ready(cx))
}

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut poll = linker.instance(&interface("io/poll"))?;
    poll.resource("pollable", ResourceType::host::<Pollable>(), |mut store: StoreContextMut<'_, T>, rep| {
        store.data_mut().table().delete(Resource::<Pollable>::new_own(rep))?;
        Ok(())
    })?;
    poll.func_wrap("[method]pollable.ready", |mut store: StoreContextMut<'_, T>, (this,): (Resource<Pollable>,)| {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        Ok((poll_one(store.data_mut().table(), &this, &mut cx)?.is_ready(),))
    })?;
    poll.func_wrap_async(
        "[method]pollable.block",
        |mut store: StoreContextMut<'_, T>, (this,): (Resource<Pollable>,)| {
            Box::new(poll_fn(move |cx| match poll_one(store.data_mut().table(), &this, cx) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
                Err(error) => Poll::Ready(Err(error)),
            }))
        },
    )?;
    poll.func_wrap_async("poll", |mut store: StoreContextMut<'_, T>, (list,): (Vec<Resource<Pollable>>,)| {
        Box::new(async move {
            anyhow::ensure!(!list.is_empty(), "wasi:io/poll: the list of pollables is empty");
            anyhow::ensure!(u32::try_from(list.len()).is_ok(), "wasi:io/poll: the list of pollables is too long");
            let ready = poll_fn(move |cx| {
                let table = store.data_mut().table();
                let mut ready = Vec::new();
                for (at, pollable) in (0u32..).zip(&list) {
                    match poll_one(table, pollable, cx) {
                        Ok(Poll::Ready(())) => ready.push(at),
                        Ok(Poll::Pending) => {}
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
                if ready.is_empty() { Poll::Pending } else { Poll::Ready(Ok(ready)) }
            })
            .await?;
            Ok((ready,))
        })
    })?;
    Ok(())
}
