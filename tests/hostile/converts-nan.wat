;; Makes a whole number of what is none.
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (i32.trunc_f64_s (f64.const nan)))
