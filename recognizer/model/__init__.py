"""The model, features and network in one, and the file that holds it."""
