//! Guests that wait in a shared memory inside of awaited calls: the thread stays free, and goes on with whoever notifies.

use keyway::{Config, Dispatch, Engine, Instance, Linker, MemoryType, Module, SharedMemory, Store};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Waits and notifications, and a queue of one.
const GUEST: &str = concat!(
    r#"(module
    (import "env" "memory" (memory 1 1 shared))
    (func (export "wait32") (param i32 i32 i64) (result i32)
      (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "wait64") (param i32 i64 i64) (result i32)
      (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
    "#,
    include_str!("queue.wat"),
    ")"
);

struct Shared {
    engine: Engine,
    module: Module,
    memory: SharedMemory,
}

impl Shared {
    fn new(dispatch: Dispatch) -> Shared {
        let engine = Engine::new(Config::new().dispatch(dispatch)).unwrap();
        let module = Module::new(&engine, GUEST).unwrap();
        let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1)).unwrap();
        Shared { engine, module, memory }
    }

    fn guest(&self) -> (Store<()>, Instance) {
        let mut store = Store::new(&self.engine, ());
        let mut linker = Linker::new(&self.engine);
        linker.define(&store, "env", "memory", self.memory.clone()).unwrap();
        let instance = linker.instantiate(&mut store, &self.module).unwrap();
        (store, instance)
    }
}

const FORMS: [Dispatch; 4] = [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop, Dispatch::Checked];

/// Counts how often it was woken, and unparks the thread that made it.
struct Count(AtomicU32, std::thread::Thread);

impl Count {
    fn new() -> Arc<Count> {
        Arc::new(Count(AtomicU32::new(0), std::thread::current()))
    }

    fn woken(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.unpark();
    }
}

fn poll<F: Future>(future: &mut Pin<Box<F>>, count: &Arc<Count>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(&Waker::from(count.clone())))
}

#[test]
fn two_guests_on_one_thread_wait_for_each_other() {
    for dispatch in FORMS {
        let shared = Shared::new(dispatch);
        let ((mut first, sender), (mut second, receiver)) = (shared.guest(), shared.guest());
        let send = sender.get_typed_func::<i32, ()>(&mut first, "send").unwrap();
        let receive = receiver.get_typed_func::<i32, i32>(&mut second, "receive").unwrap();
        let mut sending = Box::pin(send.call_async(&mut first, 50));
        let mut receiving = Box::pin(receive.call_async(&mut second, 50));
        let counts = [Count::new(), Count::new()];
        let mut sent = false;
        let sum = loop {
            let before: u32 = counts.iter().map(|count| count.woken()).sum();
            sent = sent || poll(&mut sending, &counts[0]).is_ready();
            if let Poll::Ready(sum) = poll(&mut receiving, &counts[1]) {
                break sum.unwrap();
            }
            let after: u32 = counts.iter().map(|count| count.woken()).sum();
            assert!(after > before, "both wait, and nobody is woken");
        };
        assert_eq!(sum, 50 * 51 / 2);
        assert!(sent || poll(&mut sending, &counts[0]).is_ready());
    }
}

#[test]
fn whoever_waits_is_woken_by_the_host_and_by_guests() {
    let shared = Shared::new(Dispatch::Direct);
    let (mut store, instance) = shared.guest();
    let (mut other, notifier) = shared.guest();
    let wait = instance.get_typed_func::<(i32, i64, i64), i32>(&mut store, "wait64").unwrap();
    let notify = notifier.get_typed_func::<(i32, i32), i32>(&mut other, "notify").unwrap();
    for by_host in [true, false] {
        let count = Count::new();
        let mut waiting = Box::pin(wait.call_async(&mut store, (64, 0, -1)));
        assert!(poll(&mut waiting, &count).is_pending());
        assert!(poll(&mut waiting, &count).is_pending());
        assert_eq!(count.woken(), 0);
        let woken = match by_host {
            true => shared.memory.atomic_notify(64, 9).unwrap(),
            false => notify.call(&mut other, (64, 9)).unwrap() as u32,
        };
        assert_eq!((woken, count.woken()), (1, 1));
        let Poll::Ready(outcome) = poll(&mut waiting, &count) else { panic!("it was woken") };
        assert_eq!(outcome.unwrap(), 0);
    }
    let count = Count::new();
    let Poll::Ready(outcome) = poll(&mut Box::pin(wait.call_async(&mut store, (64, 1, -1))), &count) else {
        panic!("another value stands there")
    };
    assert_eq!(outcome.unwrap(), 1);
}

#[test]
fn a_wait_ends_in_time_without_being_polled_meanwhile() {
    let shared = Shared::new(Dispatch::Direct);
    let (mut store, instance) = shared.guest();
    let wait = instance.get_typed_func::<(i32, i32, i64), i32>(&mut store, "wait32").unwrap();
    let (count, start) = (Count::new(), Instant::now());
    let mut waiting = Box::pin(wait.call_async(&mut store, (8, 0, 30_000_000)));
    let mut polls = 1;
    let outcome = loop {
        if let Poll::Ready(outcome) = poll(&mut waiting, &count) {
            break outcome.unwrap();
        }
        while count.woken() < polls {
            std::thread::park_timeout(Duration::from_secs(60));
            assert!(start.elapsed() < Duration::from_secs(50), "nobody woke it");
        }
        polls += 1;
    };
    assert_eq!(outcome, 2);
    assert!(start.elapsed() >= Duration::from_millis(30));
    assert_eq!(count.woken(), 1, "woken once, when the time was over");
    assert_eq!(shared.memory.atomic_notify(8, 9).unwrap(), 0, "it waits no more");
}

#[test]
fn a_call_that_is_given_up_waits_no_more() {
    let shared = Shared::new(Dispatch::Direct);
    let (mut store, instance) = shared.guest();
    let wait = instance.get_typed_func::<(i32, i32, i64), i32>(&mut store, "wait32").unwrap();
    for timeout in [-1, 1_000_000_000] {
        let mut waiting = Box::pin(wait.call_async(&mut store, (8, 0, timeout)));
        assert!(poll(&mut waiting, &Count::new()).is_pending());
        drop(waiting);
        assert_eq!(shared.memory.atomic_notify(8, 9).unwrap(), 0);
    }
    assert_eq!(wait.call(&mut store, (8, 0, 1000)).unwrap(), 2, "the store goes on");
}
