;; Answers with a list that begins in memory and ends outside.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 84) (i32.const 1000000)) (i32.const 80))
