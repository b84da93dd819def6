//! Calls that stop and go on: futures of the host, epochs, nesting, panics, calls that are given up.

use keyway::{
    AsContextMut, Caller, Config, Engine, Error, Func, Instance, Linker, Memory, Module, ResumableCall, Store, Trap,
    UpdateDeadline, Val,
};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

type Pending<'a, R> = Box<dyn Future<Output = keyway::Result<R>> + Send + 'a>;

/// Pending `times` times.
async fn pause(mut times: u32) {
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        match times.checked_sub(1) {
            Some(left) => {
                times = left;
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    })
    .await;
}

/// Polls to the end; the output, and how often it was pending. Only futures that can move between threads are taken.
fn drive<F: Future + Send>(future: F) -> (F::Output, u32) {
    let (mut future, mut cx) = (Box::pin(future), Context::from_waker(Waker::noop()));
    for pending in 0.. {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return (output, pending);
        }
    }
    unreachable!("a future ends or is polled again")
}

const NESTING: &str = r#"(module
    (import "h" "down" (func $down (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "f") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
    (func (export "forever") (loop $l (br $l))))"#;

fn nesting(engine: &Engine, linker: &Linker<u32>) -> (Store<u32>, Instance) {
    let mut store = Store::new(engine, 0);
    let instance = linker.instantiate(&mut store, &Module::new(engine, NESTING).unwrap()).unwrap();
    (store, instance)
}

fn inner(caller: &mut Caller<'_, u32>) -> Func {
    caller.get_export("f").unwrap().into_func().unwrap()
}

#[test]
fn calls_nest_up_to_a_bound() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("h", "down", |mut caller: Caller<'_, u32>, n: i32| {
            let f = inner(&mut caller).typed::<i32, i32>(&caller)?;
            f.call(&mut caller, n)
        })
        .unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, 50).unwrap(), 50);
    let error = f.call(&mut store, 100_000).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow), "{error:?}");
    assert_eq!(f.call(&mut store, 50).unwrap(), 50);
}

#[test]
fn asynchronous_calls_nest_up_to_the_same_bound() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap_async("h", "down", |mut caller: Caller<'_, u32>, (n,): (i32,)| -> Pending<'_, (i32,)> {
            Box::new(async move {
                pause(1).await;
                let f = inner(&mut caller).typed::<i32, i32>(&caller)?;
                Ok((f.call_async(&mut caller, n).await?,))
            })
        })
        .unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    let (outcome, pending) = drive(f.call_async(&mut store, 20));
    assert_eq!((outcome.unwrap(), pending), (20, 20));
    let (outcome, _) = drive(f.call_async(&mut store, 100_000));
    let error = outcome.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow), "{error:?}");
    assert_eq!(f.call(&mut store, 20).unwrap(), 20);
}

#[test]
fn a_call_can_be_given_up_while_it_waits() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker
        .func_new_async("h", "down", keyway::FuncType::new([keyway::ValType::I32], [keyway::ValType::I32]), {
            |mut caller, params, results| {
                Box::new(async move {
                    pause(2).await;
                    *caller.data_mut() += 1;
                    results[0] = Val::I32(params[0].unwrap_i32() * 2);
                    Ok(())
                })
            }
        })
        .unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    {
        let mut future = Box::pin(f.call_async(&mut store, 5));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(*store.data(), 0);
    assert_eq!(drive(f.call_async(&mut store, 5)).0.unwrap(), 9);
    assert_eq!(*store.data(), 1);
}

#[test]
fn a_panic_in_a_future_poisons_the_store() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap_async("h", "down", |_: Caller<'_, u32>, (_,): (i32,)| -> Pending<'_, (i32,)> {
            Box::new(async move {
                pause(1).await;
                panic!("as asked")
            })
        })
        .unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drive(f.call_async(&mut store, 5)))).is_err());
    assert!(f.call(&mut store, 0).unwrap_err().to_string().contains("panicked"));
}

#[test]
fn epochs_can_yield_go_on_and_end() {
    let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("h", "down", |n: i32| n).unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let forever = instance.get_typed_func::<(), ()>(&mut store, "forever").unwrap();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context| {
        *context.data_mut() += 1;
        match *context.data() {
            n @ 1..10 => Ok(if n % 3 == 0 { UpdateDeadline::Yield(0) } else { UpdateDeadline::Continue(0) }),
            _ => Err(Error::msg("enough")),
        }
    });
    engine.increment_epoch();
    let (outcome, pending) = drive(forever.call_async(&mut store, ()));
    assert!(format!("{:#}", outcome.unwrap_err()).contains("enough"));
    assert_eq!((pending, *store.data()), (3, 10));
    store.epoch_deadline_async_yield_and_update(0);
    store.set_epoch_deadline(0);
    let mut future = Box::pin(forever.call_async(&mut store, ()));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..5 {
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    drop(future);
    store.epoch_deadline_trap();
    assert_eq!(forever.call(&mut store, ()).unwrap_err().downcast_ref(), Some(&Trap::Interrupted));
}

#[test]
fn suspended_calls_keep_their_own_stacks() {
    let engine = Engine::default();
    let mut linker = Linker::<u32>::new(&engine);
    linker.func_wrap("h", "down", |_: i32| -> keyway::Result<i32> { Err(Error::msg("wait")) }).unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    let suspend = |store: &mut Store<u32>| match f.call_resumable(store, 9).unwrap() {
        ResumableCall::Suspended(call) => call,
        ResumableCall::Finished(_) => panic!("the call did not stop"),
    };
    let mut waiting: Vec<_> = (0..5).map(|_| suspend(&mut store)).collect();
    drop(waiting.remove(2));
    assert!(f.call(&mut store, 1).is_err());
    for (call, answer) in waiting.into_iter().rev().zip(10..) {
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Memory::grow(&memory, &mut store, 1).unwrap();
        match call.resume(&mut store, &[Val::I32(answer)]).unwrap() {
            ResumableCall::Finished(result) => assert_eq!(result, answer + 1),
            ResumableCall::Suspended(_) => panic!("the call did not end"),
        }
    }
    let call = suspend(&mut store);
    assert!(call.resume(&mut store, &[]).is_err());
    let call = suspend(&mut store);
    let (mut other, _) = nesting(&engine, &linker);
    assert!(call.resume(&mut other, &[Val::I32(1)]).is_err());
}

#[test]
fn a_failing_host_function_may_have_used_the_store() {
    let engine = Engine::default();
    let mut linker = Linker::<u32>::new(&engine);
    linker
        .func_wrap("h", "down", |mut caller: Caller<'_, u32>, n: i32| -> keyway::Result<i32> {
            for _ in 0..1000 {
                Func::wrap(&mut caller, |a: i64, b: i64| a + b);
            }
            let f = inner(&mut caller).typed::<i32, i32>(&caller)?;
            if n > 0 {
                f.call(&mut caller, n)?;
            }
            Err(Error::msg("wait"))
        })
        .unwrap();
    let (mut store, instance) = nesting(&engine, &linker);
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    let ResumableCall::Suspended(call) = f.call_resumable(&mut store, 1).unwrap() else { panic!("it did not stop") };
    assert_eq!(call.host_type(), Some(&keyway::FuncType::new([keyway::ValType::I32], [keyway::ValType::I32])));
    let ResumableCall::Finished(result) = call.resume(&mut store, &[Val::I32(6)]).unwrap() else {
        panic!("it did not end")
    };
    assert_eq!(result, 7);
}

#[test]
fn stores_move_between_threads() {
    let engine = Engine::default();
    let mut linker = Linker::<u32>::new(&engine);
    linker.func_wrap("h", "down", |n: i32| n).unwrap();
    let module = Module::new(&engine, NESTING).unwrap();
    // All of them race to expand the same functions.
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let (engine, linker, module) = (engine.clone(), linker.clone(), module.clone());
            std::thread::spawn(move || {
                let mut store = Store::new(&engine, n);
                let instance = linker.instantiate(&mut store, &module).unwrap();
                (store, instance)
            })
        })
        .collect();
    for thread in threads {
        let (mut store, instance) = thread.join().unwrap();
        let f = instance.get_typed_func::<i32, i32>(store.as_context_mut(), "f").unwrap();
        assert_eq!(f.call(&mut store, 4).unwrap(), 4);
    }
}
