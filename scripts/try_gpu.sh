#!/usr/bin/env bash
# Try what a GPU changes, and print one table: bash scripts/try_gpu.sh CORPUS [SPEECH_CORPUS]
# or, with the shipped models and generated inputs alone, in about a minute: bash scripts/try_gpu.sh --quick
#
# CORPUS is a prepared corpus of lines for the model handwriting, SPEECH_CORPUS one of recordings for the model speech.
# Without a GPU the parts that a CPU can do are run, and the table says so. Everything is written into a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "usage: bash scripts/try_gpu.sh CORPUS [SPEECH_CORPUS] | --quick"; exit 2; }
exec python3 scripts/try_gpu.py "$@"
