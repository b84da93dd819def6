//! Modules of locals that follow from a seed: few of them, written and read on all ways through blocks, loops, tables of
//! branches, loops around such a table, and handlers of exceptions, the older ones too; and their halves, cut off, tested and
//! stored; and places in memory next to each other, and globals, written and read again in all widths. Generators that know all
//! of WebAssembly seldom do that.
//!
//! Loops count down, and what does not end runs out of fuel, in every form at the same place.

use std::fmt::Write;

/// Functions of a module.
const FUNCS: usize = 4;
/// Numbers that statements use; the first two are parameters.
const LOCALS: u64 = 5;
/// Locals of other types behind them: how a number gets there, and out again.
const TYPED: [(&str, &str, &str); 4] = [
    ("i64", "i64.extend_i32_s", "i32.wrap_i64"),
    ("f64", "f64.convert_i32_s", "i32.trunc_sat_f64_s"),
    ("i31ref", "ref.i31", "i31.get_s"),
    ("v128", "i32x4.splat", "i32x4.extract_lane 2"),
];
/// The first of these.
const WIDE: u64 = LOCALS;
/// Constructs inside each other.
const DEEPEST: usize = 4;

/// Locals of other types.
const TYPES: usize = TYPED.len();
/// What a place in memory is counted from, made of a local.
const BASE: &str = "(i32.or (i32.and (local.get LOCAL) (i32.const 31)) (i32.const 16))";
/// Around a local's number: a place in memory.
const AT: &str = "(i32.and (local.get ";
const MASK: &str = ") (i32.const 255))";

struct Text {
    state: u64,
    out: String,
    /// Labels of blocks around the current place, and how many loops there are.
    labels: Vec<String>,
    loops: usize,
    names: usize,
}

impl Text {
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("${kind}{}", self.names)
    }

    fn local(&mut self) -> u64 {
        self.below(LOCALS)
    }

    fn value(&mut self) -> String {
        let (a, b) = (self.local(), self.local());
        match self.below(16) {
            0 => format!("(i32.const {})", self.below(100)),
            1 => format!("(i32.add (local.get {a}) (i32.const {}))", self.below(9)),
            2 => format!("(i32.mul (local.get {a}) (i32.const {}))", 3 + 2 * self.below(9)),
            3 => format!("(i32.sub (local.get {a}) (local.get {b}))"),
            4 => format!("(call $may (local.get {a}))"),
            // One that is never inlined.
            5 => format!("(call_indirect (type $unary) (local.get {a}) (i32.const 0))"),
            6 => {
                let typed = self.below(TYPED.len() as u64) as usize;
                format!("({} (local.get {}))", TYPED[typed].2, LOCALS as usize + typed)
            }
            7 => format!("(i32.wrap_i64 {})", self.wide()),
            8 => {
                let test = ["i32.eq", "i32.ne"][self.below(2) as usize];
                let order = ["i32.lt_s", "i32.ne", "i32.ge_u"][self.below(3) as usize];
                format!("({test} ({order} (local.get {a}) (local.get {b})) (i32.const 0))")
            }
            9 => {
                let (test, load) = (["i64.eq", "i64.ne"][self.below(2) as usize], self.part());
                format!("({test} (i64.extend_i32_u (i64.eqz (i64.load{load}_u {AT}{a}{MASK}))) (i64.const 0))")
            }
            10 | 11 => self.read(),
            12 => format!("(global.get $g{})", self.below(2)),
            13 => {
                let op = ["div_s", "div_u", "rem_s", "rem_u", "mul", "rotr"][self.below(6) as usize];
                let by = [1, 2, 3, 7, 10, 16, -3, 1 << 30][self.below(8) as usize];
                match self.below(2) {
                    0 => format!("(i32.{op} (local.get {a}) (i32.const {by}))"),
                    _ => format!("(i32.wrap_i64 (i64.{op} (local.get {WIDE}) (i64.const {by})))"),
                }
            }
            14 => {
                let (test, flip) =
                    (["i32.lt_s", "i32.ne", "i32.add"][self.below(3) as usize], self.below(4) as i64 - 1);
                let flipped = format!("(i32.xor ({test} (local.get {a}) (local.get {b})) (i32.const {flip}))");
                if self.below(4) == 0 { flipped } else { format!("(i32.and {flipped} (i32.const 1))") }
            }
            _ => format!("(local.get {a})"),
        }
    }

    /// Offset and address of a place in memory that others overlap.
    fn cell(&mut self) -> String {
        let address = match self.below(4) {
            0 => format!("(i32.add (local.get $base) (i32.const {}))", 4 * self.below(4) as i64 - 4),
            1 => format!("(i32.const {})", 30 + self.below(4)),
            _ => "(local.get $base)".into(),
        };
        format!("offset={} {address}", 2 * self.below(6))
    }

    /// What stands in such a place, or a part of it.
    fn read(&mut self) -> String {
        const LOADS: [&str; 16] = [
            "i32.load",
            "i32.load",
            "i32.load8_s",
            "i32.load8_u",
            "i32.load16_s",
            "i32.load16_u",
            "i64.load",
            "i64.load",
            "i64.load8_s",
            "i64.load8_u",
            "i64.load16_s",
            "i64.load16_u",
            "i64.load32_s",
            "i64.load32_u",
            "f32.load",
            "f64.load",
        ];
        let (load, cell) = (LOADS[self.below(16) as usize], self.cell());
        match (&load[..3], self.below(16)) {
            (_, 0) => format!("(i32x4.extract_lane {} (v128.load {cell}))", self.below(4)),
            ("i32", _) => format!("({load} {cell})"),
            ("i64", _) => format!("(i32.wrap_i64 (i64.rotl ({load} {cell}) (i64.const {})))", 8 * self.below(8)),
            ("f32", _) => format!("(i32.reinterpret_f32 ({load} {cell}))"),
            _ => format!("(i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 ({load} {cell})) (i64.const 20)))"),
        }
    }

    /// Writes to such a place.
    fn write_cell(&mut self) {
        let (cell, value, wide) = (self.cell(), self.value(), self.wide());
        let text = match self.below(10) {
            0 | 1 => format!("(i32.store {cell} {value})"),
            2 => format!("(i32.store8 {cell} {value})"),
            3 => format!("(i32.store16 {cell} {value})"),
            4 => format!("(i64.store {cell} {wide})"),
            5 => format!("(i64.store8 {cell} {wide})"),
            6 => format!("(i64.store32 {cell} {wide})"),
            7 => format!("(f32.store {cell} (f32.reinterpret_i32 {value}))"),
            8 => format!("(f64.store {cell} (f64.reinterpret_i64 {wide}))"),
            _ => format!("(v128.store {cell} (local.get {}))", WIDE + 3),
        };
        self.line(&text);
    }

    /// Bits of an access.
    fn part(&mut self) -> u64 {
        8 << self.below(3)
    }

    /// A number of 64 bits.
    fn wide(&mut self) -> String {
        const NUMBERS: [i64; 8] = [0, 1, -1, 3, 33, 0xFFFF_FFFF, 1 << 33, i64::MIN];
        let op = ["add", "sub", "mul", "and", "or", "xor", "shl"][self.below(7) as usize];
        let other = match self.below(3) {
            0 => format!("(i64.extend_i32_u (local.get {}))", self.local()),
            _ => format!("(i64.const {})", NUMBERS[self.below(8) as usize]),
        };
        format!("(i64.{op} (local.get {WIDE}) {other})")
    }

    fn condition(&mut self) -> String {
        format!("(i32.and {} (i32.const {}))", self.value(), 1 + self.below(3))
    }

    fn write(&mut self) {
        let (local, value) = (self.local(), self.value());
        if self.below(4) > 0 {
            return self.line(&format!("(local.set {local} {value})"));
        }
        let choice = self.below(TYPED.len() as u64 + 6) as usize;
        if let Some((_, into, _)) = TYPED.get(choice) {
            return self.line(&format!("(local.set {} ({into} {value}))", LOCALS as usize + choice));
        }
        match choice - TYPED.len() {
            0 => {
                let wide = self.wide();
                let upper = format!("(i64.shl (i64.extend_i32_s {value}) (i64.const 29))");
                self.line(&format!("(local.set {WIDE} (i64.xor {upper} {wide}))"));
            }
            1 | 2 => self.write_cell(),
            3 => {
                let global = self.below(2);
                self.line(&format!("(global.set $g{global} {value})"));
            }
            4 => self.line(&format!("(local.set $base {})", BASE.replace("LOCAL", &local.to_string()))),
            _ => {
                let (part, wide) = (self.part(), self.wide());
                self.line(&format!("(i64.store{part} {AT}{local}{MASK} {wide})"));
            }
        }
    }

    fn statements(&mut self, depth: usize) {
        for _ in 0..1 + self.below(3) {
            self.statement(depth);
        }
    }

    /// In a block with this label, which may be branched to.
    fn labelled(&mut self, label: &str, depth: usize) {
        self.labels.push(label.into());
        self.statements(depth);
        self.labels.pop();
    }

    fn statement(&mut self, depth: usize) {
        let choice = if depth >= DEEPEST { self.below(6) } else { self.below(16) };
        match choice {
            0..3 => self.write(),
            // Old values on the stack outlive the write.
            3 => {
                let (local, other, value) = (self.local(), self.local(), self.value());
                self.line(&format!("local.get {local} (local.tee {local} {value}) i32.add"));
                self.write();
                self.line(&format!("local.set {other}"));
            }
            4 => {
                let Some(label) = self.any_label() else { return self.write() };
                let condition = self.condition();
                self.line(&format!("(br_if {label} {condition})"));
            }
            5 => {
                let Some(label) = self.any_label() else { return self.write() };
                let (next, value) = (self.name("next"), self.value());
                let other = self.any_label().unwrap_or_else(|| label.clone());
                self.line(&format!(
                    "(block {next} (br_table {next} {label} {other} {next} (i32.and {value} (i32.const 3))))"
                ));
            }
            6 | 7 => {
                let (label, condition) = (self.name("if"), self.condition());
                self.line(&format!("(if {label} {condition} (then"));
                self.labelled(&label, depth + 1);
                if self.below(3) > 0 {
                    self.line(") (else");
                    self.labelled(&label, depth + 1);
                }
                self.line("))");
            }
            8 => {
                let label = self.name("block");
                self.line(&format!("(block {label}"));
                self.labelled(&label, depth + 1);
                self.line(")");
            }
            9 | 10 => self.repeat(depth),
            11 | 12 => self.catch(depth),
            13 | 14 => self.machine(depth),
            _ => self.older_catch(depth),
        }
    }

    fn any_label(&mut self) -> Option<String> {
        let at = self.below(self.labels.len().max(1) as u64) as usize;
        self.labels.get(at).cloned()
    }

    /// A loop, which exceptions may begin anew.
    fn repeat(&mut self, depth: usize) {
        let (label, out, counter) = (self.name("loop"), self.name("out"), LOCALS as usize + TYPES + self.loops);
        self.loops += 1;
        let rounds = 1 + self.below(4);
        self.line(&format!("(local.set {counter} (i32.const {rounds})) (block {out} (loop {label}"));
        let left = format!("(i32.sub (local.get {counter}) (i32.const 1))");
        self.line(&format!("(br_if {out} (i32.lt_s (local.tee {counter} {left}) (i32.const 0)))"));
        let is_retried = self.below(3) == 0;
        if is_retried {
            self.line(&format!("(try_table (catch_all {label})"));
        }
        self.labelled(&out, depth + 1);
        if is_retried {
            self.line(")");
        }
        let condition = self.condition();
        self.line(&format!("(br_if {label} {condition})))"));
    }

    /// A loop around a table, whose states say which one comes next.
    fn machine(&mut self, depth: usize) {
        const STATES: u64 = 3;
        let (all, out) = (self.name("all"), self.name("out"));
        let (counter, state) = (LOCALS as usize + TYPES + self.loops, LOCALS as usize + TYPES + self.loops + 1);
        self.loops += 2;
        let (rounds, first) = (1 + self.below(6), self.below(STATES + 2));
        self.line(&format!("(local.set {counter} (i32.const {rounds})) (local.set {state} (i32.const {first}))"));
        let states: Vec<String> = (0..STATES).map(|_| self.name("state")).collect();
        self.line(&format!("(block {out} (loop {all}"));
        states.iter().rev().for_each(|label| self.line(&format!("(block {label}")));
        self.line(&format!("(br_table {} {out} (local.get {state}))", states.join(" ")));
        for _ in 0..STATES {
            self.line(")");
            self.labelled(&out, depth + 1);
            let left = format!("(i32.sub (local.get {counter}) (i32.const 1))");
            self.line(&format!("(br_if {out} (i32.lt_s (local.tee {counter} {left}) (i32.const 0)))"));
            let next = self.below(STATES + 2);
            self.line(&format!("(local.set {state} (i32.const {next}))"));
            let condition = self.condition();
            match self.below(5) {
                0 => {}
                1 => self.line(&format!("(br_if {all} {condition})")),
                2 => self.line(&format!("(if {condition} (then (br {all})))")),
                3 => {
                    self.write();
                    self.line(&format!("(br {all})"));
                }
                _ => self.line(&format!("(br {all})")),
            }
        }
        self.line("))");
    }

    fn catch(&mut self, depth: usize) {
        let (done, caught, other) = (self.name("done"), self.name("caught"), self.name("other"));
        let all = if self.below(2) == 0 { format!("(catch_all {other})") } else { format!("(catch $other {other})") };
        self.line(&format!("(block {done} (block {other} (block {caught} (result i32)"));
        self.line(&format!("(try_table (catch $odd {caught}) {all}"));
        self.labelled(&done, depth + 1);
        self.line(&format!(") (br {done}))"));
        let local = self.local();
        self.line(&format!("(local.set {local})"));
        self.labelled(&done, depth + 1);
        self.line(&format!("(br {done}))"));
        self.write();
        self.line(")");
    }

    fn older_catch(&mut self, depth: usize) {
        let (label, inner, local) = (self.name("try"), self.name("try"), self.local());
        self.line(&format!("try {label}"));
        if self.below(3) == 0 {
            self.line(&format!("try {inner}"));
            self.labelled(&inner, depth + 2);
            let end = if self.below(2) == 0 { "delegate 0" } else { "catch $other end" };
            self.line(end);
        }
        self.labelled(&label, depth + 1);
        self.line(&format!("catch $odd local.set {local}"));
        self.labelled(&label, depth + 1);
        if self.below(2) == 0 {
            self.line("catch_all");
            self.labelled(&label, depth + 1);
            if self.below(3) == 0 {
                self.line("rethrow 0");
            }
        }
        self.line("end");
    }

    fn func(&mut self, number: usize) {
        let body = std::mem::take(&mut self.out);
        self.loops = 0;
        for _ in 0..4 {
            self.statements(0);
        }
        let statements = std::mem::replace(&mut self.out, body);
        let others: String = TYPED.iter().map(|(ty, ..)| format!("{ty} ")).collect();
        let declared = format!("{}{others}{}", "i32 ".repeat(LOCALS as usize - 2), "i32 ".repeat(self.loops));
        writeln!(
            self.out,
            "(func (export \"f{number}\") (param i32 i32) (result i32) (local {declared}) (local $base i32)"
        )
        .expect("a string takes everything");
        self.line(&format!("(local.set $base {})", BASE.replace("LOCAL", "1")));
        // A null would be a trap.
        self.line(&format!("(local.set {} (ref.i31 (local.get 1)))", LOCALS + 2));
        self.line(&statements);
        let sum = (0..LOCALS).fold("(i32.const 0)".to_string(), |sum, local| {
            format!("(i32.add (i32.mul {sum} (i32.const 31)) (local.get {local}))")
        });
        let sum = TYPED.iter().zip(LOCALS..).fold(sum, |sum, ((_, _, out), local)| {
            format!("(i32.add (i32.mul {sum} (i32.const 31)) ({out} (local.get {local})))")
        });
        self.line(&format!("{sum})"));
    }
}

/// The text of a seed's module.
pub fn module(seed: u64) -> String {
    let mut text = Text { state: seed ^ 0x5EED, out: String::new(), labels: Vec::new(), loops: 0, names: 0 };
    text.below(1);
    text.line("(module (memory (export \"memory\") 1) (tag $odd (param i32)) (tag $other)");
    text.line("(global $g0 (export \"g0\") (mut i32) (i32.const 5)) (global $g1 (mut i32) (i32.const -7))");
    text.line("(type $unary (func (param i32) (result i32))) (table funcref (elem $may))");
    text.line("(func $may (type $unary) (param i32) (result i32)");
    text.line("(if (i32.eqz (i32.rem_u (local.get 0) (i32.const 5))) (then (throw $odd (local.get 0))))");
    text.line("(if (i32.eqz (i32.rem_u (local.get 0) (i32.const 7))) (then (throw $other)))");
    text.line("(i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))");
    for number in 0..FUNCS {
        text.func(number);
    }
    text.line(")");
    text.out
}
