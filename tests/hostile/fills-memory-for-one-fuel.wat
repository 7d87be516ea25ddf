;; Fills all memory that there is, over and over: one instruction each, which takes milliseconds.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (drop (memory.grow (i32.const 1000)))
  (loop $again
    (memory.fill (i32.const 4096) (i32.const 1) (i32.const 60000000))
    (br $again))
  (i32.const 80))
