;; Begins with more memory than there is.
(memory (export "memory") 1025)
