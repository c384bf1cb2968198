#!/usr/bin/env bash
# Build the wheel, look at what is in it, install it into an empty environment, run the demo there: nothing of the checkout.
# PYTHON says which interpreter (default python3); --quick leaves the installation out.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$python" -m venv "$work/build"
"$work/build/bin/pip" install -q build twine
"$work/build/bin/python" -m build -q --outdir "$work/dist" .
"$work/build/bin/twine" check --strict "$work"/dist/*
wheel=$(ls "$work"/dist/*.whl)
"$work/build/bin/python" - "$wheel" <<'PY'
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    files = wheel.infolist()
names = [file.filename for file in files]
stray = [n for n in names if n.startswith(("tests/", "scripts/", "docs/")) or "__pycache__" in n or "/." in n]
homes = {name.split("/")[0] for name in names}
assert not stray, f"stray files: {stray}"
assert all(home == "recognizer" or home.endswith(".dist-info") for home in homes), homes
assert any(n.endswith("pretrained/handwriting.safetensors") for n in names), "the models are missing"
large = sorted(files, key=lambda file: -file.compress_size)[:5]
print(f"{sys.argv[1].rsplit('/', 1)[1]}: {sum(f.compress_size for f in files) / 1e6:.1f} MB, {len(files)} files; largest:")
for file in large:
    print(f"  {file.compress_size / 1e6:6.2f} MB {file.filename}")
PY
[ "${1:-}" = --quick ] && exit 0
"$python" -m venv "$work/clean"
"$work/clean/bin/pip" install -q "$wheel"
cd "$work"
"$work/clean/bin/recognizer" --version
"$work/clean/bin/recognizer" info digits | sed -n 1,2p # reads to the end: head would break the pipe, which pipefail sees
"$work/clean/bin/recognizer" demo --out "$work/demo"
