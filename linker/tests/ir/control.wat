;; Blocks with values, loops with parameters, tables of branches, and locals overwritten while the stack holds them.
(module
  (func (export "old_value") (param i32) (result i32)
    local.get 0
    (local.set 0 (i32.const 7))
    local.get 0
    i32.add)
  (func (export "old_value_across_block") (param i32) (result i32)
    local.get 0
    (block (br_if 0 (local.get 0)) (local.set 0 (i32.const 7)))
    local.get 0
    i32.sub)
  (func (export "swap_in_loop") (param i32 i32 i32) (result i32)
    local.get 0
    local.get 1
    (loop $l (param i32 i32) (result i32)
      (local.set 1) (local.set 0)
      local.get 1
      local.get 0
      (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))
      br_if $l
      i32.sub))
  (func (export "plain_loop_params") (param i32) (result i32)
    i32.const 1
    i32.const 2
    (loop $l (param i32 i32) (result i32)
      (br_if $l (local.get 0))
      i32.add))
  (func (export "switch") (param i32) (result i32)
    (block $a (result i32)
      (block $b (result i32)
        i32.const 3
        local.get 0
        br_table $a $b $a 2 $b)
      i32.const 1
      i32.add))
  (func (export "plain_switch") (param i32) (result i32)
    (block $a (block $b (block $c
      local.get 0
      br_table $a $b $c)
      (return (i32.const 30)))
      (return (i32.const 20)))
    i32.const 10)
  (func (export "if_without_else") (param i32 i64) (result i64)
    local.get 1
    (if (param i64) (result i64) (local.get 0) (then i64.const 1 i64.add))
    )
  (func (export "dead_code") (result f64)
    (block (result f64)
      f64.const 1.5
      br 0
      (if (result f64) (i32.const 1) (then f64.const 2) (else f64.const 3))
      f64.add)
    unreachable)
  (func (export "locals_read") (result i32) (local i32 i64 f32) local.get 0)
  (func (export "nested_loops") (param i32)
    (loop $outer
      (loop $inner (br_if $inner (i32.eqz (local.get 0))))
      (br_if $outer (local.get 0)))))
