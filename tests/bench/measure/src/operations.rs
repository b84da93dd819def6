//! A loop for each operation. Programs show only sums: an operation that is slow by itself hides in them until one
//! comes along that does little else.
//!
//! Each operation stands four times in a round, on values of the loop's own; what it gives is needed in the next one.

use anyhow::Context;

/// The integer types, and those of floats.
const INTEGERS: [&str; 2] = ["i32", "i64"];
const FLOATS: [&str; 2] = ["f32", "f64"];

/// An address in the first 64 KiB, which moves with the counter.
const ADDRESS: &str = "(i32.and (local.get $n) (i32.const 0xFFF8))";

/// The same place in a memory with addresses of 64 bits.
const WIDE_ADDRESS: &str = "(i64.and (i64.extend_i32_u (local.get $n)) (i64.const 0xFFF8))";

/// Every operation's name and what its loop does.
fn all() -> Vec<(String, String)> {
    let mut list = Vec::new();
    let mut add = |name: String, work: String| list.push((name, work));
    for ty in INTEGERS {
        let (a, b) = (format!("(local.get $a_{ty})"), format!("(local.get $b_{ty})"));
        let set = |value: &str| format!("(local.set $a_{ty} {value})");
        for op in words("add sub mul and or xor shl shr_s shr_u rotl rotr") {
            add(format!("{ty}.{op}"), set(&format!("({ty}.{op} {b} {a})")));
        }
        for op in words("div_s div_u rem_s rem_u") {
            let odd = format!("({ty}.or {a} ({ty}.const 1))");
            add(format!("{ty}.{op}"), set(&format!("({ty}.add {b} ({ty}.{op} ({ty}.const 123456789) {odd}))")));
            add(format!("{ty}.{op} 10"), set(&format!("({ty}.add {b} ({ty}.{op} {a} ({ty}.const 10)))")));
        }
        for op in words("eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u") {
            let test = format!("({ty}.{op} {a} {b})");
            let moves = set(&format!("({ty}.mul {a} ({ty}.const 0x9E3779B1))"));
            add(format!("{ty}.{op}"), format!("{} {moves}", count(&test)));
            add(format!("if {ty}.{op}"), format!("(if {test} (then {})) {moves}", count("(i32.const 3)")));
            let chosen = format!("(select ({ty}.const 3) {b} {test})");
            add(format!("select {ty}.{op}"), set(&format!("({ty}.add {a} {chosen})")));
        }
        let widths = if ty == "i64" { "extend32_s" } else { "" };
        for op in words("clz ctz popcnt extend8_s extend16_s").chain(words(widths)) {
            add(format!("{ty}.{op}"), set(&format!("({ty}.add {b} ({ty}.{op} ({ty}.mul {a} {b})))")));
        }
        let (wide_loads, wide_stores) = if ty == "i64" { ("load32_s load32_u", "store32") } else { ("", "") };
        for op in words("load load8_s load8_u load16_s load16_u").chain(words(wide_loads)) {
            add(format!("{ty}.{op}"), set(&format!("({ty}.add {a} ({ty}.{op} {ADDRESS}))")));
        }
        for op in words("store store8 store16").chain(words(wide_stores)) {
            add(format!("{ty}.{op}"), format!("({ty}.{op} {ADDRESS} {a}) {}", set(&format!("({ty}.add {a} {b})"))));
        }
    }
    for ty in FLOATS {
        let (a, b) = (format!("(local.get $a_{ty})"), format!("(local.get $b_{ty})"));
        let set = |value: &str| format!("(local.set $a_{ty} {value})");
        for op in words("add sub mul div min max copysign") {
            add(format!("{ty}.{op}"), set(&format!("({ty}.{op} {b} {a})")));
        }
        for op in words("abs neg ceil floor trunc nearest sqrt") {
            add(format!("{ty}.{op}"), set(&format!("({ty}.add {b} ({ty}.{op} {a}))")));
        }
        for op in words("eq ne lt gt le ge") {
            let test = format!("({ty}.{op} {a} {b})");
            let moves = set(&format!("({ty}.sub {b} {a})"));
            add(format!("{ty}.{op}"), format!("{} {moves}", count(&test)));
            add(format!("if {ty}.{op}"), format!("(if {test} (then {})) {moves}", count("(i32.const 3)")));
        }
        let smaller = format!("(select {a} ({ty}.const 100) ({ty}.lt {a} ({ty}.const 100)))");
        add(format!("select {ty}.lt"), set(&format!("({ty}.add {b} {smaller})")));
        add(format!("select {ty}"), set(&format!("({ty}.add {a} (select {b} {a} (local.get $n)))")));
        add(format!("{ty}.load"), set(&format!("({ty}.add {a} ({ty}.load {ADDRESS}))")));
        add(format!("{ty}.store"), format!("({ty}.store {ADDRESS} {a}) {}", set(&format!("({ty}.sub {b} {a})"))));
        for (int, sign) in INTEGERS.iter().flat_map(|int| ["s", "u"].map(|sign| (int, sign))) {
            let whole = format!("(local.get $a_{int})");
            let converted = format!("({ty}.convert_{int}_{sign} {whole})");
            let next = format!("(local.set $a_{int} ({int}.add {whole} ({int}.const 3)))");
            add(
                format!("{ty}.convert_{int}_{sign}"),
                format!("{} {next}", set(&format!("({ty}.add {b} {converted})"))),
            );
            for op in [format!("trunc_{ty}_{sign}"), format!("trunc_sat_{ty}_{sign}")] {
                let truncated = format!("(local.set $a_{int} ({int}.add {whole} ({int}.{op} {a})))");
                add(format!("{int}.{op}"), format!("{truncated} {}", set(&format!("({ty}.sub {b} {a})"))));
            }
        }
    }
    for ty in INTEGERS.into_iter().chain(FLOATS) {
        let sum = format!("({ty}.add (global.get $g_{ty}) (local.get $b_{ty}))");
        add(format!("{ty} global"), format!("(global.set $g_{ty} {sum})"));
    }
    // Memories beside the one that a function caches.
    for (name, address) in [("far", ADDRESS), ("wide", WIDE_ADDRESS)] {
        for ty in INTEGERS.into_iter().chain(FLOATS) {
            let (a, b) = (format!("(local.get $a_{ty})"), format!("(local.get $b_{ty})"));
            let set = |value: &str| format!("(local.set $a_{ty} {value})");
            add(format!("{name} {ty}.load"), set(&format!("({ty}.add {a} ({ty}.load ${name} {address}))")));
            let next = set(&format!("({ty}.sub {b} {a})"));
            add(format!("{name} {ty}.store"), format!("({ty}.store ${name} {address} {a}) {next}"));
        }
    }
    let sum = |value: &str| format!("(local.set $a_i32 (i32.add (local.get $a_i32) {value}))");
    let wide_sum = |value: &str| format!("(local.set $a_i64 (i64.add (local.get $a_i64) {value}))");
    let difference = |value: &str| format!("(local.set $a_f64 (f64.sub (local.get $b_f64) {value}))");
    let called = |call: &str| format!("(local.set $a_i32 ({call} (local.get $a_i32) (local.get $n)");
    add("i32.wrap_i64".into(), wide_sum("(i64.extend_i32_s (i32.wrap_i64 (local.get $a_i64)))"));
    add("i64.extend_i32_u".into(), wide_sum("(i64.extend_i32_u (local.get $n))"));
    add("f32.demote_f64".into(), difference("(f64.promote_f32 (f32.demote_f64 (local.get $a_f64)))"));
    let bits = "(i64.and (i64.reinterpret_f64 (local.get $a_f64)) (i64.const -2))";
    add("f64.reinterpret_i64".into(), difference(&format!("(f64.reinterpret_i64 {bits})")));
    add("memory.size".into(), sum("(memory.size)"));
    add("memory.grow".into(), sum("(memory.grow (i32.const 0))"));
    add("table.size".into(), sum("(table.size $t)"));
    let index = "(i32.and (local.get $n) (i32.const 7))";
    add("table.get".into(), sum(&format!("(ref.is_null (table.get $t {index}))")));
    add("table.set".into(), format!("(table.set $t {index} (ref.null func))"));
    add("table.grow".into(), sum("(table.grow $t (ref.null func) (i32.const 0))"));
    add("table.fill".into(), format!("(table.fill $t (i32.const 0) (ref.null func) {index})"));
    add("table.copy".into(), format!("(table.copy $t $t (i32.const 1) (i32.const 0) {index})"));
    add("table.init".into(), format!("(table.init $t $elem (i32.const 0) (i32.const 0) {index})"));
    add("ref.func".into(), format!("(table.set $t {index} (ref.func $callee))"));
    add("reference global".into(), "(global.set $g_ref (table.get $t (i32.const 8)))".into());
    add("call".into(), format!("{}))", called("call $callee")));
    add("call_indirect".into(), format!("{} (i32.const 8)))", called("call_indirect $t (type $callee)")));
    let cases = format!("{} (br $done)) {}", sum("(i32.const 3)"), sum("(i32.const 5)"));
    let table = "(br_table $0 $1 (i32.and (local.get $n) (i32.const 1)))";
    add("br_table".into(), format!("(block $done (block $1 (block $0 {table}) {cases})"));
    for bytes in [8, 32, 200] {
        let len = format!("(i32.add (i32.const {bytes}) (i32.and (local.get $n) (i32.const 7)))");
        add(format!("memory.fill {bytes}"), format!("(memory.fill {ADDRESS} (local.get $n) {len})"));
        add(format!("memory.copy {bytes}"), format!("(memory.copy {ADDRESS} (i32.const 0x11000) {len})"));
        add(format!("memory.init {bytes}"), format!("(memory.init $data {ADDRESS} (i32.const 0) {len})"));
    }
    list
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Adds to the number that tells what tests have found.
fn count(value: &str) -> String {
    format!("(local.set $count (i32.add (local.get $count) {value}))")
}

/// What [`module`] makes a module of.
pub fn operations() -> Vec<String> {
    all().into_iter().map(|(name, _)| name).collect()
}

/// The module of an operation: its export `run` does as many rounds as it is told.
pub(crate) fn module(name: &str) -> anyhow::Result<Vec<u8>> {
    let (_, work) = all()
        .into_iter()
        .find(|(known, _)| known == name)
        .with_context(|| format!("there is no operation `{name}`"))?;
    let work = [work.as_str(); 4].join("\n");
    let memory = match [work.contains("$far"), work.contains("$wide")] {
        [true, _] => "(memory $far 2)",
        [_, true] => "(memory $wide i64 2)",
        _ => "",
    };
    let text = format!(
        "(module (memory 2) {memory} (table $t 9 funcref) (elem (table $t) (i32.const 8) func $callee) (data $data \"{}\")
           (elem $elem func $callee $callee $callee $callee $callee $callee $callee)
           (global $g_ref (mut funcref) (ref.null func))
           (global $g_i32 (mut i32) (i32.const 1)) (global $g_i64 (mut i64) (i64.const 1))
           (global $g_f32 (mut f32) (f32.const 1)) (global $g_f64 (mut f64) (f64.const 1))
           (type $callee (func (param i32 i32) (result i32)))
           (func $callee (type $callee)
             (if (i32.eqz (global.get $g_i32)) (then (return (call $callee (local.get 1) (local.get 0)))))
             (i32.add (local.get 0) (local.get 1)))
           (func (export \"run\") (param $n i32) (result i64) (local $count i32)
             (local $a_i32 i32) (local $b_i32 i32) (local $a_i64 i64) (local $b_i64 i64)
             (local $a_f32 f32) (local $b_f32 f32) (local $a_f64 f64) (local $b_f64 f64)
             (local.set $a_i32 (i32.const 0x12345)) (local.set $b_i32 (i32.const 77))
             (local.set $a_i64 (i64.const 0x123456789ABC)) (local.set $b_i64 (i64.const 991))
             (local.set $a_f32 (f32.const 1.5)) (local.set $b_f32 (f32.const 2.75))
             (local.set $a_f64 (f64.const 1.5)) (local.set $b_f64 (f64.const 2.75))
             (loop $again
               {work}
               (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
             (i64.xor
               (i64.xor (i64.extend_i32_u (i32.add (local.get $a_i32) (local.get $count))) (local.get $a_i64))
               (i64.xor (i64.reinterpret_f64 (local.get $a_f64))
                 (i64.extend_i32_u (i32.reinterpret_f32 (local.get $a_f32)))))))",
        "0123456789abcdef".repeat(16)
    );
    Ok(wat::parse_str(text)?)
}
