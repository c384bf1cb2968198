// A sheet to write on with mouse, pen or finger; the text appears as one writes.

import { get, post } from "./api.js";
import { h, settled } from "./dom.js";
import { showDoubt } from "./doubt.js";
import { FileView } from "./file-view.js";
import { refreshFiles } from "./files-list.js";
import { LineList } from "./line-list.js";
import { complain, say, working } from "./status.js";
import { button } from "./tools.js";
import { t } from "./texts.js";

const REST = 350; // milliseconds after the last stroke until it is read
const PEN = 3.2; // pixels

/** A sheet with strokes x0, y0, x1, y1, ... in its own pixels. */
export class Sheet {
  constructor(changed = null) {
    this.strokes = [];
    this.changed = changed;
    this.canvas = h("canvas", { class: "sheet", role: "img", "aria-label": t("sheet") });
    if (changed) {
      this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
      this.canvas.addEventListener("pointermove", (event) => this.goOn(event));
      for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => this.end());
    }
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  begin(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = event.pointerId;
    this.strokes.push([]);
    this.add(event);
  }

  goOn(event) {
    if (this.pen !== event.pointerId) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) this.add(one);
    this.draw();
  }

  end() {
    if (this.pen === null || this.pen === undefined) return;
    this.pen = null;
    this.changed(this.strokes);
  }

  add(event) {
    const box = this.canvas.getBoundingClientRect();
    this.strokes.at(-1).push(event.clientX - box.left, event.clientY - box.top);
  }

  set(strokes) {
    this.strokes = strokes;
    this.draw();
    this.changed?.(strokes);
  }

  draw() {
    const dense = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    this.canvas.width = width * dense;
    this.canvas.height = height * dense;
    const pen = this.canvas.getContext("2d");
    pen.scale(dense, dense);
    Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#1d2b4f", fillStyle: "#1d2b4f" });
    for (const stroke of this.strokes) {
      pen.beginPath();
      pen.moveTo(stroke[0], stroke[1]);
      for (let i = 2; i < stroke.length; i += 2) pen.lineTo(stroke[i], stroke[i + 1]);
      if (stroke.length === 2) pen.arc(stroke[0], stroke[1], PEN / 2, 0, 7);
      pen.stroke();
      if (stroke.length === 2) pen.fill();
    }
  }
}

/** The view in which one writes. */
export class DrawView {
  constructor(main, controller) {
    this.sheet = new Sheet(settled(REST, () => this.read()));
    this.reading = h("div", { class: "reading", role: "status", "aria-live": "polite" });
    main.replaceChildren(h("section", { class: "draw", "aria-label": t("draw_title") },
      h("h1", {}, t("draw_title")), h("p", { class: "soft" }, t("draw_hint")), this.sheet.canvas, this.reading,
      h("div", { class: "tools" }, button("undo_stroke", () => this.sheet.set(this.sheet.strokes.slice(0, -1))), button("clear", () => this.sheet.set([])), button("keep_drawing", () => this.keep(), { class: "main" }))));
    controller.signal.addEventListener("abort", () => say(""));
  }

  async read() {
    const { strokes } = this.sheet;
    if (!strokes.length) {
      this.reading.replaceChildren();
      return;
    }
    try {
      const found = await post("api/strokes", { strokes });
      if (strokes.length !== this.sheet.strokes.length) return; // more was written meanwhile, and is read next
      this.reading.replaceChildren(...found.words.flatMap((word) => {
        const element = h("span", { class: "word" }, word.text);
        showDoubt(element, word.confidence);
        return [element, " "];
      }));
      say("");
    } catch (error) {
      complain(error);
    }
  }

  async keep() {
    if (!this.sheet.strokes.length) return;
    const name = `drawing-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}`;
    const made = await working("saving", () => post("api/strokes", { strokes: this.sheet.strokes, keep: name }));
    await refreshFiles();
    if (made) location.hash = `#${made.file}`;
  }
}

/** The view of a file of pen strokes. */
export class StrokesView extends FileView {
  constructor(main, draft, controller) {
    super(main, draft, controller);
    this.sheet = new Sheet();
    const on = { chosen: () => {}, word: () => {}, keys: () => {} };
    this.list = new LineList(draft, on, null, this.signal);
    main.replaceChildren(this.tools([], ["txt", "json"]), h("section", { class: "draw", "aria-label": t("strokes_file") }, this.sheet.canvas), this.list.element);
  }

  async start() {
    const strokes = await get(`api/files/${this.draft.id}/strokes`);
    this.sheet.strokes = fitted(strokes, this.sheet.canvas.clientWidth, this.sheet.canvas.clientHeight);
    this.sheet.draw();
    await super.start();
  }
}

/** Return strokes as large as fits on a sheet. */
function fitted(strokes, width, height) {
  const across = strokes.flatMap((stroke) => stroke.filter((_, i) => i % 2 === 0));
  const down = strokes.flatMap((stroke) => stroke.filter((_, i) => i % 2 === 1));
  const [left, top] = [Math.min(...across), Math.min(...down)];
  const scale = Math.min((width - 40) / (Math.max(...across) - left || 1), (height - 40) / (Math.max(...down) - top || 1));
  return strokes.map((stroke) => stroke.map((value, i) => 20 + (value - (i % 2 ? top : left)) * scale));
}
