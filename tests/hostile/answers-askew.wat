;; Answers with an address that is not aligned.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.const 81))
