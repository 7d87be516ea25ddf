;; Fails when it is asked what it is.
(func (export "describe") (result i32)
  (unreachable))
