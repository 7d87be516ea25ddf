;; Has the frame written behind the end of memory.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (i32.const -8))
