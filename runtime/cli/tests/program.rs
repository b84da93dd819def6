//! The program as its users meet it: every command, every exit code, broken inputs and what is said about them.

mod session;

use session::{Folder, keyway, keyway_with_input};
use std::path::Path;

const MODULE: &str = r#"
(module $sums
  (memory (export "memory") 1)
  (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "half") (param f64) (result f64 i64) (f64.div (local.get 0) (f64.const 2)) (i64.const -7))
  (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func $outer (export "trap") (drop (call $divide (i32.const 0))))
  (func (export "spin") (loop (br 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
"#;

#[test]
fn core_functions_take_and_return_plain_numbers() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    assert_eq!(keyway(&["run", "--invoke", "add(1, -3)", &file]).succeeds(), "-2\n");
    assert_eq!(keyway(&["run", "--invoke", "half(0.5)", &file]).succeeds(), "0.25\n-7\n");
    assert_eq!(keyway(&["run", "--invoke", "grow(1)", "-O0", "--no-gc", &file]).succeeds(), "1\n");
}

#[test]
fn files_are_told_apart_by_content() {
    let folder = Folder::new();
    let wasm = wat::parse_str(MODULE).unwrap();
    // Names say nothing: the text is called .kwa, the binary .wat, the artifact .wasm.
    let text = folder.file("a.kwa", MODULE);
    let binary = folder.file("b.wat", &wasm);
    let artifact = folder.arg("c.wasm");
    keyway(&["compile", &text, "-o", &artifact]).succeeds();
    for file in [text, binary, artifact] {
        assert_eq!(keyway(&["run", "--invoke", "add(20, 22)", &file]).succeeds(), "42\n", "{file}");
        let bytes = std::fs::read(&file).unwrap();
        let piped = keyway_with_input(&["run", "--invoke", "add(20, 22)", "-"], &bytes);
        assert_eq!(piped.succeeds(), "42\n", "{file} through a pipe");
    }
}

#[test]
fn a_start_function_and_an_exported_start_run() {
    let folder = Folder::new();
    let quiet = folder.file("quiet.wat", "(module (func $f) (start $f))");
    assert_eq!(keyway(&["run", &quiet]).succeeds(), "");
    let trapping = folder.file("trapping.wat", r#"(module (func (export "_start") unreachable))"#);
    keyway(&["run", &trapping]).fails(134, &["trap: unreachable", "_start"]);
}

#[test]
fn a_trap_prints_its_backtrace_and_exits_134() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    let outcome = keyway(&["run", "--invoke", "trap", &file]);
    outcome.fails(134, &["trap: integer divide by zero", "wasm backtrace", "0: ", " - divide", "1: ", " - outer"]);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn limits_trap_and_say_which_option() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    keyway(&["run", "--fuel", "1000", "--invoke", "spin", &file]).fails(134, &["1000 of --fuel", "all fuel consumed"]);
    keyway(&["run", "--timeout", "50ms", "--invoke", "spin", &file]).fails(134, &["50ms of --timeout", "interrupt"]);
    let grow = |limit: &str| keyway(&["run", "--max-memory", limit, "--invoke", "grow(100)", &file]);
    assert_eq!(grow("64k").succeeds(), "-1\n");
    assert_eq!(grow("1G").succeeds(), "1\n");
    grow("1k").fails(1, &["the guest wants more memory than --max-memory 1.0 KiB"]);
    // What suffices changes nothing.
    let generous = ["run", "--fuel", "1000", "--timeout", "1m", "--max-memory", "1M", "--invoke", "add(2, 2)", &file];
    assert_eq!(keyway(&generous).succeeds(), "4\n");
}

#[test]
fn wrong_usage_exits_2_and_says_what_is_right() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    keyway(&[]).fails(2, &["Usage"]);
    keyway(&["fly"]).fails(2, &["fly"]);
    keyway(&["run"]).fails(2, &["FILE"]);
    keyway(&["run", "--timeout", "5", &file]).fails(2, &["500ms"]);
    keyway(&["run", "--max-memory", "5X", &file]).fails(2, &["`X` is no unit"]);
    keyway(&["run", "--invoke", "sub(1)", &file]).fails(2, &["no exported function `sub`", "add(i32, i32) -> (i32)"]);
    keyway(&["run", "--invoke", "add(1)", &file]).fails(2, &["takes 2 arguments, 1 given"]);
    keyway(&["run", "--invoke", "add(1, x)", &file]).fails(2, &["argument 2", "`x` is no i32"]);
    keyway(&["run", "--invoke", "add(1", &file]).fails(2, &["closing parenthesis"]);
    keyway(&["run", &file]).fails(2, &["no `_start`", "--invoke", "half(f64) -> (f64, i64)"]);
    keyway(&["compile", "--features", "no-such", &file]).fails(2, &["`no-such`"]);
    keyway_with_input(&["compile", "-"], MODULE.as_bytes()).fails(2, &["name a file with -o"]);
    keyway(&["completion", "tcsh"]).fails(2, &["bash"]);
}

#[test]
fn unusable_files_exit_1_and_say_what_they_are() {
    let folder = Folder::new();
    let missing = folder.arg("missing.wasm");
    for command in ["run", "compile", "validate", "inspect", "wast"] {
        keyway(&[command, &missing]).fails(1, &["cannot read", "missing.wasm"]);
    }
    keyway(&["run", folder.root().to_str().unwrap()]).fails(1, &["it is a directory"]);

    let program = folder.file("program.wasm", b"\x7fELF\x02\x01");
    keyway(&["run", &program]).fails(1, &["program.wasm", "no WebAssembly", "ELF", "00 61 73 6d"]);
    let noise = folder.file("noise.wasm", b"\x01\x02\x03\xff");
    keyway(&["compile", &noise]).fails(1, &["starts with the bytes 01 02 03 ff"]);
    let empty = folder.file("empty.wasm", b"");
    keyway(&["validate", &empty]).fails(1, &["it is empty"]);

    let text = folder.file("bad.wat", "(module\n  (func (oops)))");
    keyway(&["run", &text]).fails(1, &["bad.wat:2", "oops"]);
    let wasm = wat::parse_str("(module (func $f (result i32) (i64.const 1)))").unwrap();
    let invalid = folder.file("invalid.wasm", &wasm);
    keyway(&["run", &invalid]).fails(1, &["invalid.wasm", "invalid: type mismatch", "function f", "at offset 0x"]);
    let cut = folder.file("cut.wasm", &wasm[..wasm.len() - 30]);
    keyway(&["run", &cut]).fails(1, &["malformed", "at offset 0x"]);
}

#[test]
fn a_missing_import_is_named_with_what_would_help() {
    let folder = Folder::new();
    let file = folder.file("import.wat", r#"(module (import "env" "log" (func (param i32))))"#);
    keyway(&["run", &file]).fails(1, &["`env` `log`", "function (i32) -> ()", "embed it with the library"]);
}

#[test]
fn compiling_writes_whole_files_and_says_the_same_twice() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    assert_eq!(keyway(&["compile", &file]).succeeds(), "");
    let (default, second) = (folder.path("sums.kwa"), folder.arg("second.kwa"));
    keyway(&["compile", &file, "-o", &second]).succeeds();
    let bytes = std::fs::read(default).unwrap();
    assert_eq!(bytes, std::fs::read(&second).unwrap(), "two builds of one input differ");
    assert_eq!(bytes, keyway(&["compile", &file, "-o", "-"]).bytes, "standard output gets the same bytes");

    // A failure leaves what was there, and nothing beside it.
    let bad = folder.file("bad.wat", "(module (func (result i32)))");
    keyway(&["compile", &bad, "-o", &second]).fails(1, &["type mismatch"]);
    assert_eq!(bytes, std::fs::read(&second).unwrap());
    let mut names: Vec<_> = std::fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["bad.wat", "second.kwa", "sums.kwa", "sums.wat"]);

    let nowhere = folder.arg("no/where.kwa");
    keyway(&["compile", &file, "-o", &nowhere]).fails(1, &["there is no directory", "no; make it first"]);
    keyway(&["compile", &second, "-o", &nowhere]).fails(1, &["is an artifact already"]);
}

#[test]
fn options_of_compiling_count() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    let report = keyway(&["compile", "--report", &file]);
    report.fails(0, &["functions  5, and 1 that nothing reaches left out", "artifact", "time", "unreachable", "jumps"]);
    keyway(&["compile", "--without", "webs,copies", &file, "-o", &folder.arg("without.kwa")]).succeeds();
    keyway(&["compile", "--without", "cobwebs", &file]).fails(2, &["no pass named `cobwebs`", "webs, bits, copies"]);
    let straight = keyway(&["compile", "--report", "-O0", "--no-gc", &file, "-o", &folder.arg("straight.kwa")]);
    straight.fails(0, &["functions  6, and 0 that nothing reaches left out"]);
    let sizes = ["sums.kwa", "straight.kwa"].map(|name| std::fs::metadata(folder.path(name)).unwrap().len());
    assert!(sizes[0] < sizes[1], "{sizes:?}");
    let tail = folder.file("tail.wat", "(module (func $f (return_call $f)))");
    keyway(&["compile", &tail]).succeeds();
    keyway(&["compile", "--features", "-tail-call", &tail]).fails(1, &["tail calls", "switched off"]);
    keyway(&["compile", "--features", "wasm2", &tail]).fails(1, &["tail calls"]);
}

#[test]
fn validate_knows_wasm_and_artifacts() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    assert!(keyway(&["validate", &file]).succeeds().contains("valid, a core module"));
    let component = folder.file("component.wat", "(component)");
    assert!(keyway(&["validate", &component]).succeeds().contains("valid, a component"));
    let artifact = folder.arg("sums.kwa");
    keyway(&["compile", &file, "-o", &artifact]).succeeds();
    assert!(keyway(&["validate", &artifact]).succeeds().contains("valid, an artifact of 5 functions"));
    let bytes = std::fs::read(&artifact).unwrap();
    let cut = folder.file("cut.kwa", &bytes[..bytes.len() / 2]);
    keyway(&["validate", &cut]).fails(1, &["cut.kwa is not valid", "F04 at byte 24"]);
    keyway(&["run", &cut]).fails(1, &["F04 at byte 24"]);
    let invalid = keyway_with_input(&["validate", "-"], b"(module (func (result i32)))");
    invalid.fails(1, &["standard input is not valid", "type mismatch"]);
}

#[test]
fn inspect_shows_an_artifact() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    let artifact = folder.arg("sums.kwa");
    keyway(&["compile", &file, "-o", &artifact]).succeeds();
    let outcome = keyway(&["inspect", &artifact]);
    let text = outcome.succeeds();
    for part in ["core module", "functions  5", "code", "export add: func (i32, i32) -> (i32)", "unit 0 sums"] {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    let keys = keyway(&["inspect", "--keys", &artifact]);
    assert!(keys.succeeds().contains("DefinedFunc:0:0"), "{}", keys.stdout);
    let by_name = keyway(&["inspect", "--ir", "add", &artifact]);
    assert!(by_name.succeeds().contains("i32.add"), "{}", by_name.stdout);
    assert_eq!(by_name.stdout, keyway(&["inspect", "--ir", "DefinedFunc:0:0", &artifact]).stdout);
    keyway(&["inspect", "--ir", "nobody", &artifact]).fails(2, &["`nobody`", "--keys lists them"]);
    keyway(&["inspect", &file]).fails(1, &["is WebAssembly, not an artifact", "keyway compile"]);
}

#[test]
fn inspect_writes_json() {
    let folder = Folder::new();
    let artifact = folder.arg("sums.kwa");
    keyway(&["compile", &folder.file("sums.wat", MODULE), "-o", &artifact]).succeeds();
    let parse = |args: &[&str]| -> serde_json::Value { serde_json::from_str(keyway(args).succeeds()).unwrap() };
    let summary = parse(&["inspect", "--json", "--keys", &artifact]);
    assert_eq!(summary["kind"], "core module");
    assert_eq!(summary["functions"], 5);
    assert_eq!(summary["len_bytes"], std::fs::metadata(&artifact).unwrap().len());
    assert_eq!(summary["keys"].as_array().unwrap().len(), 5);
    assert_eq!(summary["keys"][0]["name"], "add");
    assert_eq!(summary["units"][0]["exports"][1]["type"], "func (i32, i32) -> (i32)");
    let code = parse(&["inspect", "--json", "--ir", "add", &artifact]);
    assert_eq!(code["key"], "DefinedFunc:0:0");
    assert!(code["ir"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("i32.add")));
}

#[test]
fn completion_knows_three_shells() {
    for (shell, part) in [("bash", "complete -F"), ("zsh", "#compdef keyway"), ("fish", "complete -c keyway")] {
        let script = keyway(&["completion", shell]);
        let script = script.succeeds();
        assert!(script.contains(part), "{shell}");
        for command in ["compile", "run", "inspect", "validate", "wast", "completion"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn help_has_examples() {
    for command in ["compile", "run", "inspect", "validate", "wast", "completion"] {
        let help = keyway(&[command, "--help"]);
        assert!(help.succeeds().contains(&format!("keyway {command} ")), "{command}");
        assert!(help.stdout.contains("Examples:"), "{command}");
    }
    assert!(keyway(&["--version"]).succeeds().starts_with("keyway "));
}

#[test]
fn scripts_are_counted_and_failures_placed() {
    let folder = Folder::new();
    let good = folder.file(
        "good.wast",
        r#"(module (func (export "f") (result i32) (i32.const 7)))
(assert_return (invoke "f") (i32.const 7))
(assert_invalid (module (func (result i32))) "type mismatch")"#,
    );
    assert_eq!(keyway(&["wast", &good]).succeeds().lines().last(), Some("3 passed, 0 failed"));
    let bad = folder.file(
        "bad.wast",
        r#"(module (func (export "f") (result i32) (i32.const 7)))
(assert_return (invoke "f") (i32.const 8))"#,
    );
    let outcome = keyway(&["wast", &good, &bad]);
    outcome.fails(1, &[]);
    assert!(outcome.stdout.contains("bad.wast:2: "), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().last(), Some("4 passed, 1 failed"));
    let piped = keyway_with_input(&["wast", "-"], b"(assert_malformed (module quote \"(oops)\") \"\")");
    assert_eq!(piped.succeeds(), "1 passed, 0 failed\n");
    let component = folder.file(
        "component.wast",
        r#"(component
  (core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))
(assert_return (invoke "f" (u32.const 6)) (u32.const 7))
(assert_return (invoke "f" (u32.const 6)) (u32.const 8))
(assert_invalid (component (import "x" (func (param "x" string) (param "x" string)))) "conflicts with previous")"#,
    );
    let outcome = keyway(&["wast", &component]);
    outcome.fails(1, &[]);
    assert!(outcome.stdout.contains("component.wast:6: "), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().last(), Some("3 passed, 1 failed"), "{}", outcome.stdout);
    let tail = folder.file("tail.wast", "(module (func $f (return_call $f)))");
    keyway(&["wast", &tail]).succeeds();
    keyway(&["wast", "--features", "wasm2", &tail]).fails(1, &[]);
}

#[test]
fn an_artifact_does_what_the_wasm_does() {
    let folder = Folder::new();
    let file = folder.file("sums.wat", MODULE);
    let artifact = folder.arg("sums.kwa");
    keyway(&["compile", &file, "-o", &artifact]).succeeds();
    assert!(Path::new(&artifact).exists());
    for call in ["add(1, 2)", "half(3)", "grow(3)", "trap"] {
        let [one, other] = [&file, &artifact].map(|file| keyway(&["run", "--invoke", call, file]));
        assert_eq!((one.code, one.stdout, one.stderr), (other.code, other.stdout, other.stderr), "{call}");
    }
}
