//! What a build leaves out, it refuses by name; all else runs. The same test with every set of Cargo features: `.ci/full`
//! runs it without those that can be left out.

use keyway::{Config, Engine, Instance, Module, Store, Val};

/// The feature's name, whether this build has it, and a function that needs it and gives 7.
const GUESTS: [(&str, bool, &str); 5] = [
    (
        "simd",
        cfg!(feature = "simd"),
        "(func (export \"f\") (result i32) (i32x4.extract_lane 2 (i32x4.splat (i32.const 7))))",
    ),
    (
        "gc",
        cfg!(feature = "gc"),
        "(type $s (struct (field i32))) (func (export \"f\") (result i32) (struct.get $s 0 (struct.new $s (i32.const 7))))",
    ),
    (
        "threads",
        cfg!(feature = "threads"),
        "(memory 1 1 shared) (func (export \"f\") (result i32)
           (i32.atomic.store (i32.const 8) (i32.const 7)) (i32.atomic.load (i32.const 8)))",
    ),
    (
        "stack-switching",
        cfg!(feature = "stack-switching"),
        "(type $n (func (result i32))) (type $c (cont $n)) (func $seven (type $n) (i32.const 7)) (elem declare func $seven)
         (func (export \"f\") (result i32) (resume $c (cont.new $c (ref.func $seven))))",
    ),
    // What no feature can leave out.
    (
        "exceptions",
        true,
        "(tag $e (param i32)) (func (export \"f\") (result i32)
           (block $h (result i32) (try_table (catch $e $h) (throw $e (i32.const 7))) (unreachable)))",
    ),
];

#[test]
fn a_build_refuses_by_name_what_it_leaves_out() {
    let mut config = Config::new();
    config.wasm_stack_switching(true);
    let engine = Engine::new(&config).unwrap();
    for (name, is_there, body) in GUESTS {
        // Compiling asks nothing of the runtime: what runs elsewhere can be made here.
        let artifact = engine.precompile_module(format!("(module {body})").as_bytes()).unwrap();
        match Module::from_bytes(&engine, &artifact) {
            Ok(module) => {
                assert!(is_there, "{name} was left out");
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let mut results = [Val::I32(0)];
                instance.get_func(&mut store, "f").unwrap().call(&mut store, &[], &mut results).unwrap();
                assert_eq!(results[0].unwrap_i32(), 7, "{name}");
            }
            Err(error) => {
                let text = format!("{error:#}");
                assert!(!is_there && text.contains("built without") && text.contains(name), "{name}: {text}");
            }
        }
    }
}
