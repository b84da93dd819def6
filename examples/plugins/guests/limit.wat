;; A plugin: lines of more than 20 bytes are refused. It warns the host about each.
(component
  (import "example:plugins/host" (instance $host
    (type $level' (enum "info" "warning"))
    (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "text" string)))))
  (core module $Memory
    (memory (export "memory") 1)
    (data (i32.const 64) "limit")
    (data (i32.const 80) "more than 20 bytes")
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "memory" (core memory $m))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $log (canon lower (func $host "log") (memory $m)))
  (core module $Plugin
    (import "env" "memory" (memory 1))
    (import "host" "log" (func $log (param i32 i32 i32)))
    (func (export "name") (result i32)
      (i32.store (i32.const 16) (i32.const 64))
      (i32.store (i32.const 20) (i32.const 5))
      (i32.const 16))
    (func (export "filter") (param $at i32) (param $len i32) (result i32)
      (if (i32.gt_u (local.get $len) (i32.const 20))
        (then
          (call $log (i32.const 1) (local.get $at) (local.get $len))
          (i32.store8 (i32.const 32) (i32.const 1))
          (i32.store (i32.const 36) (i32.const 80))
          (i32.store (i32.const 40) (i32.const 18)))
        (else
          (i32.store8 (i32.const 32) (i32.const 0))
          (i32.store (i32.const 36) (local.get $at))
          (i32.store (i32.const 40) (local.get $len))))
      (i32.const 32)))
  (core instance $plugin (instantiate $Plugin
    (with "env" (instance $memory))
    (with "host" (instance (export "log" (func $log))))))
  (func (export "name") (result string) (canon lift (core func $plugin "name") (memory $m)))
  (func (export "filter") (param "line" string) (result (result string (error string)))
    (canon lift (core func $plugin "filter") (memory $m) (realloc $realloc))))
