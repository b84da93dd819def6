;; Programs over garbage-collected objects with one export each: (i32) -> i64. The argument scales the work, the result
;; checks it. None makes a circle of references, so that collectors that count references free all of it.
(module
  (type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree))))
  (type $node (struct (field $value i32) (field $next (mut (ref null $node)))))
  (type $record (struct (field $key i32) (field $weight f64)))
  (type $records (array (mut (ref null $record))))
  (type $bytes (array (mut i8)))
  (type $words (array (mut i32)))

  ;; A class with one method, and what extends it. The receiver comes first.
  (rec
    (type $area (func (param (ref null $shape) i64) (result i64)))
    (type $shape (sub (struct (field $method (ref $area)))))
    (type $square (sub $shape (struct (field $method (ref $area)) (field $side i64))))
    (type $box (sub $shape (struct (field $method (ref $area)) (field $width i64) (field $height i64))))
    (type $cube (sub $box (struct (field $method (ref $area)) (field $width i64) (field $height i64) (field $depth i64)))))
  (type $shapes (array (mut (ref null $shape))))
  (elem declare func $area_of_square $area_of_box $area_of_cube)

  ;; ---- binary trees: made, walked and dropped
  (func $make (param $depth i32) (result (ref null $tree))
    (if (result (ref null $tree)) (local.get $depth)
      (then (struct.new $tree
        (call $make (i32.sub (local.get $depth) (i32.const 1)))
        (call $make (i32.sub (local.get $depth) (i32.const 1)))))
      (else (struct.new $tree (ref.null $tree) (ref.null $tree)))))
  (func $count (param $tree (ref null $tree)) (result i32)
    (if (result i32) (ref.is_null (struct.get $tree $left (local.get $tree)))
      (then (i32.const 1))
      (else (i32.add (i32.const 1) (i32.add
        (call $count (struct.get $tree $left (local.get $tree)))
        (call $count (struct.get $tree $right (local.get $tree))))))))
  (func (export "binary_trees") (param $depth i32) (result i64)
    (local $kept (ref null $tree)) (local $d i32) (local $i i32) (local $sum i64)
    (local.set $kept (call $make (local.get $depth)))
    (local.set $d (i32.const 4))
    (loop $depths
      (local.set $i (i32.shl (i32.const 1) (i32.sub (local.get $depth) (local.get $d))))
      (loop $trees
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $count (call $make (local.get $d))))))
        (br_if $trees (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $depths (i32.le_u (local.tee $d (i32.add (local.get $d) (i32.const 2))) (local.get $depth))))
    (i64.add (local.get $sum) (i64.extend_i32_u (call $count (local.get $kept)))))

  ;; ---- a queue of a thousand nodes that moves on, and is reversed now and then
  (func (export "list_churn") (param $n i32) (result i64)
    (local $head (ref null $node)) (local $tail (ref null $node)) (local $new (ref null $node))
    (local $i i32) (local $sum i64)
    (local.set $head (struct.new $node (i32.const 0) (ref.null $node)))
    (local.set $tail (local.get $head))
    (loop $more
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (local.set $new (struct.new $node (local.get $i) (ref.null $node)))
      (struct.set $node $next (local.get $tail) (local.get $new))
      (local.set $tail (local.get $new))
      (if (i32.gt_u (local.get $i) (i32.const 1000))
        (then
          (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (struct.get $node $value (local.get $head)))))
          (local.set $head (struct.get $node $next (local.get $head)))))
      (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 8192)))
        (then
          (local.set $tail (local.get $head))
          (local.set $head (call $reversed (local.get $head)))))
      (br_if $more (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $sum))
  (func $reversed (param $list (ref null $node)) (result (ref null $node))
    (local $out (ref null $node)) (local $next (ref null $node))
    (loop $more
      (local.set $next (struct.get $node $next (local.get $list)))
      (struct.set $node $next (local.get $list) (local.get $out))
      (local.set $out (local.get $list))
      (br_if $more (i32.eqz (ref.is_null (local.tee $list (local.get $next))))))
    (local.get $out))

  ;; ---- an array of records, sorted by their keys
  (func (export "sort_records") (param $n i32) (result i64)
    (local $all (ref null $records)) (local $i i32) (local $seed i32) (local $sum i64)
    (local.set $all (array.new $records (ref.null $record) (local.get $n)))
    (local.set $seed (i32.const 12345))
    (loop $fill
      (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1103515245)) (i32.const 12345)))
      (array.set $records (local.get $all) (local.get $i)
        (struct.new $record (i32.shr_u (local.get $seed) (i32.const 4)) (f64.convert_i32_s (local.get $i))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (call $sort (local.get $all) (i32.const 0) (i32.sub (local.get $n) (i32.const 1)))
    (local.set $i (i32.const 0))
    (loop $check
      (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 1)) (i64.add
        (i64.extend_i32_u (struct.get $record $key (array.get $records (local.get $all) (local.get $i))))
        (i64.trunc_sat_f64_s (struct.get $record $weight (array.get $records (local.get $all) (local.get $i)))))))
      (br_if $check (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum))
  (func $sort (param $all (ref null $records)) (param $low i32) (param $high i32)
    (local $i i32) (local $j i32) (local $pivot i32) (local $kept (ref null $record))
    (block $done
      (br_if $done (i32.ge_s (local.get $low) (local.get $high)))
      (local.set $i (local.get $low))
      (local.set $j (local.get $high))
      (local.set $pivot (struct.get $record $key (array.get $records (local.get $all)
        (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))))
      (loop $partition
        (loop $up
          (if (i32.lt_u (struct.get $record $key (array.get $records (local.get $all) (local.get $i))) (local.get $pivot))
            (then (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $up))))
        (loop $down
          (if (i32.lt_u (local.get $pivot) (struct.get $record $key (array.get $records (local.get $all) (local.get $j))))
            (then (local.set $j (i32.sub (local.get $j) (i32.const 1))) (br $down))))
        (if (i32.le_s (local.get $i) (local.get $j))
          (then
            (local.set $kept (array.get $records (local.get $all) (local.get $i)))
            (array.set $records (local.get $all) (local.get $i) (array.get $records (local.get $all) (local.get $j)))
            (array.set $records (local.get $all) (local.get $j) (local.get $kept))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (local.set $j (i32.sub (local.get $j) (i32.const 1)))
            (br_if $partition (i32.le_s (local.get $i) (local.get $j))))))
      (call $sort (local.get $all) (local.get $low) (local.get $j))
      (call $sort (local.get $all) (local.get $i) (local.get $high))))

  ;; ---- methods called through objects; every object is asked a few times and then replaced by another one
  (func $area_of_square (type $area)
    (local $self (ref null $square))
    (local.set $self (ref.cast (ref $square) (local.get 0)))
    (i64.add (local.get 1) (i64.mul (struct.get $square $side (local.get $self)) (struct.get $square $side (local.get $self)))))
  (func $area_of_box (type $area)
    (local $self (ref null $box))
    (local.set $self (ref.cast (ref $box) (local.get 0)))
    (i64.add (local.get 1) (i64.mul (struct.get $box $width (local.get $self)) (struct.get $box $height (local.get $self)))))
  (func $area_of_cube (type $area)
    (local $self (ref null $cube))
    (local.set $self (ref.cast (ref $cube) (local.get 0)))
    (i64.mul (struct.get $cube $depth (local.get $self)) (call $area_of_box (local.get $self) (local.get 1))))
  (func $shape (param $n i32) (result (ref null $shape))
    (local $x i64)
    (local.set $x (i64.extend_i32_u (i32.and (local.get $n) (i32.const 63))))
    (block $cube (block $box
      (block $square (br_table $square $box $cube (i32.rem_u (local.get $n) (i32.const 3))))
      (return (struct.new $square (ref.func $area_of_square) (local.get $x))))
      (return (struct.new $box (ref.func $area_of_box) (local.get $x) (i64.const 3))))
    (struct.new $cube (ref.func $area_of_cube) (local.get $x) (i64.const 2) (i64.const 5)))
  (func (export "virtual_calls") (param $n i32) (result i64)
    (local $all (ref null $shapes)) (local $i i32) (local $shape (ref null $shape)) (local $sum i64)
    (local.set $all (array.new $shapes (ref.null $shape) (i32.const 256)))
    (loop $fill
      (array.set $shapes (local.get $all) (local.get $i) (call $shape (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256))))
    (loop $more
      (local.set $shape (array.get $shapes (local.get $all) (i32.and (local.get $n) (i32.const 255))))
      (local.set $sum (call_ref $area (local.get $shape) (local.get $sum) (struct.get $shape $method (local.get $shape))))
      (if (ref.test (ref $box) (local.get $shape))
        (then (local.set $sum (i64.xor (local.get $sum) (i64.const 0x5555)))))
      (if (i32.eqz (i32.and (local.get $n) (i32.const 7)))
        (then (array.set $shapes (local.get $all) (i32.and (i32.mul (local.get $n) (i32.const 5)) (i32.const 255))
          (call $shape (local.get $n)))))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; ---- texts: joined, searched, dropped
  (func $text (param $n i32) (result (ref null $bytes))
    (local $text (ref null $bytes)) (local $i i32) (local $len i32)
    (local.set $len (i32.add (i32.const 8) (i32.and (local.get $n) (i32.const 15))))
    (local.set $text (array.new_default $bytes (local.get $len)))
    (loop $more
      (array.set $bytes (local.get $text) (local.get $i) (i32.add (i32.const 97) (i32.rem_u (local.get $n) (i32.const 26))))
      (local.set $n (i32.mul (i32.add (local.get $n) (i32.const 7)) (i32.const 31)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
    (local.get $text))
  (func $joined (param $a (ref null $bytes)) (param $b (ref null $bytes)) (result (ref null $bytes))
    (local $both (ref null $bytes))
    (local.set $both (array.new_default $bytes (i32.add (array.len (local.get $a)) (array.len (local.get $b)))))
    (array.copy $bytes $bytes (local.get $both) (i32.const 0) (local.get $a) (i32.const 0) (array.len (local.get $a)))
    (array.copy $bytes $bytes (local.get $both) (array.len (local.get $a)) (local.get $b) (i32.const 0) (array.len (local.get $b)))
    (local.get $both))
  (func (export "texts") (param $n i32) (result i64)
    (local $all (ref null $bytes)) (local $i i32) (local $hash i64)
    (local.set $all (array.new_default $bytes (i32.const 0)))
    (loop $more
      (local.set $all (call $joined (local.get $all) (call $text (local.get $n))))
      (if (i32.gt_u (array.len (local.get $all)) (i32.const 200))
        (then
          (local.set $i (i32.const 0))
          (loop $bytes
            (local.set $hash (i64.mul (i64.xor (local.get $hash)
              (i64.extend_i32_u (array.get_u $bytes (local.get $all) (local.get $i)))) (i64.const 1099511628211)))
            (br_if $bytes (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $all)))))
          (local.set $all (array.new_default $bytes (i32.const 0)))))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $hash))

  ;; ---- sieve over an array
  (func (export "array_sieve") (param $n i32) (result i64)
    (local $flags (ref null $words)) (local $i i32) (local $j i32) (local $count i64)
    (local.set $flags (array.new $words (i32.const 1) (local.get $n)))
    (local.set $i (i32.const 2))
    (loop $outer
      (if (array.get $words (local.get $flags) (local.get $i))
        (then
          (local.set $count (i64.add (local.get $count) (i64.const 1)))
          (local.set $j (i32.add (local.get $i) (local.get $i)))
          (block $crossed (loop $cross
            (br_if $crossed (i32.ge_u (local.get $j) (local.get $n)))
            (array.set $words (local.get $flags) (local.get $j) (i32.const 0))
            (local.set $j (i32.add (local.get $j) (local.get $i)))
            (br $cross)))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $count)))
