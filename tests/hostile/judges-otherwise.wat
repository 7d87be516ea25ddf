;; Answers with a verdict that is neither yes nor no.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.store8 (i32.const 96) (i32.const 7)) (i32.const 80))
