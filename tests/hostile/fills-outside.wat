;; Fills more than its memory.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)) (i32.const 80))
