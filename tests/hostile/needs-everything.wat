;; Reads 2,000 fields, all of them without a name.
(func (export "describe") (result i32)
  (i32.store (i32.const 16) (i32.const 4096)) (i32.store (i32.const 20) (i32.const 2000))
  (i32.const 16))
