;; Has a state that cannot be kept after configure.
(global (mut v128) (v128.const i64x2 0 0))
