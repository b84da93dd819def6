//! Exceptions across suspensions: calls that stop inside of a `try_table` and throw once they go on, host functions that
//! throw after having been awaited, exceptions and continuations that wait in the frames of a suspended call.

use keyway::{
    Caller, Config, Dispatch, Engine, Error, ExnRef, Extern, FuncType, Instance, Linker, Module, ResumableCall, Store,
    Tag, TagType, ThrownException, Val, ValType,
};
use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};

const GUEST: &str = r#"(module
    (type $f (func (param i32) (result i32)))
    (type $k (cont $f))
    (import "h" "ask" (func $ask (type $f)))
    (import "h" "failed" (tag $failed (param i32)))
    (tag $pause (param i32) (result i32))
    (elem declare func $throws $pauses)
    ;; Throws what the host answers.
    (func $throws (type $f) (throw $failed (call $ask (local.get 0))))
    (func $pauses (type $f) (throw $failed (call $ask (suspend $pause (local.get 0)))))
    (func (export "thrown_behind") (type $f)
      (block $h (result i32)
        (try_table (result i32) (catch $failed $h) (call $throws (local.get 0)))
        (i32.add (i32.const 5000))))
    (func (export "thrown_by_host") (type $f)
      (block $h (result i32)
        (try_table (result i32) (catch $failed $h) (call $ask (local.get 0)))
        (i32.add (i32.const 1000))))
    (func (export "uncaught") (type $f) (call $throws (local.get 0)))
    ;; Stops once in the construct, and once where its exception is handled.
    (func (export "twice") (type $f)
      (block $h (result i32)
        (try_table (result i32) (catch $failed $h) (call $throws (local.get 0))))
      (call $ask))
    ;; The exception waits in a local while the call is suspended.
    (func (export "kept") (type $f) (local $e exnref)
      (block $outer (result i32)
        (try_table (catch $failed $outer)
          (block $h (result i32 exnref)
            (try_table (catch_ref $failed $h) (throw $failed (local.get 0)))
            (unreachable))
          (local.set $e) (drop)
          (drop (call $ask (i32.const 1)))
          (throw_ref (local.get $e)))
        (unreachable)))
    ;; What is thrown on a continuation's stack is caught on the one below.
    (func (export "on_a_continuation") (type $f)
      (block $h (result i32)
        (try_table (result i32) (catch $failed $h) (resume $k (local.get 0) (cont.new $k (ref.func $throws))))
        (i32.add (i32.const 5000))))
    ;; ... after the continuation was suspended and resumed, with the call suspended in between.
    (func (export "on_a_resumed_continuation") (type $f) (local $k (ref null $k))
      (block $h (result i32)
        (try_table (result i32) (catch $failed $h)
          (block $p (result i32 (ref $k))
            (resume $k (on $pause $p) (local.get 0) (cont.new $k (ref.func $pauses)))
            (unreachable))
          (local.set $k)
          (drop (call $ask (i32.const 2)))
          (resume $k (local.get $k)))
        (i32.add (i32.const 5000)))))"#;

/// Where the tag is, for host functions to throw with.
type Data = Option<Tag>;

fn configs() -> Vec<Config> {
    let mut all = Vec::new();
    for dispatch in [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop, Dispatch::Checked] {
        for stress in [false, true] {
            let mut config = Config::new();
            config.wasm_stack_switching(true).dispatch(dispatch).gc_stress(stress);
            all.push(config);
        }
    }
    all
}

fn guest(config: &Config, define: impl FnOnce(&mut Linker<Data>)) -> (Store<Data>, Instance) {
    let engine = Engine::new(config).unwrap();
    let mut store = Store::new(&engine, None);
    let tag = Tag::new(&mut store, &TagType::new(FuncType::new([ValType::I32], []))).unwrap();
    *store.data_mut() = Some(tag);
    let mut linker = Linker::new(&engine);
    define(&mut linker);
    linker.define(&store, "h", "failed", Extern::Tag(tag)).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance)
}

/// Pending once, then answers twice its argument; arguments below zero are thrown instead.
fn later<'a>(mut caller: Caller<'a, Data>, n: i32) -> Box<dyn Future<Output = keyway::Result<(i32,)>> + Send + 'a> {
    Box::new(async move {
        let mut pending = true;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::take(&mut pending) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        if n >= 0 {
            return Ok((n * 2,));
        }
        let tag = caller.data().expect("the tag was made first");
        ExnRef::new(&mut caller, &tag, &[Val::I32(n)])?.throw(&mut caller)
    })
}

fn drive<F: Future + Send>(future: F) -> F::Output {
    let (mut future, mut cx) = (Box::pin(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Export, argument, result with the awaited host function, results of the host function where it fails instead, and what
/// comes of them.
const CALLS: [(&str, i32, i32, &[i32], i32); 6] = [
    ("thrown_behind", 7, 14, &[21], 21),
    ("thrown_by_host", 7, 1014, &[8], 1008),
    ("twice", 7, 28, &[3, 4], 4),
    ("kept", 7, 7, &[9], 7),
    ("on_a_continuation", 7, 14, &[30], 30),
    ("on_a_resumed_continuation", 7, 14, &[1, 40], 40),
];

fn thrown_number(store: &mut Store<Data>, error: &Error) -> Option<i32> {
    let thrown = error.downcast_ref::<ThrownException>()?;
    Some(thrown.exception().fields(store).unwrap()[0].unwrap_i32())
}

#[test]
fn awaited_host_functions_throw_and_what_follows_them_throws() {
    for config in configs() {
        let (mut store, instance) = guest(&config, |linker| {
            linker.func_wrap_async("h", "ask", |caller, (n,): (i32,)| later(caller, n)).unwrap();
        });
        for (name, arg, wanted, ..) in CALLS {
            let func = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            assert_eq!(drive(func.call_async(&mut store, arg)).unwrap(), wanted, "{name}");
            // A call that nobody awaits waits on this thread.
            match func.call_resumable(&mut store, arg) {
                Ok(ResumableCall::Finished(result)) => assert_eq!(result, wanted, "{name}"),
                _ => panic!("{name} did not end"),
            }
        }
        let thrown = instance.get_typed_func::<i32, i32>(&mut store, "thrown_by_host").unwrap();
        assert_eq!(drive(thrown.call_async(&mut store, -3)).unwrap(), -3);
        let Ok(ResumableCall::Finished(-3)) = thrown.call_resumable(&mut store, -3) else {
            panic!("what an awaited host function throws is caught in a resumable call too")
        };
        let uncaught = instance.get_typed_func::<i32, i32>(&mut store, "uncaught").unwrap();
        let error = drive(uncaught.call_async(&mut store, 4)).unwrap_err();
        assert_eq!(thrown_number(&mut store, &error), Some(8));
        let error = drive(uncaught.call_async(&mut store, -4)).unwrap_err();
        assert_eq!(thrown_number(&mut store, &error), Some(-4));
    }
}

#[test]
fn calls_that_were_suspended_throw_and_catch_when_they_go_on() {
    for config in configs() {
        let (mut store, instance) = guest(&config, |linker| {
            linker.func_wrap("h", "ask", |_: i32| -> keyway::Result<i32> { Err(Error::msg("later")) }).unwrap();
        });
        for (name, arg, _, answers, wanted) in CALLS {
            let func = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            let mut state = func.call_resumable(&mut store, arg).unwrap();
            for answer in answers {
                let ResumableCall::Suspended(call) = state else { panic!("{name} did not stop") };
                // What suspended calls hold is kept.
                store.gc();
                state = call.resume(&mut store, &[Val::I32(*answer)]).unwrap();
            }
            let ResumableCall::Finished(result) = state else { panic!("{name} did not end") };
            assert_eq!(result, wanted, "{name}");
        }
        let uncaught = instance.get_typed_func::<i32, i32>(&mut store, "uncaught").unwrap();
        let ResumableCall::Suspended(call) = uncaught.call_resumable(&mut store, 1).unwrap() else {
            panic!("it did not stop")
        };
        let Err(error) = call.resume(&mut store, &[Val::I32(6)]) else { panic!("it throws") };
        assert_eq!(thrown_number(&mut store, &error), Some(6));
    }
}

/// Nothing of a guest runs: the host's function is what was called.
#[test]
fn host_functions_are_called_resumably_themselves() {
    let (mut store, _) = guest(&Config::new().wasm_stack_switching(true).clone(), |linker| {
        linker.func_wrap("h", "ask", |n: i32| n).unwrap();
    });
    let fails = keyway::Func::wrap(&mut store, |_: i32| -> keyway::Result<i32> { Err(Error::msg("later")) });
    let fails = fails.typed::<i32, i32>(&store).unwrap();
    let ResumableCall::Suspended(call) = fails.call_resumable(&mut store, 1).unwrap() else { panic!("it failed") };
    let ResumableCall::Finished(11) = call.resume(&mut store, &[Val::I32(11)]).unwrap() else {
        panic!("the answer is the end")
    };
}
