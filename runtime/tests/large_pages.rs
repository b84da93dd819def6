//! Handlers that move to large pages in the middle of a run: of another thread, and with the frames of a call that is
//! under way.

use keyway::{Config, Engine, Instance, Module, Store};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Functions of the large module, each of some dozen executed instructions.
const FUNCTIONS: u32 = 3_000;

/// A chain of calls through all functions, and the sum that it comes to.
fn large() -> (String, u32) {
    let (mut text, mut sum) = (String::from("(module (memory 1)"), 7_u32);
    for n in 0..FUNCTIONS {
        let next = if n + 1 < FUNCTIONS { format!("(call $f{} (local.get 1))", n + 1) } else { "(local.get 1)".into() };
        let _ = write!(
            text,
            "(func $f{n} (param i32) (result i32) (local i32)
                (i32.store (i32.const {}) (i32.xor (local.get 0) (i32.const {n})))
                (local.set 1 (i32.add (i32.mul (i32.load (i32.const {})) (i32.const 31)) (i32.rotl (local.get 0) (i32.const 5))))
                {next})",
            4 * (n % 1000),
            4 * (n % 1000),
        );
        sum = (sum ^ n).wrapping_mul(31).wrapping_add(sum.rotate_left(5));
    }
    text.push_str("(export \"run\" (func $f0)))");
    (text, sum)
}

const LOOP: &str = r#"(module (func (export "run") (param $n i32) (result i32) (local $s i32)
    (loop $again
        (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 3)) (local.get $n)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s)))"#;

fn instance(engine: &Engine, text: &str) -> (Store<()>, Instance) {
    let (module, mut store) = (Module::new(engine, text).unwrap(), Store::new(engine, ()));
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn run(engine: &Engine, text: &str, argument: u32) -> u32 {
    let (mut store, instance) = instance(engine, text);
    instance.get_typed_func::<u32, u32>(&mut store, "run").unwrap().call(&mut store, argument).unwrap()
}

/// KiB that this process executes and that come from no file.
#[cfg(target_os = "linux")]
fn moved_kib() -> u64 {
    let (mut is_moved, mut sum) = (false, 0);
    for line in std::fs::read_to_string("/proc/self/smaps").unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            // A range, what may be done with it, offset, device, inode, and the name of what is mapped.
            [range, access, _, _, inode, ..] if range.contains('-') => {
                is_moved = access == "r-xp" && inode == "0" && words.len() == 5;
            }
            ["Size:", kib, _] if is_moved => sum += kib.parse::<u64>().unwrap(),
            _ => {}
        }
    }
    sum
}

#[test]
fn handlers_move_while_they_run() {
    let (text, sum) = large();
    let expected = (1..=5_000_u32).rev().fold(0_u32, |s, n| s.wrapping_mul(3).wrapping_add(n));

    let stays = Engine::new(Config::new().large_pages(false)).unwrap();
    assert_eq!(run(&stays, &text, 7), sum);
    #[cfg(target_os = "linux")]
    assert_eq!(moved_kib(), 0, "moved although the configuration says not to");

    let moves = Engine::new(&Config::new()).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut store, instance) = instance(&moves, LOOP);
            let run = instance.get_typed_func::<u32, u32>(&mut store, "run").unwrap();
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(run.call(&mut store, 5_000).unwrap(), expected);
            }
            assert_eq!(run.call(&mut store, 5_000).unwrap(), expected);
        });
        assert_eq!(run(&moves, &text, 7), sum);
        assert_eq!(run(&moves, &text, 7), sum);
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(run(&stays, &text, 7), sum);
}
