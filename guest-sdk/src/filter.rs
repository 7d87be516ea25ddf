//! For a buyer: which leads it wants, and at what price.
