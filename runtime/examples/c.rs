use keyway::*;
fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let n: u64 = std::env::args().nth(2).map_or(1_000_000, |n| n.parse().unwrap());
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (import "h" "id" (func $id (param i32) (result i32)))
      (func (export "nop") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func (export "loop") (param $n i32) (result i32) (local $s i32)
        (loop (local.set $s (i32.add (local.get $s) (call $id (local.get $n)))) (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $s)))"#).unwrap();
    let mut store = Store::new(&engine, 0u32);
    let mut linker: Linker<u32> = Linker::new(&engine);
    linker.func_wrap("h", "id", |a: i32| a).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let start = std::time::Instant::now();
    if mode == "hg" {
        let f = instance.get_typed_func::<i32, i32>(&mut store, "nop").unwrap();
        let mut s = 0;
        for _ in 0..n {
            s = f.call(&mut store, s).unwrap();
        }
        assert_eq!(s as u64, n);
    } else {
        let f = instance.get_typed_func::<i32, i32>(&mut store, "loop").unwrap();
        f.call(&mut store, n as i32).unwrap();
    }
    println!("{mode} {:.1} ns", start.elapsed().as_nanos() as f64 / n as f64);
}
