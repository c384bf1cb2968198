"""Lines of text drawn as if a pen had written them."""
