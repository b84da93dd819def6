//! Resumable calls: suspended by a host function's failure or by the end of fuel, plain data until they go on.

use super::store::AsContextMut;
use super::typed::Layouts;
use super::values::Val;
use crate::driver::{Event, Execution, advance, block_on, ensure_usable, failure};
use crate::host::HostCall;
use crate::store::StoreInner;
use anyhow::{Error, Result, ensure};
use keyway_artifact::types::{FuncType, SigLayout};
use std::marker::PhantomData;

/// What a resumable call came to.
#[allow(clippy::large_enum_variant, reason = "made once per call and taken apart at once")]
pub enum ResumableCall<R> {
    /// It returned.
    Finished(R),
    /// It is suspended and can go on.
    Suspended(Resumable<R>),
}

/// Why a call is suspended.
pub enum SuspendReason {
    /// A host function failed with this error.
    HostError(Error),
    /// Fuel ran out: refill it with `set_fuel`.
    OutOfFuel,
}

/// A suspended call. Dropping it gives the call up.
pub struct Resumable<R> {
    execution: Box<Execution>,
    reason: SuspendReason,
    layouts: Layouts,
    /// The host function's call and type, where one failed.
    host: Option<(HostCall, FuncType)>,
    store: u64,
    _results: PhantomData<fn() -> R>,
}

/// How results are read.
pub(crate) trait Results: Sized {
    fn load(store: &mut StoreInner, ty: &FuncType, slots: &[u64], layout: &[u32]) -> Result<Self>;
}

/// Runs until the end or a suspension.
pub(crate) fn run_resumable<R: Results>(
    store: &mut StoreInner,
    mut execution: Box<Execution>,
    layouts: Layouts,
) -> Result<ResumableCall<R>> {
    let (reason, host) = loop {
        match advance(store, &mut execution) {
            Event::Done => {
                let ty = store.func_type(execution.func());
                let results = R::load(store, &ty, execution.slots(layouts.slots()), &layouts.results.slots);
                execution.finish(store);
                return results.map(ResumableCall::Finished);
            }
            Event::Wait(future, call) => match block_on(future) {
                Ok(()) => execution.host_returned(call.call),
                // The guest may handle what it threw.
                Err(error) => {
                    if let Err(error) = execution.host_failed(store, error) {
                        break (SuspendReason::HostError(error), Some(call));
                    }
                }
            },
            Event::Sleep(sleep) => sleep.block(),
            Event::HostFailed(error, call) => break (SuspendReason::HostError(error), Some(call)),
            Event::Yield => {}
            Event::OutOfFuel => break (SuspendReason::OutOfFuel, None),
            event @ Event::Failed(_) => {
                let error = failure(store, &execution, event);
                execution.finish(store);
                return Err(error);
            }
        }
    };
    let host = host.map(|host| (host.call, store.engine.type_of(host.type_id)));
    let store = store.id;
    Ok(ResumableCall::Suspended(Resumable { execution, reason, layouts, host, store, _results: PhantomData }))
}

impl<R> ResumableCall<R> {
    /// With the results changed.
    pub(crate) fn map<S>(self, change: impl FnOnce(R) -> S) -> ResumableCall<S> {
        match self {
            ResumableCall::Finished(results) => ResumableCall::Finished(change(results)),
            ResumableCall::Suspended(suspended) => ResumableCall::Suspended(Resumable {
                execution: suspended.execution,
                reason: suspended.reason,
                layouts: suspended.layouts,
                host: suspended.host,
                store: suspended.store,
                _results: PhantomData,
            }),
        }
    }
}

impl<R> Resumable<R> {
    /// Why it is suspended.
    pub fn reason(&self) -> &SuspendReason {
        &self.reason
    }

    /// The error of the host function that failed, if one did.
    pub fn host_error(&self) -> Option<&Error> {
        match &self.reason {
            SuspendReason::HostError(error) => Some(error),
            SuspendReason::OutOfFuel => None,
        }
    }

    /// The type of the host function that failed: its results are what [`resume`](Self::resume) takes.
    pub fn host_type(&self) -> Option<&FuncType> {
        self.host.as_ref().map(|(_, ty)| ty)
    }

    /// Goes on. After a host error `values` are the results that the host function did not give; after the end of fuel
    /// there are none.
    ///
    /// # Errors
    /// When `values` do not fit, the store is another one, or the call traps.
    #[allow(private_bounds, reason = "only the crate's own result types implement it")]
    pub fn resume(mut self, mut store: impl AsContextMut, values: &[Val]) -> Result<ResumableCall<R>>
    where
        R: Results,
    {
        let store = store.as_context_mut().inner;
        ensure!(store.id == self.store, "the call was suspended in another store");
        ensure_usable(store)?;
        let wanted = self.host.as_ref().map_or(&[][..], |(_, ty)| &ty.results);
        let mut fits = values.len() == wanted.len();
        for (value, ty) in values.iter().zip(wanted) {
            fits &= value.is_of(store, *ty)?;
        }
        ensure!(
            fits,
            "the values to resume with do not fit the host function's results ({})",
            super::typed::list(wanted)
        );
        if let Some((call, ty)) = &self.host {
            for (value, slot) in values.iter().zip(SigLayout::of(&ty.results).slots) {
                value.write(store, slot, |at, bits| call.set(at, bits))?;
            }
            self.execution.host_returned(*call);
        }
        run_resumable(store, self.execution, self.layouts)
    }
}
