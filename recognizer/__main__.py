"""`python -m recognizer` is the same as `recognizer`."""

from recognizer.cli import main

if __name__ == "__main__":
    main()
