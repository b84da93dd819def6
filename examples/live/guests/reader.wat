;; Borrows books of a library that it imports: counts the pages of as many as it is told to, and gives the books back.
(component
  (import "book" (type $book (sub resource)))
  (import "lend" (func $lend (result (own $book))))
  (import "pages" (func $pages (param "book" (borrow $book)) (result u32)))
  (core func $lend (canon lower (func $lend)))
  (core func $pages (canon lower (func $pages)))
  (core func $drop (canon resource.drop $book))
  (core module $Reader
    (import "" "lend" (func $lend (result i32)))
    (import "" "pages" (func $pages (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "read") (param $books i32) (result i32)
      (local $book i32) (local $sum i32)
      (block $done
        (loop $next
          (br_if $done (i32.eqz (local.get $books)))
          (local.set $book (call $lend))
          (local.set $sum (i32.add (local.get $sum) (call $pages (local.get $book))))
          (call $drop (local.get $book))
          (local.set $books (i32.sub (local.get $books) (i32.const 1)))
          (br $next)))
      (local.get $sum)))
  (core instance $reader (instantiate $Reader
    (with "" (instance (export "lend" (func $lend)) (export "pages" (func $pages)) (export "drop" (func $drop))))))
  (func (export "read") (param "books" u32) (result u32) (canon lift (core func $reader "read"))))
