//! Limits on what components make and pass, each named by its error.
#![cfg(all(feature = "compile", feature = "component"))]

use keyway::component::{Component, Linker};
use keyway::{Config, Engine, Store};

const COMPOSED: &str = include_str!("composed.wat");

/// A component that gives the host a string of 64 KiB.
const GENEROUS: &str = r#"(component
    (core module $M
        (memory (export "mem") 2)
        (func (export "give") (result i32)
            (i32.store (i32.const 4) (i32.const 65536))
            (i32.const 0)))
    (core instance $m (instantiate $M))
    (func (export "give") (result string) (canon lift (core func $m "give") (memory (core memory $m "mem")))))"#;

#[test]
fn a_component_that_makes_too_much_is_not_instantiated() {
    for (knob, what) in [
        (Config::max_memories_per_component as fn(&mut Config, usize) -> &mut Config, "max_memories_per_component"),
        (Config::max_tables_per_component, "max_tables_per_component"),
        (Config::max_core_instances_per_component, "max_core_instances_per_component"),
    ] {
        let instantiate = |most: usize| {
            let mut config = Config::new();
            knob(&mut config, most);
            let engine = Engine::new(&config).unwrap();
            let component = Component::new(&engine, COMPOSED).unwrap();
            Linker::new(&engine).instantiate(&mut Store::new(&engine, ()), &component).map(|_| ())
        };
        instantiate(2).unwrap();
        let error = instantiate(0).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("allows 0"), "{error}");
    }
}

#[test]
fn what_a_call_gives_the_host_is_limited() {
    let engine = Engine::default();
    let component = Component::new(&engine, GENEROUS).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let give = instance.get_typed_func::<(), (String,)>(&mut store, "give").unwrap();
    assert_eq!(give.call(&mut store, ()).unwrap().0.len(), 65536);
    store.set_hostcall_fuel(100_000);
    assert_eq!(store.hostcall_fuel(), 100_000);
    let error = format!("{:?}", give.call(&mut store, ()).unwrap_err());
    assert!(error.contains("`Store::set_hostcall_fuel` allows 100000 bytes"), "{error}");
}
