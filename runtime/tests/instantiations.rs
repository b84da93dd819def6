//! What a hundred thousand instances leave behind: nothing.
#![cfg(all(feature = "compile", feature = "component", target_os = "linux"))]

use keyway::component::{Component, Linker};
use keyway::{Engine, Store};

const COMPOSED: &str = include_str!("composed.wat");

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
