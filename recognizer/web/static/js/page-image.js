// The page's image with its lines as outlines; baselines have ends that can be moved.

import { isChecked } from "./draft.js";
import { h, svg } from "./dom.js";
import { baselineOf, boxOf, inText, movedEnd } from "./geometry.js";
import { t } from "./texts.js";

const ZOOM = 1.25;
const LEAST = 0.05, MOST = 6; // of the image's own pixels
const STEP = 2, FAR = 10; // pixels of the page that an arrow key moves, alone and with Shift

export class PageImage {
  /** `on` has chosen(id), moved(id), drawn(baseline). */
  constructor(draft, on) {
    Object.assign(this, { draft, on });
    [this.width, this.height] = draft.data.size;
    this.zoom = 1;
    this.chosen = null;
    this.picture = h("img", { src: `api/files/${draft.id}/image`, alt: t("page_image"), draggable: "false" });
    this.lines = svg("g");
    this.handles = svg("g");
    this.word = svg("polygon", { class: "here", points: "" });
    this.sketch = svg("line", { class: "baseline", hidden: true });
    this.overlay = svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, preserveAspectRatio: "none", role: "group", "aria-label": t("page_image") },
      this.lines, this.word, this.handles, this.sketch);
    this.canvas = h("div", { class: "canvas" }, this.picture, this.overlay);
    this.element = h("section", { class: "pane image-pane", "aria-label": t("page_image"), onwheel: (event) => this.wheel(event) }, this.canvas);
    this.overlay.addEventListener("pointerdown", (event) => this.sketchBegins(event));
    this.draw();
  }

  /** Show the lines as they are now. */
  draw() {
    const groups = this.draft.lines.filter((line) => line.outline.length > 2).map((line, i) => {
      const outline = svg("polygon", { class: "outline", points: inText(line.outline), onclick: () => this.on.chosen(line.id) }, svg("title", {}, line.text || t("line", { number: i + 1 })));
      const baseline = svg("polyline", { class: "baseline", points: inText(baselineOf(line)) });
      const kinds = [isChecked(line) && "checked", line.id === this.chosen && "chosen"].filter(Boolean).join(" ");
      return svg("g", { class: kinds, "data-line": line.id }, outline, baseline);
    });
    this.lines.replaceChildren(...groups);
    this.drawHandles();
  }

  drawHandles() {
    const line = this.draft.line(this.chosen);
    if (!line || line.outline.length < 3) {
      this.handles.replaceChildren();
      return;
    }
    const number = this.draft.lines.indexOf(line) + 1;
    const ends = { start: baselineOf(line)[0], end: baselineOf(line).at(-1) };
    const focused = document.activeElement?.dataset?.end;
    this.handles.replaceChildren(...Object.entries(ends).map(([end, [cx, cy]]) =>
      svg("circle", {
        class: "handle", cx, cy, r: 7 / this.zoom, tabindex: "0", role: "button", "data-end": end, "aria-label": t(`baseline_${end}`, { number }),
        onpointerdown: (event) => this.dragBegins(event, end), onkeydown: (event) => this.arrow(event, end),
      })));
    if (focused) this.handles.querySelector(`[data-end="${focused}"]`)?.focus();
  }

  choose(id) {
    if (this.chosen === id) return;
    this.chosen = id;
    this.word.setAttribute("points", "");
    this.draw();
    const line = this.draft.line(id);
    if (line?.outline.length > 2) this.reveal(boxOf(line.outline));
  }

  showWord(word) {
    this.word.setAttribute("points", word?.outline?.length ? inText(word.outline) : "");
  }

  /** Scroll so that a box of the page can be seen. */
  reveal({ left, right, top, bottom }) {
    const pane = this.element;
    const [x, y] = [this.canvas.offsetLeft, this.canvas.offsetTop];
    const [up, down] = [y + top * this.zoom - 30, y + bottom * this.zoom + 30];
    if (up < pane.scrollTop || down > pane.scrollTop + pane.clientHeight) pane.scrollTop = (up + down - pane.clientHeight) / 2;
    const [near, far] = [x + left * this.zoom - 20, x + right * this.zoom + 20];
    if (near < pane.scrollLeft || far > pane.scrollLeft + pane.clientWidth) pane.scrollLeft = Math.max(0, near);
  }

  fit() {
    this.setZoom((this.element.clientWidth - 26) / this.width);
  }

  setZoom(zoom) {
    this.zoom = Math.min(MOST, Math.max(LEAST, zoom));
    this.canvas.style.width = `${this.width * this.zoom}px`;
    this.canvas.style.height = `${this.height * this.zoom}px`;
    this.drawHandles();
  }

  larger() {
    this.setZoom(this.zoom * ZOOM);
  }

  smaller() {
    this.setZoom(this.zoom / ZOOM);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const pane = this.element;
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / this.zoom, (event.clientY - box.top) / this.zoom];
    event.deltaY < 0 ? this.larger() : this.smaller();
    const after = this.canvas.getBoundingClientRect();
    pane.scrollLeft += after.left + x * this.zoom - event.clientX;
    pane.scrollTop += after.top + y * this.zoom - event.clientY;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.width;
    const y = ((event.clientY - box.top) / box.height) * this.height;
    return [Math.min(this.width, Math.max(0, x)), Math.min(this.height, Math.max(0, y))];
  }

  dragBegins(event, end) {
    event.preventDefault();
    event.stopPropagation();
    const line = this.draft.line(this.chosen);
    const from = this.place(event);
    let moved = null;
    follow((next) => {
      const [x, y] = this.place(next);
      moved = movedEnd(line, end, x - from[0], y - from[1]);
      this.preview(line.id, moved);
    }, () => moved && this.put(line.id, moved));
  }

  /** Show a line elsewhere before it is put there. */
  preview(id, { outline, baseline }) {
    const group = this.lines.querySelector(`[data-line="${CSS.escape(id)}"]`);
    group.querySelector(".outline").setAttribute("points", inText(outline));
    group.querySelector(".baseline").setAttribute("points", inText(baseline));
    for (const [end, [cx, cy]] of [["start", baseline[0]], ["end", baseline.at(-1)]]) {
      const handle = this.handles.querySelector(`[data-end="${end}"]`);
      handle?.setAttribute("cx", cx);
      handle?.setAttribute("cy", cy);
    }
  }

  arrow(event, end) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const far = event.shiftKey ? FAR : STEP;
    this.put(this.chosen, movedEnd(this.draft.line(this.chosen), end, way[0] * far, way[1] * far));
  }

  put(id, values) {
    this.draft.change(id, values, "place");
    this.on.moved(id);
  }

  /** Wait for a baseline to be drawn; again: wait no more. */
  setAdding(adding) {
    this.adding = adding;
    this.canvas.classList.toggle("adding", adding);
  }

  sketchBegins(event) {
    if (!this.adding) return;
    event.preventDefault();
    const from = this.place(event);
    let to = from;
    const show = () => {
      const [[x1, y1], [x2, y2]] = [from, to];
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) this.sketch.setAttribute(name, value);
      this.sketch.removeAttribute("hidden");
      this.sketch.style.opacity = 1;
    };
    follow((next) => {
      to = this.place(next);
      show();
    }, () => {
      this.sketch.setAttribute("hidden", "");
      if (Math.abs(to[0] - from[0]) > 8) this.on.drawn(from[0] < to[0] ? [from, to] : [to, from]);
    });
  }
}

/** Follow the pointer until it is let go. */
function follow(move, end) {
  const done = () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", done);
    removeEventListener("pointercancel", done);
    end();
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", done);
  addEventListener("pointercancel", done);
}
