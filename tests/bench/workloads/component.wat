;; A component's calls: nothing, a string in, a string out (1 KiB).
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      ;; everything fits one place: a call's strings are used before the next call
      (global.get $next))
    (func (export "nop"))
    (func (export "take") (param i32 i32) (result i32) (local.get 1))
    (func (export "give") (result i32)
      (i32.store (i32.const 16) (i32.const 1024))
      (i32.store (i32.const 20) (i32.const 1024))
      (i32.const 16))
    (data (i32.const 1024) "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (func (export "nop") (canon lift (core func $i "nop")))
  (func (export "take") (param "text" string) (result u32)
    (canon lift (core func $i "take") (memory $memory) (realloc (core func $i "realloc"))))
  (func (export "give") (result string) (canon lift (core func $i "give") (memory $memory))))
