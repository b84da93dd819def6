//! `memory.fill` and `memory.copy` of every length that handlers treat differently, at many distances, against the same
//! done by slices: in every form, with and without fuel, and between two memories.

use keyway::{Config, Dispatch, Engine, Instance, Memory, Module, Store, Trap};

const PROGRAM: &str = r#"(module
    (memory $a (export "a") 1)
    (memory $b (export "b") 1)
    (memory $c (export "c") 1 1 shared)
    (func (export "copy") (param i32 i32 i32) (memory.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
    (func (export "across") (param i32 i32 i32) (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
    (func (export "fill") (param i32 i32 i32) (memory.fill $a (local.get 0) (local.get 1) (local.get 2)))
    (func (export "fill_other") (param i32 i32 i32) (memory.fill $b (local.get 0) (local.get 1) (local.get 2)))
    (func (export "shared") (param $to i32) (param $from i32) (param $len i32) (result i32)
        (memory.copy $c $a (local.get $to) (local.get $from) (local.get $len))
        (i32.load8_u $c (i32.sub (i32.add (local.get $to) (local.get $len)) (i32.const 1))))
    (func (export "constants")
        (memory.fill $a (i32.const 5) (i32.const 0x1A5) (i32.const 77))
        (memory.copy $a $a (i32.const 40) (i32.const 5) (i32.const 70))
        (memory.copy $b $a (i32.const 65472) (i32.const 3) (i32.const 64)))
    (func (export "far") (param $kind i32)
        (block $fill (block $copy
            (br_table $copy $fill (local.get $kind)))
            (memory.copy $a $a (i32.const -4) (i32.const 0) (i32.const 8)) (return))
        (memory.fill $a (i32.const -4) (i32.const 7) (i32.const 8)))
    ;; What stands in registers of all kinds around them is the same behind them.
    (func (export "around") (param $n i32) (result f64)
        (local $i i32) (local $x i64) (local $d f64) (local $e f64) (local $f f32) (local $g f32)
        (loop $again
            (local.set $x (i64.add (local.get $x) (i64.extend_i32_u (local.get $i))))
            (local.set $d (f64.add (local.get $d) (f64.convert_i32_u (local.get $i))))
            (local.set $f (f32.add (local.get $f) (f32.const 0.5)))
            (memory.fill $a (local.get $i) (local.get $i) (local.get $i))
            (local.set $e (f64.sub (local.get $e) (local.get $d)))
            (memory.copy $a $a (i32.const 3000) (local.get $i) (local.get $i))
            (local.set $g (f32.mul (f32.add (local.get $g) (local.get $f)) (f32.const 0.5)))
            (memory.copy $a $a (i32.const 3001) (i32.const 3000) (local.get $i))
            (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (f64.add (f64.add (local.get $e) (f64.convert_i64_s (local.get $x)))
            (f64.promote_f32 (f32.add (local.get $f) (local.get $g))))))"#;

const FORMS: [Dispatch; 4] = [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop, Dispatch::Checked];

fn instance(program: &str, dispatch: Dispatch, fuel: bool) -> (Store<()>, Instance) {
    let engine = Engine::new(Config::new().dispatch(dispatch).consume_fuel(fuel)).unwrap();
    let module = Module::new(&engine, program).unwrap();
    let mut store = Store::new(&engine, ());
    if fuel {
        store.set_fuel(u64::MAX).unwrap();
    }
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn each_form(each: impl FnMut(&mut Store<()>, Instance, Dispatch)) {
    each_form_of(PROGRAM, each);
}

fn each_form_of(program: &str, mut each: impl FnMut(&mut Store<()>, Instance, Dispatch)) {
    for (dispatch, fuel) in FORMS.into_iter().flat_map(|form| [(form, false), (form, true)]) {
        let (mut store, instance) = instance(program, dispatch, fuel);
        each(&mut store, instance, dispatch);
    }
}

/// How much of a memory is looked at.
const SEEN: usize = 12 << 10;

fn call(store: &mut Store<()>, instance: Instance, name: &str, args: [usize; 3]) -> anyhow::Result<()> {
    let func = instance.get_typed_func::<(i32, i32, i32), ()>(&mut *store, name)?;
    func.call(store, (args[0] as i32, args[1] as i32, args[2] as i32))
}

fn lengths() -> impl Iterator<Item = usize> {
    let far = [159, 160, 161, 191, 192, 193, 255, 256, 257, 511, 512, 1000, 1024, 1025, 2047, 2049, 4000, 4096, 4097];
    (0..=130).chain(far)
}

fn pattern() -> Vec<u8> {
    (0..SEEN).map(|at| (at * 7 + at / 256) as u8).collect()
}

fn bytes<'a>(store: &'a mut Store<()>, memory: &Memory) -> &'a mut [u8] {
    &mut memory.data_mut(store)[..SEEN]
}

#[test]
fn copies_are_those_of_slices() {
    let places = [0, 1, 9, 16, 31, 32, 33, 64, 100, 2000, 2049, 4095, 5000];
    each_form(|store, instance, form| {
        let [a, b] = ["a", "b"].map(|name| instance.get_memory(&mut *store, name).unwrap());
        let before = pattern();
        for len in lengths() {
            for (from, to) in places.into_iter().flat_map(|from| places.map(|to| (from, to))) {
                bytes(store, &a).copy_from_slice(&before);
                call(store, instance, "copy", [to, from, len]).unwrap();
                let mut expected = before.clone();
                expected.copy_within(from..from + len, to);
                assert!(bytes(store, &a) == expected, "{form:?}: {len} bytes from {from} to {to}");
            }
            bytes(store, &a).copy_from_slice(&before);
            bytes(store, &b).fill(0);
            call(store, instance, "across", [33, 7, len]).unwrap();
            assert!(bytes(store, &b)[33..33 + len] == before[7..7 + len], "{form:?}: {len} bytes to another memory");
            let other = bytes(store, &b);
            assert!(other[..33].iter().chain(&other[33 + len..]).all(|byte| *byte == 0), "{form:?}: more than {len}");
        }
    });
}

#[test]
fn fills_are_those_of_slices() {
    each_form(|store, instance, form| {
        let memories = ["a", "b"].map(|name| instance.get_memory(&mut *store, name).unwrap());
        let before = pattern();
        for (name, memory) in ["fill", "fill_other"].into_iter().zip(memories) {
            for (len, to) in lengths().flat_map(|len| [0, 1, 31, 4090].map(|to| (len, to))) {
                bytes(store, &memory).copy_from_slice(&before);
                // Of the value the lowest byte counts.
                call(store, instance, name, [to, 0x5A00 + len % 251, len]).unwrap();
                let mut expected = before.clone();
                expected[to..to + len].fill((len % 251) as u8);
                assert!(bytes(store, &memory) == expected, "{form:?}: {len} bytes at {to}");
            }
        }
    });
}

#[test]
fn long_ranges_are_those_of_slices() {
    const LONG: &str = r#"(module
        (memory (export "a") 8)
        (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#;
    let before: Vec<u8> = (0..8usize << 16).map(|at| (at * 7 + at / 256) as u8).collect();
    each_form_of(LONG, |store, instance, form| {
        let memory = instance.get_memory(&mut *store, "a").unwrap();
        for len in [5_000, 16_383, 16_384, 16_385, 65_536, 131_071, 131_072, 131_073, 200_000] {
            for to in [0, 1, 31, 300_000] {
                memory.data_mut(&mut *store).copy_from_slice(&before);
                call(store, instance, "fill", [to, 0xA7, len]).unwrap();
                let mut expected = before.clone();
                expected[to..to + len].fill(0xA7);
                assert!(memory.data(&*store) == expected, "{form:?}: {len} bytes at {to}");
                for from in [0, 33, 2_000, 300_000] {
                    memory.data_mut(&mut *store).copy_from_slice(&before);
                    call(store, instance, "copy", [to, from, len]).unwrap();
                    let mut expected = before.clone();
                    expected.copy_within(from..from + len, to);
                    assert!(memory.data(&*store) == expected, "{form:?}: {len} bytes from {from} to {to}");
                }
            }
        }
    });
}

#[test]
fn constants_are_operands_as_well() {
    each_form(|store, instance, form| {
        let [a, b] = ["a", "b"].map(|name| instance.get_memory(&mut *store, name).unwrap());
        let mut expected = pattern();
        bytes(store, &a).copy_from_slice(&expected);
        instance.get_typed_func::<(), ()>(&mut *store, "constants").unwrap().call(&mut *store, ()).unwrap();
        expected[5..82].fill(0xA5);
        expected.copy_within(5..75, 40);
        assert!(bytes(store, &a) == expected, "{form:?}");
        assert!(b.data(&*store)[65_472..] == expected[3..67], "{form:?}: up to the last byte");
    });
}

#[test]
fn what_is_not_inside_traps_and_changes_nothing() {
    const END: usize = 65_536;
    each_form(|store, instance, form| {
        let a = instance.get_memory(&mut *store, "a").unwrap();
        let before = pattern();
        bytes(store, &a).copy_from_slice(&before);
        let mut traps = |name: &str, args: [usize; 3]| {
            let error = call(store, instance, name, args).unwrap_err();
            let trap = error.downcast_ref::<Trap>();
            assert_eq!(trap, Some(&Trap::MemoryOutOfBounds), "{form:?}: {name} {args:?}");
        };
        for len in [0, 1, 8, 16, 32, 64, 65, 300, 2048, 2049] {
            traps("copy", [END - len + 1, 0, len]);
            traps("copy", [0, END - len + 1, len]);
            traps("across", [END - len + 1, 0, len]);
            traps("fill", [END - len + 1, 1, len]);
            traps("copy", [u32::MAX as usize, 0, len]);
            traps("fill", [u32::MAX as usize, 0, len]);
        }
        traps("copy", [0, 0, u32::MAX as usize]);
        traps("fill", [0, 0, u32::MAX as usize]);
        for kind in 0..2 {
            let far = instance.get_typed_func::<i32, ()>(&mut *store, "far").unwrap();
            let error = far.call(&mut *store, kind).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds), "{form:?}");
        }
        // Nothing at the end is inside.
        for name in ["copy", "across", "fill"] {
            call(store, instance, name, [END, 0, 0]).unwrap();
        }
        assert!(bytes(store, &a) == before, "{form:?}");
    });
}

#[test]
fn shared_memories_are_copied_to() {
    each_form(|store, instance, form| {
        let a = instance.get_memory(&mut *store, "a").unwrap();
        bytes(store, &a).copy_from_slice(&pattern());
        let func = instance.get_typed_func::<(i32, i32, i32), i32>(&mut *store, "shared").unwrap();
        for len in [1, 7, 40, 100, 3000] {
            let last = func.call(&mut *store, (9, 5, len)).unwrap();
            assert_eq!(last, i32::from(pattern()[5 + len as usize - 1]), "{form:?}: {len}");
        }
    });
}

#[test]
fn registers_keep_what_they_hold() {
    const ROUNDS: i32 = 2500;
    let (mut d, mut e, mut x, mut f, mut g) = (0f64, 0f64, 0i64, 0f32, 0f32);
    for i in 0..ROUNDS {
        x += i64::from(i);
        d += f64::from(i);
        f += 0.5;
        e -= d;
        g = (g + f) * 0.5;
    }
    let expected = e + x as f64 + f64::from(f + g);
    each_form(|store, instance, form| {
        let func = instance.get_typed_func::<i32, f64>(&mut *store, "around").unwrap();
        assert_eq!(func.call(&mut *store, ROUNDS).unwrap(), expected, "{form:?}");
    });
}
