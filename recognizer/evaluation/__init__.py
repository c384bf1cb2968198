"""What a reading is worth: edits, rates, confidences, reports."""
