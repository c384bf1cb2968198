// What to correct next: the lines of all files that are read, those first in which most words are likely to be wrong.

import { get, post } from "./api.js";
import { h } from "./dom.js";
import { currentProject, refreshFiles } from "./files-list.js";
import { say, working } from "./status.js";
import { button } from "./tools.js";
import { t } from "./texts.js";

const SHOWN = 20; // lines of the list

export class NextView {
  constructor(main, controller) {
    this.signal = controller.signal;
    this.unread = h("div", { class: "row" });
    this.list = h("ol", { class: "suggestions", "aria-label": t("next_title") });
    main.replaceChildren(h("section", { class: "learn", "aria-label": t("next_title") },
      h("h1", {}, t("next_title")), h("p", { class: "soft" }, t("next_lead")), this.unread, this.list));
  }

  async start() {
    await this.draw();
  }

  async draw() {
    const unread = currentProject().files.filter((file) => !file.opened);
    this.unread.replaceChildren(...(unread.length ? [button("read_all", () => this.readAll(unread), { id: "read-all" }), t("files_unread", { files: unread.length })] : []));
    const found = await get("api/suggestions");
    if (this.signal.aborted) return;
    this.list.replaceChildren(...found.slice(0, SHOWN).map(row));
    if (!found.length) this.list.replaceChildren(h("li", { class: "soft" }, t("next_none")));
  }

  /** Read the files that nobody has opened, one after the other, until all are or the view is left. */
  async readAll(files) {
    for (const [index, file] of files.entries()) {
      if (this.signal.aborted) return;
      const made = await working("reading", () => post(`api/files/${file.id}/read`));
      if (!made) break; // its fault stands in the status line
      say(t("files_read", { done: index + 1, files: files.length }));
      await refreshFiles();
      if (!this.signal.aborted) await this.draw();
    }
  }
}

/** A line as its picture, what was read of it and how many of its words are likely to be wrong; it leads to its place. */
function row(one) {
  const file = currentProject().files.find((each) => each.id === one.file);
  const pictured = file && file.kind !== "sound" && file.kind !== "strokes";
  const line = encodeURIComponent(one.line);
  return h("li", {}, h("a", { href: `#${one.file}/${line}` },
    pictured && h("img", { src: `api/files/${one.file}/lines/${line}/picture`, alt: "", loading: "lazy" }),
    h("span", { class: "text" }, one.text || t("state_empty")),
    h("span", { class: "far" }, `${file?.name ?? ""} · ${t("words_doubtful", { words: one.expected.toFixed(1) })}`)));
}
