"""The page in the browser: read, correct, learn, on one's own machine."""
