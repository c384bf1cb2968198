"""Corpora: what a user brings, what training reads."""
