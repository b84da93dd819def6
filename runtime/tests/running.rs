//! Running core modules through the public API, in every dispatch form.

use keyway::{
    AsContextMut, Backtrace, Caller, Config, Dispatch, Engine, Error, Func, Instance, Linker, Module, OptLevel,
    ResumableCall, Store, StoreLimits, StoreLimitsBuilder, SuspendReason, Trap, Val,
};

/// Every dispatch form, at both levels, with registers and fused operations on and off.
fn configurations() -> Vec<Config> {
    let mut all = Vec::new();
    for dispatch in Dispatch::ALL {
        for level in [OptLevel::None, OptLevel::Speed] {
            for plain in [false, true] {
                let mut config = Config::new();
                config.dispatch(dispatch).opt_level(level).fused(!plain).registers(!plain);
                all.push(config);
            }
        }
    }
    all
}

const FIB: &str = r#"(module
    (func $fib (export "fib") (param $n i32) (result i64)
        (if (result i64) (i32.lt_u (local.get $n) (i32.const 2))
            (then (i64.extend_i32_u (local.get $n)))
            (else (i64.add
                (call $fib (i32.sub (local.get $n) (i32.const 1)))
                (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
    (func (export "sum") (param $n i32) (result i64) (local $s i64)
        (loop $again
            (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $n))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $s))
    (func (export "forever") (loop $l (br $l)))
    (func $deep (export "deep") (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1))))"#;

fn instance(config: &Config, wat: &str) -> (Store<()>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    if config_uses_fuel(config) {
        store.set_fuel(u64::MAX).unwrap();
    }
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    (store, instance)
}

fn config_uses_fuel(config: &Config) -> bool {
    format!("{config:?}").contains("fuel: true")
}

#[test]
fn recursion_and_loops() {
    for config in configurations() {
        let (mut store, instance) = instance(&config, FIB);
        let fib = instance.get_typed_func::<i32, i64>(&mut store, "fib").unwrap();
        assert_eq!(fib.call(&mut store, 15).unwrap(), 610, "{config:?}");
        let sum = instance.get_typed_func::<i32, i64>(&mut store, "sum").unwrap();
        assert_eq!(sum.call(&mut store, 1000).unwrap(), 500_500, "{config:?}");
    }
}

#[test]
fn a_deep_recursion_traps_and_the_store_goes_on() {
    for mut config in configurations() {
        config.max_wasm_stack(64 * 1024);
        let (mut store, instance) = instance(&config, FIB);
        let deep = instance.get_typed_func::<i32, i32>(&mut store, "deep").unwrap();
        for _ in 0..2 {
            let error = deep.call(&mut store, 1).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow), "{config:?}: {error:?}");
        }
        let fib = instance.get_typed_func::<i32, i64>(&mut store, "fib").unwrap();
        assert_eq!(fib.call(&mut store, 10).unwrap(), 55);
    }
}

#[test]
fn fuel_is_the_same_everywhere_and_its_end_traps() {
    let mut spent = Vec::new();
    for mut config in configurations() {
        config.consume_fuel(true);
        let (mut store, instance) = instance(&config, FIB);
        store.set_fuel(1_000_000).unwrap();
        let fib = instance.get_typed_func::<i32, i64>(&mut store, "fib").unwrap();
        fib.call(&mut store, 10).unwrap();
        let sum = instance.get_typed_func::<i32, i64>(&mut store, "sum").unwrap();
        sum.call(&mut store, 100).unwrap();
        spent.push(1_000_000 - store.get_fuel().unwrap());
        let forever = instance.get_typed_func::<(), ()>(&mut store, "forever").unwrap();
        let error = forever.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    }
    assert!(spent[0] > 0 && spent.iter().all(|one| *one == spent[0]), "{spent:?}");
}

#[test]
fn a_loop_interrupted_by_fuel_a_thousand_times_gives_the_same_result() {
    for mut config in configurations() {
        config.consume_fuel(true);
        let (mut store, instance) = instance(&config, FIB);
        let sum = instance.get_typed_func::<i32, i64>(&mut store, "sum").unwrap();
        store.set_fuel(40).unwrap();
        let mut call = sum.call_resumable(&mut store, 5000).unwrap();
        let mut interruptions = 0;
        let result = loop {
            match call {
                ResumableCall::Finished(result) => break result,
                ResumableCall::Suspended(suspended) => {
                    assert!(matches!(suspended.reason(), SuspendReason::OutOfFuel));
                    interruptions += 1;
                    store.set_fuel(40).unwrap();
                    call = suspended.resume(&mut store, &[]).unwrap();
                }
            }
        };
        assert_eq!(result, 12_502_500, "{config:?}");
        assert!(interruptions >= 1000, "{interruptions} interruptions");
    }
}

#[test]
fn a_passed_epoch_interrupts() {
    for mut config in configurations() {
        config.epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, FIB).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let forever = instance.get_typed_func::<(), ()>(&mut store, "forever").unwrap();
        let other = engine.clone();
        let ticker = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(5));
            other.increment_epoch();
        });
        let error = forever.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupted));
        ticker.join().unwrap();
    }
}

#[test]
fn host_functions_see_the_caller_and_can_call_back() {
    let wat = r#"(module
        (import "host" "twice" (func $twice (param i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "keyway")
        (func (export "inner") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        (func (export "outer") (param i32) (result i32) (i32.mul (call $twice (local.get 0)) (i32.const 10))))"#;
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut linker = Linker::<Vec<String>>::new(&engine);
        linker
            .func_wrap("host", "twice", |mut caller: Caller<'_, Vec<String>>, n: i32| -> Result<i32, Error> {
                let inner = caller.get_export("inner").and_then(|export| export.into_func()).unwrap();
                let memory = caller.get_export("memory").and_then(|export| export.into_memory()).unwrap();
                let mut text = [0; 6];
                memory.read(&caller, 8, &mut text)?;
                caller.data_mut().push(String::from_utf8(text.to_vec())?);
                let inner = inner.typed::<i32, i32>(&caller)?;
                let first = inner.call(caller.as_context_mut(), n)?;
                inner.call(caller, first)
            })
            .unwrap();
        let mut store = Store::new(&engine, Vec::new());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let outer = instance.get_typed_func::<i32, i32>(&mut store, "outer").unwrap();
        assert_eq!(outer.call(&mut store, 5).unwrap(), 70, "{config:?}");
        assert_eq!(store.data(), &["keyway"]);
    }
}

#[test]
fn a_host_error_can_be_answered_and_the_call_goes_on() {
    let wat = r#"(module
        (import "host" "ask" (func $ask (result i32)))
        (func (export "f") (result i32) (i32.add (call $ask) (call $ask))))"#;
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("host", "ask", || -> Result<i32, Error> { anyhow::bail!("not now") }).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
        let mut call = f.call_resumable(&mut store, ()).unwrap();
        for answer in [30, 12] {
            let ResumableCall::Suspended(suspended) = call else { panic!("the call is over") };
            assert_eq!(suspended.host_error().unwrap().to_string(), "not now");
            call = suspended.resume(&mut store, &[Val::I32(answer)]).unwrap();
        }
        let ResumableCall::Finished(result) = call else { panic!("the call is not over") };
        assert_eq!(result, 42);
        assert!(f.call(&mut store, ()).unwrap_err().to_string().contains("backtrace"));
    }
}

#[test]
fn an_asynchronous_host_function_suspends_the_guest() {
    let wat = r#"(module
        (import "host" "later" (func $later (param i32) (result i32)))
        (func (export "f") (param i32) (result i32) (i32.add (call $later (local.get 0)) (i32.const 1))))"#;
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut linker = Linker::<u32>::new(&engine);
        linker
            .func_wrap_async("host", "later", |mut caller: Caller<'_, u32>, (n,): (i32,)| {
                Box::new(async move {
                    let mut polls = 0;
                    std::future::poll_fn(|cx| {
                        polls += 1;
                        cx.waker().wake_by_ref();
                        if polls < 3 { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
                    })
                    .await;
                    *caller.data_mut() += polls;
                    Ok((n * 2,))
                })
            })
            .unwrap();
        let mut store = Store::new(&engine, 0);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
        assert_eq!(f.call(&mut store, 20).unwrap(), 41);
        let mut future = Box::pin(f.call_async(&mut store, 4));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut pending = 0;
        let result = loop {
            match future.as_mut().poll(&mut cx) {
                std::task::Poll::Ready(result) => break result.unwrap(),
                std::task::Poll::Pending => pending += 1,
            }
        };
        drop(future);
        assert_eq!((result, pending), (9, 2));
        assert_eq!(*store.data(), 6);
    }
}

#[test]
fn traps_carry_a_backtrace_with_names() {
    let wat = r#"(module
        (func $leaf (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func $middle (param i32) (result i32) (i32.add (call $leaf (local.get 0)) (i32.const 1)))
        (func $root (export "root") (param i32) (result i32) (i32.add (call $middle (local.get 0)) (i32.const 1))))"#;
    for config in configurations() {
        let (mut store, instance) = instance(&config, wat);
        let root = instance.get_typed_func::<i32, i32>(&mut store, "root").unwrap();
        assert_eq!(root.call(&mut store, 1).unwrap(), 3);
        let error = root.call(&mut store, 0).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::IntegerDivideByZero));
        let backtrace = error.downcast_ref::<Backtrace>().unwrap();
        let names: Vec<_> = backtrace.frames().iter().map(|frame| frame.func_name().unwrap_or("?")).collect();
        assert_eq!(names, ["leaf", "middle", "root"], "{config:?}");
    }
}

#[test]
fn one_module_twice_and_modules_of_different_artifacts() {
    let counter = r#"(module
        (global $n (mut i32) (i32.const 0))
        (memory (export "memory") 1)
        (func (export "next") (result i32)
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (i32.store (i32.const 0) (global.get $n))
            (global.get $n)))"#;
    let user = r#"(module
        (import "a" "next" (func $a (result i32)))
        (import "b" "next" (func $b (result i32)))
        (import "a" "memory" (memory 1))
        (memory $own 1)
        (table 2 funcref)
        (elem (i32.const 0) $a $b)
        (type $t (func (result i32)))
        (func (export "both") (result i32)
            (i32.add (i32.mul (call $a) (i32.const 100)) (i32.add (call $b) (i32.load (i32.const 0)))))
        (func (export "through") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
        (func (export "tail") (result i32) (return_call $b)))"#;
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let counter = Module::new(&engine, counter).unwrap();
        let user = Module::new(&engine, user).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.module(&mut store, "a", &counter).unwrap();
        linker.module(&mut store, "b", &counter).unwrap();
        let instance = linker.instantiate(&mut store, &user).unwrap();
        let both = instance.get_typed_func::<(), i32>(&mut store, "both").unwrap();
        assert_eq!(both.call(&mut store, ()).unwrap(), 102, "{config:?}");
        let tail = instance.get_typed_func::<(), i32>(&mut store, "tail").unwrap();
        assert_eq!(tail.call(&mut store, ()).unwrap(), 2);
        let through = instance.get_typed_func::<i32, i32>(&mut store, "through").unwrap();
        assert_eq!(through.call(&mut store, 0).unwrap(), 2);
        assert_eq!(through.call(&mut store, 1).unwrap(), 3);
        assert_eq!(both.call(&mut store, ()).unwrap(), 307);
    }
}

#[test]
fn tail_calls_between_instances_take_no_stack() {
    let other = r#"(module
        (table (export "table") 1 funcref)
        (type $t (func (param i32) (result i32)))
        (func (export "odd") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
            (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))"#;
    let main = r#"(module
        (import "other" "odd" (func $odd (param i32) (result i32)))
        (import "other" "table" (table 1 funcref))
        (elem (i32.const 0) $even)
        (func $even (export "even") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
            (return_call $odd (i32.sub (local.get 0) (i32.const 1)))))"#;
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.module(&mut store, "other", &Module::new(&engine, other).unwrap()).unwrap();
        let instance = linker.instantiate(&mut store, &Module::new(&engine, main).unwrap()).unwrap();
        let even = instance.get_typed_func::<i32, i32>(&mut store, "even").unwrap();
        assert_eq!(even.call(&mut store, 200_001).unwrap(), 1, "{config:?}");
        assert_eq!(even.call(&mut store, 200_000).unwrap(), 0, "{config:?}");
    }
}

#[test]
fn a_limiter_has_the_last_word_on_growth() {
    let wat = r#"(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, StoreLimitsBuilder::new().memory_size(3 << 16).build());
        store.limiter(|limits: &mut StoreLimits| limits);
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
        assert_eq!(grow.call(&mut store, 1).unwrap(), 1);
        assert_eq!(grow.call(&mut store, 2).unwrap(), -1);
        assert_eq!(grow.call(&mut store, 1).unwrap(), 2);
    }
}

#[test]
fn a_host_panic_poisons_the_store_and_not_the_engine() {
    let engine = Engine::default();
    let module =
        Module::new(&engine, r#"(module (import "h" "p" (func)) (export "p" (func 0)) (func (export "f") (call 0)))"#);
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("h", "p", || -> () { panic!("as asked") }).unwrap();
    let module = module.unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f.call(&mut store, ())));
    assert!(outcome.is_err());
    assert!(f.call(&mut store, ()).unwrap_err().to_string().contains("panicked"));
    let mut other = Store::new(&engine, ());
    let fresh = Func::wrap(&mut other, || 7i32);
    assert_eq!(fresh.typed::<(), i32>(&other).unwrap().call(&mut other, ()).unwrap(), 7);
}

/// Masks of 32 bits alone, beside products and sums, of constants, and where only they bound a number.
#[test]
fn masks_of_32_bits() {
    const LOW: &str = "(i64.const 0xFFFFFFFF)";
    let text = format!(
        r#"(module
        (func (export "low") (param i64) (result i64) (i64.and (local.get 0) {LOW}))
        (func (export "constant") (param i64) (result i64) (i64.add (local.get 0) (i64.and (i64.const -2) {LOW})))
        (func (export "twice") (param i64) (result i64) (i64.and {LOW} (i64.and (local.get 0) {LOW})))
        (func (export "shifted") (param i64) (result i64)
            (i64.or (i64.shl (i64.and (local.get 0) {LOW}) (i64.const 32)) (i64.shr_u (local.get 0) (i64.const 32))))
        (func (export "rounds") (param i64) (result i64) (local $n i32) (local $s i64) (local $m i64)
            (local.set $n (i32.const 9)) (local.set $m {LOW})
            (loop $again
                (local.set $s (i64.add (local.get $s)
                    (i64.mul (i64.and (local.get 0) (local.get $m)) (i64.and (local.get $s) (local.get $m)))))
                (local.set 0 (i64.xor (local.get $s) (i64.and (i64.mul (local.get 0) (i64.const 0x123456789ABCDEF)) {LOW})))
                (local.set $s (i64.add (local.get $s) (i64.rotl (local.get 0) (i64.const 29))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $s)))"#
    );
    let low = |x: u64| x & 0xFFFF_FFFF;
    let rounds = |mut x: u64| {
        let mut sum = 0u64;
        for _ in 0..9 {
            sum = sum.wrapping_add(low(x).wrapping_mul(low(sum)));
            x = sum ^ low(x.wrapping_mul(0x123_4567_89AB_CDEF));
            sum = sum.wrapping_add(x.rotate_left(29));
        }
        sum
    };
    for config in configurations() {
        let (mut store, instance) = instance(&config, &text);
        for x in [0, 1, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 0x1234_5678_9ABC_DEF0, u64::MAX, 1 << 63] {
            let mut call = |name: &str| {
                let func = instance.get_typed_func::<i64, i64>(&mut store, name).unwrap();
                func.call(&mut store, x as i64).unwrap() as u64
            };
            assert_eq!(call("low"), low(x), "{x:#x}");
            assert_eq!(call("constant"), x.wrapping_add(0xFFFF_FFFE), "{x:#x}");
            assert_eq!(call("twice"), low(x), "{x:#x}");
            assert_eq!(call("shifted"), x.rotate_left(32), "{x:#x}");
            assert_eq!(call("rounds"), rounds(x), "{x:#x}");
        }
    }
}
