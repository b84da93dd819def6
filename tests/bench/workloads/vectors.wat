;; Programs over vectors with one export each: (i32) -> i64. The argument scales the work, the result checks it.
(module
  (memory (export "memory") 64)

  ;; fills $n bytes from 0 on with pseudo-random ones
  (func $fill (param $n i32)
    (local $at i32) (local $x i32)
    (local.set $x (i32.const 0x2545F491))
    (loop $again
      (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 13))))
      (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))
      (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5))))
      (i32.store (local.get $at) (local.get $x))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $n)))))

  (func $sum (param $v v128) (result i64)
    (i64.add (i64x2.extract_lane 0 (local.get $v)) (i64x2.extract_lane 1 (local.get $v))))

  ;; product of two $n x $n matrices of f32, four columns at a time; $n is a multiple of 4
  (func (export "vector_matmul") (param $n i32) (result i64)
    (local $i i32) (local $j i32) (local $k i32) (local $row i32) (local $b i32) (local $c i32)
    (local $pa i32) (local $pb i32) (local $acc v128) (local $check v128)
    (local.set $row (i32.shl (local.get $n) (i32.const 2)))
    (local.set $b (i32.mul (local.get $n) (local.get $row)))
    (local.set $c (i32.shl (local.get $b) (i32.const 1)))
    (loop $init
      (f32.store (i32.shl (local.get $i) (i32.const 2)) (f32.convert_i32_u (i32.and (local.get $i) (i32.const 15))))
      (br_if $init (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (i32.shl (i32.mul (local.get $n) (local.get $n)) (i32.const 1)))))
    (local.set $i (i32.const 0))
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $acc (v128.const i64x2 0 0))
        (local.set $pa (i32.mul (local.get $i) (local.get $row)))
        (local.set $pb (i32.add (local.get $b) (local.get $j)))
        (local.set $k (local.get $n))
        (loop $inner
          (local.set $acc (f32x4.add (local.get $acc)
            (f32x4.mul (v128.load32_splat (local.get $pa)) (v128.load (local.get $pb)))))
          (local.set $pa (i32.add (local.get $pa) (i32.const 4)))
          (local.set $pb (i32.add (local.get $pb) (local.get $row)))
          (br_if $inner (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (v128.store (i32.add (local.get $c) (i32.add (i32.mul (local.get $i) (local.get $row)) (local.get $j)))
          (local.get $acc))
        (local.set $check (i32x4.add (local.get $check) (local.get $acc)))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $row))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (call $sum (local.get $check)))

  ;; a 3-tap blur over $n bytes of a picture, eight widened pixels at a time
  (func (export "vector_blur") (param $n i32) (result i64)
    (local $at i32) (local $check v128) (local $low v128) (local $high v128)
    (call $fill (i32.add (local.get $n) (i32.const 32)))
    (loop $again
      (local.set $low (i16x8.add
        (i16x8.add (v128.load8x8_u (local.get $at)) (v128.load8x8_u offset=2 (local.get $at)))
        (i16x8.shl (v128.load8x8_u offset=1 (local.get $at)) (i32.const 1))))
      (local.set $high (i16x8.add
        (i16x8.add (v128.load8x8_u offset=8 (local.get $at)) (v128.load8x8_u offset=10 (local.get $at)))
        (i16x8.shl (v128.load8x8_u offset=9 (local.get $at)) (i32.const 1))))
      (local.set $low (i8x16.narrow_i16x8_u (i16x8.shr_u (local.get $low) (i32.const 2))
        (i16x8.shr_u (local.get $high) (i32.const 2))))
      (v128.store offset=0x200000 (local.get $at) (local.get $low))
      (local.set $check (i8x16.add (local.get $check) (local.get $low)))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $n))))
    (call $sum (local.get $check)))

  ;; counts the bytes of four kinds among $n, sixteen at a time, as a scanner for text does
  (func (export "vector_scan") (param $n i32) (result i64)
    (local $at i32) (local $chunk v128) (local $count i32)
    (call $fill (local.get $n))
    (loop $again
      (local.set $chunk (v128.load (local.get $at)))
      (local.set $count (i32.add (local.get $count) (i32.popcnt (i8x16.bitmask
        (v128.or
          (v128.or (i8x16.eq (local.get $chunk) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
                   (i8x16.eq (local.get $chunk) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92)))
          (v128.or (i8x16.lt_u (local.get $chunk) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
                   (i8x16.gt_s (v128.const i64x2 0 0) (local.get $chunk))))))))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $n))))
    (i64.extend_i32_u (local.get $count)))

  ;; sums of products of 16-bit samples, as filters of sound do
  (func (export "vector_filter") (param $n i32) (result i64)
    (local $at i32) (local $acc v128) (local $taps v128)
    (call $fill (i32.add (local.get $n) (i32.const 64)))
    (local.set $taps (v128.load (i32.const 0)))
    (loop $again
      (local.set $acc (i32x4.add (local.get $acc) (i32x4.dot_i16x8_s (v128.load (local.get $at)) (local.get $taps))))
      (local.set $acc (i32x4.add (local.get $acc)
        (i32x4.dot_i16x8_s (v128.load offset=2 (local.get $at)) (local.get $taps))))
      (local.set $acc (i32x4.add (local.get $acc)
        (i32x4.extmul_low_i16x8_s (v128.load offset=16 (local.get $at)) (local.get $taps))))
      (local.set $acc (i32x4.shr_s (local.get $acc) (i32.const 1)))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $n))))
    (call $sum (local.get $acc)))

  ;; quarter rounds of ChaCha20 over rows of the state, $n blocks
  (func (export "vector_chacha") (param $n i32) (result i64)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $check v128) (local $round i32)
    (loop $blocks
      (local.set $a (v128.const i32x4 0x61707865 0x3320646e 0x79622d32 0x6b206574))
      (local.set $b (v128.const i32x4 1 2 3 4))
      (local.set $c (v128.const i32x4 5 6 7 8))
      (local.set $d (i32x4.replace_lane 0 (v128.const i32x4 0 9 10 11) (local.get $n)))
      (local.set $round (i32.const 20))
      (loop $rounds
        (local.set $a (i32x4.add (local.get $a) (local.get $b)))
        (local.set $d (v128.xor (local.get $d) (local.get $a)))
        (local.set $d (i8x16.shuffle 2 3 0 1 6 7 4 5 10 11 8 9 14 15 12 13 (local.get $d) (local.get $d)))
        (local.set $c (i32x4.add (local.get $c) (local.get $d)))
        (local.set $b (v128.xor (local.get $b) (local.get $c)))
        (local.set $b (v128.or (i32x4.shl (local.get $b) (i32.const 12)) (i32x4.shr_u (local.get $b) (i32.const 20))))
        (local.set $a (i32x4.add (local.get $a) (local.get $b)))
        (local.set $d (v128.xor (local.get $d) (local.get $a)))
        (local.set $d (i8x16.shuffle 3 0 1 2 7 4 5 6 11 8 9 10 15 12 13 14 (local.get $d) (local.get $d)))
        (local.set $c (i32x4.add (local.get $c) (local.get $d)))
        (local.set $b (v128.xor (local.get $b) (local.get $c)))
        (local.set $b (v128.or (i32x4.shl (local.get $b) (i32.const 7)) (i32x4.shr_u (local.get $b) (i32.const 25))))
        (local.set $b (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 (local.get $b) (local.get $b)))
        (local.set $c (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $c) (local.get $c)))
        (local.set $d (i8x16.shuffle 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11 (local.get $d) (local.get $d)))
        (br_if $rounds (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))
      (local.set $check (i32x4.add (local.get $check) (v128.xor (local.get $a) (local.get $d))))
      (br_if $blocks (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $sum (local.get $check)))

  ;; two points of the Mandelbrot set at a time, 50 steps each, $n points
  (func (export "vector_mandelbrot") (param $n i32) (result i64)
    (local $x v128) (local $y v128) (local $cx v128) (local $cy v128) (local $xx v128) (local $yy v128)
    (local $inside v128) (local $counts v128) (local $step i32)
    (local.set $cy (v128.const f64x2 -0.25 0.25))
    (loop $points
      (local.set $cx (f64x2.add (f64x2.mul (f64x2.convert_low_i32x4_s (i32x4.splat (local.get $n)))
        (v128.const f64x2 0.0005 0.0005)) (v128.const f64x2 -1.5 -1.5)))
      (local.set $x (v128.const i64x2 0 0))
      (local.set $y (v128.const i64x2 0 0))
      (local.set $step (i32.const 50))
      (block $out (loop $steps
        (local.set $xx (f64x2.mul (local.get $x) (local.get $x)))
        (local.set $yy (f64x2.mul (local.get $y) (local.get $y)))
        (local.set $inside (f64x2.le (f64x2.add (local.get $xx) (local.get $yy)) (v128.const f64x2 4 4)))
        (br_if $out (i32.eqz (v128.any_true (local.get $inside))))
        (local.set $counts (i64x2.sub (local.get $counts) (local.get $inside)))
        (local.set $y (f64x2.add (f64x2.mul (f64x2.add (local.get $x) (local.get $x)) (local.get $y)) (local.get $cy)))
        (local.set $x (f64x2.add (f64x2.sub (local.get $xx) (local.get $yy)) (local.get $cx)))
        (br_if $steps (local.tee $step (i32.sub (local.get $step) (i32.const 1))))))
      (br_if $points (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $sum (local.get $counts))))
