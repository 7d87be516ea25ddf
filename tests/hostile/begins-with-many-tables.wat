;; Begins with more tables than there are.
(table 10000 funcref) (table 10000 funcref) (table 10000 funcref) (table 10000 funcref)
