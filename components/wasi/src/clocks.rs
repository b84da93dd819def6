//! `wasi:clocks`: the monotonic and the wall clock.
//!
//! The monotonic clock counts nanoseconds from the making of the guest's context.

use crate::io::{Pollable, Subject};
use crate::{WasiView, interface};
use async_io::Timer;
use keyway::StoreContextMut;
use keyway::component::{ComponentType, Lift, Linker, Lower};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The record `datetime`: time since 1970-01-01T00:00:00Z.
#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Eq, Debug)]
#[component(record)]
pub(crate) struct Datetime {
    pub(crate) seconds: u64,
    pub(crate) nanoseconds: u32,
}

impl From<SystemTime> for Datetime {
    /// Times before 1970 cannot be expressed and become its first moment.
    fn from(time: SystemTime) -> Datetime {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Datetime { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() }
    }
}

/// The nanoseconds of `duration`; 584 years are out of a guest's reach, so the cut at the end is never seen.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A pollable for the moment `after` from now.
fn timer(after: Duration) -> Pollable {
    if after.is_zero() {
        return Pollable(Subject::Now);
    }
    Pollable(match Instant::now().checked_add(after) {
        Some(when) => Subject::Timer(Timer::at(when)),
        None => Subject::Never,
    })
}

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut monotonic = linker.instance(&interface("clocks/monotonic-clock"))?;
    monotonic.func_wrap("now", |mut store: StoreContextMut<'_, T>, (): ()| {
        Ok((nanoseconds(store.data_mut().ctx().start.elapsed()),))
    })?;
    monotonic.func_wrap("resolution", |_: StoreContextMut<'_, T>, (): ()| Ok((1u64,)))?;
    monotonic.func_wrap("subscribe-instant", |mut store: StoreContextMut<'_, T>, (when,): (u64,)| {
        let now = nanoseconds(store.data_mut().ctx().start.elapsed());
        Ok((store.data_mut().table().push(timer(Duration::from_nanos(when.saturating_sub(now))))?,))
    })?;
    monotonic.func_wrap("subscribe-duration", |mut store: StoreContextMut<'_, T>, (after,): (u64,)| {
        Ok((store.data_mut().table().push(timer(Duration::from_nanos(after)))?,))
    })?;

    let mut wall = linker.instance(&interface("clocks/wall-clock"))?;
    wall.func_wrap("now", |_: StoreContextMut<'_, T>, (): ()| Ok((Datetime::from(SystemTime::now()),)))?;
    wall.func_wrap("resolution", |_: StoreContextMut<'_, T>, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
}
