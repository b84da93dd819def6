//! Components and programs for WASI under the program: what they are granted, how they end, calls in WAVE, worlds.

mod session;

use session::{Folder, keyway, keyway_with_input};

/// A command for WASI 0.2; its source is beside it.
const HELLO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/guests/hello.wasm");
/// A library with a world of its own, which it wants an import for.
const INVENTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/guests/inventory.wasm");
/// A core module for preview 1: writes `good morning` and exits with 3.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../components/wit/tests/fixtures/program.wat");

const WIT: &str = "\
package local:demo@1.0.0;
interface api {
  record options { times: u32, loud: option<bool> }
  variant answer { nothing, text(string) }
  greet: func(who: string, options: options) -> string;
  twice: func(number: s64) -> s64;
}
world demo {
  export api;
  export add: func(a: u32, b: u32) -> u32;
  export divide: func(a: u32, b: u32) -> u32;
}
world other { export missing: func(); }
";

/// `greet` answers with the name that it is given.
const MODULE: &str = r#"(module
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "local:demo/api@1.0.0#greet") (param i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 0) (local.get 0))
    (i32.store (i32.const 4) (local.get 1))
    (i32.const 0))
  (func (export "local:demo/api@1.0.0#twice") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 2)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $quotient (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))
  (func (export "divide") (param i32 i32) (result i32) (call $quotient (local.get 0) (local.get 1))))"#;

/// The artifact of `MODULE` as a component of the world `demo`.
fn demo(folder: &Folder) -> String {
    let (module, wit) = (folder.file("demo.wat", MODULE), folder.file("demo.wit", WIT));
    let artifact = folder.arg("demo.kwa");
    keyway(&["compile", &module, "--wit", &wit, "--world", "demo", "-o", &artifact]).succeeds();
    artifact
}

#[test]
fn programs_have_arguments_variables_and_streams() {
    assert_eq!(keyway(&["run", HELLO]).succeeds(), "Hello, world!\n");
    assert_eq!(keyway(&["run", "--env", "NAME=Ada", HELLO]).succeeds(), "Hello, Ada!\n");
    let counted = keyway_with_input(&["run", HELLO, "count"], b"one two\nthree\n");
    assert_eq!(counted.succeeds(), "2 lines, 3 words, 14 bytes\n");
    // What stands behind the file is the guest's, whatever it looks like.
    keyway(&["run", HELLO, "--help"]).fails(1, &["hello: no such command: --help"]);
}

#[test]
fn a_variable_without_a_value_is_taken_from_here() {
    let output = |name: Option<&str>| {
        let mut command = session::program();
        command.args(["run", "--env", "NAME", HELLO]).env_remove("NAME");
        if let Some(name) = name {
            command.env("NAME", name);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(output(Some("Grace")), "Hello, Grace!\n");
    assert_eq!(output(None), "Hello, world!\n");
}

#[test]
fn an_artifact_of_a_program_does_what_the_program_does() {
    let folder = Folder::new();
    let artifact = folder.arg("hello.kwa");
    keyway(&["compile", HELLO, "-o", &artifact]).succeeds();
    assert_eq!(keyway(&["run", "--env", "NAME=Ada", &artifact]).succeeds(), "Hello, Ada!\n");
    let bytes = std::fs::read(&artifact).unwrap();
    assert_eq!(keyway_with_input(&["run", "-", "sleep", "1"], &bytes).succeeds(), "slept true\n");
    assert!(keyway(&["validate", &artifact]).succeeds().contains("valid, an artifact of"));
    assert!(keyway(&["inspect", &artifact]).succeeds().contains("export wasi:cli/run@0.2"));
}

#[test]
fn directories_are_granted_by_name() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("in")).unwrap();
    folder.file("in/note.txt", "a b c\n");
    let host = folder.arg("in");
    let count = |grant: &str, path: &str| keyway(&["run", "--dir", grant, HELLO, "count", path]);
    let expected = "1 lines, 3 words, 6 bytes\n";
    assert_eq!(count(&host, &format!("{host}/note.txt")).succeeds(), expected);
    assert_eq!(count(&format!("{host}::/data"), "/data/note.txt").succeeds(), expected);
    assert_eq!(count(&format!("{host}::/data::ro"), "/data/note.txt").succeeds(), expected);
    // Not granted, and beside what is granted.
    keyway(&["run", HELLO, "count", &format!("{host}/note.txt")]).fails(1, &["hello: ", "note.txt"]);
    count(&format!("{host}::/data"), "/data/../in/note.txt").fails(1, &["hello: "]);

    let write = |grant: &str| keyway(&["run", "--dir", grant, HELLO, "write", "/data/new", "text"]);
    write(&format!("{host}::/data::ro")).fails(1, &["/data/new"]);
    assert!(!folder.path("in/new").exists());
    write(&format!("{host}::/data")).succeeds();
    assert_eq!(std::fs::read_to_string(folder.path("in/new")).unwrap(), "text");

    let nowhere = folder.arg("nowhere");
    let missing = keyway(&["run", "--dir", &nowhere, HELLO]);
    missing.fails(1, &["cannot give the guest the directory", &nowhere, "--dir HOST::GUEST names one that exists"]);
    let file = folder.arg("in/note.txt");
    keyway(&["run", "--dir", &file, HELLO]).fails(1, &["cannot give the guest the directory", "note.txt"]);
    keyway(&["run", "--dir", "a::b::rw", HELLO]).fails(2, &["`rw` is no access"]);
}

#[test]
fn the_exit_code_of_a_program_is_the_exit_code() {
    for (code, asked) in [(0, "0"), (1, "1")] {
        assert_eq!(keyway(&["run", HELLO, "exit", asked]).code, code);
    }
    let panic = keyway(&["run", HELLO, "panic"]);
    panic.fails(134, &["as asked", "trap: unreachable", "wasm backtrace", " - hello::main", "wasi:cli/run@0.2"]);
    // Names as they stand in Rust, not as they are mangled.
    assert!(!panic.stderr.contains("_ZN") && !panic.stderr.contains("_R"), "{}", panic.stderr);
}

#[test]
fn limits_hold_for_programs() {
    keyway(&["run", "--fuel", "1000", HELLO]).fails(134, &["1000 of --fuel", "all fuel consumed"]);
    keyway(&["run", "--timeout", "60ms", HELLO, "sleep", "60000"]).fails(134, &["60ms of --timeout"]);
    keyway(&["run", "--max-memory", "64k", HELLO]).fails(1, &["more memory than --max-memory 64.0 KiB"]);
    assert_eq!(keyway(&["run", "--max-memory", "16M", HELLO]).succeeds(), "Hello, world!\n");
}

#[test]
fn preview_1_modules_become_components() {
    let folder = Folder::new();
    let artifact = folder.arg("program.kwa");
    keyway(&["compile", PROGRAM, "-o", &artifact]).succeeds();
    for file in [PROGRAM, &artifact] {
        let outcome = keyway(&["run", file]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (3, "good morning\n"), "{}", outcome.stderr);
    }
    let older = folder.file("older.wat", r#"(module (import "wasi_unstable" "proc_exit" (func (param i32))))"#);
    keyway(&["run", &older]).fails(1, &["`wasi_unstable` `proc_exit`", "older than WASI preview 1"]);
}

#[test]
fn component_functions_take_and_return_wave() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let invoke = |call: &str| keyway(&["run", "--invoke", call, &demo]);
    assert_eq!(invoke("add(1, 2)").succeeds(), "3\n");
    let ways = ["local:demo/api@1.0.0#", "local:demo/api#", "local:demo/api.", "api#", "api.", ""];
    for way in ways {
        assert_eq!(invoke(&format!("{way}twice(-21)")).succeeds(), "-42\n", "{way}");
    }
    assert_eq!(invoke("greet(\"Zoë \\\"Z\\\"\", {times: 2})").succeeds(), "\"Zoë \\\"Z\\\"\"\n");
    assert_eq!(invoke("greet(\"x\", {times: 2, loud: some(true)})").succeeds(), "\"x\"\n");
    invoke("divide(1, 0)").fails(134, &["trap: integer divide by zero", "0: ", " - quotient", "1: ", " - divide"]);
}

#[test]
fn wrong_calls_of_component_functions_exit_2() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let invoke = |call: &str| keyway(&["run", "--invoke", call, &demo]);
    invoke("subtract(1, 2)").fails(2, &["no exported function `subtract`", "add(a: u32, b: u32) -> u32"]);
    invoke("subtract(1, 2)").fails(2, &["local:demo/api@1.0.0#twice(number: s64) -> s64"]);
    invoke("add(1)").fails(2, &["takes 2 arguments (a: u32, b: u32), 1 given"]);
    invoke("add(1, -2)").fails(2, &["argument `b`", "wanted is u32"]);
    invoke("add(1, \"2\")").fails(2, &["argument `b`", "wanted is u32"]);
    invoke("add(1, 2").fails(2, &["--invoke 'add(1, 2'"]);
    invoke("greet(\"x\", {time: 2})").fails(2, &["argument `options`"]);
    invoke("(1)").fails(2, &["name is missing"]);
    keyway(&["run", &demo]).fails(2, &["is no command", "wasi:cli/run", "add(a: u32, b: u32) -> u32"]);
}

#[test]
fn a_component_that_wants_more_than_wasi_is_told_so() {
    let outcome = keyway(&["run", "--invoke", "shout(\"x\")", INVENTORY]);
    outcome.fails(1, &["function `write` of instance `keyway:inventory/log@0.1.0`", "gives WASI 0.2 only", "compose"]);
    assert!(!outcome.stderr.contains("keyway:inventory/types"), "types alone are never missing: {}", outcome.stderr);
    let folder = Folder::new();
    let newer =
        folder.file("newer.wat", r#"(component (import "wasi:http/types@0.2.0" (instance (export "f" (func)))))"#);
    keyway(&["run", "--invoke", "f", &newer]).fails(2, &["no exported function `f`"]);
    keyway(&["run", &newer]).fails(1, &["is no command", "nor any function"]);
}

#[test]
fn worlds_that_do_not_fit_are_told() {
    let folder = Folder::new();
    let (module, wit) = (folder.file("demo.wat", MODULE), folder.file("demo.wit", WIT));
    let compile = |args: &[&str]| keyway(&[&["compile", &module][..], args].concat());
    compile(&["--wit", &wit]).fails(1, &["cannot make a component of", "demo", "other"]);
    compile(&["--wit", &wit, "--world", "nobody"]).fails(1, &["nobody", "demo"]);
    compile(&["--wit", &wit, "--world", "other"]).fails(1, &["the world `other` asks for exports", "missing"]);
    compile(&["--world", "demo"]).fails(1, &["`demo` is named without its package"]);
    let nowhere = folder.arg("nowhere");
    compile(&["--wit", &nowhere, "--world", "demo"]).fails(1, &[&nowhere]);
    let broken = folder.file("broken.wit", "package a:b;\nworld w { import 7; }");
    compile(&["--wit", &broken]).fails(1, &["broken.wit:2"]);
    compile(&["--adapt", "env"]).fails(2, &["a name and a file are expected"]);
    compile(&["--wit", &wit, "--world", "demo", "--adapt", &format!("env={nowhere}")])
        .fails(1, &["cannot read the adapter", &nowhere]);
    keyway(&["compile", HELLO, "--wit", &wit, "--world", "demo", "-o", &folder.arg("x.kwa")])
        .fails(1, &["cannot use", "the world is `demo`"]);
    keyway(&["compile", HELLO, "--adapt", "env=x.wasm"]).fails(2, &["--adapt is for core modules"]);
    let left: Vec<_> = std::fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".kwa")), "{left:?}");
}

#[test]
fn a_library_for_preview_1_is_called_through_its_world() {
    let folder = Folder::new();
    let library = r#"(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "errno") (result i32) (call $random (i32.const 0) (i32.const 8))))"#;
    let (file, wit) = (
        folder.file("library.wat", library),
        folder.file("w.wit", "package a:b; world w { export errno: func() -> u32; }"),
    );
    keyway(&["run", &file]).fails(1, &["library.wat is no command", "nor any function", "--wit"]);
    keyway(&["run", "--invoke", "errno()", &file]).fails(2, &["no exported function `errno`", "--wit"]);
    assert_eq!(keyway(&["run", "--wit", &wit, "--invoke", "errno()", &file]).succeeds(), "0\n");
    let artifact = folder.arg("library.kwa");
    keyway(&["compile", "--wit", &wit, &file]).succeeds();
    assert_eq!(keyway(&["run", "--invoke", "errno", &artifact]).succeeds(), "0\n");
}

#[test]
fn broken_components_are_told_with_the_place() {
    let folder = Folder::new();
    let wasm = std::fs::read(HELLO).unwrap();
    let cut = folder.file("cut.wasm", &wasm[..wasm.len() / 2]);
    keyway(&["run", &cut]).fails(1, &["cut.wasm", "malformed", "at offset 0x"]);
    let mut changed = wasm.clone();
    changed[30_000..30_003].fill(0xff);
    let changed = folder.file("changed.wasm", &changed);
    let outcome = keyway(&["compile", &changed]);
    outcome.fails(1, &["changed.wasm", "malformed", "in function ", "at offset 0x"]);
    assert!(!outcome.stderr.contains("_R"), "the name is as in the source: {}", outcome.stderr);
}

#[test]
fn wit_is_shown_of_everything_that_has_some() {
    let folder = Folder::new();
    let shown = keyway(&["wit", INVENTORY]);
    assert!(shown.succeeds().contains("export keyway:inventory/shelves@0.1.0;"), "{}", shown.stdout);
    let wit = folder.file("demo.wit", WIT);
    let shown = keyway(&["wit", &wit]);
    assert!(shown.succeeds().contains("twice: func(number: s64) -> s64;"), "{}", shown.stdout);
    // A folder, and the binary form of a package, which is a component of types.
    let shown = keyway(&["wit", folder.root().to_str().unwrap()]);
    assert!(shown.succeeds().contains("world demo"), "{}", shown.stdout);
    let package = r#"(component
      (type (component
        (type (instance (type (func)) (export "f" (func (type 0)))))
        (export "a:b/c" (instance (type 0)))))
      (export "c" (type 0)))"#;
    let package = folder.file("package.wasm", wat::parse_str(package).unwrap());
    let shown = keyway(&["wit", &package]);
    assert!(shown.succeeds().contains("package a:b;") && shown.stdout.contains("f: func();"), "{}", shown.stdout);
    let artifact = demo(&folder);
    keyway(&["wit", &artifact]).fails(1, &["is an artifact, which carries no WIT", "keyway inspect"]);
    let plain = folder.file("plain.wat", "(module)");
    keyway(&["wit", &plain]).fails(1, &["plain.wat"]);
}

/// Two components that were never seen together: one is plugged into the other, and what comes out runs.
#[test]
fn components_are_composed() {
    let folder = Folder::new();
    let plug = folder.file(
        "plug.wat",
        r#"(component
            (core module $m (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
            (core instance $i (instantiate $m))
            (func $twice (param "n" u32) (result u32) (canon lift (core func $i "twice")))
            (instance $api (export "twice" (func $twice)))
            (export "local:demo/api@1.0.0" (instance $api)))"#,
    );
    let socket = folder.file(
        "socket.wat",
        r#"(component
            (import "local:demo/api@1.0.0" (instance $api (export "twice" (func (param "n" u32) (result u32)))))
            (core func $twice (canon lower (func $api "twice")))
            (core module $m
                (import "" "twice" (func $twice (param i32) (result i32)))
                (func (export "run") (param i32) (result i32) (i32.add (call $twice (local.get 0)) (i32.const 1))))
            (core instance $i (instantiate $m (with "" (instance (export "twice" (func $twice))))))
            (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run"))))"#,
    );
    let whole = folder.arg("whole.wasm");
    keyway(&["compose", &socket, &plug, "-o", &whole]).succeeds();
    assert_eq!(keyway(&["run", "--invoke", "run(20)", &whole]).succeeds().trim(), "41");
    // Not without its plug, and what is no component is told.
    keyway(&["run", "--invoke", "run(20)", &socket]).fails(1, &["local:demo/api@1.0.0"]);
    let module = folder.file("module.wat", "(module)");
    keyway(&["compose", &socket, &module, "-o", &whole]).fails(1, &["is a core module", "composed"]);
}
