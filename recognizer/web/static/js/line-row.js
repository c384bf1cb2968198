// One line of the list: its picture, its words by confidence, its text to correct.

import { isChecked } from "./draft.js";
import { h } from "./dom.js";
import { showDoubt } from "./doubt.js";
import { percent, t } from "./texts.js";
import { placeWords } from "./words.js";

/**
 * Make the row of a line. `on` has what it tells: chosen(id), word(id, word or null), accept(id), keys(event, id).
 * `top` is what stands above the text: the picture of a line, or what plays a stretch.
 */
export class LineRow {
  constructor(draft, id, on, top = null) {
    Object.assign(this, { draft, id, on });
    this.words = [];
    this.state = h("span", { class: "state" });
    this.mark = h("span", { class: "mark", "aria-hidden": "true" });
    this.number = h("span");
    this.was = h("p", { class: "was" });
    this.shown = h("div", { class: "shown", "aria-hidden": "true" });
    this.text = h("textarea", {
      rows: 1, spellcheck: "false", autocapitalize: "off", autocomplete: "off",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onfocus: () => this.entered(),
      onpointermove: (event) => this.pointed(event), onpointerleave: () => this.on.word(this.id, null),
      onkeyup: () => this.caret(), onclick: () => this.caret(),
    });
    this.element = h("li", { class: "line", "data-line": id },
      h("div", { class: "head" }, this.number, this.state, this.mark), top,
      h("div", { class: "editor" }, this.shown, this.text), this.was);
    this.top = top;
    this.draw();
  }

  get line() {
    return this.draft.line(this.id);
  }

  /** Show the line as it is now. */
  draw(number = this.index) {
    const line = this.line;
    this.index = number;
    if (this.text.value !== line.text) this.text.value = line.text;
    this.text.placeholder = line.state === "empty" ? t("unread") : "";
    this.text.setAttribute("aria-label", t("line_text", { number }));
    this.number.textContent = t("line", { number });
    const sure = line.state === "read" && line.reading ? ` ${percent(line.reading.confidence)}` : "";
    this.state.textContent = t(`state_${line.state}`) + sure;
    this.mark.textContent = isChecked(line) ? "✓" : "";
    this.element.classList.toggle("checked", isChecked(line));
    this.was.textContent = line.reading && line.reading.text !== line.text ? t("was_read", { text: line.reading.text }) : "";
    this.was.hidden = !this.was.textContent;
    this.drawWords();
    this.grow();
  }

  drawWords() {
    const { text, state, reading } = this.line;
    this.words = placeWords(text, reading);
    const parts = [];
    let at = 0;
    for (const word of this.words) {
      parts.push(text.slice(at, word.at));
      word.element = h("span", { class: "word" }, word.text);
      if (state === "read") showDoubt(word.element, word.confidence);
      parts.push(word.element);
      at = word.at + word.text.length;
    }
    this.shown.replaceChildren(...parts, text.slice(at) + " ");
  }

  grow() {
    this.text.style.height = "auto";
    if (this.text.scrollHeight) this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }

  entered() {
    this.before = this.line.text;
    this.beforeState = this.line.state;
    this.on.chosen(this.id);
  }

  typed() {
    const text = this.text.value.replace(/\s*\n\s*/g, " ");
    this.draft.change(this.id, { text, state: "corrected" });
  }

  key(event) {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.accept();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.takeBack();
    } else this.on.keys(event, this.id);
  }

  /** Agree with the text as it stands. */
  accept() {
    const line = this.line;
    const own = line.state === "corrected" && line.reading && line.reading.text !== line.text;
    this.draft.change(this.id, { state: own ? "corrected" : "accepted" });
    this.on.accept(this.id);
  }

  /** Go back to the text before it was entered; if it is that already, to what was read or stood in the file. */
  takeBack() {
    const line = this.line;
    if (line.text !== this.before) {
      this.draft.change(this.id, { text: this.before, state: this.beforeState });
      return;
    }
    const state = line.given !== null && line.given !== "" ? "given" : line.reading ? "read" : "empty";
    const text = state === "given" ? line.given : state === "read" ? line.reading.text : "";
    this.draft.change(this.id, { text, state });
    [this.before, this.beforeState] = [text, state];
  }

  focus(word = null) {
    this.text.focus();
    if (word) this.text.setSelectionRange(word.at, word.at + word.text.length);
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** The word at a place of the window, if any: the text area lies above the words. */
  pointed(event) {
    const under = document.elementsFromPoint(event.clientX, event.clientY);
    let found = this.words.find((word) => under.includes(word.element)) ?? null;
    if (!found) {
      const inside = ({ left, right, top, bottom }) =>
        left <= event.clientX && event.clientX <= right && top <= event.clientY && event.clientY <= bottom;
      found = this.words.find((word) => [...word.element.getClientRects()].some(inside)) ?? null;
    }
    this.on.word(this.id, found);
  }

  /** Tell which word the cursor stands in. */
  caret() {
    const at = this.text.selectionStart;
    this.on.word(this.id, this.words.find((word) => word.at <= at && at <= word.at + word.text.length) ?? null);
  }
}
