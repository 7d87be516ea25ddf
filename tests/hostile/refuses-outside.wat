;; Refuses its settings with a message that lies behind the end of memory.
(func (export "configure") (param i32 i32) (result i32)
  (i32.store8 (i32.const 64) (i32.const 1))
  (i32.store (i32.const 72) (i32.const -2)) (i32.store (i32.const 76) (i32.const 8))
  (i32.const 64))
