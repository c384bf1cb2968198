"""Questions to a packed n-gram model: scores, states, perplexity and what a text shares with a test split."""

import math
import random
from pathlib import Path

import numpy as np
import pytest

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language import arpa
from recognizer.language.build import BuildSettings, build
from recognizer.language.ngram_file import open_ngram, pack
from recognizer.language.overlap import overlap, refuse_overlap, words_of
from recognizer.language.perplexity import perplexity
from recognizer.language.text import Line
from recognizer.language.trie import Trie


def babble(seed: int, lines: int) -> list[str]:
    dice = random.Random(seed)
    return [
        " ".join(f"w{min(int(dice.expovariate(0.2)), 30)}" for _ in range(dice.randint(1, 9))) for _ in range(lines)
    ]


def built(folder: Path, settings: BuildSettings, lines: list[str], name: str) -> Path:
    (folder / "text.txt").write_text("\n".join(lines))
    build([folder / "text.txt"], settings, folder / name, lambda message: None)
    return folder / name


def by_hand(trie: Trie, words: list[str], word: str) -> float:
    """Look an n-gram up as the ARPA format defines it: the longest one, or the weight of the context and again."""
    table: dict[tuple[str, ...], tuple[float, float]] = {}
    for order in range(1, trie.order + 1):
        for i, row in enumerate(trie.rows(order, 0, trie.sizes[order - 1]).tolist()):
            place = trie.slice_of(order).start + i
            table[tuple(trie.words[j] for j in row)] = float(trie.probs[place]), float(trie.backoffs[place])
    context = tuple(words[-trie.order + 1 :])
    total = 0.0
    while context + (word,) not in table:
        total += table.get(context, (0.0, 0.0))[1]
        context = context[1:]
    return total + table[context + (word,)][0]


@pytest.mark.parametrize("cutoff", [(0,), (0, 0, 1), (0, 2)])
def test_scores_equal_the_definition_of_the_format(tmp_path: Path, cutoff: tuple[int, ...]) -> None:
    path = built(tmp_path, BuildSettings(order=4, unit="word", cutoff=cutoff), babble(1, 60), "model.arpa")
    trie, _ = arpa.read(path)
    model = open_ngram(path)
    for line in babble(2, 6):
        state, seen = model.start, ["<s>"]
        for word in [*line.split(), "</s>"]:
            word = word if word in trie.words else "<unk>"
            log_probs, states = model.scores([state], model.ids([word]))
            assert log_probs[0] / math.log(10) == pytest.approx(by_hand(trie, seen, word), abs=1e-5)
            state = int(states[0])
            seen.append(word)


def test_many_questions_at_once_get_the_answers_of_one_at_a_time(tmp_path: Path) -> None:
    model = open_ngram(built(tmp_path, BuildSettings(order=3, unit="character"), babble(1, 60), "model.ng"))
    dice = np.random.default_rng(0)
    states = dice.choice(np.unique(model.states), 300)
    words = dice.integers(0, len(model.words), 300)
    together, after = model.scores(states, words)
    for i in range(300):
        one, next_ = model.scores(states[i : i + 1], words[i : i + 1])
        assert one[0] == together[i] and next_[0] == after[i]


def test_states_that_nothing_tells_apart_are_one(tmp_path: Path) -> None:
    model = open_ngram(built(tmp_path, BuildSettings(order=3, unit="word", cutoff=(0, 1)), ["a b", "c b", "d"], "m.ng"))
    a_b, c_b = (model.scores(model.scores([0], model.ids([w]))[1], model.ids(["b"]))[1] for w in ("a", "c"))
    assert a_b == c_b
    # Nothing is known to follow what the model has never seen.
    assert model.scores([model.start], [model.unknown])[1][0] == 0


def test_the_packed_file_answers_as_the_arpa_file(tmp_path: Path) -> None:
    settings = BuildSettings(order=4, unit="character", text=TextSettings(case="lower"))
    lines = babble(4, 80)
    packed = open_ngram(built(tmp_path, settings, lines, "m.ng"))
    plain = open_ngram(built(tmp_path, settings, lines, "m.arpa.gz"))
    assert packed.rescore(lines[:9]) == pytest.approx(plain.rescore(lines[:9]), abs=1e-4)
    assert packed.about.text == settings.text and packed.about.unit == plain.about.unit == "character"
    assert isinstance(packed.keys, np.memmap)


def test_a_packed_file_that_is_cut_short_is_named(tmp_path: Path) -> None:
    path = built(tmp_path, BuildSettings(order=2, unit="word"), ["a b"], "m.ng")
    whole = path.read_bytes()
    for size in (len(whole) - 4, 40):
        path.write_bytes(whole[:size])
        with pytest.raises(RecognizerError, match="m.ng: damaged, not a whole packed"):
            open_ngram(path)


def test_packing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    path = built(tmp_path, BuildSettings(order=3, unit="word"), babble(7, 20), "m.ng")
    pack(open_ngram(path), tmp_path / "again.ng")
    assert (tmp_path / "again.ng").read_bytes() == path.read_bytes()


def test_perplexity_is_the_mean_of_the_scores_with_unknown_words_apart(tmp_path: Path) -> None:
    model = open_ngram(built(tmp_path, BuildSettings(order=2, unit="word"), ["a b", "a c"], "m.ng"))
    # By hand: a after <s> 0.6; b after a 0.35; </s> after b 0.65; <unk> after <s> 0.5 x 0.1; </s> alone 0.3.
    found = perplexity(model, ["a  b", "", "x"])
    assert (found.lines, found.tokens, found.unknown, found.characters) == (2, 4, 1, 6)
    assert found.log_prob == pytest.approx(math.log(0.6 * 0.35 * 0.65 * 0.3))
    assert found.unknown_log_prob == pytest.approx(math.log(0.5 * 0.1))
    assert found.known_perplexity == pytest.approx((0.6 * 0.35 * 0.65 * 0.3) ** -0.25)
    assert found.perplexity == pytest.approx((0.6 * 0.35 * 0.65 * 0.3 * 0.05) ** -0.2)


def test_perplexity_adds_up_to_the_scores_of_the_texts(tmp_path: Path) -> None:
    lines = babble(1, 90)
    model = open_ngram(built(tmp_path, BuildSettings(order=4, unit="character"), lines[:60], "m.ng"))
    found = perplexity(model, lines[60:])
    assert found.log_prob + found.unknown_log_prob == pytest.approx(float(model.rescore(lines[60:]).sum()), rel=1e-5)


def text(*lines: str) -> list[Line]:
    return [Line(Path("novels.txt"), i, line) for i, line in enumerate(lines, 1)]


def test_a_test_line_inside_the_text_is_found_whatever_its_case_and_points() -> None:
    test = ["Il y avait une fois un roi", "et sa fille"]
    found = overlap(text("Rien.", "Or, il y avait, une fois, un Roi très vieux, et sa fille."), test)
    assert [(match.line.number, match.test) for match in found.whole] == [(2, test[0])]
    assert (found.short, found.runs, found.test_runs, found.lines) == (1, 1, 1, 2)
    with pytest.raises(RecognizerError, match="novels.txt:2: holds the test line 'Il y avait"):
        refuse_overlap(found)


def test_a_short_test_line_that_is_a_whole_line_of_the_text_is_found() -> None:
    found = overlap(text("Je vous embrasse"), ["je vous embrasse.", "Oui !"])
    assert len(found.whole) == 1 and found.runs == 0


def test_runs_of_seven_words_are_counted_without_refusing() -> None:
    found = overlap(text("zero un deux trois quatre cinq six sept fin"), ["un deux trois quatre cinq six sept huit"])
    assert found.whole == () and found.runs == 1 and found.test_runs == 2
    refuse_overlap(found)


def test_a_run_across_two_lines_of_the_text_is_none() -> None:
    assert overlap(text("a b c d", "e f g h"), ["a b c d e f g h"]).runs == 0


def test_a_line_in_a_script_without_spaces_is_found_by_its_characters() -> None:
    han, thai = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往", "คนไทยทุกคนต้องเรียนหนังสือ"
    found = overlap(text(f"千字文：{han[:8]}，{han[8:]}。云腾致雨", thai), [han, thai, "我在这里不走"])
    assert [(match.line.number, match.test) for match in found.whole] == [(1, han), (2, thai)]
    assert found.short == 0 and 0 < found.runs
    # A word of its own says nothing, in whatever script.
    found = overlap(text("บ้าน", "我知道"), ["บ้าน", "我知道", "天地"])
    assert (found.whole, found.short) == ((), 2)


@pytest.mark.parametrize(
    ("line", "test"),
    [("का में था", "की मां थी"), ("מֶלֶךְ עַל הָאָרֶץ", "מִלֵּךְ עֹל הַאֹרֶץ"), ("கா கி கு", "கே கொ கௌ")],
)
def test_words_that_differ_in_their_vowel_signs_are_others(line: str, test: str) -> None:
    assert overlap(text(line), [test]).whole == ()
    assert len(overlap(text(line), [line]).whole) == 1


def test_what_is_not_seen_and_accents_of_their_own_part_no_words() -> None:
    assert words_of("می\u200cخواهم \u200fWör\xadter") == ["میخواهم", "wörter"]
    assert words_of("l´eau d’or, peut-être İzmir a_b ❤\ufe0f") == [
        "l", "eau", "d", "or", "peut", "être", "i\u0307zmir", "a_b",
    ]  # fmt: skip
    assert words_of("OCR用の漢字 ver2です") == ["ocr", *"用の漢字", "ver2", *"です"]


def test_the_french_novels_hold_no_test_line_of_copiste(shared: Path) -> None:
    rows = [row.split("\t") for row in (shared / "corpora/copiste/transcripts.tsv").read_text().splitlines()]
    train = [Line(Path("train"), i, row[3]) for i, row in enumerate(rows) if row[1] == "train"]
    test = [row[3] for row in rows if row[1] == "test"]
    assert overlap(train, test).whole == ()
    assert len(overlap([*train, Line(Path("train"), 0, test[5])], test).whole) == 1
