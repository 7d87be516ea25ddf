;; Has the frame written where it is not aligned.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (i32.const 4097))
