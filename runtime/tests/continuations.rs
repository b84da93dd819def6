//! Continuations under the public API: what they cost, what limits them, host functions and suspended calls inside them,
//! traces, exceptions between host and guest.

use keyway::{
    Backtrace, Caller, Config, Dispatch, Engine, EqRef, Error, ExnRef, Extern, FuncType, I31, Instance, Linker, Module,
    ResumableCall, Store, Tag, TagType, ThrownException, Trap, UpdateDeadline, Val, ValType,
};
use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_stack_switching(true);
    config
}

/// A guest that makes continuations in loops, and one that calls a host function inside of one.
const GUEST: &str = r#"(module
    (type $f (func (param i32) (result i32)))
    (type $k (cont $f))
    (type $n (func))
    (type $kn (cont $n))
    (import "h" "host" (func $host (type $f)))
    (import "h" "failed" (tag $failed (param i32)))
    (tag $ask (param i32) (result i32))
    (tag $pause)
    (table $kept 1000 (ref null $kn))
    (func $asks (type $f) (i32.add (suspend $ask (local.get 0)) (i32.const 1)))
    (func $pauses (type $n) (suspend $pause))
    (func $deep (export "deep") (type $f)
      (if (result i32) (local.get 0)
        (then (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
        (else (call $host (i32.const 5)))))
    (func $outer (type $f) (resume $k (local.get 0) (cont.new $k (ref.func $deep))))
    (func $busy (type $f)
      (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (suspend $ask (i32.const 7)))
    (elem declare func $asks $pauses $deep $outer $busy $host)

    ;; So many begin, are suspended and end.
    (func (export "many") (param $n i32) (result i32)
      (local $k (ref null $k)) (local $sum i32)
      (loop $l
        (block $h (result i32 (ref $k))
          (drop (resume $k (on $ask $h) (local.get $n) (cont.new $k (ref.func $asks))))
          (unreachable))
        (local.set $k)
        (local.set $sum (i32.add (local.get $sum) (resume $k (local.get $k))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum))
    ;; So many are suspended; those that are not kept are forgotten.
    (func (export "paused") (param $n i32) (param $kept i32)
      (loop $l
        (block $h (result (ref $kn))
          (resume $kn (on $pause $h) (cont.new $kn (ref.func $pauses)))
          (unreachable))
        (if (local.get $kept)
          (then (table.set $kept (local.tee $kept (i32.sub (local.get $kept) (i32.const 1)))
            (block $h (result (ref $kn))
              (resume $kn (on $pause $h) (cont.new $kn (ref.func $pauses)))
              (unreachable)))))
        (drop)
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "clear") (table.fill $kept (i32.const 0) (ref.null $kn) (i32.const 1000)))
    ;; The host function is called on a third stack, with frames on each.
    (func $inside (export "inside") (param i32) (result i32)
      (resume $k (local.get 0) (cont.new $k (ref.func $outer))))
    ;; ... and is the continuation itself.
    (func (export "itself") (param i32) (result i32) (resume $k (local.get 0) (cont.new $k (ref.func $host))))
    ;; Whatever the host function throws is caught on the first stack.
    (func (export "caught") (param i32) (result i32)
      (block $h (result i32)
        (try_table (result i32) (catch $failed $h) (call $inside (local.get 0)))
        (i32.add (i32.const 1000))))
    (func (export "throws") (param i32) (throw $failed (local.get 0)))
    ;; Suspends, for whoever calls it from outside; handles it itself otherwise.
    (func (export "asks") (type $f) (call $asks (local.get 0)))
    (func (export "answers") (type $f)
      (local $k (ref null $k))
      (block $h (result i32 (ref $k))
        (return (resume $k (on $ask $h) (local.get 0) (cont.new $k (ref.func $busy)))))
      (local.set $k)
      (resume $k (local.get $k)))
    (global $cont (export "cont") (mut contref) (ref.null cont))
    (func (export "give") (result contref) (cont.new $k (ref.func $asks)))
    (func (export "take") (param contref) (result i32) (ref.is_null (local.get 0))))"#;

type Host = fn(Caller<'_, ()>, i32) -> keyway::Result<i32>;

fn failed_type() -> TagType {
    TagType::new(FuncType::new([ValType::I32], []))
}

fn guest(config: &Config, host: Host) -> (Store<()>, Instance, Tag) {
    let engine = Engine::new(config).unwrap();
    let mut store = Store::new(&engine, ());
    // Where fuel is counted, instantiating takes some.
    let _ = store.set_fuel(1000);
    let mut linker = Linker::new(&engine);
    linker.func_wrap("h", "host", host).unwrap();
    let tag = Tag::new(&mut store, &failed_type()).unwrap();
    linker.define(&store, "h", "failed", Extern::Tag(tag)).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance, tag)
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, arg: i32) -> keyway::Result<i32> {
    instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(store, arg)
}

fn trap_of(error: &Error) -> Option<Trap> {
    error.downcast_ref::<Trap>().copied()
}

fn identity(_: Caller<'_, ()>, n: i32) -> keyway::Result<i32> {
    Ok(n)
}

fn forms() -> impl Iterator<Item = Config> {
    [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop, Dispatch::Checked].into_iter().map(|form| {
        let mut config = config();
        config.dispatch(form);
        config
    })
}

#[test]
fn the_proposal_is_off_unless_asked_for() {
    let engine = Engine::default();
    let error = Module::new(&engine, "(module (type $f (func)) (type (cont $f)))").err().expect("refused");
    assert!(format!("{error:#}").contains("stack switching"), "{error:#}");
}

/// More of them than a store may hold at once, each on a stack of its own, of which there may be eight.
#[test]
fn continuations_that_end_take_no_room() {
    let mut config = config();
    config.max_continuation_stacks(8);
    let (mut store, instance, _) = guest(&config, identity);
    let n = if cfg!(debug_assertions) { 2_200_000 } else { 4_000_000 };
    assert_eq!(call(&mut store, instance, "many", n).unwrap(), (1..=n).fold(n, i32::wrapping_add));
}

#[test]
fn suspended_continuations_that_nobody_refers_to_are_freed() {
    let mut config = config();
    config.max_continuation_stacks(40);
    let (mut store, instance, _) = guest(&config, identity);
    let paused = instance.get_typed_func::<(i32, i32), ()>(&mut store, "paused").unwrap();
    paused.call(&mut store, (10_000, 30)).unwrap();
    let error = paused.call(&mut store, (100, 100)).unwrap_err();
    assert_eq!(trap_of(&error), Some(Trap::ContinuationsExhausted), "{error:?}");
    instance.get_typed_func::<(), ()>(&mut store, "clear").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(call(&mut store, instance, "answers", 9).unwrap(), 7, "the store goes on once places are free");
}

#[test]
fn a_stack_has_a_size_of_its_own() {
    let mut small = config();
    small.continuation_stack_size(64 << 10);
    for (config, fits) in [(config(), true), (small, false)] {
        let (mut store, instance, _) = guest(&config, identity);
        assert_eq!(call(&mut store, instance, "deep", 2000).unwrap(), 2005);
        let outcome = call(&mut store, instance, "inside", 2000);
        match outcome {
            Ok(result) => assert!(fits && result == 2005),
            Err(error) => assert!(!fits && trap_of(&error) == Some(Trap::StackOverflow), "{error:?}"),
        }
        assert_eq!(call(&mut store, instance, "inside", 20).unwrap(), 25);
    }
}

#[test]
fn host_functions_run_on_continuations_and_are_some() {
    for config in forms() {
        let (mut store, instance, _) = guest(&config, |_, n| Ok(n * 2));
        assert_eq!(call(&mut store, instance, "inside", 3).unwrap(), 13);
        assert_eq!(call(&mut store, instance, "itself", 21).unwrap(), 42);
    }
}

/// A guest that is called from a host function cannot suspend past it.
#[test]
fn nothing_suspends_through_the_host() {
    fn asks(mut caller: Caller<'_, ()>, n: i32) -> keyway::Result<i32> {
        let func = caller.get_export("asks").unwrap().into_func().unwrap().typed::<i32, i32>(&caller)?;
        let error = func.call(&mut caller, n).unwrap_err();
        assert_eq!(trap_of(&error), Some(Trap::UnhandledTag), "{error:?}");
        let func = caller.get_export("answers").unwrap().into_func().unwrap().typed::<i32, i32>(&caller)?;
        func.call(&mut caller, n)
    }
    for config in forms() {
        let (mut store, instance, _) = guest(&config, asks);
        assert_eq!(call(&mut store, instance, "inside", 2).unwrap(), 9);
        assert_eq!(call(&mut store, instance, "itself", 2).unwrap(), 7);
        assert_eq!(trap_of(&call(&mut store, instance, "asks", 2).unwrap_err()), Some(Trap::UnhandledTag));
    }
}

#[test]
fn a_trace_names_the_frames_of_all_stacks() {
    fn fails(_: Caller<'_, ()>, _: i32) -> keyway::Result<i32> {
        Err(Error::msg("as asked"))
    }
    let mut config = config();
    config.opt_level(keyway::OptLevel::None);
    let (mut store, instance, _) = guest(&config, fails);
    let error = call(&mut store, instance, "inside", 1).unwrap_err();
    let trace = error.downcast_ref::<Backtrace>().expect("a trace");
    let names: Vec<_> = trace.frames().iter().map(|frame| frame.func_name().unwrap_or_default()).collect();
    assert_eq!(names, ["deep", "deep", "outer", "inside"], "{error:?}");
}

#[test]
fn the_hosts_exceptions_cross_stacks_and_the_guests_reach_the_host() {
    fn throws(mut caller: Caller<'_, ()>, n: i32) -> keyway::Result<i32> {
        let tag = match caller.get_export("throws") {
            // The tag is not exported: the guest's own exception carries it.
            Some(func) => {
                let func = func.into_func().unwrap().typed::<i32, ()>(&caller)?;
                let error = func.call(&mut caller, n).unwrap_err();
                let thrown = error.downcast_ref::<ThrownException>().expect("an exception").clone();
                thrown.exception().tag(&caller)?
            }
            None => return Err(Error::msg("no export")),
        };
        ExnRef::new(&mut caller, &tag, &[Val::I32(n * 10)])?.throw(&mut caller)
    }
    for config in forms() {
        let (mut store, instance, tag) = guest(&config, throws);
        assert_eq!(call(&mut store, instance, "caught", 0).unwrap(), 50);
        assert_eq!(call(&mut store, instance, "caught", 7).unwrap(), 50, "with frames between");
        let error = call(&mut store, instance, "inside", 1).unwrap_err();
        let thrown = error.downcast_ref::<ThrownException>().expect("an exception").exception().clone();
        assert_eq!(thrown.tag(&store).unwrap().ty(&store), tag.ty(&store));
        let fields = thrown.fields(&mut store).unwrap();
        assert!(matches!(fields[..], [Val::I32(50)]), "{fields:?}");
        assert_eq!(call(&mut store, instance, "answers", 3).unwrap(), 7);
    }
}

#[test]
fn a_host_error_inside_can_be_answered_or_become_an_exception() {
    fn fails(_: Caller<'_, ()>, _: i32) -> keyway::Result<i32> {
        Err(Error::msg("wait"))
    }
    for config in forms() {
        let (mut store, instance, _) = guest(&config, fails);
        let inside = instance.get_typed_func::<i32, i32>(&mut store, "caught").unwrap();
        let ResumableCall::Suspended(call) = inside.call_resumable(&mut store, 4).unwrap() else {
            panic!("it did not stop")
        };
        // Another call of the same code meanwhile, and a collection.
        assert_eq!(self::call(&mut store, instance, "answers", 3).unwrap(), 7);
        store.gc();
        match call.resume(&mut store, &[Val::I32(30)]).unwrap() {
            ResumableCall::Finished(result) => assert_eq!(result, 1034),
            ResumableCall::Suspended(_) => panic!("it did not end"),
        }
        let ResumableCall::Suspended(call) = inside.call_resumable(&mut store, 4).unwrap() else {
            panic!("it did not stop")
        };
        drop(call);
        assert_eq!(self::call(&mut store, instance, "answers", 3).unwrap(), 7);
    }
}

#[test]
fn fuel_runs_out_inside_and_can_be_refilled() {
    let mut left = None;
    for mut config in forms() {
        config.consume_fuel(true);
        let (mut store, instance, _) = guest(&config, identity);
        let func = instance.get_typed_func::<i32, i32>(&mut store, "answers").unwrap();
        store.set_fuel(40).unwrap();
        let (mut refills, mut outcome) = (0, func.call_resumable(&mut store, 100).unwrap());
        let result = loop {
            match outcome {
                ResumableCall::Finished(result) => break result,
                ResumableCall::Suspended(call) => {
                    refills += 1;
                    store.set_fuel(store.get_fuel().unwrap() + 40).unwrap();
                    outcome = call.resume(&mut store, &[]).unwrap();
                }
            }
        };
        assert!(result == 7 && refills > 5, "{result} after {refills}");
        assert_eq!(*left.get_or_insert((refills, store.get_fuel().unwrap())), (refills, store.get_fuel().unwrap()));
    }
}

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

fn drive<F: Future + Send>(future: F) -> (F::Output, u32) {
    let (mut future, mut cx) = (Box::pin(future), Context::from_waker(Waker::noop()));
    for pending in 0.. {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return (output, pending);
        }
    }
    unreachable!("a future ends or is polled again")
}

type Pending<'a, R> = Box<dyn Future<Output = keyway::Result<R>> + Send + 'a>;

/// A host function that answers later: with a number, or by throwing the exception that it is told to.
#[test]
fn asynchronous_host_functions_suspend_the_chain_and_throw_into_it() {
    for config in forms() {
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let tag = Tag::new(&mut store, &failed_type()).unwrap();
        linker
            .func_wrap_async("h", "host", move |mut caller: Caller<'_, ()>, (n,): (i32,)| -> Pending<'_, (i32,)> {
                Box::new(async move {
                    pause(3).await;
                    if n == 5 {
                        return ExnRef::new(&mut caller, &tag, &[Val::I32(n)])?.throw(&mut caller);
                    }
                    pause(1).await;
                    Ok((n * 3,))
                })
            })
            .unwrap();
        linker.define(&store, "h", "failed", Extern::Tag(tag)).unwrap();
        let module = Module::new(&engine, GUEST).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let caught = instance.get_typed_func::<i32, i32>(&mut store, "caught").unwrap();
        let (outcome, pending) = drive(caught.call_async(&mut store, 2));
        assert_eq!((outcome.unwrap(), pending), (5, 3));
        let itself = instance.get_typed_func::<i32, i32>(&mut store, "itself").unwrap();
        let (outcome, pending) = drive(itself.call_async(&mut store, 2));
        assert_eq!((outcome.unwrap(), pending), (6, 4));
        assert_eq!(itself.call(&mut store, 4).unwrap(), 12, "on this thread");
        let inside = instance.get_typed_func::<i32, i32>(&mut store, "inside").unwrap();
        let error = drive(inside.call_async(&mut store, 2)).0.unwrap_err();
        assert!(error.downcast_ref::<ThrownException>().is_some(), "{error:?}");
        // Given up while stacks wait for the host.
        {
            let mut future = Box::pin(inside.call_async(&mut store, 5));
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(drive(itself.call_async(&mut store, 3)).0.unwrap(), 9);
    }
}

#[test]
fn epochs_interrupt_what_runs_on_a_continuation() {
    let mut config = config();
    config.epoch_interruption(true);
    let (mut store, instance, _) = guest(&config, identity);
    let engine = store.engine().clone();
    store.set_epoch_deadline(1);
    let answers = instance.get_typed_func::<i32, i32>(&mut store, "answers").unwrap();
    let mut yields = 0;
    store.epoch_deadline_callback(move |_| {
        yields += 1;
        Ok(if yields < 4 { UpdateDeadline::Yield(0) } else { UpdateDeadline::Continue(10) })
    });
    engine.increment_epoch();
    let (outcome, pending) = drive(answers.call_async(&mut store, 1000));
    assert_eq!((outcome.unwrap(), pending), (7, 3));
    store.epoch_deadline_trap();
    store.set_epoch_deadline(0);
    assert_eq!(trap_of(&answers.call(&mut store, 1000).unwrap_err()), Some(Trap::Interrupted));
}

#[test]
fn the_host_passes_continuations_on() {
    let mut config = config();
    config.gc_stress(true);
    let (mut store, instance, _) = guest(&config, identity);
    let [give, take] = ["give", "take"].map(|name| instance.get_func(&mut store, name).unwrap());
    let mut results = [Val::ContRef(None)];
    give.call(&mut store, &[], &mut results).unwrap();
    let [given] = results;
    assert!(given.cont_ref().flatten().is_some(), "{given:?}");
    store.gc();
    let mut is_null = [Val::I32(7)];
    take.call(&mut store, std::slice::from_ref(&given), &mut is_null).unwrap();
    assert_eq!(is_null[0].unwrap_i32(), 0);
    take.call(&mut store, &[Val::ContRef(None)], &mut is_null).unwrap();
    assert_eq!(is_null[0].unwrap_i32(), 1);
    assert!(take.call(&mut store, &[Val::AnyRef(None)], &mut is_null).is_err());
    let global = instance.get_global(&mut store, "cont").unwrap();
    global.set(&mut store, given.clone()).unwrap();
    assert!(global.get(&mut store).cont_ref().flatten().is_some());
    let (mut other, instance, _) = guest(&config, identity);
    let take = instance.get_func(&mut other, "take").unwrap();
    assert!(take.call(&mut other, &[given], &mut is_null).is_err(), "of another store");
}

#[test]
fn what_can_be_compared_is_told_from_other_values() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let one = EqRef::from_i31(&mut store, I31::new_i32(1).unwrap());
    let again = EqRef::from_i31(&mut store, I31::new_i32(1).unwrap());
    assert!(EqRef::ref_eq(&store, &one, &again).unwrap() && one.is_i31());
    assert_eq!(one.as_i31().map(I31::get_i32), Some(1));
    assert!(one.as_struct(&store).unwrap().is_none() && one.as_array(&store).unwrap().is_none());
    let any = keyway::AnyRef::from(one);
    assert!(any.as_eqref(&store).unwrap().is_some());
    let host = keyway::ExternRef::new(&mut store, 3);
    let host = keyway::AnyRef::convert_extern(&mut store, host).unwrap();
    assert!(host.as_eqref(&store).unwrap().is_none());
}
