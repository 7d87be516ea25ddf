;; Copies all memory that there is onto itself, over and over.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (drop (memory.grow (i32.const 1000)))
  (loop $again
    (memory.copy (i32.const 4096) (i32.const 4097) (i32.const 60000000))
    (br $again))
  (i32.const 80))
