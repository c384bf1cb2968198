"""Tests of the random changes to line images."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.augment import PAPER, SHARES, LineAugment, LineAugmentSettings
from recognizer.inputs.lines.margins import ROOM

OFF = LineAugmentSettings(**{field.name: 0.0 for field in fields(LineAugmentSettings)})
CHANGES = [field.name for field in fields(LineAugmentSettings) if field.name != "share"]


def strokes(counts: list[int], rows: int = 16) -> tuple[Tensor, Tensor]:
    """Return ink (N, T, rows) with a slanted stroke every eight columns."""
    at = torch.arange(max(counts))[None, :, None]
    ink = ((at + torch.arange(rows) // 2) % 8 < 2).float().repeat(len(counts), 1, 1)
    ink[:, :, :3] = ink[:, :, -3:] = 0.0
    numbers = torch.tensor(counts)
    return ink * (at < numbers[:, None, None]), numbers


def change(settings: LineAugmentSettings, seed: int = 1, least: int = 1) -> tuple[Tensor, Tensor]:
    ink, counts = strokes([120, 60, 90, 33] * 4)
    generator = torch.Generator().manual_seed(seed)
    return LineAugment(settings)(ink, counts, torch.full_like(counts, least), generator)  # type: ignore[no-any-return]


def test_with_all_changes_off_lines_stay_as_they_are() -> None:
    ink, counts = strokes([120, 60, 90, 33] * 4)
    for settings in (OFF, replace(LineAugmentSettings(), share=0.0)):
        changed, after = change(settings)
        assert after.tolist() == counts.tolist()
        assert torch.allclose(changed, ink, atol=1e-3)


@pytest.mark.parametrize("name", CHANGES)
def test_each_setting_alone_changes_lines(name: str) -> None:
    strong = {"gaps": 30.0, "tight": 0.4}.get(name, 0.5)
    still, _ = change(replace(OFF, share=1.0))
    changed, counts = change(replace(OFF, share=1.0, **{name: strong}))
    assert changed.shape != still.shape or float((changed - still).abs().max()) > 0.05
    assert (name in ("width", "margins")) == (counts.tolist() != [120, 60, 90, 33] * 4)


def test_ink_stays_ink_and_nothing_stands_behind_the_end() -> None:
    for seed in range(5):
        ink, counts = change(LineAugmentSettings(share=1.0, gaps=5.0), seed)
        assert ink.shape[1] == int(counts.max())
        assert 0.0 <= float(ink.min()) and float(ink.max()) <= 1.0
        for row, count in zip(ink, counts.tolist(), strict=True):
            assert count >= 1 and float(row[count:].abs().sum()) == 0.0


def test_about_the_share_of_the_samples_is_changed() -> None:
    changed = 0
    for seed in range(20):
        _, counts = change(replace(OFF, share=0.25, width=0.5), seed)
        changed += sum(after != before for after, before in zip(counts.tolist(), [120, 60, 90, 33] * 4, strict=True))
    assert 0.15 < changed / 320 < 0.35


def test_no_line_shrinks_below_what_its_text_needs() -> None:
    smallest = {120: 120, 60: 60, 90: 90}
    for seed in range(10):
        _, counts = change(replace(OFF, share=1.0, width=0.9), seed, least=50)
        for before, after in zip([120, 60, 90, 33] * 4, counts.tolist(), strict=True):
            # A line that is too short from the start does not shrink at all.
            assert after >= min(before, 50)
            smallest[before] = min(smallest.get(before, before), after)
    assert all(smallest[before] in (50, 51) for before in (120, 60, 90)) and smallest[33] == 33


def test_the_same_generator_changes_the_same_way() -> None:
    (a, _), (b, _), (c, _) = (
        change(LineAugmentSettings()),
        change(LineAugmentSettings()),
        change(LineAugmentSettings(), 2),
    )
    assert torch.equal(a, b)
    assert a.shape != c.shape or not torch.equal(a, c)


def test_no_other_source_of_chance_is_touched() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    change(LineAugmentSettings())
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("settings", [{"share": 1.5}, {"width": 1.0}, {"noise": -0.1}, {"blur": float("nan")}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(RecognizerError, match="augment"):
        LineAugmentSettings(**settings)


def test_margins_stand_at_the_ends_and_leave_the_line_itself() -> None:
    ink, counts = strokes([200] * 32, 32)
    generator = torch.Generator().manual_seed(5)
    augment = LineAugment(replace(OFF, share=1.0, margins=1.0))
    changed, after = augment(ink, counts, torch.ones_like(counts), generator)
    rules = 0
    for row, count in zip(changed, after.tolist(), strict=True):
        added = count - 200
        # Somewhere in the row the middle of the line stands as it was, moved by what was added on the left.
        places = (row[60 + left : 140 + left] for left in range(added + 1))
        assert any(torch.allclose(ink[0, 60:140], place, atol=1e-3) for place in places), added
        assert 0 <= added <= 2 * ROOM
        rules += int((row[:count].amin(1) > 0.2).any())
    assert rules >= 8  # rules that run from the top to the bottom; brackets and faint ones are not counted


def test_neighbours_reach_in_from_the_top_and_the_bottom_alone() -> None:
    ink, counts = strokes([200] * 32, 64)
    ink = ink * (torch.arange(64)[None, None, :] > 40)  # ink at the bottom of every line, which hangs into the next
    changed, after = LineAugment(replace(OFF, share=1.0, neighbours=1.0))(
        ink, counts, torch.ones_like(counts), torch.Generator().manual_seed(5)
    )
    assert after.tolist() == counts.tolist()
    assert float(changed[:, :, 12:41].max()) < 1e-3
    assert int((changed[:, :, :11].amax((1, 2)) > 0).sum()) > 16
    assert float((changed - ink)[:, :, 41:54].abs().max()) < 1e-3


def paper(name: str, strength: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return lines before and after one change to all of them."""
    return strokes([120, 60, 90, 33] * 4)[0], change(replace(OFF, share=1.0, **{name: strength}))[0]


@pytest.mark.parametrize("name", list(PAPER))
def test_paper_adds_ink_and_never_takes_any_away(name: str) -> None:
    before, after = paper(name)
    added = (after - before).flatten(1).amax(1)
    assert float((after - before).min()) > -1e-3
    assert int((added > 0.05).sum()) >= 8


def test_pencil_is_paler_than_ink() -> None:
    before, after = paper("pencil")
    share = after.sum((1, 2)) / before.sum((1, 2))
    assert float(share.max()) < 0.85 and float(share.min()) > 0.2


def test_what_lies_around_a_page_comes_in_at_the_top_or_the_bottom_alone() -> None:
    before, after = paper("surround")
    added = (after - before) > 0.05
    assert not bool(added[:, :, 4:-4].any())
    assert bool(added[:, :, :4].any()) and bool(added[:, :, -4:].any())


def test_ruling_goes_all_along_a_line() -> None:
    before, after = paper("ruled")
    added = ((after - before) > 0.02).any(2).float().mean(1)
    assert float(added[::4].min()) > 0.5  # the longest lines: nothing stands behind the end of the others


def test_crammed_letters_are_narrow_at_the_right_end_and_the_length_stays() -> None:
    ink, counts = strokes([400])
    wide = LineAugment(replace(OFF, share=1.0, cram=0.6))
    for seed in range(4):
        crammed, after = wide(ink, counts, torch.ones_like(counts), torch.Generator().manual_seed(seed))
        edges = (crammed[0, 1:, 8] - crammed[0, :-1, 8] > 0.2).nonzero()[:, 0]
        assert after.tolist() == [400]
        assert int((edges > 300).sum()) > int((edges < 100).sum())


def test_tight_cuts_take_the_first_and_the_last_rows_away() -> None:
    ink = torch.zeros(32, 60, 16)
    ink[:, :, 1] = ink[:, :, 14] = 1.0
    counts = torch.full((32,), 60)
    tight = LineAugment(replace(OFF, share=1.0, tight=0.3))
    cut, _ = tight(ink, counts, torch.ones_like(counts), torch.Generator().manual_seed(1))
    inked = cut[:, 30].amax(1)
    assert int((inked < 0.05).sum()) >= 4 and int((inked > 0.5).sum()) >= 4


def test_a_curved_line_sags_or_rises_between_its_ends() -> None:
    ink = torch.zeros(16, 200, 32)
    ink[:, :, 16] = 1.0
    counts = torch.full((16,), 200)
    curved = LineAugment(replace(OFF, share=1.0, curve=0.3))
    bent, _ = curved(ink, counts, torch.ones_like(counts), torch.Generator().manual_seed(1))
    rows = bent.argmax(2).float()
    sag = rows[:, 100] - (rows[:, 2] + rows[:, 197]) / 2
    assert float(sag.max()) > 3 and float(sag.min()) < -3


@pytest.mark.parametrize("name", SHARES)
def test_shares_are_at_most_one(name: str) -> None:
    with pytest.raises(RecognizerError, match="at most 1"):
        LineAugmentSettings(**{name: 1.5})


def test_a_cut_leaves_something() -> None:
    with pytest.raises(RecognizerError, match="tight is 0.5"):
        LineAugmentSettings(tight=0.5)


def test_every_change_has_a_picture_in_the_docs() -> None:
    docs = Path(__file__).resolve().parents[1] / "docs"
    page = (docs / "lab" / "augmentation.md").read_text()
    for name in CHANGES:
        assert f"(../images/augmentation/{name}.png)" in page
        assert (docs / "images" / "augmentation" / f"{name}.png").is_file()
