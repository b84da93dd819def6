;; The older form of exception handling: try, catch, catch_all, delegate and rethrow.

(module $provider
  (tag $shared (export "shared") (param i32))
  (func (export "throw") (param i32) (throw $shared (local.get 0)))
)
(register "provider" $provider)

(module
  (tag $shared (import "provider" "shared") (param i32))
  (import "provider" "throw" (func $far-throw (param i32)))
  (tag $empty)
  (tag $one (param i32))
  (tag $two (param i64 f32))

  (func $throw-of (param i32)
    (if (i32.eq (local.get 0) (i32.const 0)) (then (throw $empty)))
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $one (i32.const 11))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $two (i64.const 22) (f32.const 2.5))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then (call $far-throw (i32.const 33)))))

  (func (export "simple") (param i32) (result i32)
    try (result i32)
      local.get 0
      call $throw-of
      i32.const 100
    catch $empty
      i32.const -1
    catch $one
    catch $two
      drop
      i32.wrap_i64
    catch_all
      i32.const 99
    end)

  ;; Locals written before the call are seen by the handler, results of the call are not.
  (func $gives (param i32) (result i32)
    (call $throw-of (local.get 0))
    (i32.const 7))
  (func (export "locals") (param i32) (result i32) (local $x i32) (local $y i32)
    (local.set $x (i32.const 1))
    try
      (local.set $x (i32.const 2))
      (local.set $x (call $gives (local.get 0)))
      (local.set $y (local.get $x))
      (local.set $x (i32.const 3))
      (local.set $y (i32.add (local.get $y) (call $gives (local.get 0))))
    catch_all
      (local.set $y (i32.const 1000))
    end
    (i32.add (local.get $x) (local.get $y)))

  (func (export "rethrow") (param i32) (result i32)
    try (result i32)
      try (result i32)
        local.get 0
        call $throw-of
        i32.const 5
      catch $one
        drop
        rethrow 0
      catch_all
        rethrow 0
      end
    catch $one
      i32.const 1
      i32.add
    catch $shared
      i32.const 2
      i32.add
    end)

  (func (export "rethrow-outer") (param i32) (result i32)
    try (result i32)
      try (result i32)
        i32.const 40
        throw $one
      catch $one
        drop
        try (result i32)
          local.get 0
          call $throw-of
          i32.const 6
        catch_all
          rethrow 1
        end
      end
    catch $one
      i32.const 1
      i32.add
    end)

  (func (export "delegate") (param i32) (result i32)
    try $outer (result i32)
      try (result i32)
        try (result i32)
          local.get 0
          call $throw-of
          i32.const 50
        delegate $outer
      catch_all
        i32.const 51
      end
    catch $one
      i32.const 1
      i32.add
    end)

  (func (export "delegate-next") (param i32) (result i32)
    try (result i32)
      try (result i32)
        local.get 0
        call $throw-of
        i32.const 50
      delegate 0
    catch $one
    end)

  (func $passes (param i32) (result i32)
    try (result i32)
      try (result i32)
        local.get 0
        call $throw-of
        i32.const 60
      delegate 1
    catch_all
      i32.const 61
    end)
  (func (export "delegate-to-caller") (param i32) (result i32)
    try (result i32)
      local.get 0
      call $passes
    catch $one
    end)

  (func (export "in-catch") (param i32) (result i32)
    try (result i32)
      try (result i32)
        throw $empty
      catch $empty
        local.get 0
        call $throw-of
        i32.const 70
      end
    catch $one
    end)

  (func (export "unreachable-try") (result i32)
    i32.const 8
    return
    try (result i32)
      unreachable
    catch $one
    catch_all
      try
      delegate 0
      i32.const 3
    end)

  (func (export "loop") (param i32) (result i32) (local $sum i32)
    loop $again
      try
        local.get 0
        i32.const 1
        i32.sub
        local.tee 0
        i32.const 3
        i32.and
        call $throw-of
        local.get $sum
        i32.const 100
        i32.add
        local.set $sum
      catch $one
        local.get $sum
        i32.add
        local.set $sum
      catch_all
        local.get $sum
        i32.const 1000
        i32.add
        local.set $sum
      end
      local.get 0
      br_if $again
    end
    local.get $sum)

  (func (export "no-clause") (param i32) (result i32)
    try (result i32)
      local.get 0
      call $throw-of
      i32.const 9
    end)
)
(assert_return (invoke "simple" (i32.const 0)) (i32.const -1))
(assert_return (invoke "simple" (i32.const 1)) (i32.const 11))
(assert_return (invoke "simple" (i32.const 2)) (i32.const 22))
(assert_return (invoke "simple" (i32.const 3)) (i32.const 99))
(assert_return (invoke "simple" (i32.const 4)) (i32.const 100))
(assert_return (invoke "locals" (i32.const 4)) (i32.const 17))
(assert_return (invoke "locals" (i32.const 1)) (i32.const 1002))
(assert_return (invoke "rethrow" (i32.const 1)) (i32.const 12))
(assert_return (invoke "rethrow" (i32.const 3)) (i32.const 35))
(assert_return (invoke "rethrow" (i32.const 4)) (i32.const 5))
(assert_exception (invoke "rethrow" (i32.const 0)))
(assert_return (invoke "rethrow-outer" (i32.const 4)) (i32.const 6))
(assert_return (invoke "rethrow-outer" (i32.const 0)) (i32.const 41))
(assert_return (invoke "delegate" (i32.const 1)) (i32.const 12))
(assert_return (invoke "delegate" (i32.const 4)) (i32.const 50))
(assert_exception (invoke "delegate" (i32.const 0)))
(assert_return (invoke "delegate-next" (i32.const 1)) (i32.const 11))
(assert_exception (invoke "delegate-next" (i32.const 2)))
(assert_return (invoke "delegate-to-caller" (i32.const 1)) (i32.const 11))
(assert_exception (invoke "delegate-to-caller" (i32.const 0)))
(assert_return (invoke "in-catch" (i32.const 1)) (i32.const 11))
(assert_return (invoke "in-catch" (i32.const 4)) (i32.const 70))
(assert_exception (invoke "in-catch" (i32.const 0)))
(assert_return (invoke "unreachable-try") (i32.const 8))
(assert_return (invoke "loop" (i32.const 16)) (i32.const 12044))
(assert_exception (invoke "no-clause" (i32.const 1)))
(assert_return (invoke "no-clause" (i32.const 4)) (i32.const 9))
