"""Files to signals, one module per kind of input."""
