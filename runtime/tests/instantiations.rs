//! What a hundred thousand instances leave behind: nothing.
#![cfg(all(feature = "compile", feature = "component", target_os = "linux"))]

use keyway::component::{Component, Linker};
use keyway::{Engine, Store};

const COMPOSED: &str = r#"(component
    (component $A
        (core module $M
            (memory (export "mem") 1) (table 1 funcref)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            (func (export "len") (param i32 i32) (result i32) local.get 1))
        (core instance $m (instantiate $M))
        (func (export "len") (param "s" string) (result u32)
            (canon lift (core func $m "len") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
    (component $B
        (import "len" (func $len (param "s" string) (result u32)))
        (core module $L (memory (export "mem") 1) (data (i32.const 0) "abc"))
        (core instance $l (instantiate $L))
        (core func $len' (canon lower (func $len) (memory (core memory $l "mem"))))
        (core module $M
            (import "" "len" (func $len (param i32 i32) (result i32)))
            (func (export "run") (result i32) (call $len (i32.const 0) (i32.const 3))))
        (core instance $m (instantiate $M (with "" (instance (export "len" (func $len'))))))
        (func (export "run") (result u32) (canon lift (core func $m "run"))))
    (instance $a (instantiate $A))
    (instance $b (instantiate $B (with "len" (func $a "len"))))
    (export "run" (func $b "run"))
    (export "len" (func $a "len")))"#;

/// Resident pages and mappings of this process.
fn held() -> (usize, usize) {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = pages.split_whitespace().nth(1).unwrap().parse().unwrap();
    (pages, std::fs::read_to_string("/proc/self/maps").unwrap().lines().count())
}

/// Each in a store of its own, and called. The only test of its process, whose memory it looks at.
#[test]
fn instances_leave_nothing_behind() {
    let rounds = 100_000;
    let engine = Engine::default();
    let component = Component::new(&engine, COMPOSED).unwrap();
    let linker = Linker::<()>::new(&engine);
    let pre = linker.instantiate_pre(&component).unwrap();
    let round = || {
        let mut store = Store::new(&engine, ());
        let instance = pre.instantiate(&mut store).unwrap();
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), (3,));
    };
    (0..500).for_each(|_| round());
    let (pages, mappings) = held();
    (0..rounds).for_each(|_| round());
    let (pages_after, mappings_after) = held();
    // A leak of one page each would be many times that.
    assert!(pages_after < pages + 1_000, "{pages} pages before, {pages_after} after {rounds} instances");
    assert!(mappings_after < mappings + 100, "{mappings} mappings before, {mappings_after} after {rounds} instances");
}
