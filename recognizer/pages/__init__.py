"""Pages as PAGE XML and ALTO describe them: where the lines are, and what they say."""
