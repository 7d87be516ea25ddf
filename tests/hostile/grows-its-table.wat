;; Makes its table larger without end, and fails when that ends.
(table $functions 0 funcref)
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (loop $again
    (br_if $again (i32.ne (i32.const -1)
      (table.grow $functions (ref.null func) (i32.const 1000)))))
  (unreachable))
