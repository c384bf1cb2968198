"""Say what each part of a decoder contributes: language models one beside the other, word bonus, width of the beam.

    python scripts/decoder_table.py MODEL CORPUS --lm FILE... [--rescore FILE...] [--split test]

Weight and word bonus of every language model are found on the validation split with a beam of 25, by CER; then
validation and test are read with them, with the weight that is best without a bonus, and with other widths. A model
after --rescore ranks the texts of the beam of the first one after --lm anew. Log-probabilities are computed once.
Label priors and temperature are those that the model file or the language model states; the rows name them. A model
that reads words by a lexicon of their sounds has no rows without a language model: transcripts are of words.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stated_decoder import changed, evidence, stated  # noqa: E402

from recognizer.commands.console import terminal  # noqa: E402
from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.decoding.decoder import Decoder  # noqa: E402
from recognizer.decoding.decoder_factory import make_decoder  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.decoding.settings import DecoderSettings  # noqa: E402
from recognizer.evaluation.tuning import CachedLogProbs, Rates, cache_log_probs, rates_of  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5)
BONUSES = (0.0, 1.0, 2.0, 3.0)  # natural logarithm
RESCORE_WEIGHTS = (0.1, 0.25, 0.5, 0.75)
WIDTHS = (10, 50, 100)
WIDTH = 25  # while weights are searched


class Table:
    """Rows of rates on validation and test, printed as they come."""

    def __init__(self, name: str, reader: Reader, valid: CachedLogProbs, test: CachedLogProbs) -> None:
        """Read `valid` to choose by and `test` to report, as the model of that name heard them."""
        self.name, self.reader, self.valid, self.test = name, reader, valid, test

    def row(self, what: str, decoder: Decoder) -> None:
        """Print one row."""
        valid, test = rates_of(self.valid, decoder), rates_of(self.test, decoder)
        print(f"| {what} | {valid.cer:.2%} | {valid.wer:.2%} | {test.cer:.2%} | {test.wer:.2%} |", flush=True)

    def plain(self) -> None:
        """Print the rows without a language model."""
        self.row("best path", Decoder(DecoderSettings(), self.reader.alphabet))
        self.row(f"beam {WIDTH}", make_decoder(DecoderOptions(engine="beam", beam=WIDTH), {}, self.reader.alphabet))

    def model(self, path: Path, opened: Decoder, widths: bool) -> Decoder:
        """Print the rows of a language model and return the decoder that was best on validation."""
        tried = {(weight, bonus): self._rates(opened, weight, bonus) for weight in WEIGHTS for bonus in BONUSES}
        plain = min((one for one in tried if one[1] == 0.0), key=tried.__getitem__)
        best = min(tried, key=tried.__getitem__)
        for weight, bonus in dict.fromkeys((plain, best)):
            decoder = changed(opened, lm_weight=weight, word_bonus=bonus)
            self._fused(path, decoder)
        decoder = changed(opened, lm_weight=best[0], word_bonus=best[1])
        for width in WIDTHS if widths else ():
            self._fused(path, changed(decoder, beam=replace(decoder.settings.beam, width=width)))
        return decoder

    def rescored(self, first: Decoder, lm: Path, path: Path) -> None:
        """Print the row of a language model that ranks the texts of `first`, whose language model is `lm`."""
        opened = self.opened(lm, path)
        fused = {"lm_weight": first.settings.lm_weight, "word_bonus": first.settings.word_bonus}
        made = [changed(opened, **fused, rescore_weight=weight) for weight in RESCORE_WEIGHTS]
        rates = [_pair(rates_of(self.valid, decoder)) for decoder in made]
        best = made[rates.index(min(rates))]
        self.row(f"the same, ranked anew by {path.name} x {best.settings.rescore_weight:g}", best)

    def opened(self, lm: Path, rescore: Path | None = None) -> Decoder:
        """Return the decoder with a language model, and perhaps another one that ranks anew, as it is stated."""
        return stated(self.reader, self.name, DecoderOptions(engine="beam", beam=WIDTH, lm=lm, rescore=rescore))

    def _fused(self, path: Path, decoder: Decoder) -> None:
        own = decoder.settings
        bonus = f"word bonus {own.word_bonus:g}, beam {own.beam.width}"
        self.row(f"{path.name} x {own.lm_weight:g}, {bonus}, {evidence(decoder)}", decoder)

    def _rates(self, opened: Decoder, weight: float, bonus: float) -> tuple[float, float]:
        return _pair(rates_of(self.valid, changed(opened, lm_weight=weight, word_bonus=bonus)))


def _pair(rates: Rates) -> tuple[float, float]:
    return rates.cer, rates.wer


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus with a split valid")
    parser.add_argument("--lm", type=Path, nargs="+", required=True, help="language models")
    parser.add_argument("--rescore", type=Path, nargs="+", default=[], help="language models that rank anew")
    parser.add_argument("--split", default="test", help="to report, beside valid (default test)")
    given = parser.parse_args(words)
    reader = Reader.load(given.model, options=DecoderOptions(engine="greedy"))

    complain = terminal().complain
    valid, test = (cache_log_probs(reader, given.corpus, split, 0, complain) for split in ("valid", given.split))
    table = Table(given.model, reader, valid, test)
    print(f"| decoder | valid CER | valid WER | {given.split} CER | {given.split} WER |")
    print("| --- | ---: | ---: | ---: | ---: |")
    opened = [table.opened(path) for path in given.lm]
    if opened[0].words is None:
        table.plain()
    else:
        complain(f"no rows of best path and beam {WIDTH}: without its lexicon the model reads no words")
    models = zip(given.lm, opened, strict=True)
    found = [table.model(path, decoder, widths=i == 0) for i, (path, decoder) in enumerate(models)]
    for path in given.rescore:
        table.rescored(found[0], given.lm[0], path)


if __name__ == "__main__":
    run_and_exit("decoder_table", main)
