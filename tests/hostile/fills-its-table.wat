;; Fills the largest table that there is, over and over.
(table $functions 20000 funcref)
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (loop $again
    (table.fill $functions (i32.const 0) (ref.null func) (i32.const 20000))
    (br $again))
  (i32.const 80))
