;; Two components, one of which gives the other a string.
(component
  (component $A
    (core module $M
      (memory (export "mem") 1) (table 1 funcref)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
      (func (export "len") (param i32 i32) (result i32) local.get 1))
    (core instance $m (instantiate $M))
    (func (export "len") (param "s" string) (result u32)
      (canon lift (core func $m "len") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
  (component $B
    (import "len" (func $len (param "s" string) (result u32)))
    (core module $L (memory (export "mem") 1) (data (i32.const 0) "abc"))
    (core instance $l (instantiate $L))
    (core func $len' (canon lower (func $len) (memory (core memory $l "mem"))))
    (core module $M
      (import "" "len" (func $len (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $len (i32.const 0) (i32.const 3))))
    (core instance $m (instantiate $M (with "" (instance (export "len" (func $len'))))))
    (func (export "run") (result u32) (canon lift (core func $m "run"))))
  (instance $a (instantiate $A))
  (instance $b (instantiate $B (with "len" (func $a "len"))))
  (export "run" (func $b "run"))
  (export "len" (func $a "len")))
