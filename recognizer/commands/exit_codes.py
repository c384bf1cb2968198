"""What the program ends with: all done; done, but something was found or left out; the input or the call at fault."""

DONE, FOUND, FAULT = 0, 1, 2
