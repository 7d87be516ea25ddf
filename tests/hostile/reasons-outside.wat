;; Gives a reason that lies behind the end of memory.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.store8 (i32.const 96) (i32.const 0))
  (i32.store (i32.const 104) (i32.const -2)) (i32.store (i32.const 108) (i32.const 8))
  (i32.const 80))
