// A page or the image of one line: its image, and its lines to correct.

import { h, settled } from "./dom.js";
import { FileView, isText } from "./file-view.js";
import { shifted, split, withLineBelow, withLineDrawn, without } from "./line-edits.js";
import { LineList } from "./line-list.js";
import { PageImage } from "./page-image.js";
import { say } from "./status.js";
import { button, sign } from "./tools.js";
import { t } from "./texts.js";

const REST = 400; // milliseconds after which a line that was moved is read again

export class PageView extends FileView {
  constructor(main, draft, controller) {
    super(main, draft, controller);
    this.isPage = draft.data.kind === "page";
    this.pictures = new Map();
    this.moved = new Set();
    this.readMoved = settled(REST, () => this.readAgain());
    const on = { chosen: (id) => this.chosen(id), word: (id, word) => this.word(id, word), keys: (event, id) => this.lineKey(event, id) };
    this.list = new LineList(draft, on, (id) => this.picture(id), this.signal);
    this.image = new PageImage(draft, { chosen: (id) => this.list.focus(id), moved: (id) => this.placed(id), drawn: (baseline) => this.drawn(baseline) });
    draft.addEventListener("change", (event) => event.detail.kind !== "text" && this.image.draw(), { signal: this.signal });
    this.none = h("p", { class: "soft", style: "padding: 1rem" }, t("no_lines"));
    const lines = h("section", { class: "pane lines-pane", "aria-label": t("lines_list") }, this.none, this.list.element);
    this.adding = button("add_line", () => this.setAdding(!this.image.adding), { "aria-pressed": "false", id: "add-line" });
    this.panes = h("div", { class: "panes" }, this.image.element, lines);
    main.replaceChildren(this.tools([this.zoomTools(), this.isPage && this.lineTools()], ["txt", "json", "page", "alto", "hocr"]), this.panes);
    addEventListener("resize", settled(100, () => this.fitted && this.fit()), { signal: this.signal });
    this.fit();
  }

  zoomTools() {
    return h("span", { class: "group" },
      sign("−", "zoom_out", () => this.zoom(() => this.image.smaller())), sign("+", "zoom_in", () => this.zoom(() => this.image.larger())), button("fit", () => this.fit()));
  }

  lineTools() {
    return h("span", { class: "group" }, this.adding,
      sign("✂", "split_line", () => this.split(this.list.chosen)), sign("✕", "delete_line", () => this.remove(this.list.chosen)),
      sign("↑", "up", () => this.shift(this.list.chosen, -1)), sign("↓", "down", () => this.shift(this.list.chosen, 1)),
      sign("↶", "undo", () => this.draft.undo()));
  }

  async start() {
    await super.start();
    if (!this.list.chosen && this.draft.lines.length) this.image.choose(this.draft.lines[0].id);
  }

  count() {
    super.count();
    if (this.none) this.none.hidden = this.draft.lines.length > 0;
  }

  zoom(change) {
    this.fitted = false;
    change();
  }

  fit() {
    this.fitted = true;
    this.image.fit();
  }

  /** The picture of a line, which a click enters. */
  picture(id) {
    const picture = h("img", { alt: "", loading: "lazy", src: this.pictureOf(id) });
    const here = h("i", { class: "here", hidden: true });
    this.pictures.set(id, { picture, here });
    return h("span", { class: "strip", onclick: () => this.list.focus(id) }, picture, here);
  }

  pictureOf(id) {
    if (!this.isPage) return `api/files/${this.draft.id}/image`;
    return `api/files/${this.draft.id}/lines/${encodeURIComponent(id)}/picture?of=${this.draft.data.revision}`;
  }

  chosen(id) {
    this.image.choose(id);
  }

  /** Show where a word stands: on the page, and on its line's picture. */
  word(id, word) {
    const line = this.draft.line(id);
    const shown = this.pictures.get(id);
    if (!line || !shown) return;
    this.lit?.here.setAttribute("hidden", "");
    this.lit?.word?.element.classList.remove("here");
    this.lit = { word, here: shown.here };
    word?.element.classList.add("here");
    this.image.showWord(word);
    const known = word && word.start !== null && line.reading;
    shown.here.hidden = !known;
    if (!known) return;
    shown.here.style.left = `${(100 * word.start) / line.reading.extent}%`;
    shown.here.style.width = `${(100 * (word.end - word.start)) / line.reading.extent}%`;
  }

  /** A line stands elsewhere now: cut it and read it anew, when its place rests. */
  placed(id) {
    this.moved.add(id);
    this.readMoved();
  }

  async readAgain() {
    const ids = [...this.moved].filter((id) => this.draft.line(id));
    this.moved.clear();
    if (!ids.length) return;
    await this.read(ids);
    for (const id of ids) if (this.pictures.has(id)) this.pictures.get(id).picture.src = this.pictureOf(id);
  }

  setAdding(adding) {
    this.image.setAdding(adding);
    this.adding.setAttribute("aria-pressed", String(adding));
    say(adding ? t("add_hint") : "");
  }

  drawn(baseline) {
    this.setAdding(false);
    this.put(withLineDrawn(this.draft.lines, baseline, this.draft.data.size[1]));
  }

  put([lines, id]) {
    this.draft.replace(lines);
    this.placed(id);
    this.list.focus(id);
  }

  remove(id) {
    if (!this.isPage || !this.draft.line(id)) return;
    const next = this.list.focusNeighbour(id, 1) ?? this.list.focusNeighbour(id, -1);
    this.draft.replace(without(this.draft.lines, id));
    this.pictures.delete(id);
    this.list.chosen = null;
    if (next) this.list.focus(next.id);
  }

  split(id) {
    if (!this.isPage || !this.draft.line(id)) return;
    const made = split(this.draft.lines, id, this.list.rows.get(id).text.selectionStart);
    if (!made) return;
    this.placed(id);
    this.put(made);
  }

  shift(id, by) {
    if (!this.isPage || !this.draft.line(id)) return;
    this.draft.replace(shifted(this.draft.lines, id, by));
    this.list.focus(id);
  }

  /** Keys inside a line's text. */
  lineKey(event, id) {
    const acts = {
      Delete: () => event.ctrlKey && this.remove(id), Enter: () => event.ctrlKey && this.split(id),
      ArrowUp: () => event.altKey && this.shift(id, -1), ArrowDown: () => event.altKey && this.shift(id, 1),
      Insert: () => this.isPage && this.put(withLineBelow(this.draft.lines, id, this.draft.data.size[1])),
    };
    const wished = { Delete: event.ctrlKey, Enter: event.ctrlKey, ArrowUp: event.altKey, ArrowDown: event.altKey, Insert: true };
    if (!wished[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  key(event) {
    super.key(event);
    if (isText(event.target) || event.ctrlKey || event.metaKey) return;
    const acts = { "+": () => this.zoom(() => this.image.larger()), "-": () => this.zoom(() => this.image.smaller()), 0: () => this.fit() };
    acts[event.key]?.();
    if (event.key === "Escape" && this.image.adding) this.setAdding(false);
  }
}
