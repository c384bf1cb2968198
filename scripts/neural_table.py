"""Say what a neural language model of characters brings beside an n-gram: bits a character, rescoring, fusion.

    python scripts/neural_table.py handwriting data/copiste --lm fr6.ngram --neural frlstm.safetensors
    python scripts/neural_table.py speech data/librispeech-mini --split valid --tune-on data/kathleen \
        --lm en-characters.lm --neural enlstm.safetensors

Bits a character are of the transcripts of both splits. Weights are chosen, by CER, on the split valid of --tune-on (the
corpus itself unless it is named); rows are the readings of --split. Log-probabilities are computed once. A neural
model in the beam takes a forward step for every prefix: --samples N and --beam N keep that affordable. Label priors and
temperature are those that the model file or the language model states; the rows name them. A model that reads words by
a lexicon of their sounds has no best path of words, and no neural model of characters in its beam: those rows are not
there.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stated_decoder import changed, evidence, stated  # noqa: E402

from recognizer.commands.console import terminal  # noqa: E402
from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.decoding.decoder import Decoder  # noqa: E402
from recognizer.decoding.decoder_files import open_language_model  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.decoding.settings import DecoderSettings  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.evaluation.tuning import CachedLogProbs, cache_log_probs, rates_of  # noqa: E402
from recognizer.language import lstm, perplexity  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

LM_WEIGHTS = (0.25, 0.5, 0.75)
NEURAL_WEIGHTS = (0.1, 0.25, 0.5)


@dataclass(frozen=True)
class Heard:
    """What the network says of the samples to choose weights by, and of those to report."""

    reader: Reader
    tune: CachedLogProbs
    report: CachedLogProbs

    def best(self, made: Sequence[Decoder]) -> Decoder:
        """Return the decoder of the lowest CER on the samples to choose by."""
        return min(made, key=lambda decoder: rates_of(self.tune, decoder).cer)

    def row(self, title: str, decoder: Decoder) -> str:
        """Return a row of the table."""
        tune, report = rates_of(self.tune, decoder), rates_of(self.report, decoder)
        return f"| {title} | {tune.cer:.2%} | {tune.wer:.2%} | {report.cer:.2%} | {report.wer:.2%} |"


def bits(path: Path, texts: Sequence[str]) -> float:
    """Return the bits a character of texts under a language model of any kind."""
    model = open_language_model(path)
    if isinstance(model, lstm.LanguageModel):
        return lstm.perplexity(model, texts).bits_per_character
    return perplexity.perplexity(model, texts).bits_per_character


def rows(heard: Heard, opened: Callable[[DecoderOptions], Decoder], lm: Path, neural: Path) -> Iterator[str]:
    """Yield the rows: best path, n-gram, n-gram ranked anew, the neural model in the beam."""
    first = opened(DecoderOptions(lm=lm))
    spells = first.words is None
    if spells:
        yield heard.row("best path", Decoder(DecoderSettings(), heard.reader.alphabet))
    found = heard.best(_weighted(first))
    weight = found.settings.lm_weight
    yield heard.row(f"{lm.name} x {weight:g}, {evidence(found)}", found)
    both = opened(DecoderOptions(lm=lm, lm_weight=weight, rescore=neural))
    anew = heard.best([changed(both, rescore_weight=one) for one in NEURAL_WEIGHTS])
    shown = f"the same, ranked anew by {neural.name} x {anew.settings.rescore_weight:g}"
    yield heard.row(f"{shown}, {evidence(anew)}", anew)
    if not spells:
        return
    alone = heard.best(_weighted(opened(DecoderOptions(lm=neural))))
    yield heard.row(f"{neural.name} x {alone.settings.lm_weight:g} in the beam, {evidence(alone)}", alone)


def _weighted(opened: Decoder) -> list[Decoder]:
    """Return a decoder for each weight of a language model that is opened once."""
    return [changed(opened, lm_weight=weight) for weight in LM_WEIGHTS]


def main(words: Sequence[str] | None = None) -> None:
    """Print bits a character, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus to report")
    parser.add_argument("--split", default="test", help="to report (default test)")
    parser.add_argument("--tune-on", type=Path, help="prepared corpus whose split valid chooses weights")
    parser.add_argument("--lm", type=Path, required=True, help="n-gram")
    parser.add_argument("--neural", type=Path, required=True, help="what `recognizer lm train` wrote")
    parser.add_argument("--beam", type=int, default=25)
    parser.add_argument("--samples", type=int, default=0, help="of each split, evenly spread (default all)")
    chosen = parser.parse_args(words)
    if not isinstance(open_language_model(chosen.neural), lstm.LanguageModel):
        raise RecognizerError(f"{chosen.neural}: an n-gram, expected a model that `recognizer lm train` wrote")
    reader = Reader.load(chosen.model, options=DecoderOptions(engine="greedy"))

    def opened(options: DecoderOptions) -> Decoder:
        return stated(reader, chosen.model, replace(options, engine="beam", beam=chosen.beam, word_bonus=0.0))

    complain = terminal().complain
    tune = cache_log_probs(reader, chosen.tune_on or chosen.corpus, "valid", chosen.samples, complain)
    report = cache_log_probs(reader, chosen.corpus, chosen.split, chosen.samples, complain)
    print(f"| bits a character | tuned on, {len(tune.references)} | {chosen.split}, {len(report.references)} |")
    print("| --- | ---: | ---: |")
    for path in (chosen.lm, chosen.neural):
        print(f"| {path.name} | {bits(path, tune.references):.3f} | {bits(path, report.references):.3f} |", flush=True)
    print(f"\n| decoder, beam {chosen.beam} | tuned on, CER | WER | {chosen.split} CER | WER |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for line in rows(Heard(reader, tune, report), opened, chosen.lm, chosen.neural):
        print(line, flush=True)


if __name__ == "__main__":
    run_and_exit("neural_table", main)
