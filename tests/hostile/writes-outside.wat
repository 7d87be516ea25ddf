;; Writes across the end of its memory.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i64.store offset=0xfffffff0 (i32.const -1) (i64.const 1)) (i32.const 80))
