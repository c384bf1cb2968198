"""Speech: recordings."""
