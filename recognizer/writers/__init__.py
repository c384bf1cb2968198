"""What was read, as files that other programs take."""
