"""What files of each kind of input become before a network sees them."""
