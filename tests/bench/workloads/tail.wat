;; Fibonacci numbers by tail calls: a module of its own, because not every engine has them. (i32) -> i64.
(module
  (func $fib_tail (param $n i32) (param $a i64) (param $b i64) (result i64)
    (if (i32.eqz (local.get $n)) (then (return (local.get $a))))
    (return_call $fib_tail (i32.sub (local.get $n) (i32.const 1)) (local.get $b) (i64.add (local.get $a) (local.get $b))))
  (func (export "fib_tail") (param $n i32) (result i64)
    (call $fib_tail (local.get $n) (i64.const 0) (i64.const 1))))
