;; Asks for more memory than there is, over and over, whatever the answer.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (loop $again (drop (memory.grow (i32.const 65000))) (br $again))
  (i32.const 80))
