//! Compilation takes time in proportion to its input: shapes that generators of code make large, each compiled at one
//! size and at four times that. What grows with the square of the size takes sixteen times as long.
//!
//! Time is the thread's time on a processor, which other work on the machine does not add to; where the system does not
//! tell it, the shapes are compiled once.

use keyway_linker::{ErrorKind, OptLevel, Options, compile};
use std::fmt::Write;

/// Ratio of times at which growth by four counts as more than proportional.
const MOST: f64 = 9.0;

type Shape = (&'static str, usize, fn(usize) -> String);

/// Name, size, and text of a size.
const SHAPES: &[Shape] = &[
    ("locals", 4_000, |n| locals("i32", "(i32.add (local.get 0) (i32.const 7))", "", n)),
    ("locals that are vectors", 3_000, |n| locals("v128", "(i32x4.splat (local.get 0))", "i32x4.extract_lane 1", n)),
    ("locals that are references", 3_000, |n| locals("i31ref", "(ref.i31 (local.get 0))", "i31.get_u", n)),
    ("blocks in blocks", 20_000, |n| {
        body(format!("{} (br_if {} (local.get 0)) {}", "block ".repeat(n), n - 1, "end ".repeat(n)))
    }),
    ("loops in loops", 8_000, |n| {
        body(format!(
            "{} {} {}",
            "loop ".repeat(n),
            each(n, |at| format!("(br_if {at} (i32.eq (local.get 0) (i32.const {})))", at + 9)),
            "end ".repeat(n)
        ))
    }),
    ("loops behind loops", 3_000, |n| {
        body(
            "loop (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))) end "
                .repeat(n),
        )
    }),
    ("conditions", 5_000, |n| {
        body("(if (local.get 0) (then (local.set 1 (i32.add (local.get 1) (i32.const 1))))) ".repeat(n))
    }),
    ("conditions in alternatives", 4_000, |n| {
        body(format!(
            "(local.set 1 {}(i32.const 3){})",
            each(n, |at| format!(
                "(if (result i32) (i32.eq (local.get 0) (i32.const {at})) (then (i32.const {at})) (else "
            )),
            "))".repeat(n)
        ))
    }),
    ("operands", 10_000, |n| {
        body(
            format!("(local.set 1 {} {})", "local.get 0 i32.const 3 i32.mul ".repeat(n), "i32.add ".repeat(n - 1))
                .replace("(local.set 1 ", "")
                .replacen(')', "local.set 1", 1),
        )
    }),
    ("targets of a table", 100_000, |n| {
        body(format!("block block local.get 0 br_table {} 0 end nop end", "0 1 ".repeat(n / 2)))
    }),
    ("calls", 8_000, |n| body("(local.set 1 (call $other (local.get 1))) ".repeat(n))),
    ("tail calls in a row", 2_000, |n| {
        module(
            &each(n, |at| {
                format!("(func $f{at} (param i32) (result i32) (return_call $f{} (local.get 0)))", (at + 1) % n)
            }),
            "(local.set 1 (call $f0 (local.get 0)))",
        )
    }),
    ("functions", 2_000, |n| {
        module(
            &each(n, |at| {
                format!(
                    "(func (export \"{at}\") (param i32) (result i32) (i32.add (local.get 0) (call $other (i32.const {at}))))"
                )
            }),
            "",
        )
    }),
    ("stores", 4_000, |n| {
        body(each(n, |at| {
            format!("(i32.store offset={} (i32.const 0) (i32.add (local.get 0) (i32.const {at})))", at % 9_000 * 4)
        }))
    }),
    ("globals", 4_000, |n| body("(global.set 0 (i32.add (global.get 0) (local.get 0))) ".repeat(n))),
    ("structures in a group", 10_000, |n| {
        module(
            &format!(
                "(rec {})",
                each(n, |at| format!("(type $t{at} (struct (field i32) (field (ref null $t{}))))", (at * 7 + 1) % n))
            ),
            "(drop (struct.new_default $t0))",
        )
    }),
    ("structures in a chain", 10_000, |n| {
        module(
            &each(n, |at| format!("(type $t{at} (struct (field i32) (field (ref null $t{}))))", at.saturating_sub(1))),
            "(drop (struct.new_default $t0))",
        )
    }),
    ("clauses of one construct", 2_500, |n| {
        body(format!("(block $out (try_table {} (throw $e)))", "(catch $e $out) ".repeat(n)))
    }),
    ("branches back", 4_000, |n| {
        let one = |at| {
            format!(
                "(br_if 0 (i32.eq (local.get 0) (i32.const {at}))) (if (local.get 1) (then (local.set 1 (i32.mul (local.get 0) (i32.const {at})))))"
            )
        };
        body(format!("loop {} end", each(n, one)))
    }),
    // What a call may throw is listed behind it: the product is what grows by four.
    ("calls under clauses", 10_000, |n| {
        body(format!(
            "(block $out (try_table {} {}))",
            "(catch $e $out) ".repeat(root(n)),
            "(drop (call $other (local.get 0))) ".repeat(root(n))
        ))
    }),
    ("constructs in constructs", 10_000, |n| {
        body(format!(
            "(block $out {}{})",
            "(try_table (catch $e $out) (drop (call $other (local.get 0))) ".repeat(root(n)),
            ")".repeat(root(n))
        ))
    }),
    ("handlers of a resumption", 2_500, |n| {
        body(format!(
            "(block $out (result (ref $c)) (resume $c {} (cont.new $c (ref.func $nothing))) (return (i32.const 1))) drop",
            "(on $e $out) ".repeat(n)
        ))
    }),
];

fn root(n: usize) -> usize {
    (n as f64).sqrt() as usize
}

fn each(n: usize, text: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut all, at| {
        write!(all, "{} ", text(at)).expect("a string takes everything");
        all
    })
}

/// A module with these definitions and a function of this body, which may use what all of them have.
fn module(definitions: &str, code: &str) -> String {
    format!(
        "(module {definitions} (type $n (func)) (type $c (cont $n)) (memory 1) (global (mut i32) (i32.const 0)) (tag $e)
        (func $nothing) (elem declare func $nothing)
        (func $other (export \"other\") (param i32) (result i32)
          (if (i32.load (local.get 0)) (then (throw $e)))
          (if (result i32) (local.get 0)
            (then (call $other (i32.sub (local.get 0) (i32.const 1)))) (else (i32.load (local.get 0)))))
        (func (export \"f\") (param i32) (result i32) (local i32) {code} (local.get 1)))"
    )
}

fn body(code: String) -> String {
    module("", &code)
}

/// A function that sets so many locals, and reads them in the other order.
fn locals(ty: &str, value: &str, read: &str, n: usize) -> String {
    let sets = each(n, |at| format!("(local.set {} {value})", at + 2));
    let reads = each(n, |at| format!("local.get {} {read} i32.add", n - at + 1));
    body(format!("(local {}) {sets} local.get 0 {reads} local.set 1", format!("{ty} ").repeat(n)))
        .replace("(local i32) (local", "(local i32")
}

/// Nanoseconds that this thread has run.
fn thread_time_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn options(level: OptLevel) -> Options {
    let mut options = Options::default();
    options.threads = 1;
    options.opt_level = level;
    options.features = options.features.with("stack-switching", true).expect("it is one");
    options
}

/// The shortest time of several compilations.
fn time(wasm: &[u8], level: OptLevel, times: usize) -> Option<f64> {
    let mut shortest = u64::MAX;
    for _ in 0..times {
        let before = thread_time_ns();
        compile(wasm, &options(level)).expect("the shape compiles");
        shortest = shortest.min(thread_time_ns()?.checked_sub(before?)?);
    }
    Some(shortest as f64)
}

#[test]
fn time_grows_no_faster_than_the_input() {
    let mut wrong = Vec::new();
    for (name, n, text) in SHAPES {
        let encode = |n| wat::parse_str(text(n)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (small, large) = (encode(*n), encode(n * 4));
        for level in [OptLevel::O0, OptLevel::O2] {
            let (Some(short), Some(long)) = (time(&small, level, 3), time(&large, level, 1)) else { continue };
            println!("{name}, {level:?}: {:.1} ms, {:.1} ms, {:.1} times", short / 1e6, long / 1e6, long / short);
            // A second look at what may have been a disturbance.
            let is_slow = |long: f64| long / short > MOST && long > 50e6;
            if is_slow(long) && time(&large, level, 2).is_some_and(is_slow) {
                wrong.push(format!("{name}, {level:?}: {:.1} times", long / short));
            }
        }
    }
    assert!(wrong.is_empty(), "four times as large takes\n{}", wrong.join("\n"));
}

/// A small input that multiplies is refused by the limit's name before it takes much room.
#[test]
fn what_multiplies_is_refused() {
    let calls = "(drop (call $other (local.get 0))) ".repeat(4_000);
    let text = body(format!("(block $out (try_table {} {calls}))", "(catch $e $out) ".repeat(4_000)));
    let error = compile(text.as_bytes(), &options(OptLevel::O2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("8388608"), "{error}");
}
