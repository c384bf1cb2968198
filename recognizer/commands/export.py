"""The verb export: a model in a form that other programs run."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.commands.options import add_model
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.model.model_file import ModelFile


def add_export(verbs: Any, console: Console) -> None:
    """Add export to `verbs`, what argparse's add_subparsers returned."""
    export = verbs.add_parser("export", help="write a model for other programs: one ONNX file")
    add_model(export)
    export.add_argument("--to", choices=["onnx"], required=True, help="form: onnx")
    export.add_argument("--out", type=Path, help="file to write (default: the model's name with .onnx, here)")
    export.add_argument(
        "--int8", action="store_true", help="8-bit weights of recurrent and linear layers: smaller, faster, less exact"
    )
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    export.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.export.onnx_file import export_onnx
    from recognizer.export.onnx_model import is_onnx
    from recognizer.model.model_file import load_model_file
    from recognizer.pretrained import find_model

    path = find_model(chosen.model)
    if is_onnx(path):
        raise RecognizerError(f"{path}: an ONNX file already, expected a model file")
    folder = Path(chosen.model)
    name = folder.resolve().name if folder.is_dir() else path.stem  # "." has none
    out = chosen.out or Path(f"{name}{'-int8' if chosen.int8 else ''}.onnx")
    if not is_onnx(out):
        raise RecognizerError(f"--out {out}: expected a name that ends in .onnx, by which it is told from model files")
    if out.exists() and not chosen.force:
        raise RecognizerError(f"{out}: is there already, expected another --out, or --force to replace it")
    model_file = load_model_file(path)
    if not model_file.decoder:
        model_file.decoder = _usual_decoder(path, model_file)
    done = export_onnx(model_file, out, chosen.int8)
    kind = "8-bit weights" if done.int8 else "float32"
    console.say(
        f"{done.path}: {done.size / 1e6:.1f} MB, {kind}; log-probabilities of made-up samples differ from the model's "
        f"by {done.difference:.1g} at most"
    )
    return DONE


def _usual_decoder(path: Path, model_file: "ModelFile") -> dict[str, Any]:
    """Return the decoder that a shipped model is read with where nobody says otherwise, {} where that is the best path.

    By its own name it is not a shipped model any more, so that its file has to say it.
    """
    from recognizer.decoding.options import DecoderOptions
    from recognizer.reading.reader import decoder_of

    settings = decoder_of(model_file, path, DecoderOptions()).settings
    return settings.data() if settings.lm else {}
