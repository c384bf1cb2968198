"""Say what each part of a decoder contributes: language models one beside the other, word bonus, width of the beam.

    python scripts/decoder_table.py MODEL CORPUS --lm FILE... [--rescore FILE...] [--split test]

Weight and word bonus of every language model are found on the validation split with a beam of 25, by CER; then
validation and test are read with them, with the weight that is best without a bonus, and with other widths. A model
after --rescore ranks the texts of the beam of the first one after --lm anew. Log-probabilities are computed once.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.decoding.decoder import Decoder  # noqa: E402
from recognizer.decoding.decoder_factory import make_decoder  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.decoding.settings import DecoderSettings  # noqa: E402
from recognizer.evaluation.tuning import CachedLogProbs, Rates, cache_log_probs, rates_of  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5)
BONUSES = (0.0, 1.0, 2.0, 3.0)  # natural logarithm
WIDTHS = (10, 50, 100)


class Table:
    """Rows of rates on validation and test, printed as they come."""

    def __init__(self, reader: Reader, valid: CachedLogProbs, test: CachedLogProbs) -> None:
        """Read `valid` to choose by and `test` to report."""
        self.reader, self.valid, self.test = reader, valid, test

    def row(self, what: str, decoder: Decoder) -> None:
        """Print one row."""
        valid, test = rates_of(self.valid, decoder), rates_of(self.test, decoder)
        print(f"| {what} | {valid.cer:.2%} | {valid.wer:.2%} | {test.cer:.2%} | {test.wer:.2%} |", flush=True)

    def model(self, path: Path, widths: bool) -> Decoder:
        """Print the rows of a language model and return the decoder that was best on validation."""
        opened = make_decoder(DecoderOptions(engine="beam", lm=path), {}, self.reader.alphabet)
        tried = {(weight, bonus): self._rates(opened, weight, bonus) for weight in WEIGHTS for bonus in BONUSES}
        plain = min((one for one in tried if one[1] == 0.0), key=tried.__getitem__)
        best = min(tried, key=tried.__getitem__)
        for weight, bonus in dict.fromkeys((plain, best)):
            self.row(f"{path.name} x {weight:g}, word bonus {bonus:g}, beam 25", self._with(opened, weight, bonus))
        decoder = self._with(opened, *best)
        for width in WIDTHS if widths else ():
            beam = replace(decoder.settings.beam, width=width)
            wider = Decoder(replace(decoder.settings, beam=beam), self.reader.alphabet, opened.outside)
            self.row(f"{path.name} x {best[0]:g}, word bonus {best[1]:g}, beam {width}", wider)
        return decoder

    def rescored(self, first: Decoder, lm: Path, path: Path) -> None:
        """Print the row of a language model that ranks the texts of `first`, whose language model is `lm`."""
        options = DecoderOptions(engine="beam", lm=lm, rescore=path)
        opened = make_decoder(options, {}, self.reader.alphabet)
        made = [
            Decoder(
                replace(first.settings, rescore=opened.settings.rescore, rescore_weight=weight),
                self.reader.alphabet,
                opened.outside,
            )
            for weight in (0.1, 0.25, 0.5, 0.75)
        ]
        rates = [_pair(rates_of(self.valid, decoder)) for decoder in made]
        best = made[rates.index(min(rates))]
        self.row(f"the same, ranked anew by {path.name} x {best.settings.rescore_weight:g}", best)

    def _rates(self, opened: Decoder, weight: float, bonus: float) -> tuple[float, float]:
        return _pair(rates_of(self.valid, self._with(opened, weight, bonus)))

    def _with(self, opened: Decoder, weight: float, bonus: float) -> Decoder:
        settings = replace(opened.settings, lm_weight=weight, word_bonus=bonus)
        return Decoder(settings, self.reader.alphabet, opened.outside)


def _pair(rates: Rates) -> tuple[float, float]:
    return rates.cer, rates.wer


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus with a split valid")
    parser.add_argument("--lm", type=Path, nargs="+", required=True, help="language models")
    parser.add_argument("--rescore", type=Path, nargs="+", default=[], help="language models that rank anew")
    parser.add_argument("--split", default="test", help="to report, beside valid (default test)")
    given = parser.parse_args()
    reader = Reader.load(given.model, options=DecoderOptions(engine="greedy"))

    def complain(line: str) -> None:
        print(line, file=sys.stderr)

    valid, test = (cache_log_probs(reader, given.corpus, split, 0, complain) for split in ("valid", given.split))
    table = Table(reader, valid, test)
    print(f"| decoder | valid CER | valid WER | {given.split} CER | {given.split} WER |")
    print("| --- | ---: | ---: | ---: | ---: |")
    table.row("best path", Decoder(DecoderSettings(), reader.alphabet))
    table.row("beam 25", make_decoder(DecoderOptions(engine="beam"), {}, reader.alphabet))
    found = [table.model(path, widths=i == 0) for i, path in enumerate(given.lm)]
    for path in given.rescore:
        table.rescored(found[0], given.lm[0], path)


if __name__ == "__main__":
    run_and_exit("decoder_table", main)
