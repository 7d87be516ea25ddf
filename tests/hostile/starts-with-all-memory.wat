;; Takes all memory that there is before it can be asked anything.
(func $start
  (drop (memory.grow (i32.const 1000)))
  (memory.fill (i32.const 4096) (i32.const 1) (i32.const 60000000)))
(start $start)
