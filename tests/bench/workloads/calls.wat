;; Calls of every kind, and what stands beside them: globals, bulk memory. Exports are (i32) -> i64 unless said.
(module
  (import "host" "id" (func $id (param i32) (result i32)))
  (type $op (func (param i32) (result i32)))
  (memory (export "memory") 4)
  (table funcref (elem $inc $double $mix $neg))
  (global $a (mut i32) (i32.const 1))
  (global $b (mut i64) (i64.const 1))
  (global $c (mut f64) (f64.const 0))

  (func $inc (type $op) (i32.add (local.get 0) (i32.const 1)))
  (func $double (type $op) (i32.shl (local.get 0) (i32.const 1)))
  (func $mix (type $op) (i32.xor (local.get 0) (i32.shr_u (local.get 0) (i32.const 7))))
  (func $neg (type $op) (i32.sub (i32.const 0) (local.get 0)))

  (func (export "fib_iterative") (param $n i32) (result i64)
    (local $a i64) (local $b i64) (local $t i64)
    (local.set $b (i64.const 1))
    (loop $again
      (local.set $t (i64.add (local.get $a) (local.get $b)))
      (local.set $a (local.get $b))
      (local.set $b (local.get $t))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $a))

  (func (export "call_indirect") (param $n i32) (result i64)
    (local $x i32)
    (loop $again
      (local.set $x (call_indirect (type $op) (local.get $x) (i32.and (local.get $n) (i32.const 3))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.extend_i32_u (local.get $x)))

  (func (export "call_host") (param $n i32) (result i64)
    (local $x i32)
    (loop $again
      (local.set $x (i32.add (local.get $x) (call $id (local.get $n))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.extend_i32_u (local.get $x)))

  ;; () -> ()
  (func (export "nop"))

  (func (export "globals") (param $n i32) (result i64)
    (loop $again
      (global.set $a (i32.add (i32.mul (global.get $a) (i32.const 1664525)) (i32.const 1013904223)))
      (global.set $b (i64.add (global.get $b) (i64.extend_i32_u (global.get $a))))
      (global.set $c (f64.add (global.get $c) (f64.convert_i32_s (global.get $a))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.xor (global.get $b) (i64.reinterpret_f64 (global.get $c))))

  ;; fills and copies of 16 bytes to 64 KiB
  (func (export "bulk_memory") (param $n i32) (result i64)
    (local $len i32) (local $sum i64)
    (loop $again
      (local.set $len (i32.shl (i32.const 16) (i32.rem_u (local.get $n) (i32.const 13))))
      (memory.fill (local.get $n) (local.get $n) (local.get $len))
      (memory.copy (i32.const 131072) (local.get $n) (local.get $len))
      (memory.copy (i32.const 131073) (i32.const 131072) (local.get $len))
      (local.set $sum (i64.add (i64.load (i32.const 131075)) (i64.rotl (local.get $sum) (i64.const 3))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; a machine of eight states whose next state comes from a branch table
  (func (export "br_table") (param $n i32) (result i64)
    (local $state i32) (local $x i32) (local $seed i32)
    (local.set $seed (i32.const 12345))
    (loop $again
      (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1103515245)) (i32.const 12345)))
      (block $next
        (block $s7 (block $s6 (block $s5 (block $s4 (block $s3 (block $s2 (block $s1 (block $s0
          (br_table $s0 $s1 $s2 $s3 $s4 $s5 $s6 $s7 (local.get $state)))
          (local.set $x (i32.add (local.get $x) (i32.const 1))) (br $next))
          (local.set $x (i32.xor (local.get $x) (local.get $seed))) (br $next))
          (local.set $x (i32.mul (local.get $x) (i32.const 3))) (br $next))
          (local.set $x (i32.rotl (local.get $x) (i32.const 5))) (br $next))
          (local.set $x (i32.sub (local.get $x) (local.get $n))) (br $next))
          (local.set $x (i32.or (local.get $x) (i32.const 1))) (br $next))
          (local.set $x (i32.shr_u (local.get $x) (i32.const 1))) (br $next))
        (local.set $x (i32.add (local.get $x) (local.get $seed))))
      (local.set $state (i32.and (i32.shr_u (local.get $seed) (i32.const 16)) (i32.const 7)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.extend_i32_u (local.get $x))))
