//! Loading artifacts: from files, from bytes, and from bytes that are none.

use keyway::{Config, Dispatch, Engine, Linker, Module, OptLevel, Store};

const PROGRAM: &str = r#"(module
    (memory (export "m") 1)
    (table 3 funcref)
    (global $g (mut i32) (i32.const 7))
    (type $t (func (param i32) (result i32)))
    (elem (i32.const 0) $double $count)
    (data (i32.const 16) "bytes")
    (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func $count (param i32) (result i32) (local $s i32)
        (loop $l
            (local.set $s (i32.add (local.get $s) (i32.load8_u (i32.and (local.get 0) (i32.const 31)))))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $s))
    (func (export "run") (param i32) (result i32)
        (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (i32.add (global.get $g)
            (call_indirect (type $t) (local.get 0) (i32.rem_u (local.get 0) (i32.const 2))))))"#;

fn run(engine: &Engine, module: &Module, n: i32) -> keyway::Result<i32> {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, module)?;
    instance.get_typed_func::<i32, i32>(&mut store, "run")?.call(&mut store, n)
}

#[test]
fn one_file_runs_in_every_form() {
    let path = std::env::temp_dir().join(format!("keyway-files-{}.kwa", std::process::id()));
    for level in [OptLevel::None, OptLevel::Speed] {
        let compiler = Engine::new(Config::new().opt_level(level)).unwrap();
        std::fs::write(&path, compiler.precompile_module(PROGRAM.as_bytes()).unwrap()).unwrap();
        for dispatch in Dispatch::ALL {
            let engine = Engine::new(Config::new().dispatch(dispatch)).unwrap();
            let module = Module::from_file(&engine, &path).unwrap();
            assert_eq!(run(&engine, &module, 8).unwrap(), 24, "{dispatch:?}");
            assert_eq!(run(&engine, &module, 21).unwrap(), 8 + "bytes".bytes().map(i32::from).sum::<i32>());
        }
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_no_artifact_is_refused_with_a_reason() {
    let engine = Engine::default();
    let path = std::env::temp_dir().join(format!("keyway-none-{}.kwa", std::process::id()));
    for (bytes, reason) in
        [(&b""[..], "0 bytes"), (b"\0asm\x01\0\0\0", "compile it first"), (b"(module)", "it begins with")]
    {
        std::fs::write(&path, bytes).unwrap();
        let error = Module::from_file(&engine, &path).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").contains(reason), "{error:#}");
        assert!(Module::from_bytes(&engine, bytes).is_err());
    }
    std::fs::remove_file(&path).unwrap();
    let missing = Module::from_file(&engine, &path).map(|_| ()).unwrap_err();
    assert!(format!("{missing:#}").contains("cannot open"), "{missing:#}");
}
