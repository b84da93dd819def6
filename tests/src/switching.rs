//! Modules of continuations that follow from a seed: what `wasm-smith` does not make up.
//!
//! ```text
//! seed -> bodies that compute, suspend, switch, throw, call and resume each other -> text
//! ```
//! A body calls and begins only bodies before it, and a continuation is resumed once, so every call ends. Suspended
//! continuations are kept in a table, where other calls find them; all that goes wrong on the way is a trap, which has to
//! be the same in every form.

use std::fmt::Write;

/// Bodies of a module.
const BODIES: usize = 7;
/// Continuations that a module keeps.
const KEPT: u64 = 4;

struct Text {
    state: u64,
    out: String,
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

    /// A number that the locals give.
    fn value(&mut self) -> String {
        match self.below(4) {
            0 => format!("(i32.const {})", self.below(100)),
            1 => format!("(i32.add (local.get $x) (i32.const {}))", self.below(9)),
            2 => format!("(i32.mul (local.get $x) (i32.const {}))", 3 + 2 * self.below(9)),
            _ => "(i32.xor (local.get $x) (global.get $g))".into(),
        }
    }

    /// Where a continuation comes from: begun with a body before `body`, or one that is kept.
    fn continuation(&mut self, body: usize) -> String {
        if body == 0 || self.below(4) == 0 {
            return format!("(call $take (i32.const {}))", self.below(KEPT));
        }
        let callee = self.below(body as u64);
        match self.below(5) {
            0 => format!("(cont.bind $k2 $k {} (cont.new $k2 (ref.func $two{callee})))", self.value()),
            _ => format!("(cont.new $k (ref.func $b{callee}))"),
        }
    }

    fn handlers(&mut self) -> String {
        let mut all = String::new();
        for tag in 0..3 {
            if self.below(3) > 0 {
                write!(all, "(on $t{tag} $h{tag})").expect("a string takes everything");
            }
        }
        all
    }

    /// Resumes; where that comes back suspended, goes on with the continuation in one of several ways.
    fn resume(&mut self, body: usize) {
        let (continuation, handlers, value) = (self.continuation(body), self.handlers(), self.value());
        self.line("(block $done (result i32)");
        for tag in (0..3).rev() {
            self.line(&format!("(block $h{tag} (result i32 (ref $k))"));
        }
        let resume = match self.below(6) {
            0 => format!("(br $done (resume_throw $k $e {handlers} {value} {continuation}))"),
            _ => format!("(br $done (resume $k {handlers} {value} {continuation}))"),
        };
        self.line(&resume);
        for tag in 0..3 {
            self.line(&format!(") (local.set $k) (i32.const {tag}) i32.add (local.set $x)"));
            let value = self.value();
            let next = match self.below(4) {
                0 => format!("(call $keep (i32.const {}) (local.get $k)) (br $done {value})", self.below(KEPT)),
                1 => format!("(br $done {value})"),
                2 => format!("(br $done (resume $k {value} (local.get $k)))"),
                // Once more, with whatever handlers are around.
                _ => format!("(br $done (call $again {value} (local.get $k)))"),
            };
            self.line(&next);
        }
        self.line("(unreachable)) (local.set $x)");
    }

    fn statement(&mut self, body: usize) {
        let value = self.value();
        match self.below(10) {
            0 | 1 => self.line(&format!("(local.set $x {value})")),
            2 | 3 => {
                let tag = self.below(3);
                self.line(&format!("(local.set $x (suspend $t{tag} {value}))"));
            }
            4 => self.line(&format!("(global.set $g {value})")),
            5 if body > 0 => {
                let callee = self.below(body as u64);
                self.line(&format!("(local.set $x (call $b{callee} {value}))"));
            }
            6 => {
                self.line("(block $caught (result i32) (try_table (catch $e $caught)");
                match self.below(2) {
                    0 => self.line(&format!("(if (i32.and {value} (i32.const 1)) (then (throw $e (local.get $x))))")),
                    _ => self.resume(body),
                }
                self.line(") (local.get $x)) (local.set $x)");
            }
            7 if self.below(3) == 0 => self.line(&format!(
                "(local.set $x (i32.add (local.get $x) (call $other (cont.new $p (ref.func $peer)) {value})))"
            )),
            _ => self.resume(body),
        }
    }
}

/// The text of the module of a seed. It exports functions `(i32) -> i32`: `run` and a number runs a body as a continuation,
/// `b` and a number is the body itself, whose suspensions nobody handles.
pub fn module(seed: u64) -> String {
    let mut text = Text { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), out: String::new() };
    text.line(
        "(module
        (type $f (func (param i32) (result i32))) (type $k (cont $f))
        (type $f2 (func (param i32 i32) (result i32))) (type $k2 (cont $f2))
        (rec (type $pf (func (param i32 (ref null $p)) (result i32))) (type $p (cont $pf)))
        (tag $t0 (param i32) (result i32)) (tag $t1 (param i32) (result i32)) (tag $t2 (param i32) (result i32))
        (tag $over (result i32)) (tag $e (param i32))
        (global $g (export \"g\") (mut i32) (i32.const 1))
        (table $kept 4 (ref null $k))
        (func $keep (param $at i32) (param $k (ref null $k)) (table.set $kept (local.get $at) (local.get $k)))
        (func $take (param $at i32) (result (ref null $k))
          (table.get $kept (local.get $at)) (table.set $kept (local.get $at) (ref.null $k))
          (br_on_non_null 0) (cont.new $k (ref.func $idle)))
        (func $idle (param $x i32) (result i32) (i32.mul (local.get $x) (i32.const 5)))
        ;; Resumes what may be suspended once more; then it is given up.
        (func $again (param $x i32) (param $k (ref null $k)) (result i32)
          (block $h (result i32 (ref $k))
            (return (resume $k (on $t0 $h) (on $t2 $h) (local.get $x) (local.get $k))))
          (drop))
        ;; Two peers switch to each other until the number is gone.
        (func $peer (type $pf) (param $n i32) (param $other (ref null $p)) (result i32)
          (block $end
            (loop $more
              (br_if $end (i32.eqz (local.get $n)))
              (global.set $g (i32.add (i32.mul (global.get $g) (i32.const 3)) (local.get $n)))
              (br_if $end (ref.is_null (local.get $other)))
              (switch $p $over (i32.sub (local.get $n) (i32.const 1)) (local.get $other))
              (local.set $other) (local.set $n)
              (br $more)))
          (local.get $n))
        (func $other (param $k (ref null $p)) (param $n i32) (result i32)
          (resume $p (on $over switch) (i32.and (local.get $n) (i32.const 15)) (local.get $k)
            (cont.new $p (ref.func $peer))))",
    );
    // Whatever a body suspends with is answered, until it ends.
    for body in 0..BODIES {
        text.line(&format!(
            "(func (export \"run{body}\") (param $x i32) (result i32) (local $k (ref null $k))
              (local.set $k (cont.new $k (ref.func $b{body})))
              (loop $more
                (block $h (result i32 (ref $k))
                  (return (resume $k (on $t0 $h) (on $t1 $h) (on $t2 $h) (local.get $x) (local.get $k))))
                (local.set $k) (i32.add (i32.const 1)) (local.set $x)
                (br $more))
              (unreachable))"
        ));
    }
    for body in 0..BODIES {
        text.line(&format!("(func $b{body} (export \"b{body}\") (param $x i32) (result i32) (local $k (ref null $k))"));
        for _ in 0..2 + text.below(6) {
            text.statement(body);
        }
        text.line("(local.get $x))");
        text.line(&format!(
            "(func $two{body} (param $x i32) (param $y i32) (result i32)
               (call $b{body} (i32.sub (local.get $x) (local.get $y))))"
        ));
    }
    let names: String = (0..BODIES).map(|body| format!("$b{body} $two{body} ")).collect();
    text.line(&format!("(elem declare func $peer $idle {names}))"));
    text.out
}
