"""Language models: n-grams built here, and an LSTM over characters."""
