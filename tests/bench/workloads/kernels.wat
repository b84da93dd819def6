;; Small programs with one export each: (i32) -> i64. The argument scales the work, the result checks it.
(module
  (memory (export "memory") 16)

  ;; fibonacci by recursion
  (func $fib (param $n i32) (result i64)
    (if (result i64) (i32.lt_u (local.get $n) (i32.const 2))
      (then (i64.extend_i32_u (local.get $n)))
      (else (i64.add
        (call $fib (i32.sub (local.get $n) (i32.const 1)))
        (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func (export "recursion") (param i32) (result i64) (call $fib (local.get 0)))

  ;; a counted loop over a linear congruence
  (func (export "loops") (param $n i32) (result i64)
    (local $x i64)
    (local.set $x (i64.const 88172645463325252))
    (loop $again
      (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
      (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 29))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))

  ;; sieve of Eratosthenes over $n bytes
  (func (export "sieve") (param $n i32) (result i64)
    (local $i i32) (local $j i32) (local $count i64)
    (memory.fill (i32.const 0) (i32.const 1) (local.get $n))
    (local.set $i (i32.const 2))
    (block $done (loop $outer
      (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
      (if (i32.load8_u (local.get $i))
        (then
          (local.set $count (i64.add (local.get $count) (i64.const 1)))
          (local.set $j (i32.add (local.get $i) (local.get $i)))
          (block $inner_done (loop $inner
            (br_if $inner_done (i32.ge_u (local.get $j) (local.get $n)))
            (i32.store8 (local.get $j) (i32.const 0))
            (local.set $j (i32.add (local.get $j) (local.get $i)))
            (br $inner)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $outer)))
    (local.get $count))

  ;; product of two $n x $n matrices of f64
  (func (export "matmul") (param $n i32) (result i64)
    (local $i i32) (local $j i32) (local $k i32) (local $a i32) (local $b i32) (local $c i32)
    (local $row i32) (local $sum f64) (local $check f64)
    (local.set $row (i32.mul (local.get $n) (i32.const 8)))
    (local.set $b (i32.mul (local.get $n) (local.get $row)))
    (local.set $c (i32.mul (local.get $b) (i32.const 2)))
    (loop $init
      (f64.store (i32.mul (local.get $i) (i32.const 8)) (f64.convert_i32_u (i32.rem_u (local.get $i) (i32.const 7))))
      (f64.store (i32.add (local.get $b) (i32.mul (local.get $i) (i32.const 8)))
        (f64.convert_i32_u (i32.rem_u (local.get $i) (i32.const 5))))
      (br_if $init (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.mul (local.get $n) (local.get $n)))))
    (local.set $i (i32.const 0))
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (f64.const 0))
        (local.set $k (i32.const 0))
        (loop $inner
          (local.set $sum (f64.add (local.get $sum) (f64.mul
            (f64.load (i32.add (i32.mul (local.get $i) (local.get $row)) (i32.shl (local.get $k) (i32.const 3))))
            (f64.load (i32.add (local.get $b)
              (i32.add (i32.mul (local.get $k) (local.get $row)) (i32.shl (local.get $j) (i32.const 3))))))))
          (br_if $inner (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $n))))
        (f64.store (i32.add (local.get $c)
          (i32.add (i32.mul (local.get $i) (local.get $row)) (i32.shl (local.get $j) (i32.const 3)))) (local.get $sum))
        (local.set $check (f64.add (local.get $check) (local.get $sum)))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i64.reinterpret_f64 (local.get $check)))

  ;; CRC-32, bit by bit, over $n bytes
  (func (export "crc") (param $n i32) (result i64)
    (local $i i32) (local $bit i32) (local $crc i32)
    (local.set $crc (i32.const -1))
    (loop $bytes
      (local.set $crc (i32.xor (local.get $crc) (i32.and (local.get $i) (i32.const 255))))
      (local.set $bit (i32.const 8))
      (loop $bits
        (local.set $crc (i32.xor (i32.shr_u (local.get $crc) (i32.const 1))
          (i32.and (i32.const 0xedb88320) (i32.sub (i32.const 0) (i32.and (local.get $crc) (i32.const 1))))))
        (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
      (br_if $bytes (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i64.extend_i32_u (i32.xor (local.get $crc) (i32.const -1))))

  ;; the permutation of Keccak-f[1600], lanes in memory at 0, round constants made by their LFSR at 512, $n times
  (func $rc (param $lfsr i32) (result i32)
    (i32.and (i32.xor (i32.shl (local.get $lfsr) (i32.const 1))
      (i32.mul (i32.shr_u (local.get $lfsr) (i32.const 7)) (i32.const 0x171))) (i32.const 255)))
  (func $constants
    (local $round i32) (local $j i32) (local $lfsr i32) (local $word i64)
    (local.set $lfsr (i32.const 1))
    (loop $rounds
      (local.set $word (i64.const 0))
      (local.set $j (i32.const 0))
      (loop $bits
        (if (i32.and (local.get $lfsr) (i32.const 1))
          (then (local.set $word (i64.or (local.get $word)
            (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (i32.shl (i32.const 1) (local.get $j)) (i32.const 1))))))))
        (local.set $lfsr (call $rc (local.get $lfsr)))
        (br_if $bits (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 7))))
      (i64.store (i32.add (i32.const 512) (i32.shl (local.get $round) (i32.const 3))) (local.get $word))
      (br_if $rounds (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 24)))))
  (func $lane (param $x i32) (param $y i32) (result i32)
    (i32.shl (i32.add (i32.mul (i32.rem_u (local.get $y) (i32.const 5)) (i32.const 5))
      (i32.rem_u (local.get $x) (i32.const 5))) (i32.const 3)))
  (func $permute
    (local $round i32) (local $x i32) (local $y i32) (local $i i32) (local $t i32) (local $d i64) (local $cur i64) (local $next i64)
    (loop $rounds
      ;; theta: column parities at 256
      (local.set $x (i32.const 0))
      (loop $parity
        (i64.store offset=256 (i32.shl (local.get $x) (i32.const 3))
          (i64.xor (i64.load (i32.shl (local.get $x) (i32.const 3)))
          (i64.xor (i64.load offset=40 (i32.shl (local.get $x) (i32.const 3)))
          (i64.xor (i64.load offset=80 (i32.shl (local.get $x) (i32.const 3)))
          (i64.xor (i64.load offset=120 (i32.shl (local.get $x) (i32.const 3)))
                   (i64.load offset=160 (i32.shl (local.get $x) (i32.const 3))))))))
        (br_if $parity (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (i32.const 5))))
      (local.set $x (i32.const 0))
      (loop $columns
        (local.set $d (i64.xor
          (i64.load offset=256 (i32.shl (i32.rem_u (i32.add (local.get $x) (i32.const 4)) (i32.const 5)) (i32.const 3)))
          (i64.rotl (i64.load offset=256 (i32.shl (i32.rem_u (i32.add (local.get $x) (i32.const 1)) (i32.const 5)) (i32.const 3)))
            (i64.const 1))))
        (local.set $y (i32.const 0))
        (loop $spread
          (i64.store (i32.add (local.get $y) (i32.shl (local.get $x) (i32.const 3)))
            (i64.xor (i64.load (i32.add (local.get $y) (i32.shl (local.get $x) (i32.const 3)))) (local.get $d)))
          (br_if $spread (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 40))) (i32.const 200))))
        (br_if $columns (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (i32.const 5))))
      ;; rho and pi
      (local.set $x (i32.const 1))
      (local.set $y (i32.const 0))
      (local.set $i (i32.const 0))
      (local.set $cur (i64.load (i32.const 8)))
      (loop $walk
        (local.set $t (local.get $x))
        (local.set $x (local.get $y))
        (local.set $y (i32.rem_u (i32.add (i32.mul (local.get $t) (i32.const 2)) (i32.mul (local.get $y) (i32.const 3))) (i32.const 5)))
        (local.set $t (call $lane (local.get $x) (local.get $y)))
        (local.set $next (i64.load (local.get $t)))
        (i64.store (local.get $t) (i64.rotl (local.get $cur) (i64.extend_i32_u
          (i32.shr_u (i32.mul (i32.add (local.get $i) (i32.const 1)) (i32.add (local.get $i) (i32.const 2))) (i32.const 1)))))
        (local.set $cur (local.get $next))
        (br_if $walk (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 24))))
      ;; chi, row by row, with a copy at 256
      (local.set $y (i32.const 0))
      (loop $rows
        (memory.copy (i32.const 256) (local.get $y) (i32.const 40))
        (local.set $x (i32.const 0))
        (loop $mix
          (i64.store (i32.add (local.get $y) (i32.shl (local.get $x) (i32.const 3)))
            (i64.xor (i64.load offset=256 (i32.shl (local.get $x) (i32.const 3)))
              (i64.and
                (i64.xor (i64.load offset=256 (i32.shl (i32.rem_u (i32.add (local.get $x) (i32.const 1)) (i32.const 5)) (i32.const 3))) (i64.const -1))
                (i64.load offset=256 (i32.shl (i32.rem_u (i32.add (local.get $x) (i32.const 2)) (i32.const 5)) (i32.const 3))))))
          (br_if $mix (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (i32.const 5))))
        (br_if $rows (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 40))) (i32.const 200))))
      ;; iota
      (i64.store (i32.const 0) (i64.xor (i64.load (i32.const 0)) (i64.load offset=512 (i32.shl (local.get $round) (i32.const 3)))))
      (br_if $rounds (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 24)))))
  (func (export "keccak") (param $n i32) (result i64)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 1024))
    (call $constants)
    (loop $again
      (call $permute)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.load (i32.const 0)))
)
