;; Calls a function through a pointer of another type.
(table funcref (elem $other))
(type $judge (func (result i32)))
(func $other (param i64))
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (call_indirect (type $judge) (i32.const 0)))
