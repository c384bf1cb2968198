"""A training run: its settings, its data, what is done with a batch, what it leaves on disk."""
