"""Fetches handwriting fonts that are free to use, by npm, into a folder outside the repository.

    python scripts/fetch_fonts.py --out ../fonts

Hands whose small letters are capitals (rock-salt) are left out: their pictures would contradict their texts.
For each family the upright Latin files up to weight 700 are kept, with its licence; fonts.tsv lists them.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from recognizer.commands.exit_codes import run_and_exit
from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError

FAMILIES = """
alex-brush allura annie-use-your-telescope architects-daughter bad-script birthstone caveat cedarville-cursive cookie
corinthia covered-by-your-grace damion dancing-script delius ephesis gaegu gloria-hallelujah gochi-hand great-vibes
handlee herr-von-muellerhoff homemade-apple indie-flower italianno kalam licorice mansalva marck-script
monsieur-la-doulaise mr-de-haviland nanum-brush-script nanum-pen-script neucha parisienne patrick-hand pinyon-script
playwrite-fr-trad playwrite-us-modern playwrite-us-trad reenie-beanie sacramento satisfy schoolbell
shadows-into-light sue-ellen-francisco swanky-and-moo-moo tangerine the-girl-next-door whisper
""".split()
LICENCES = ("OFL-1.1", "Apache-2.0")
HEAVIEST = 700  # of the weights that look like a pen
NAME = re.compile(r"^(?P<font>.+)-latin-(?P<weight>\d+)-normal\.woff$")


def install(folder: Path) -> Path:
    """Let npm put every family into `folder`; return the folder that holds them."""
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    command += [f"@fontsource/{family}" for family in FAMILIES]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RecognizerError(f"npm install ended with {made.returncode}: {made.stderr[:300]}")
    return folder / "node_modules" / "@fontsource"


def keep(family: Path, out: Path) -> list[str]:
    """Copy the fonts of one family and its licence into `out`; return its rows of fonts.tsv."""
    package = json.loads((family / "package.json").read_text("utf-8"))
    if package["license"] not in LICENCES:
        raise RecognizerError(f"{family.name}: licence {package['license']}, expected {' or '.join(LICENCES)}")
    found = {path: NAME.match(path.name) for path in sorted((family / "files").glob("*.woff"))}
    kept = {path: match for path, match in found.items() if match and int(match["weight"]) <= HEAVIEST}
    if not kept:
        raise RecognizerError(f"{family.name}: no upright Latin .woff file")
    shutil.copyfile(family / "LICENSE", out / f"{family.name}.LICENSE")
    rows = []
    for path, match in kept.items():
        name = f"{match['font']}-{match['weight']}.woff"
        shutil.copyfile(path, out / name)
        rows.append("\t".join((name, package["name"], package["version"], package["license"])))
    return rows


def main() -> int:
    """Fetch, keep, list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the fonts")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        packages = install(Path(temporary))
        rows = [row for family in FAMILIES for row in keep(packages / family, out)]
    write_atomically(out / "fonts.tsv", "\n".join(["file\tpackage\tversion\tlicence", *rows, ""]).encode())
    print(f"{len(rows)} fonts of {len(FAMILIES)} families in {out}")
    return 0


if __name__ == "__main__":
    run_and_exit("fetch_fonts", main)
