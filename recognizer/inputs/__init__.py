"""What a user brings, one folder for each kind of input: files to signals to features."""
