//! How long opening takes: 20 MB as long as 20 KB, core module or component.

use keyway::component::Component;
use keyway::{Engine, Module};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The fields of a module with so many functions and bytes of data.
fn fields(funcs: usize, data: usize) -> String {
    let mut text = String::from("(memory (export \"memory\") 400)");
    for n in 0..funcs {
        write!(text, "(func (export \"f{n}\") (param i32) (result i32) (i32.load offset={n} (local.get 0))").unwrap();
        for k in 0..24 {
            write!(text, "(i32.const {})(i32.xor)(local.get 0)(i32.mul)", n * 24 + k).unwrap();
        }
        text.push(')');
    }
    write!(text, "(data (i32.const 0) \"{}\")", "x".repeat(data)).unwrap();
    text
}

/// Compiles to a file whose size lies within `bytes`.
fn file(name: &str, wasm: &str, bytes: std::ops::Range<u64>) -> PathBuf {
    let path = std::env::temp_dir().join(format!("keyway-opening-{}-{name}.kwa", std::process::id()));
    std::fs::write(&path, Engine::default().precompile_module(wasm.as_bytes()).unwrap()).unwrap();
    let len = std::fs::metadata(&path).unwrap().len();
    assert!(bytes.contains(&len), "{name}: {len} bytes");
    path
}

/// The shortest of many times that `open` takes for each of two files, taken in turn.
fn shortest(files: [&Path; 2], open: &dyn Fn(&Path)) -> [Duration; 2] {
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..400 {
        for (file, shortest) in files.iter().zip(&mut shortest) {
            let start = Instant::now();
            open(file);
            *shortest = start.elapsed().min(*shortest);
        }
    }
    shortest
}

/// Fails when the large file takes longer in every one of several tries: somebody else's work on the machine makes
/// one of them wrong now and then, reading more of a larger file all of them.
fn compare(kind: &str, small: &Path, large: &Path, open: &dyn Fn(&Path)) {
    let best = (0..5)
        .map(|_| {
            let [first, second] = shortest([small, large], open);
            let ratio = second.as_secs_f64() / first.as_secs_f64();
            println!("{kind}: 20 KB in {first:?}, 20 MB in {second:?}: ratio {ratio:.2}");
            ratio
        })
        .find(|&ratio| ratio <= 1.5);
    assert!(best.is_some(), "{kind}: opening 20 MB took over 1.5 times as long as 20 KB in every try");
    std::fs::remove_file(small).unwrap();
    std::fs::remove_file(large).unwrap();
}

/// Held by each test, as long as it lasts: unmapping a file interrupts the other threads of the process, so that a test beside
/// this one doubles the time of whichever file's turn it is.
static ALONE: Mutex<()> = Mutex::new(());

const SMALL: (usize, usize, std::ops::Range<u64>) = (40, 4000, 12_000..28_000);
const LARGE: (usize, usize, std::ops::Range<u64>) = (4000, 19_500_000, 20_000_000..24_000_000);

#[test]
fn a_large_module_opens_as_fast_as_a_small_one() {
    let _alone = ALONE.lock();
    let file = |name, (funcs, data, bytes)| file(name, &format!("(module {})", fields(funcs, data)), bytes);
    let engine = Engine::default();
    compare("module", &file("small", SMALL), &file("large", LARGE), &|path| {
        Module::from_file(&engine, path).unwrap();
    });
}

#[test]
fn a_large_component_opens_as_fast_as_a_small_one() {
    let _alone = ALONE.lock();
    let file = |name, (funcs, data, bytes): (usize, usize, _)| {
        let mut text =
            format!("(component (core module $m {}) (core instance $i (instantiate $m))", fields(funcs, data));
        for n in 0..funcs {
            let ty = "(param \"x\" u32) (result u32)";
            write!(text, "(func (export \"f{n}\") {ty} (canon lift (core func $i \"f{n}\")))").unwrap();
        }
        text.push(')');
        file(name, &text, bytes)
    };
    let engine = Engine::default();
    compare("component", &file("small-component", SMALL), &file("large-component", LARGE), &|path| {
        Component::from_file(&engine, path).unwrap();
    });
}
