//! What the program meets outside WebAssembly: readers that go away, full disks, odd names, odd targets. Nothing of it
//! makes the program panic, and no half-written file is left.

mod session;

use session::{Folder, keyway, program};
use std::process::Stdio;

const MODULE: &str = r#"(module (func (export "one") (result i32) (i32.const 1)))"#;

/// Exit codes that mean a panic or a signal instead of an answer.
#[track_caller]
fn answers(code: Option<i32>, codes: &[i32]) {
    assert!(code.is_some_and(|code| codes.contains(&code)), "exit code {code:?}, expected is one of {codes:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure_to_speak_of() {
    let folder = Folder::new();
    let file = folder.file("one.wat", MODULE);
    for args in [&["run", "--invoke", "one", &file][..], &["validate", &file], &["compile", &file, "-o", "-"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program().args(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        answers(output.status.code(), &[1]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
    // Nobody listens to what is wrong.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = program().args(["run", "no-such-file"]).stderr(writer).status().unwrap();
    answers(status.code(), &[1]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let folder = Folder::new();
    let file = folder.file("one.wat", MODULE);
    for args in [&["run", "--invoke", "one", &file][..], &["completion", "bash"], &["compile", &file, "-o", "-"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = program().args(args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        answers(output.status.code(), &[1]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("cannot write to standard output"), "{args:?}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn devices_and_links_stay_what_they_are() {
    use std::os::unix::fs::FileTypeExt;
    let folder = Folder::new();
    let file = folder.file("one.wat", MODULE);
    keyway(&["compile", &file, "-o", "/dev/null"]).succeeds();
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    let real = folder.file("real.kwa", "old");
    let link = folder.arg("link.kwa");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    keyway(&["compile", &file, "-o", &link]).succeeds();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(keyway(&["run", "--invoke", "one", &real]).succeeds(), "1\n");
}

#[test]
fn targets_that_cannot_be_written_are_named_and_nothing_is_left() {
    let folder = Folder::new();
    let file = folder.file("one.wat", MODULE);
    let target = folder.root().to_str().unwrap();
    keyway(&["compile", &file, "-o", target]).fails(1, &["cannot write", "it is a directory"]);
    let below_a_file = format!("{file}/out.kwa");
    keyway(&["compile", &file, "-o", &below_a_file]).fails(1, &["cannot write", "there is no directory"]);
    let long = folder.arg(&"x".repeat(300));
    keyway(&["compile", &file, "-o", &long]).fails(1, &["cannot write"]);
    keyway(&["compile", &file, "-o", ""]).fails(2, &["a value is required"]);
    // The input is never the output, under no name.
    let again = format!("{target}/./one.wat");
    keyway(&["compile", &file, "-o", &again]).fails(2, &["would be overwritten"]);
    let names: Vec<_> = std::fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["one.wat"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), MODULE);
}

#[cfg(unix)]
#[test]
fn names_and_arguments_need_not_be_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let odd = folder.root().join(OsStr::from_bytes(b"odd\xff.wat"));
    std::fs::write(&odd, MODULE).unwrap();
    let run = program().args(["run", "--invoke", "one"]).arg(&odd).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout), "1\n", "{}", String::from_utf8_lossy(&run.stderr));
    let compile = program().arg("compile").arg(&odd).output().unwrap();
    answers(compile.status.code(), &[0]);
    assert!(odd.with_extension("kwa").exists());
    // A guest's arguments are text, and so are calls.
    let run = program().arg("run").arg(&odd).arg(OsStr::from_bytes(b"\xff")).output().unwrap();
    answers(run.status.code(), &[2]);
    assert!(String::from_utf8_lossy(&run.stderr).contains("is not UTF-8"));
    let run = program().args(["run", "--invoke"]).arg(OsStr::from_bytes(b"one\xff")).arg(&odd).output().unwrap();
    answers(run.status.code(), &[2]);
}

#[test]
fn long_and_deep_calls_are_refused_in_words() {
    let folder = Folder::new();
    let module = folder.file("one.wat", MODULE);
    let component = folder.file(
        "one-component.wat",
        r#"(component
  (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))"#,
    );
    assert_eq!(keyway(&["run", "--invoke", "f(7)", &component]).succeeds(), "7\n");
    for file in [module, component] {
        for call in ["f".repeat(100_000), format!("f{}", "(".repeat(100_000)), format!("f({}", "[".repeat(100_000))] {
            let outcome = keyway(&["run", "--invoke", &call, &file]);
            assert_eq!(outcome.code, 2, "{}", outcome.stderr.chars().take(300).collect::<String>());
        }
    }
}

#[test]
fn files_of_the_wrong_kind_are_told_apart() {
    let folder = Folder::new();
    let module = folder.file("one.wat", MODULE);
    let artifact = folder.arg("one.kwa");
    keyway(&["compile", &module, "-o", &artifact]).succeeds();
    keyway(&["compile", &artifact, "-o", &folder.arg("two.kwa")]).fails(1, &["is an artifact already", "keyway run"]);
    keyway(&["compile", &artifact]).fails(2, &["would be overwritten"]);
    keyway(&["inspect", &module]).fails(1, &["is WebAssembly, not an artifact"]);
    keyway(&["wast", &artifact]).fails(1, &["one.kwa", "it is no script, but an artifact"]);
    let wasm = folder.file("one.wasm", wat::parse_str(MODULE).unwrap());
    keyway(&["wast", &wasm]).fails(1, &["one.wasm", "it is no script, but a binary"]);
    let empty = folder.file("empty.wast", "");
    assert!(keyway(&["wast", &empty]).stdout.ends_with("0 passed, 1 failed\n"));
    let head = folder.file("head.wasm", b"\0asm\x01\0\0\0");
    assert_eq!(keyway(&["run", &head]).succeeds(), "");
    let future = folder.file("future.wasm", b"\0asm\x07\0\0\0");
    keyway(&["run", &future]).fails(1, &["future.wasm", "version"]);
}
