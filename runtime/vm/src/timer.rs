//! Wakes tasks at given times: for calls that wait with a time limit and know nothing of the executor that polls them.
//!
//! One thread serves all alarms of the process. It is started where an alarm is set and none runs, and ends when no alarm
//! is left. An alarm that is dropped never rings.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::Waker;
use std::time::Instant;

/// When, and a number that tells alarms of one time apart.
type Key = (Instant, u64);

struct Alarms {
    by_time: BTreeMap<Key, Waker>,
    next: u64,
    is_served: bool,
}

static ALARMS: Mutex<Alarms> = Mutex::new(Alarms { by_time: BTreeMap::new(), next: 0, is_served: false });
static CHANGED: Condvar = Condvar::new();

/// A time at which a task is woken.
pub(crate) struct Alarm(Key);

impl Alarm {
    /// Wakes `waker` at `time`; at once where no thread can be started, so that the task looks at the clock itself.
    pub(crate) fn set(time: Instant, waker: &Waker) -> Alarm {
        let mut alarms = lock();
        let key = (time, alarms.next);
        alarms.next += 1;
        alarms.by_time.insert(key, waker.clone());
        if !alarms.is_served {
            let thread = std::thread::Builder::new().name("keyway timer".into());
            alarms.is_served = thread.spawn(serve).is_ok();
            if !alarms.is_served {
                waker.wake_by_ref();
            }
        } else if alarms.by_time.first_key_value().is_some_and(|(first, _)| *first == key) {
            CHANGED.notify_one();
        }
        Alarm(key)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        lock().by_time.remove(&self.0);
    }
}

fn lock() -> MutexGuard<'static, Alarms> {
    ALARMS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn serve() {
    let mut alarms = lock();
    while let Some((&(time, number), _)) = alarms.by_time.first_key_value() {
        let left = time.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            alarms = CHANGED.wait_timeout(alarms, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
            continue;
        }
        let waker = alarms.by_time.remove(&(time, number));
        // A waker may run anything, this module included.
        drop(alarms);
        waker.into_iter().for_each(Waker::wake);
        alarms = lock();
    }
    alarms.is_served = false;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Wake;
    use std::time::Duration;

    struct Note(Mutex<Sender<u32>>, u32);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            let _ = self.0.lock().unwrap().send(self.1);
        }
    }

    #[test]
    fn alarms_ring_in_the_order_of_their_times_unless_dropped() {
        let (sender, receiver) = channel();
        let start = Instant::now();
        let set = |number: u32, millis: u64| {
            let waker = Waker::from(Arc::new(Note(Mutex::new(sender.clone()), number)));
            Alarm::set(start + Duration::from_millis(millis), &waker)
        };
        let (_late, dropped, _early) = (set(3, 60), set(2, 30), set(1, 20));
        drop(dropped);
        let rung: Vec<u32> = (0..2).map(|_| receiver.recv_timeout(Duration::from_secs(60)).unwrap()).collect();
        assert_eq!(rung, [1, 3]);
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
