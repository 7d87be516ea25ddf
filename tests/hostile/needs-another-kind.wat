;; Reads a field of a kind that there is not.
(func (export "describe") (result i32)
  (i32.store (i32.const 16) (i32.const 200)) (i32.store (i32.const 20) (i32.const 1))
  (i32.store8 (i32.const 208) (i32.const 9)) (i32.const 16))
