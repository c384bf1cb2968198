// What the views of all kinds of files share: open, read, save, say what was changed elsewhere.

import { get, remove } from "./api.js";
import { Draft, isChecked } from "./draft.js";
import { h } from "./dom.js";
import { refreshFiles } from "./files-list.js";
import { say, watch, working } from "./status.js";
import { button, doubtSlider, exportMenu, sign } from "./tools.js";
import { t } from "./texts.js";

export class FileView {
  constructor(main, draft, controller) {
    Object.assign(this, { main, draft, signal: controller.signal });
    watch(draft, this.signal);
    draft.addEventListener("kept", () => refreshFiles(), { signal: this.signal });
    draft.addEventListener("change", () => this.count(), { signal: this.signal });
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.signal });
    this.counted = h("span", { class: "count" });
    this.unchecked = h("input", { type: "checkbox" });
  }

  /** The buttons that every file has, before and behind those of its kind. */
  tools(own, forms) {
    const bar = h("div", { class: "tools", role: "toolbar", "aria-label": t("more") },
      own,
      h("span", { class: "group" }, doubtSlider(), sign("➜", "next_doubt", () => this.list.nextDoubtful(), { "aria-keyshortcuts": "F8" })),
      h("span", { class: "grow" }),
      this.counted,
      h("span", { class: "group" }, sign("⟳", "read_again", () => this.read(), { id: "read" }), exportMenu(this.draft, forms)),
      h("span", { class: "group" }, h("label", {}, this.unchecked, t("save_all")), button("save", () => this.save(), { class: "main", id: "save", "aria-keyshortcuts": "Control+S" })));
    // On a narrow window saving lies over the row: what the keyboard reaches comes out from under it.
    bar.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && target.scrollIntoView({ block: "nearest", inline: "nearest" }));
    return bar;
  }

  count() {
    const lines = this.draft.lines;
    this.counted.textContent = t("checked_of", { checked: lines.filter(isChecked).length, lines: lines.length });
  }

  /** Show the view; read the file where nothing of it was read yet. */
  async start() {
    this.count();
    const { changed_on_disk: changed } = await get(`api/files/${this.draft.id}/state`);
    if (changed) this.sayChanged();
    if (this.draft.lines.length && this.draft.lines.every((line) => line.state === "empty")) await this.read();
  }

  sayChanged() {
    const again = async () => {
      await working("reading", () => remove(`api/files/${this.draft.id}/draft`));
      dispatchEvent(new HashChangeEvent("hashchange"));
    };
    this.main.prepend(h("div", { class: "banner", role: "alert" }, t("changed_on_disk"), button("load_again", again)));
  }

  async read(only = []) {
    await working("reading", () => this.draft.read(only));
    if (this.draft.data.left_out) say(t("left_out", { lines: this.draft.data.left_out }));
    refreshFiles();
  }

  async save(more = {}) {
    const done = await working("saving", () => this.draft.save({ unchecked: this.unchecked.checked, subtitles: false, ...more }));
    if (!done) return;
    say(done.written.length ? t("saved", { names: done.written.join(", ") }) : t("saved_nothing"));
    await refreshFiles();
    // A page's image has become a page with XML of its own, which is another file.
    if (done.file !== this.draft.id) location.hash = `#${done.file}`;
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      this.save();
    } else if (event.key === "F8") {
      event.preventDefault();
      this.list.nextDoubtful();
    } else if ((event.ctrlKey || event.metaKey) && event.key === "z" && !isText(event.target)) {
      event.preventDefault();
      this.draft.undo();
    }
  }
}

export const isText = (element) => element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement;
export const openDraft = (id) => Draft.open(id);
