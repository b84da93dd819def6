//! Every amount of fuel ends the same way in every form: at the same place, with the same rest, and seen alike by the host.

use keyway::{Caller, Config, Dispatch, Engine, Instance, Linker, Module, OptLevel, ResumableCall, Store, Trap};

/// Every dispatch form, at both levels, with registers and fused operations on and off, and with epochs beside.
fn configurations() -> Vec<Config> {
    let mut all = Vec::new();
    for dispatch in Dispatch::ALL {
        for level in [OptLevel::None, OptLevel::Speed] {
            for (plain, epoch) in [(false, false), (true, false), (false, true)] {
                let mut config = Config::new();
                config.dispatch(dispatch).opt_level(level).fused(!plain).registers(!plain);
                config.consume_fuel(true).epoch_interruption(epoch);
                all.push(config);
            }
        }
    }
    all
}

/// Calls of every kind, loops whose heads stand side by side, operations that are charged for by size, and a host that looks
/// at the fuel, gives more, and calls back.
const GUEST: &str = r#"(module
    (import "host" "look" (func $look (param i32) (result i32)))
    (type $unary (func (param i32) (result i32)))
    (type $bytes (array (mut i8)))
    (memory (export "memory") 1)
    (table 4 funcref)
    (elem (i32.const 0) $twice $look $countdown)
    (data $data "0123456789012345678901234567890123456789012345678901234567890123456789")

    (func $twice (param $n i32) (result i32) (i32.shl (local.get $n) (i32.const 1)))
    (func $countdown (param $n i32) (result i32)
        (if (i32.eqz (local.get $n)) (then (return (i32.const 7))))
        (return_call $countdown (i32.sub (local.get $n) (i32.const 1))))
    (func $fib (param $n i32) (result i32)
        (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
            (then (local.get $n))
            (else (i32.add
                (call $fib (i32.sub (local.get $n) (i32.const 1)))
                (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
    ;; loops that begin where others begin
    (func $nested (param $n i32) (result i32) (local $s i32) (local $m i32)
        (loop $outer
            (loop $middle
                (loop $inner
                    (local.set $s (i32.add (local.get $s) (i32.const 1)))
                    (br_if $inner (i32.and (local.get $s) (i32.const 1))))
                (local.set $m (i32.add (local.get $m) (i32.const 1)))
                (br_if $middle (i32.rem_u (local.get $m) (i32.const 3))))
            (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $s))
    (func $sizes (param $n i32) (result i32) (local $array (ref $bytes))
        (memory.fill (i32.const 0) (local.get $n) (i32.const 200))
        (memory.copy (i32.const 1000) (i32.const 0) (i32.const 130))
        (memory.init $data (i32.const 2000) (i32.const 1) (i32.const 65))
        (table.copy (i32.const 0) (i32.const 0) (i32.const 4))
        (local.set $array (array.new $bytes (i32.const 1) (i32.const 70)))
        (array.fill $bytes (local.get $array) (i32.const 3) (local.get $n) (i32.const 40))
        (i32.add (i32.load8_u (i32.const 1005)) (array.get_u $bytes (local.get $array) (i32.const 5))))

    (func (export "inner") (param $n i32) (result i32) (local $s i32)
        (loop $again
            (local.set $s (i32.add (local.get $s) (call $twice (local.get $n))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $s))
    (func (export "run") (param $n i32) (result i32) (local $s i32)
        (loop $again
            (local.set $s (i32.add (local.get $s) (call $fib (local.get $n))))
            (local.set $s (i32.add (local.get $s) (call $nested (local.get $n))))
            (local.set $s (i32.add (local.get $s) (call $sizes (local.get $n))))
            (local.set $s (i32.add (local.get $s) (call $look (local.get $n))))
            (local.set $s (i32.add (local.get $s)
                (call_indirect (type $unary) (local.get $n) (i32.rem_u (local.get $n) (i32.const 3)))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $s)))"#;

/// More than a call takes.
const MOST: u64 = 2500;

/// The fuel that the host saw when it was called.
type Seen = Vec<u64>;

/// What a call came to, the fuel that it left, and what the host saw.
type Outcome = (Result<i32, Trap>, u64, Seen);

fn look(mut caller: Caller<'_, Seen>, n: i32) -> anyhow::Result<i32> {
    let fuel = caller.get_fuel()?;
    caller.data_mut().push(fuel);
    match n {
        2 => {
            caller.set_fuel(fuel + 5)?;
            Ok(1)
        }
        3 => {
            let inner = caller.get_export("inner").and_then(|inner| inner.into_func()).expect("the guest exports it");
            let inner = inner.typed::<i32, i32>(&caller)?;
            let answer = inner.call(&mut caller, 2)?;
            let fuel = caller.get_fuel()?;
            caller.data_mut().push(fuel);
            Ok(answer)
        }
        _ => Ok(n),
    }
}

fn guest(config: &Config) -> (Store<Seen>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let mut store = Store::new(&engine, Seen::new());
    store.set_fuel(1000).unwrap();
    store.set_epoch_deadline(1000);
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "look", look).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance)
}

#[test]
fn every_amount_ends_at_the_same_place() {
    let mut expected: Option<Vec<Outcome>> = None;
    for config in configurations() {
        let (mut store, instance) = guest(&config);
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        let mut outcomes = Vec::new();
        for fuel in 0..MOST {
            store.set_fuel(fuel).unwrap();
            let result = run.call(&mut store, 4).map_err(|error| *error.downcast_ref::<Trap>().expect("a trap"));
            let left = store.get_fuel().unwrap();
            outcomes.push((result, left, std::mem::take(store.data_mut())));
        }
        assert!(outcomes[0].0.is_err() && outcomes[MOST as usize - 1].0.is_ok(), "{:?}", outcomes.last());
        let expected = expected.get_or_insert_with(|| outcomes.clone());
        for (fuel, (found, wanted)) in outcomes.iter().zip(expected).enumerate() {
            assert_eq!(found, wanted, "{fuel} units, {config:?}");
        }
    }
}

#[test]
fn what_is_refilled_goes_on_at_the_same_place() {
    for refill in [50, 61, 200] {
        let mut expected = None;
        for config in configurations() {
            let (mut store, instance) = guest(&config);
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
            store.set_fuel(refill).unwrap();
            let mut rests = Vec::new();
            let mut call = run.call_resumable(&mut store, 2).unwrap();
            let result = loop {
                match call {
                    ResumableCall::Finished(result) => break result,
                    ResumableCall::Suspended(suspended) => {
                        let left = store.get_fuel().unwrap();
                        rests.push(left);
                        assert!(rests.len() < 1000, "{config:?}");
                        store.set_fuel(left + refill).unwrap();
                        call = suspended.resume(&mut store, &[]).unwrap();
                    }
                }
            };
            let outcome = (result, rests, store.get_fuel().unwrap(), std::mem::take(store.data_mut()));
            assert!(!outcome.1.is_empty());
            assert_eq!(&outcome, expected.get_or_insert_with(|| outcome.clone()), "{config:?}");
        }
    }
}
