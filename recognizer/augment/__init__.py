"""Changes to a batch of signals while training, one file per kind of input."""
