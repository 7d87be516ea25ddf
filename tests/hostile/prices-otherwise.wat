;; Answers with a price that is neither there nor absent.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.store8 (i32.const 104) (i32.const 2)) (i32.const 80))
