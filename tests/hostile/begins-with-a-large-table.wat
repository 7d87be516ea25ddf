;; Begins with a larger table than there is.
(table 100000 funcref)
