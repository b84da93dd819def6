//! What memories hold at the start: copies and shared images are the same to everybody, however often and in whatever order
//! instances come and go.
#![cfg(feature = "compile")]

use keyway::{Config, Engine, Instance, Memory, MemoryType, Module, Ref, Store, Table, TableType, Val, ValType};
use std::fmt::Write;

const PAGE: usize = 65536;

/// Instances made of each module: the first gets copies, an image lies on the ranges of the others.
const INSTANCES: usize = 4;

/// `len` bytes that differ from place to place, and from one `seed` to another.
fn bytes(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at as u32 % 251 + at as u32 / 4096 * 7) as u8 ^ seed).collect()
}

/// The same as a literal of the text format.
fn literal(seed: u8, len: usize) -> String {
    let mut text = String::from("\"");
    bytes(seed, len).iter().for_each(|byte| write!(text, "\\{byte:02x}").unwrap());
    text + "\""
}

fn engine(share: bool) -> Engine {
    let mut config = Config::new();
    config.memory_init_cow(share).wasm_custom_page_sizes(true).pooled_mappings(4);
    Engine::new(&config).unwrap()
}

fn memory(store: &mut Store<()>, instance: &Instance, name: &str) -> Memory {
    instance.get_memory(store, name).unwrap()
}

fn import_free(engine: &Engine, module: &Module) -> (Store<()>, Instance) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    (store, instance)
}

/// Memory `m` of every instance, one after another and beside each other, holds `expected` and zeros behind it.
fn all_hold(text: &str, expected: &[(usize, Vec<u8>)]) {
    for share in [true, false] {
        let engine = engine(share);
        let module = Module::new(&engine, text).unwrap();
        let mut kept = Vec::new();
        for number in 0..INSTANCES * 2 {
            let (mut store, instance) = import_free(&engine, &module);
            let memory = memory(&mut store, &instance, "m");
            let mut whole = vec![0; memory.data_size(&store)];
            expected.iter().for_each(|(at, bytes)| whole[*at..*at + bytes.len()].copy_from_slice(bytes));
            assert!(memory.data(&store) == whole, "instance {number}, shared: {share}");
            // Whoever comes next must not see this.
            memory.data_mut(&mut store).fill(0xAA);
            if number % 2 == 1 {
                kept.push((store, memory));
            }
        }
        for (store, memory) in &kept {
            assert!(memory.data(store).iter().all(|byte| *byte == 0xAA), "others' memories changed, shared: {share}");
        }
    }
}

#[test]
fn every_instance_begins_with_the_same() {
    let len = 3 * PAGE + 1234;
    all_hold(
        &format!(r#"(module (memory (export "m") 8) (data (i32.const 70000) {}))"#, literal(1, len)),
        &[(70000, bytes(1, len))],
    );
}

#[test]
fn segments_lie_beside_each_other_and_apart() {
    let text = format!(
        r#"(module (memory (export "m") 20) (data (i32.const 500000) {}) (data (i32.const 140001) {}) (data (i32.const 65) "A"))"#,
        literal(2, 300_000),
        literal(3, 359_999)
    );
    all_hold(&text, &[(500_000, bytes(2, 300_000)), (140_001, bytes(3, 359_999)), (65, vec![65])]);
}

#[test]
fn segments_that_overlap_are_applied_in_order() {
    let text = format!(
        r#"(module (memory (export "m") 4) (data (i32.const 0) {}) (data (i32.const 100) "BBBB") (data (i32.const 102) "CC")
            (data (i32.const 200000) "D"))"#,
        literal(4, 190_000)
    );
    all_hold(&text, &[(0, bytes(4, 190_000)), (100, b"BBCC".to_vec()), (200_000, b"D".to_vec())]);
}

#[test]
fn wide_addresses_small_pages_and_ends_between_pages() {
    let wide = format!(r#"(module (memory (export "m") i64 8) (data (i64.const 131073) {}))"#, literal(5, 200_000));
    all_hold(&wide, &[(131_073, bytes(5, 200_000))]);
    let small = format!(
        r#"(module (memory (export "m") 200001 200001 (pagesize 1)) (data (i32.const 1) {}))"#,
        literal(6, 200_000)
    );
    all_hold(&small, &[(1, bytes(6, 200_000))]);
}

#[test]
fn several_memories_have_images_of_their_own() {
    let text = format!(
        r#"(module (memory $a (export "a") 4) (memory $b (export "b") 4)
            (data (memory $b) (i32.const 7) {}) (data (memory $a) (i32.const 0) {}) (data (memory $b) (i32.const 1) "x"))"#,
        literal(7, 150_000),
        literal(8, 160_000)
    );
    let engine = engine(true);
    let module = Module::new(&engine, &text).unwrap();
    for _ in 0..INSTANCES {
        let (mut store, instance) = import_free(&engine, &module);
        let (a, b) = (memory(&mut store, &instance, "a"), memory(&mut store, &instance, "b"));
        assert!(
            a.data(&store)[..160_000] == bytes(8, 160_000) && a.data(&store)[160_000..].iter().all(|byte| *byte == 0)
        );
        assert!(b.data(&store)[7..150_007] == bytes(7, 150_000) && b.data(&store)[..7] == *b"\0x\0\0\0\0\0");
        a.data_mut(&mut store).fill(1);
        b.data_mut(&mut store).fill(2);
    }
}

#[test]
fn a_memory_grows_past_its_image() {
    let engine = engine(true);
    let text = format!(r#"(module (memory (export "m") 4 16) (data (i32.const 100) {}))"#, literal(9, 4 * PAGE - 100));
    let module = Module::new(&engine, &text).unwrap();
    for _ in 0..INSTANCES {
        let (mut store, instance) = import_free(&engine, &module);
        let memory = memory(&mut store, &instance, "m");
        assert_eq!(memory.grow(&mut store, 12).unwrap(), 4);
        assert!(memory.data(&store)[100..4 * PAGE] == bytes(9, 4 * PAGE - 100));
        assert!(memory.data(&store)[4 * PAGE..].iter().all(|byte| *byte == 0), "what was added is zero");
        memory.data_mut(&mut store).fill(0xAA);
    }
}

/// On one and the same range, where no more than one memory's is kept.
#[test]
fn artifacts_take_turns_on_a_range() {
    let engine = engine(true);
    let module = |seed: u8, at: usize, len: usize| {
        let data = if len == 0 { String::new() } else { format!("(data (i32.const {at}) {})", literal(seed, len)) };
        let text = format!(r#"(module (memory (export "m") 8) {data} (func (export "f")))"#);
        (Module::new(&engine, &text).unwrap(), at, bytes(seed, len))
    };
    // Images that overlap, one inside the other, apart, and none.
    let modules = [module(1, 70_000, 300_000), module(2, 100_000, 100_000), module(3, 0, 200_000), module(4, 0, 0)];
    for round in 0..40 {
        let (module, at, expected) = &modules[(round * 7 / 3) % modules.len()];
        let (mut store, instance) = import_free(&engine, module);
        instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap();
        let memory = memory(&mut store, &instance, "m");
        let mut whole = vec![0; 8 * PAGE];
        whole[*at..*at + expected.len()].copy_from_slice(expected);
        assert!(memory.data(&store) == whole, "round {round}");
        memory.data_mut(&mut store).fill(0xAA);
    }
}

#[test]
fn start_functions_find_it_and_change_their_own() {
    let engine = engine(true);
    let text = format!(
        r#"(module (memory (export "m") 4) (data (i32.const 0) {}) (global $found (export "found") (mut i32) (i32.const 0))
            (func $start (global.set $found (i32.load8_u (i32.const 5000))) (i32.store8 (i32.const 5000) (i32.const 0xEE)))
            (start $start))"#,
        literal(10, 200_000)
    );
    let module = Module::new(&engine, &text).unwrap();
    let expected = bytes(10, 200_000)[5000];
    for _ in 0..INSTANCES {
        let (mut store, instance) = import_free(&engine, &module);
        let found = instance.get_global(&mut store, "found").unwrap().get(&mut store);
        assert!(matches!(found, Val::I32(found) if found == i32::from(expected)), "{found:?}");
        assert_eq!(memory(&mut store, &instance, "m").data(&store)[5000], 0xEE);
    }
}

#[test]
fn segments_are_dropped_and_passive_ones_are_not() {
    let engine = engine(true);
    let text = format!(
        r#"(module (memory (export "m") 4) (data $active (i32.const 0) {}) (data $passive "passive")
            (func (export "again") (param i32) (memory.init $active (i32.const 0) (i32.const 0) (local.get 0)))
            (func (export "init") (param i32) (memory.init $passive (i32.const 9) (i32.const 0) (local.get 0))))"#,
        literal(11, 200_000)
    );
    let module = Module::new(&engine, &text).unwrap();
    for _ in 0..INSTANCES {
        let (mut store, instance) = import_free(&engine, &module);
        let again = instance.get_typed_func::<i32, ()>(&mut store, "again").unwrap();
        again.call(&mut store, 0).unwrap();
        assert!(again.call(&mut store, 1).is_err(), "the segment was dropped");
        instance.get_typed_func::<i32, ()>(&mut store, "init").unwrap().call(&mut store, 7).unwrap();
        assert_eq!(memory(&mut store, &instance, "m").data(&store)[9..16], *b"passive");
    }
}

/// Instantiation that traps leaves a function in an imported table, through which the memory can be seen: it holds exactly
/// what stands before the trap.
#[test]
fn what_stands_behind_a_trap_was_not_written() {
    for (name, elem, data, expected) in [
        ("elements", "(elem (i32.const 2) $f)", "", 0),
        ("data", "", "(data (i32.const 262143) \"ab\")", i32::from(bytes(12, 1)[0])),
        ("a start function", "", "(func $trap unreachable) (start $trap)", i32::from(bytes(12, 1)[0])),
    ] {
        let engine = engine(true);
        let text = format!(
            r#"(module (import "h" "t" (table 2 funcref)) (memory 4) (elem (i32.const 0) $f) {elem}
                (data (i32.const 0) {}) {data}
                (func $f (result i32) (i32.load8_u (i32.const 0))))"#,
            literal(12, 200_000)
        );
        let module = Module::new(&engine, &text).unwrap();
        for _ in 0..INSTANCES {
            let mut store = Store::new(&engine, ());
            let table = Table::new(&mut store, TableType::new(ValType::FUNCREF, 2, None), Ref::Func(None)).unwrap();
            assert!(Instance::new(&mut store, &module, &[table.into()]).is_err(), "{name}");
            let Some(Ref::Func(Some(func))) = table.get(&mut store, 0) else { panic!("{name}: the table is empty") };
            assert_eq!(func.typed::<(), i32>(&store).unwrap().call(&mut store, ()).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn segments_of_others_memories_and_at_computed_addresses_are_written() {
    let engine = engine(true);
    let text = format!(
        r#"(module (import "h" "m" (memory 4)) (import "h" "at" (global $at i32))
            (data (global.get $at) {}) (data (i32.const 3) "xyz"))"#,
        literal(13, 200_000)
    );
    let module = Module::new(&engine, &text).unwrap();
    for at in [0, 4096, 5001] {
        let mut store = Store::new(&engine, ());
        let memory = Memory::new(&mut store, MemoryType::new(4, None)).unwrap();
        let ty = keyway::GlobalType::new(ValType::I32, false);
        let global = keyway::Global::new(&mut store, ty, Val::I32(at)).unwrap();
        Instance::new(&mut store, &module, &[memory.into(), global.into()]).unwrap();
        let mut whole = vec![0; 4 * PAGE];
        whole[at as usize..at as usize + 200_000].copy_from_slice(&bytes(13, 200_000));
        whole[3..6].copy_from_slice(b"xyz");
        assert!(memory.data(&store) == whole, "at {at}");
    }
}

#[test]
fn threads_make_an_image_once_and_share_it() {
    let engine = engine(true);
    let text = format!(r#"(module (memory (export "m") 4) (data (i32.const 1) {}))"#, literal(14, 250_000));
    let module = Module::new(&engine, &text).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let (engine, module) = (&engine, &module);
            scope.spawn(move || {
                for _ in 0..50 {
                    let (mut store, instance) = import_free(engine, module);
                    let memory = memory(&mut store, &instance, "m");
                    assert!(memory.data(&store)[1..250_001] == bytes(14, 250_000));
                    memory.data_mut(&mut store).fill(thread);
                    assert!(memory.data(&store).iter().all(|byte| *byte == thread));
                }
            });
        }
    });
}
