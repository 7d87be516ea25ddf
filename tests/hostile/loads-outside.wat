;; Has data that lie behind the end of its memory.
(data (i32.const 0x7fffffff) "outside")
