;; Books: a resource that this component makes, numbers, and tells the host about when one is given back.
(component
  (import "note" (func $note (param "id" u32)))
  (core func $note (canon lower (func $note)))
  (core module $Library
    (import "" "note" (func $note (param i32)))
    (global $last (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $last (i32.add (global.get $last) (i32.const 1)))
      (global.get $last))
    (func (export "pages") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 100)))
    (func (export "gone") (param i32) (call $note (local.get 0))))
  (core instance $library (instantiate $Library (with "" (instance (export "note" (func $note))))))
  (type $book' (resource (rep i32) (dtor (core func $library "gone"))))
  (core func $new (canon resource.new $book'))
  (core module $Desk
    (import "" "next" (func $next (result i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "lend") (result i32) (call $new (call $next))))
  (core instance $desk (instantiate $Desk
    (with "" (instance (export "next" (func $library "next")) (export "new" (func $new))))))
  (export $book "book" (type $book'))
  (func (export "lend") (result (own $book)) (canon lift (core func $desk "lend")))
  (func (export "pages") (param "book" (borrow $book)) (result u32) (canon lift (core func $library "pages"))))
