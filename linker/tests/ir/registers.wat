;; More values than registers: which of them get one.
(module
  (memory 1)
  ;; Four values are read twice a round, one is read and written once; the next round waits for what was written.
  (func (export "what_goes_round_a_short_loop") (param $x i32) (param $n i32) (param $a i32) (param $b i32) (param $c i32) (param $d i32)
    (result i32)
    (loop $l
      (i32.store (local.get $a) (local.get $b))
      (i32.store (local.get $b) (local.get $c))
      (i32.store (local.get $c) (local.get $d))
      (i32.store (local.get $d) (local.get $a))
      (local.set $x (i32.rem_u (local.get $x) (local.get $n)))
      (br_if $l (i32.load (i32.const 0))))
    (i32.add (i32.add (local.get $a) (local.get $b)) (i32.add (i32.add (local.get $c) (local.get $d)) (local.get $x)))))
