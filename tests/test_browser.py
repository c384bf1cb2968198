"""The page in a real Chromium: a page corrected by keyboard, a drawing, a recording, a model learnt, nothing lost."""

import json
import re
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny
from browser import browse, chromium, drop, picture, serve
from made_pages import write_page
from playwright.sync_api import Page, expect

from recognizer.pages.parse import read_page

# A browser beside other work now and then takes longer than its patience: what fails twice more is at fault.
pytestmark = [pytest.mark.slow, pytest.mark.flaky(reruns=2)]


@pytest.fixture(scope="module", autouse=True)
def browser_is_there() -> None:
    """Skip all where there is no Chromium."""
    chromium()


def opened(page: Page, name: str) -> None:
    """Open a file of the list and wait until its lines are read."""
    page.get_by_role("link", name=re.compile(re.escape(name))).click()
    expect(page.locator("textarea").first).not_to_have_value("")


def kept(page: Page) -> None:
    """Wait until the draft is on disk."""
    expect(page.locator("body")).to_have_attribute("data-draft", "kept")


def test_a_page_is_dropped_corrected_by_keyboard_moved_and_saved(tmp_path: Path) -> None:
    folder, source = tmp_path / "letters", tmp_path / "source"
    folder.mkdir()
    source.mkdir()
    made = write_page(source / "letter", 0, lines=8)
    before = (source / "letter.xml").read_text()
    with serve(folder) as server, browse(server.address) as page:
        picture(page, "welcome")
        drop(page, source / "letter.jpg", source / "letter.xml")
        texts = page.locator("textarea")
        expect(texts).to_have_count(8)
        expect(texts.first).not_to_have_value("")
        read = [texts.nth(i).input_value() for i in range(8)]

        # Two words by keyboard alone: Tab goes on, Enter accepts, Esc takes back.
        texts.first.focus()
        page.keyboard.press("Home")
        page.keyboard.press("Control+Shift+ArrowRight")
        page.keyboard.type("Yet")
        page.keyboard.press("Enter")
        expect(texts.nth(1)).to_be_focused()
        page.keyboard.press("Tab")
        expect(texts.nth(2)).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.type(" indeed")
        page.keyboard.press("Enter")
        page.keyboard.type("nonsense")
        page.keyboard.press("Escape")
        expect(texts.nth(3)).to_have_value(read[3])
        expect(page.locator(".count")).to_have_text("2 of 8 checked")
        page.locator("textarea").nth(2).hover(position={"x": 70, "y": 14})
        expect(page.locator("polygon.here")).not_to_have_attribute("points", "")
        picture(page, "page")

        # The end of the fourth line's baseline, by arrow keys; the start of the fifth, by mouse.
        texts.nth(3).focus()
        handle = page.locator("circle[data-end=end]")
        handle.focus()
        for _ in range(3):
            page.keyboard.press("Shift+ArrowDown")
        texts.nth(4).focus()
        box = page.locator("circle[data-end=start]").bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 12, y + 6, steps=4)
        page.mouse.up()
        kept(page)
        page.wait_for_load_state("networkidle")

        page.keyboard.press("Control+s")
        expect(page.locator("#status")).to_contain_text("Saved: letter.xml")
    saved = read_page(folder / "letter.xml")
    assert saved.lines[0].text == "Yet " + read[0].split(" ", 1)[1] and saved.lines[2].text == read[2] + " indeed"
    assert [line.text for line in saved.lines if line.id not in ("l1", "l3")] == [None] * 6
    area = saved.lines[3].area
    assert area and area.baseline == ((made[3].box[0], made[3].base), (made[3].box[2], made[3].base + 30))
    fifth = saved.lines[4].area
    assert fifth and fifth.baseline[0][0] < made[4].box[0] and fifth.baseline[1] == (made[4].box[2], made[4].base)
    # Of the file that was, only the places of two lines are gone; all else stays as it was, in its order.
    kept_lines = (folder / "letter.xml").read_text().splitlines()
    gone = [line for line in before.splitlines() if line not in kept_lines]
    assert len(gone) == 4 and all("Coords" in line or "Baseline" in line for line in gone)


def test_lines_are_added_split_put_in_order_deleted_and_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    write_page(folder / "letter", 0, lines=5)
    with serve(folder) as server, browse(server.address) as page:
        opened(page, "letter.xml")
        texts = page.locator("textarea")
        first, second = texts.nth(0).input_value(), texts.nth(1).input_value()
        texts.nth(1).focus()
        page.keyboard.press("Alt+ArrowUp")
        expect(texts.nth(0)).to_have_value(second)
        expect(texts.nth(0)).to_be_focused()
        page.keyboard.press("Home")
        for _ in range(second.index(" ")):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Control+Enter")
        expect(texts).to_have_count(6)
        kept(page)
        page.locator("#add-line").click()
        box = page.locator(".canvas").bounding_box()
        assert box
        page.mouse.move(box["x"] + 60, box["y"] + box["height"] - 30)
        page.mouse.down()
        page.mouse.move(box["x"] + 260, box["y"] + box["height"] - 30, steps=5)
        page.mouse.up()
        expect(texts).to_have_count(7)
        expect(texts.nth(6)).to_be_focused()
        page.keyboard.press("Control+Delete")
        expect(texts).to_have_count(6)
        page.get_by_role("button", name="Undo").click()
        expect(texts).to_have_count(7)
        texts.nth(6).fill("a line that was missed")
        kept(page)
        page.locator("#save").click()
        expect(page.locator("#status")).to_contain_text("Saved")
    lines = read_page(folder / "letter.xml").lines
    assert [line.id for line in lines[:1]] == ["l2"] and lines[2].id == "l1" and len(lines) == 7
    assert lines[6].text == "a line that was missed" and first
    widths = [np.ptp([x for x, _ in line.area.outline]) for line in lines if line.area]
    assert widths[0] + widths[1] == pytest.approx(747, abs=4), "the two halves are the line that was"


def test_a_killed_server_loses_no_draft_and_a_reload_none(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    write_page(folder / "letter", 2, lines=4)
    with serve(folder) as server:
        with browse(server.address) as page:
            opened(page, "letter.xml")
            page.locator("textarea").nth(1).fill("typed before the power went")
            kept(page)
            page.reload()
            expect(page.locator("textarea").nth(1)).to_have_value("typed before the power went")
            server.kill()
        server.start()
        with browse(server.address) as page:
            opened(page, "letter.xml")
            expect(page.locator("textarea").nth(1)).to_have_value("typed before the power went")
            expect(page.locator(".count")).to_have_text("1 of 4 checked")
        assert server.stop() == 130


def test_what_to_correct_next_leads_to_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(2):
        write_page(folder / f"letter{number}", number, lines=3)
    with serve(folder) as server, browse(server.address, width=390, height=780) as page:
        for _ in range(20):  # what is shown first closes the list of files, which a click may have opened before
            page.locator("#menu").click()
            page.wait_for_timeout(700)
            if page.locator("#next").is_visible():
                break
        page.locator("#next").click()
        rows = page.locator(".suggestions a")
        expect(page.locator(".suggestions")).to_contain_text("Nothing to correct")
        page.locator("#read-all").click()
        expect(rows).to_have_count(6)
        expect(page.locator("#read-all")).to_have_count(0)
        wrong = [float(re.findall(r"about ([0-9.]+) words", text)[0]) for text in rows.all_inner_texts()]
        assert wrong == sorted(wrong, reverse=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no part lies beside the window"
        picture(page, "next")
        text = rows.first.locator(".text").inner_text()
        rows.first.click()
        focused = page.locator("textarea:focus")
        expect(focused).to_have_value(text)
        focused.press("Enter")
        kept(page)
        page.evaluate("location.hash = '#next'")
        expect(rows).to_have_count(5)


@pytest.fixture(scope="module")
def stroke_model(strokes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that has learnt a little of the script of four strokes."""
    run = tmp_path_factory.mktemp("stroke-run") / "run"
    tiny.fit(tiny.stroke_config(strokes), run, max_epochs=40)
    return run / "model.safetensors"


def draw(page: Page, strokes: list[list[float]]) -> None:
    """Write strokes on the sheet with the mouse."""
    box = page.locator("canvas.sheet").bounding_box()
    assert box
    for stroke in strokes:
        points = [
            (box["x"] + 80 + 9 * x, box["y"] + 60 + 9 * y) for x, y in zip(stroke[::2], stroke[1::2], strict=True)
        ]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()


def test_a_word_is_drawn_and_read_as_one_writes(tmp_path: Path, stroke_model: Path) -> None:
    import recognizer

    with serve(tmp_path, "--model-strokes", stroke_model) as server, browse(server.address) as page:
        page.get_by_role("button", name="Write").click()
        draw(page, tiny.flat_strokes("lox", np.random.default_rng(3)))
        reading = page.locator(".reading")
        expect(reading).not_to_have_text("")
        shown = reading.inner_text().strip()
        picture(page, "write")
        page.get_by_role("button", name="Keep as a file").click()
        expect(page.locator("textarea")).to_have_value(shown)
    (file,) = tmp_path.glob("drawing-*.inkml")
    assert recognizer.load(stroke_model).transcribe(file).text == shown != ""


def test_the_shipped_model_reads_what_is_written_on_the_sheet(tmp_path: Path) -> None:
    with serve(tmp_path) as server, browse(server.address) as page:
        assert page.evaluate("fetch('/api/project').then(a => a.json()).then(p => p.models.strokes.name)") == "strokes"
        page.get_by_role("button", name="Write").click()
        draw(page, [[0.0, 0.0, 0.0, 16.0], [0.0, 8.0, 8.0, 8.0], [8.0, 0.0, 8.0, 16.0], [14.0, 0.0, 14.0, 16.0]])
        expect(page.locator(".reading")).to_contain_text("H", timeout=20_000)


def test_a_word_of_a_recording_is_played_and_lit(tmp_path: Path, sound_run: tiny.Run) -> None:
    sound = np.concatenate([tiny.play(text, np.random.default_rng(1)) for text in ("abcd dcba", "bad cab", "dad")])
    soundfile.write(tmp_path / "said.wav", sound, tiny.RATE)
    with serve(tmp_path, "--model-speech", sound_run.folder) as server, browse(server.address) as page:
        opened(page, "said.wav")
        words = page.locator(".spoken")
        expect(words.nth(2)).to_be_visible()
        picture(page, "recording")
        chosen = words.nth(min(3, words.count() - 1))
        start = float(chosen.evaluate("word => parseFloat(word.style.left)"))
        chosen.dispatch_event("click")
        page.wait_for_function("document.querySelector('.spoken.sounding') !== null")
        cursor = page.locator(".cursor")
        page.wait_for_function(
            "([from]) => parseFloat(document.querySelector('.cursor').style.left) > from", arg=[start]
        )
        assert float(cursor.evaluate("line => parseFloat(line.style.left)")) >= start
        page.locator("textarea").first.fill("abcd dcba and more")
        kept(page)
        page.get_by_role("button", name="Save subtitles (srt)").click()
        expect(page.locator("#status")).to_contain_text("said.srt")
    assert "abcd dcba and more" in (tmp_path / "said.gt.txt").read_text()
    assert re.search(r"^1\n00:00:0\d,\d{3} --> .*\nabcd dcba and more$", (tmp_path / "said.srt").read_text(), re.M)


def test_the_microphone_makes_a_recording(tmp_path: Path, sound_run: tiny.Run) -> None:
    with (
        serve(tmp_path, "--model-speech", sound_run.folder) as server,
        browse(server.address, permissions=["microphone"]) as page,
    ):
        page.locator("#record").click()
        expect(page.locator("#status")).to_contain_text("Recording 1 s")
        page.locator("#record").click()
        expect(page.locator(".wave")).to_be_visible()
    (file,) = tmp_path.glob("recording-*.wav")
    with wave.open(str(file)) as sound:
        assert sound.getframerate() == 16000 and sound.getnframes() > 8000
        assert np.abs(np.frombuffer(sound.readframes(sound.getnframes()), np.int16)).max() > 300, "the browser's beep"


def test_forty_corrected_lines_are_learnt_and_the_rest_is_read_anew(tmp_path: Path, line_run: tiny.Run) -> None:
    random = np.random.default_rng(5)
    texts = tiny.made_texts(tiny.GLYPHS, 44, random)
    for number, text in enumerate(texts):
        tiny.draw_line(text, random).resize((len(text) * 24 + 8, 32)).save(tmp_path / f"line-{number:02}.png")
        if number < 40:
            (tmp_path / f"line-{number:02}.gt.txt").write_text(text + "\n")
    with serve(tmp_path, "--model-lines", line_run.folder) as server, browse(server.address) as page:
        page.evaluate(ACCEPT_ALL)
        page.reload()
        page.locator("#learn").click()
        page.locator("#epochs").fill("8")
        page.locator("#start-learning").click()
        card = page.locator(".card[data-phase]")
        expect(card).to_have_attribute("data-phase", "learning", timeout=600_000)
        expect(page.locator("svg.curve .dot").nth(3)).to_be_attached(timeout=600_000)
        expect(card).to_have_attribute("data-phase", "done", timeout=600_000)
        picture(page, "learn")
        state = json.loads(page.evaluate("fetch('/api/learning').then(a => a.text())"))["last"]
        page.locator("#use-model").click()
        expect(page.locator(".differences").or_(page.get_by_text("The rest reads as before."))).to_be_visible()
        rates = [one["cer"] for one in state["curve"]]
        assert state["lines"] == 32 and state["held_back"] == 8 and len(rates) == 8
        assert min(rates) < state["before"], "what it learnt shows on lines that it has not seen"
        assert Path(state["model"]).is_file()
        assert page.evaluate("fetch('/api/project').then(a => a.json()).then(p => p.models.lines.name)") == "model"


ACCEPT_ALL = """async () => {
    const project = await (await fetch("/api/project")).json();
    for (const {id} of project.files) {
        const draft = await (await fetch(`/api/files/${id}`)).json();
        const lines = draft.lines.map((line) => (line.state === "given" ? {...line, state: "accepted"} : line));
        const body = JSON.stringify({revision: draft.revision, lines});
        await fetch(`/api/files/${id}`, {method: "PUT", headers: {"content-type": "application/json"}, body});
        if (lines[0].state === "empty") await fetch(`/api/files/${id}/read`, {method: "POST"});
    }
}"""


def test_a_learning_is_stopped(tmp_path: Path, line_run: tiny.Run) -> None:
    random = np.random.default_rng(6)
    for number, text in enumerate(tiny.made_texts(tiny.GLYPHS, 12, random)):
        tiny.draw_line(text, random).resize((len(text) * 24 + 8, 32)).save(tmp_path / f"line-{number:02}.png")
        (tmp_path / f"line-{number:02}.gt.txt").write_text(text + "\n")
    with serve(tmp_path, "--model-lines", line_run.folder) as server, browse(server.address) as page:
        page.evaluate(ACCEPT_ALL)
        page.reload()
        page.locator("#learn").click()
        page.locator("#epochs").fill("500")
        page.locator("#start-learning").click()
        expect(page.locator("svg.curve .dot").nth(1)).to_be_attached(timeout=600_000)
        page.locator("#stop-learning").click()
        expect(page.locator(".card[data-phase]")).to_have_attribute("data-phase", "stopped")
        expect(page.locator("#use-model")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 780)])
def test_the_page_is_usable_wide_and_narrow(width: int, height: int, tmp_path: Path) -> None:
    write_page(tmp_path / "letter", 1, lines=6)
    with serve(tmp_path) as server, browse(server.address, width, height, has_touch=width < 500) as page:
        expect(page.locator("a", has_text="letter.xml")).to_have_count(1)  # the page's own code is at work
        if width < 500:
            page.locator("#menu").click()
        opened(page, "letter.xml")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing runs out"
        for which in ("textarea >> nth=0", ".canvas", ".line .strip >> nth=0"):
            box = page.locator(which).bounding_box()
            assert box and box["x"] >= 0 and box["x"] + min(box["width"], width) <= width + 1, which
        page.locator("textarea").first.fill("corrected on the small screen")
        page.keyboard.press("Enter")
        expect(page.locator("textarea").nth(1)).to_be_focused()
        page.locator("#save").scroll_into_view_if_needed()
        page.locator("#save").click()
        expect(page.locator("#status")).to_contain_text("Saved")
        picture(page, "narrow" if width < 500 else "wide")
    assert read_page(tmp_path / "letter.xml").lines[0].text == "corrected on the small screen"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_telephone_is_used_by_keyboard_alone(language: str, tmp_path: Path) -> None:
    write_page(tmp_path / "letter", 1, lines=4)
    write_page(tmp_path / "other", 2, lines=4)
    with serve(tmp_path) as server, browse(server.address, width=390, height=780) as page:
        expect(page.locator("#files .list a")).to_have_count(2)
        menu, keyboard = page.locator("#menu"), page.keyboard
        page.locator("#language").select_option(language)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("#files .list a")).to_have_count(2)
        menu.focus()
        keyboard.press("Enter")
        expect(menu).to_have_attribute("aria-expanded", "true")
        page.locator("#files .list a").first.focus()
        keyboard.press("Escape")
        expect(menu).to_have_attribute("aria-expanded", "false")
        expect(menu).to_be_focused()
        keyboard.press("Enter")
        page.locator("#files .list a").first.focus()
        keyboard.press("Enter")
        expect(page.locator("textarea").first).not_to_have_value("")
        expect(page.locator("#main")).to_be_focused()

        # Nothing in the row of tools that has the focus lies under what stays in sight.
        reached = 0
        while page.evaluate("document.activeElement.tagName") != "TEXTAREA":
            keyboard.press("Tab")
            covered = page.evaluate(
                """() => {
                    const at = document.activeElement;
                    if (!at.closest(".tools")) return "";
                    const {left, right, top, height} = at.getBoundingClientRect();
                    const hit = (x) => at.contains(document.elementFromPoint(x, top + height / 2));
                    return hit(left + 3) && hit(right - 3) ? "seen" : at.outerHTML;
                }"""
            )
            assert covered in ("", "seen"), covered
            reached += covered == "seen"
        assert reached > 12

        # From the top the first link leads past all that to the text, and the file stays open.
        address = page.url
        page.locator(".skip").focus()
        keyboard.press("Enter")
        expect(page.locator("textarea").first).to_be_focused()
        assert page.url == address


def test_the_list_of_files_keeps_the_keyboard_where_it_was(tmp_path: Path) -> None:
    write_page(tmp_path / "letter", 1, lines=3)
    write_page(tmp_path / "other", 2, lines=3)
    with serve(tmp_path) as server, browse(server.address) as page:
        opened(page, "letter.xml")
        page.locator("textarea").first.fill("corrected")
        links = page.locator("#files .list a")
        links.nth(1).focus()
        expect(links.first).to_contain_text("1 of 3 checked")
        expect(links.nth(1)).to_be_focused()


def test_recordings_the_sheet_and_learning_fit_on_a_telephone(tmp_path: Path, sound_run: tiny.Run) -> None:
    sound = np.concatenate([tiny.play(text, np.random.default_rng(1)) for text in ("abcd dcba", "bad cab", "dad")])
    soundfile.write(tmp_path / "said.wav", sound, tiny.RATE)
    words = (tmp_path, "--model-speech", sound_run.folder)
    with serve(*words) as server, browse(server.address, width=390, height=780) as page:

        def fits(*parts: str) -> None:
            for part in parts:
                box = page.locator(part).first.bounding_box()
                assert box and box["width"] > 40 and box["x"] >= 0 and box["x"] + box["width"] <= 390, part
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a part lies beside the window"

        page.evaluate("location.hash = '#draw'")
        expect(page.locator("canvas.sheet")).to_be_visible()
        fits("canvas.sheet")
        page.evaluate("location.hash = '#learn'")
        expect(page.locator(".learn .card").first).to_be_visible()
        fits(".learn .card")
        page.locator("#menu").click()
        opened(page, "said.wav")
        fits("textarea", "#save")


def test_every_control_has_a_name_and_the_interface_speaks_french(tmp_path: Path) -> None:
    write_page(tmp_path / "letter", 1, lines=3)
    with serve(tmp_path) as server, browse(server.address) as page:
        opened(page, "letter.xml")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, textarea, a, [role=button], canvas")]
                .filter((one) => one.offsetParent !== null || one instanceof SVGElement)
                .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.closest("label")))
                .map((one) => one.outerHTML)"""
        )
        assert nameless == []
        page.locator("#language").select_option("fr")
        expect(page.get_by_role("button", name="Enregistrer", exact=True)).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        untranslated = page.evaluate(
            """async () => {
                const texts = await (await fetch("/static/texts.json")).json();
                return Object.keys(texts.en).filter((name) => !(name in texts.fr));
            }"""
        )
        assert untranslated == []


def test_the_page_of_the_api_names_what_can_be_asked(tmp_path: Path) -> None:
    with serve(tmp_path) as server, browse(server.address) as page:
        page.goto(server.address + "docs")
        expect(page.get_by_text("/transcribe", exact=False).first).to_be_visible()
        assert page.locator("article").count() > 10
        page.goto(server.address)
        page.locator("#language").wait_for()
