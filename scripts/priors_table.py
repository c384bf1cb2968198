"""Say what label priors, a temperature and recombination bring a beam beside a language model.

    python scripts/priors_table.py speech data/librispeech-mini data/speechocean762 data/kathleen --lm en --weight 0.85

Rows are error rates of the validation samples of each corpus, whose log-probabilities are computed once; priors are
measured on them, every corpus counting alike. Seconds are the processor's, of the search alone.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.decoding.decoder import Decoder  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.evaluation.tuning import cache_log_probs, mean_priors, rates_of  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

# Beam, power of the priors, temperature, recombination.
ROWS = (
    (50, 0.0, 1.0, False),
    (50, 0.3, 1.0, False),
    (50, 0.5, 1.0, False),
    (50, 0.7, 1.0, False),
    (50, 0.5, 1.3, False),
    (50, 0.5, 1.3, True),
    (100, 0.5, 1.3, True),
    (150, 0.5, 1.3, True),
    (200, 0.5, 1.3, True),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, folder of a run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, nargs="+", help="prepared corpora")
    parser.add_argument("--lm", type=Path, required=True, help="language model: a name or a file")
    parser.add_argument("--weight", type=float, default=0.85, help="of the language model (default 0.85)")
    parser.add_argument("--split", default="valid", help="default valid")
    parser.add_argument("--samples", type=int, default=0, help="at most so many of each corpus (default 0: all)")
    args = parser.parse_args()
    options = DecoderOptions(lm=args.lm, lm_weight=args.weight, prior_weight=0.0, temperature=1.0)
    reader = Reader.load(args.model, options=options)
    heard = [cache_log_probs(reader, corpus, args.split, args.samples, print) for corpus in args.corpus]
    priors, opened = mean_priors(heard), reader.decoder
    names = " | ".join(f"{Path(one.name).name}, {len(one.references)}" for one in heard)
    print(f"| beam | priors | temperature | recombined | {names} | seconds |")
    print("| ---: | ---: | ---: | --- |" + " ---: |" * (len(heard) + 1))
    for width, power, temperature, recombine in ROWS:
        beam = replace(opened.settings.beam, width=width, recombine=recombine)
        settings = replace(opened.settings, beam=beam, prior_weight=power, temperature=temperature)
        decoder, begin = Decoder(settings, reader.alphabet, opened.outside, priors=priors), time.process_time()
        rates = [rates_of(one, decoder) for one in heard]
        shown = " | ".join(f"{one.cer:.2%}, {one.wer:.2%}" for one in rates)
        seconds = time.process_time() - begin
        told = "yes" if recombine else "no"
        print(f"| {width} | {power:g} | {temperature:g} | {told} | {shown} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    run_and_exit("priors_table", main)
