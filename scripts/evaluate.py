"""The evaluation script: `scripts/evaluate.py MODEL CORPUS --split NAME --json FILE` is `recognizer evaluate ...`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a checkout works without installing it

from recognizer.cli import main  # noqa: E402

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
