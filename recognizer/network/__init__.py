"""Networks in plain torch: they know no text, no file, no trainer."""
