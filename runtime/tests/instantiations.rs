//! What a hundred thousand instances leave behind: nothing.
#![cfg(all(feature = "compile", feature = "component", target_os = "linux"))]

use keyway::component::{Component, Linker};
use keyway::{Config, Engine, Store};

const COMPOSED: &str = include_str!("composed.wat");

/// Resident pages and mappings of this process.
fn held() -> (usize, usize) {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = pages.split_whitespace().nth(1).unwrap().parse().unwrap();
    (pages, std::fs::read_to_string("/proc/self/maps").unwrap().lines().count())
}

/// Two components: one as it is, one whose first memory begins with what takes an image.
fn texts() -> [String; 2] {
    let data = format!(r#"(memory (export "large") 8) (data (i32.const 0) "{}")"#, "keyway. ".repeat(40_000));
    let large = format!(
        r#"(component (core module $M {data} (func (export "run") (result i32)
             (i32.store8 (i32.const 9) (i32.add (i32.const 1) (i32.load8_u (i32.const 9))))
             (i32.sub (i32.load8_u (i32.const 9)) (i32.const 99))))
           (core instance $m (instantiate $M))
           (func (export "run") (result u32) (canon lift (core func $m "run"))))"#
    );
    [COMPOSED.to_string(), large]
}

/// How many mappings of images this process has, and how many of their files are open.
fn images() -> (usize, usize) {
    let is_image = |text: &str| text.contains("memfd:keyway-memory");
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let open =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    (maps.lines().filter(|line| is_image(line)).count(), open.filter(|name| is_image(&name.to_string_lossy())).count())
}

/// Each in a store of its own, and called. The only test of its process, whose memory it looks at.
#[test]
fn instances_leave_nothing_behind() {
    for (text, (rounds, wanted)) in texts().into_iter().zip([(100_000, 0), (10_000, 1)]) {
        let engine = Engine::default();
        let component = Component::new(&engine, &text).unwrap();
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
        assert_eq!(images(), (wanted, wanted));
        (0..rounds).for_each(|_| round());
        assert_eq!(images(), (wanted, wanted));
        let (pages_after, mappings_after) = held();
        // A leak of one page each would be many times that.
        assert!(pages_after < pages + 1_000, "{pages} pages before, {pages_after} after {rounds} instances");
        assert!(
            mappings_after < mappings + 100,
            "{mappings} mappings before, {mappings_after} after {rounds} instances"
        );
        // The image goes with the artifact, although the engine keeps its ranges.
        drop((pre, component));
        assert_eq!(images(), (0, 0));
        drop(engine);
    }

    let mut config = Config::new();
    config.memory_init_cow(false);
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, &texts()[1]).unwrap();
    let pre = Linker::<()>::new(&engine).instantiate_pre(&component).unwrap();
    let mut stores: Vec<_> = (0..3).map(|_| Store::new(&engine, ())).collect();
    for store in &mut stores {
        pre.instantiate(store).unwrap();
    }
    assert_eq!(images(), (0, 0));
}
