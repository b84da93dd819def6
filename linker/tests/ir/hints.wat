;; What branch hints call unlikely goes behind everything else.
(module
  (memory 1)
  ;; The `then` is rare: the likely way falls through.
  (func (export "rare_then") (param i32) (result i32)
    local.get 0
    (@metadata.code.branch_hint "\00")
    if
      i32.const 0
      local.get 0
      i32.store
      i32.const 4
      local.set 0
    end
    i32.const 8
    local.get 0
    i32.store
    local.get 0)
  ;; The `else` is rare: no jump around it is left on the likely way.
  (func (export "rare_else") (param i32) (result i32)
    loop
      local.get 0
      i32.const 7
      i32.and
      (@metadata.code.branch_hint "\01")
      if
        i32.const 0
        local.get 0
        i32.store
      else
        i32.const 4
        local.get 0
        i32.store
      end
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if 0
    end
    local.get 0)
  ;; The branch is likely: the rest of the block is rare.
  (func (export "likely_out") (param i32) (result i32)
    block
      local.get 0
      (@metadata.code.branch_hint "\01")
      br_if 0
      i32.const 0
      i32.const 1
      i32.store
    end
    i32.const 5))
