"""Online handwriting: pen strokes."""
