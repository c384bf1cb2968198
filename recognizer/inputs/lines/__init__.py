"""Offline handwriting: images of lines."""
