;; Calls through an empty place of a table.
(table 1 funcref)
(type $judge (func (result i32)))
(func (export "evaluate") (param i32 i32 i32 i32) (result i32)
  (call_indirect (type $judge) (i32.const 0)))
