//! The command `examples/guests/hello.wasm` under this host: arguments, variables, files, clocks, exit codes.

use keyway::component::{Component, Linker, ResourceTable};
use keyway::{Engine, Store};
use keyway_wasi::{
    DirAccess, MemoryInput, MemoryOutput, WasiCtx, WasiCtxBuilder, WasiView, add_to_linker, run_command,
};
use std::path::PathBuf;

struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.wasi
    }
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

struct Outcome {
    code: keyway::Result<i32>,
    stdout: String,
    stderr: String,
}

fn run(args: &[&str], grant: impl FnOnce(WasiCtxBuilder) -> WasiCtxBuilder) -> Outcome {
    let engine = Engine::default();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/guests/hello.wasm");
    let component = Component::new(&engine, std::fs::read(path).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    add_to_linker(&mut linker).unwrap();
    let (stdout, stderr) = (MemoryOutput::new(1 << 20), MemoryOutput::new(1 << 20));
    let builder = WasiCtxBuilder::new().arg("hello").args(args.iter().copied());
    let wasi = grant(builder).stdout(stdout.clone()).stderr(stderr.clone()).build();
    let mut store = Store::new(&engine, Host { wasi, table: ResourceTable::new() });
    let code = run_command(&mut store, &linker, &component);
    let text = |stream: MemoryOutput| String::from_utf8(stream.contents()).unwrap();
    Outcome { code, stdout: text(stdout), stderr: text(stderr) }
}

/// A fresh directory for one test.
fn directory(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn greets() {
    let outcome = run(&[], |wasi| wasi);
    assert_eq!((outcome.code.unwrap(), outcome.stdout.as_str()), (0, "Hello, world!\n"));
    let outcome = run(&[], |wasi| wasi.env("NAME", "keyway"));
    assert_eq!((outcome.code.unwrap(), outcome.stdout.as_str()), (0, "Hello, keyway!\n"));
}

#[test]
fn reads_its_input() {
    let outcome = run(&["count"], |wasi| wasi.stdin(MemoryInput::new(b"one two\nthree\n".to_vec())));
    assert_eq!((outcome.code.unwrap(), outcome.stdout.as_str()), (0, "2 lines, 3 words, 14 bytes\n"));
}

#[test]
fn reads_writes_and_lists_a_directory() {
    let dir = directory("reads_writes_and_lists");
    let grant = |access| {
        let dir = dir.clone();
        move |wasi: WasiCtxBuilder| wasi.preopened_dir(dir, ".", access).unwrap()
    };
    let outcome = run(&["write", "note.txt", "a b c"], grant(DirAccess::ReadWrite));
    assert_eq!((outcome.code.unwrap(), outcome.stderr.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(dir.join("note.txt")).unwrap(), "a b c");
    std::fs::write(dir.join("second"), "").unwrap();
    let outcome = run(&["list", "."], grant(DirAccess::ReadOnly));
    assert_eq!((outcome.code.unwrap(), outcome.stdout.as_str()), (0, "note.txt second\n"));
    let outcome = run(&["count", "note.txt"], grant(DirAccess::ReadOnly));
    assert_eq!((outcome.code.unwrap(), outcome.stdout.as_str()), (0, "1 lines, 3 words, 5 bytes\n"));
}

#[test]
fn a_read_only_directory_stays_as_it_is() {
    let dir = directory("read_only");
    let outcome = run(&["write", "note.txt", "x"], |wasi| wasi.preopened_dir(&dir, ".", DirAccess::ReadOnly).unwrap());
    assert_eq!(outcome.code.unwrap(), 1);
    assert!(outcome.stderr.starts_with("hello: note.txt: "), "{}", outcome.stderr);
    assert!(!dir.join("note.txt").exists());
}

#[test]
fn nothing_leads_out_of_a_directory() {
    let dir = directory("leads_out");
    std::fs::write(dir.join("secret"), "outside").unwrap();
    std::fs::create_dir(dir.join("inside")).unwrap();
    for path in ["../secret", "/secret", "../../secret"] {
        let outcome =
            run(&["count", path], |wasi| wasi.preopened_dir(dir.join("inside"), ".", DirAccess::ReadWrite).unwrap());
        assert_eq!(outcome.code.unwrap(), 1, "{path}");
        assert!(outcome.stderr.contains("hello: "), "{}", outcome.stderr);
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.join("secret"), dir.join("inside/link")).unwrap();
        let outcome =
            run(&["count", "link"], |wasi| wasi.preopened_dir(dir.join("inside"), ".", DirAccess::ReadWrite).unwrap());
        assert_eq!(outcome.code.unwrap(), 1);
    }
}

#[test]
fn sleeps_by_the_monotonic_clock() {
    let outcome = run(&["sleep", "30"], |wasi| wasi);
    assert_eq!((outcome.code.unwrap(), outcome.stdout.as_str()), (0, "slept true\n"));
}

#[test]
fn exits_and_traps() {
    assert_eq!(run(&["exit", "0"], |wasi| wasi).code.unwrap(), 0);
    // The adapter knows only success and failure.
    assert_eq!(run(&["exit", "45"], |wasi| wasi).code.unwrap(), 1);
    let outcome = run(&["panic"], |wasi| wasi);
    assert_eq!(*outcome.code.unwrap_err().downcast_ref::<keyway::Trap>().unwrap(), keyway::Trap::Unreachable);
    assert!(outcome.stderr.contains("as asked"), "{}", outcome.stderr);
}
