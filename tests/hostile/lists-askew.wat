;; Answers with a list that is not aligned.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 80) (i32.const 97)) (i32.const 80))
