;; Has functions that lie behind the end of its table.
(table 1 funcref)
(func $judge)
(elem (i32.const 100) $judge)
