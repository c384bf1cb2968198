// The list of a file's lines: which is chosen, where the keys lead.

import { isChecked } from "./draft.js";
import { h } from "./dom.js";
import { isDoubtful, onThreshold } from "./doubt.js";
import { LineRow } from "./line-row.js";
import { t } from "./texts.js";

export class LineList {
  /** `on` has chosen(id), word(id, word), keys(event, id); `topOf(id)` makes what stands above a text. */
  constructor(draft, on, topOf, signal, label = t("lines_list")) {
    Object.assign(this, { draft, on, topOf });
    this.rows = new Map();
    this.chosen = null;
    this.element = h("ol", { class: "lines", "aria-label": label });
    draft.addEventListener("change", (event) => this.changed(event.detail), { signal });
    onThreshold(() => this.rows.forEach((row) => row.drawWords()), signal);
    addEventListener("resize", () => this.rows.forEach((row) => row.grow()), { signal });
    this.drawAll();
  }

  changed({ kind, id }) {
    if (kind === "lines") this.drawAll();
    else this.rows.get(id)?.draw();
  }

  /** Make rows for new lines, drop those of lines that are gone, and put all in order. */
  drawAll() {
    const focused = document.activeElement?.closest?.("[data-line]")?.dataset.line;
    const ids = new Set(this.draft.lines.map((line) => line.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    this.draft.lines.forEach((line, index) => {
      if (!this.rows.has(line.id)) this.rows.set(line.id, this.makeRow(line.id));
      const { element } = this.rows.get(line.id);
      if (this.element.children[index] !== element) this.element.insertBefore(element, this.element.children[index] ?? null);
    });
    this.draft.lines.forEach((line, index) => this.rows.get(line.id).draw(index + 1));
    requestAnimationFrame(() => this.rows.forEach((row) => row.grow()));
    if (focused && this.rows.has(focused)) this.rows.get(focused).text.focus();
  }

  makeRow(id) {
    const on = {
      chosen: (line) => this.choose(line), word: this.on.word, keys: this.on.keys,
      accept: (line) => this.focusNeighbour(line, 1),
    };
    return new LineRow(this.draft, id, on, this.topOf?.(id));
  }

  choose(id) {
    this.rows.get(this.chosen)?.element.classList.remove("chosen");
    this.chosen = id;
    this.rows.get(id)?.element.classList.add("chosen");
    this.on.chosen(id);
  }

  focus(id, word = null) {
    this.rows.get(id)?.focus(word);
  }

  focusNeighbour(id, by) {
    const index = this.draft.lines.findIndex((line) => line.id === id) + by;
    const next = this.draft.lines[index];
    if (next) this.focus(next.id);
    else this.rows.get(id)?.text.blur();
    return next;
  }

  /** Go to the next line that has a word below the threshold, from the chosen one on, round the end. */
  nextDoubtful() {
    const { lines } = this.draft;
    const from = lines.findIndex((line) => line.id === this.chosen) + 1;
    const next = [...lines.slice(from), ...lines.slice(0, from)].find(isDoubtful);
    if (!next) return;
    const row = this.rows.get(next.id);
    row.focus(row.words.find((word) => word.element.classList.contains("doubtful")));
    row.caret();
  }

  get count() {
    return { checked: this.draft.lines.filter(isChecked).length, lines: this.draft.lines.length };
  }
}
