"""From files to readings: the reader, sources of every kind, long recordings, alignment of a given text."""
