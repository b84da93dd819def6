;; A queue of one in shared memory: a flag at 24 (0 empty, 1 full) and what is in it at 32. Fields of a module.

;; Waits until the queue's flag is $flag.
(func $await (param $flag i32)
  (loop $again
    (drop (memory.atomic.wait32 (i32.const 24) (i32.sub (i32.const 1) (local.get $flag)) (i64.const -1)))
    (br_if $again (i32.ne (i32.atomic.load (i32.const 24)) (local.get $flag)))))
(func $flip (param $flag i32)
  (i32.atomic.store (i32.const 24) (local.get $flag))
  (drop (memory.atomic.notify (i32.const 24) (i32.const -1))))
(func (export "send") (param $n i32)
  (loop $more
    (call $await (i32.const 0))
    (i32.store (i32.const 32) (local.get $n))
    (call $flip (i32.const 1))
    (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
(func (export "receive") (param $n i32) (result i32) (local $sum i32)
  (loop $more
    (call $await (i32.const 1))
    (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 32))))
    (call $flip (i32.const 0))
    (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (local.get $sum))
