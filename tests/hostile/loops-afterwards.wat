;; Answers, and loops when it may clean up.
(func (export "after-evaluate") (param i32)
  (loop $again (br $again)))
