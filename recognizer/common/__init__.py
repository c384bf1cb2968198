"""What every part may use: whole writes of files, plain data, stops, processors, batches by a budget."""
