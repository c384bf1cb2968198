"""Signals whose padding changes nothing, made into feature sequences."""
