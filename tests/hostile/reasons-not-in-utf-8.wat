;; Gives a reason that is no text.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.store8 (i32.const 96) (i32.const 0))
  (i32.store (i32.const 104) (i32.const 200)) (i32.store (i32.const 108) (i32.const 4))
  (i32.store (i32.const 200) (i32.const 0xc0c0c0c0))
  (i32.const 80))
