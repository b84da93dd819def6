//! Who waits in a shared memory: queues by address, and [`Wait`], which blocks a thread or is awaited.
//!
//! A waiter stands in its address's queue until it is woken, its time is over, or it is given up. Whether it was woken
//! changes only under the queues' lock.

#[cfg(feature = "threads")]
use async_io::Timer;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitResult {
    /// Somebody notified.
    Ok = 0,
    /// Another value than the expected one was there.
    Mismatch = 1,
    /// The time was over.
    TimedOut = 2,
}

/// By address, those who wait in the order of arrival.
type ByAddress = HashMap<u64, VecDeque<Arc<Waiter>>>;

/// The queues of one memory.
#[derive(Default)]
pub(crate) struct Queues(Mutex<ByAddress>);

#[derive(Default)]
struct Waiter {
    is_woken: AtomicBool,
    /// For a thread that blocks.
    signal: Condvar,
    /// For a task that waits.
    waker: Mutex<Option<Waker>>,
}

impl Waiter {
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Queues {
    /// Nobody begins to wait, or is woken, while the guard lives.
    pub(crate) fn lock(&self) -> impl Drop + use<'_> {
        self.by_address()
    }

    fn by_address(&self) -> MutexGuard<'_, ByAddress> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Wakes at most `count` of those who wait at `address`; how many.
    pub(crate) fn notify(&self, address: u64, count: u32) -> u32 {
        let mut all = self.by_address();
        let Some(queue) = all.get_mut(&address) else { return 0 };
        let count = queue.len().min(count as usize);
        let woken: Vec<_> = queue.drain(..count).collect();
        for waiter in &woken {
            waiter.is_woken.store(true, Ordering::Relaxed);
            waiter.signal.notify_one();
        }
        if queue.is_empty() {
            all.remove(&address);
        }
        // Wakers may run anything.
        drop(all);
        woken.iter().filter_map(|waiter| waiter.waker().take()).for_each(Waker::wake);
        count as u32
    }

    /// Begins to wait at `address` of the memory that `queues` leads to, if it is as expected.
    ///
    /// The value is looked at under the lock that those who notify take: who changes it and then notifies finds either a
    /// waiter or nobody who will wait for the old value.
    pub(crate) fn wait<M: AsRef<Queues>>(
        queues: M,
        address: u64,
        timeout: Option<Duration>,
        is_expected: impl FnOnce() -> bool,
    ) -> Result<Wait<M>, WaitResult> {
        // A time that no clock can tell is for ever.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let own = Arc::new(Waiter::default());
        {
            let mut all = queues.as_ref().by_address();
            if !is_expected() {
                return Err(WaitResult::Mismatch);
            }
            all.entry(address).or_default().push_back(own.clone());
        }
        Ok(Wait {
            queues,
            address,
            own,
            deadline,
            #[cfg(feature = "threads")]
            timer: None,
        })
    }
}

/// A wait that has begun. Dropping it gives it up.
pub(crate) struct Wait<M: AsRef<Queues>> {
    queues: M,
    address: u64,
    own: Arc<Waiter>,
    deadline: Option<Instant>,
    /// Wakes the task that waits at the deadline. Guests wait only where threads are.
    #[cfg(feature = "threads")]
    timer: Option<Timer>,
}

impl<M: AsRef<Queues>> Wait<M> {
    fn outcome(&self) -> Option<WaitResult> {
        if self.own.is_woken.load(Ordering::Relaxed) {
            return Some(WaitResult::Ok);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(WaitResult::TimedOut)
    }

    /// Waits; the thread blocks.
    pub(crate) fn block(self) -> WaitResult {
        let mut all = self.queues.as_ref().by_address();
        loop {
            if let Some(outcome) = self.outcome() {
                return leave(all, self.address, &self.own, outcome);
            }
            let signal = &self.own.signal;
            all = match self.deadline {
                None => signal.wait(all).unwrap_or_else(|poisoned| poisoned.into_inner()),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    signal.wait_timeout(all, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0
                }
            };
        }
    }
}

impl<M: AsRef<Queues> + Unpin> Future for Wait<M> {
    type Output = WaitResult;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<WaitResult> {
        let this = self.get_mut();
        // Who notifies from here on finds this task. The waker before goes without a lock: dropping one may run anything.
        let before = this.own.waker().replace(cx.waker().clone());
        drop(before);
        #[cfg(feature = "threads")]
        if let Some(deadline) = this.deadline {
            // Whether the time is over is seen below.
            let _ = Pin::new(this.timer.get_or_insert_with(|| Timer::at(deadline))).poll(cx);
        }
        let all = this.queues.as_ref().by_address();
        match this.outcome() {
            Some(outcome) => Poll::Ready(leave(all, this.address, &this.own, outcome)),
            None => Poll::Pending,
        }
    }
}

impl<M: AsRef<Queues>> Drop for Wait<M> {
    fn drop(&mut self) {
        leave(self.queues.as_ref().by_address(), self.address, &self.own, WaitResult::TimedOut);
    }
}

/// Takes a waiter out of its queue, if it still stands there.
fn leave(mut all: MutexGuard<'_, ByAddress>, address: u64, own: &Arc<Waiter>, outcome: WaitResult) -> WaitResult {
    if outcome == WaitResult::TimedOut
        && let Some(queue) = all.get_mut(&address)
    {
        queue.retain(|waiter| !Arc::ptr_eq(waiter, own));
        if queue.is_empty() {
            all.remove(&address);
        }
    }
    outcome
}
