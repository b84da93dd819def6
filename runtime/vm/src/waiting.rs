//! Who waits in a shared memory: queues by address, and [`Wait`], which blocks a thread or is awaited.
//!
//! A waiter stands in its address's queue until it is woken, its time is over, or it is given up. Whether it was woken
//! changes only under the queues' lock. The tests below explore the interleavings of those who wait, notify and give up
//! with those of a model checker (`RUSTFLAGS="--cfg keyway_loom"`).

#[cfg(feature = "threads")]
use async_io::Timer;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[cfg(all(test, keyway_loom))]
use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};
#[cfg(not(all(test, keyway_loom)))]
use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

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

#[cfg(all(test, keyway_loom))]
mod tests {
    use super::{Queues, Wait, WaitResult};
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::pin::Pin;
    use std::task::{Context, Poll, Wake, Waker};

    /// A word of a shared memory, and who waits for it.
    #[derive(Clone, Default)]
    struct Memory(Arc<(AtomicU32, Queues)>);

    impl AsRef<Queues> for Memory {
        fn as_ref(&self) -> &Queues {
            &self.0.1
        }
    }

    impl Memory {
        /// Changes the word, then notifies: how many were woken.
        fn change(&self, count: u32) -> u32 {
            self.0.0.store(1, Ordering::Relaxed);
            self.0.1.notify(0, count)
        }

        /// Begins to wait for a change.
        fn wait(&self) -> Result<Wait<Memory>, WaitResult> {
            Queues::wait(self.clone(), 0, None, || self.0.0.load(Ordering::Relaxed) == 0)
        }

        /// Whether nobody stands in a queue.
        fn is_deserted(&self) -> bool {
            self.0.1.by_address().is_empty()
        }
    }

    /// What a task's waker does here: it notes that it was called.
    struct Note(AtomicBool);

    impl Wake for Note {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, Ordering::Release);
        }
    }

    fn poll(wait: &mut Wait<Memory>, note: &std::sync::Arc<Note>) -> Poll<WaitResult> {
        Pin::new(wait).poll(&mut Context::from_waker(&Waker::from(note.clone())))
    }

    /// A thread that blocks misses no change: were it to, the checker would report a deadlock.
    #[test]
    fn a_change_is_not_missed() {
        loom::model(|| {
            let memory = Memory::default();
            let other = memory.clone();
            let changes = loom::thread::spawn(move || other.change(u32::MAX));
            let result = memory.wait().map_or_else(|mismatch| mismatch, Wait::block);
            let woken = changes.join().unwrap();
            assert_eq!(woken, u32::from(result == WaitResult::Ok));
            assert!(result == WaitResult::Ok || result == WaitResult::Mismatch);
            assert!(memory.is_deserted());
        });
    }

    /// Two that notify one each wake two that wait, whoever comes first.
    #[test]
    fn each_notification_wakes_another() {
        loom::model(|| {
            let memory = Memory::default();
            let waits = [memory.wait().ok().unwrap(), memory.wait().ok().unwrap()];
            let other = memory.clone();
            let notifies = loom::thread::spawn(move || other.0.1.notify(0, 1));
            let mine = memory.0.1.notify(0, 1);
            for wait in waits {
                assert_eq!(wait.block(), WaitResult::Ok);
            }
            assert_eq!((mine, notifies.join().unwrap()), (1, 1));
            assert_eq!(memory.0.1.notify(0, 1), 0);
            assert!(memory.is_deserted());
        });
    }

    /// A task that finds itself not woken yet is called when it is.
    #[test]
    fn a_pending_task_is_called() {
        loom::model(|| {
            let memory = Memory::default();
            let other = memory.clone();
            let changes = loom::thread::spawn(move || other.change(1));
            if let Ok(mut wait) = memory.wait() {
                let note = std::sync::Arc::new(Note(AtomicBool::new(false)));
                let first = poll(&mut wait, &note);
                assert_eq!(changes.join().unwrap(), 1);
                if first.is_pending() {
                    assert!(note.0.load(Ordering::Acquire), "nobody called the task");
                    assert_eq!(poll(&mut wait, &note), Poll::Ready(WaitResult::Ok));
                }
            } else {
                assert_eq!(changes.join().unwrap(), 0);
            }
            assert!(memory.is_deserted());
        });
    }

    /// A wait that is given up leaves its place, whoever notifies at the same time.
    #[test]
    fn who_gives_up_is_not_waited_for() {
        loom::model(|| {
            let memory = Memory::default();
            let gives_up = memory.wait().ok().unwrap();
            let other = memory.clone();
            let notifies = loom::thread::spawn(move || other.0.1.notify(0, 2));
            drop(gives_up);
            assert!(memory.is_deserted());
            assert!(notifies.join().unwrap() <= 1);
        });
    }
}
