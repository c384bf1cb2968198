// The waveform of a recording on a line of time that can be longer than the window.

import { h } from "./dom.js";
import { t } from "./texts.js";

const SCALE = 110; // pixels of a second
const HEIGHT = 104;

export class Waveform {
  /** `play(seconds)` is called where somebody clicks. */
  constructor(play) {
    this.words = [];
    this.canvas = h("canvas", { height: HEIGHT, role: "img", "aria-label": t("waveform"), onclick: (event) => play(this.timeOf(event)) });
    this.cursor = h("i", { class: "cursor" });
    this.row = h("div", { class: "words" });
    this.length = h("div", { class: "length" }, this.canvas, this.cursor, this.row);
    this.element = h("div", { class: "wave", tabindex: "-1", onscroll: () => this.draw() }, this.length);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  show(wave) {
    this.data = wave;
    this.loudest = Math.max(0.02, ...wave.high, ...wave.low.map((value) => -value));
    this.length.style.width = `${Math.ceil(wave.seconds * SCALE)}px`;
    this.draw();
  }

  /** Put words, each with its element, under the waveform. */
  showWords(words) {
    this.words = words;
    for (const [number, { element, start, end }] of words.entries()) {
      // Short words are wider than they sound: neighbours stand in rows of their own.
      element.classList.toggle("lower", number % 2 === 1);
      element.style.left = `${start * SCALE}px`;
      element.style.minWidth = `${Math.max(6, (end - start) * SCALE)}px`;
    }
    this.row.replaceChildren(...words.map(({ element }) => element));
  }

  timeOf(event) {
    return Math.max(0, (event.clientX - this.length.getBoundingClientRect().left) / SCALE);
  }

  showCursor(seconds) {
    this.cursor.style.left = `${seconds * SCALE}px`;
  }

  reveal(seconds) {
    const { scrollLeft, clientWidth } = this.element;
    const at = seconds * SCALE;
    if (at < scrollLeft || at > scrollLeft + clientWidth - 40) this.element.scrollLeft = at - 60;
  }

  /** Draw the part that can be seen. */
  draw() {
    const width = this.element.clientWidth;
    if (!this.data || !width) return;
    const dense = devicePixelRatio || 1;
    this.canvas.width = width * dense;
    this.canvas.height = HEIGHT * dense;
    this.canvas.style.width = `${width}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(dense, dense);
    pen.fillStyle = getComputedStyle(this.element).getPropertyValue("--accent");
    const { seconds, low, high } = this.data;
    const parts = low.length;
    for (let x = 0; x < width; x++) {
      const from = Math.floor(((x + this.element.scrollLeft) / SCALE / seconds) * parts);
      if (from >= parts) break;
      const scale = (0.92 * HEIGHT) / 2 / this.loudest;
      pen.fillRect(x, HEIGHT / 2 - high[from] * scale, 1, Math.max(1, (high[from] - low[from]) * scale));
    }
  }
}
