// A recording: its waveform, its words under it, what it says to correct.

import { get } from "./api.js";
import { h, settled } from "./dom.js";
import { onThreshold, showDoubt } from "./doubt.js";
import { FileView, isText } from "./file-view.js";
import { split, without } from "./line-edits.js";
import { LineList } from "./line-list.js";
import { button, sign } from "./tools.js";
import { t } from "./texts.js";
import { Waveform } from "./waveform.js";
import { placeWords } from "./words.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5];

export class SoundView extends FileView {
  constructor(main, draft, controller) {
    super(main, draft, controller);
    this.players = new Map();
    this.audio = h("audio", { src: `api/files/${draft.id}/sound`, preload: "auto" });
    const on = { chosen: (id) => this.chosen(id), word: () => {}, keys: (event, id) => this.lineKey(event, id) };
    this.list = new LineList(draft, on, (id) => this.player(id), this.signal, t("stretches"));
    this.wave = new Waveform((seconds) => this.playFrom(seconds));
    this.toggle = button("play", () => this.playOrPause(), { id: "play", "aria-keyshortcuts": "Control+Space" });
    this.clock = h("span", { class: "count" }, "0:00");
    const speed = h("select", { "aria-label": t("speed"), onchange: () => (this.audio.playbackRate = Number(speed.value)) },
      SPEEDS.map((value) => h("option", { value, selected: value === 1 }, `${value} ×`)));
    const own = [
      h("span", { class: "group" }, this.toggle, this.clock, speed),
      h("span", { class: "group" }, sign("✂", "split_line", () => this.split(this.list.chosen)), sign("✕", "delete_line", () => this.remove(this.list.chosen)),
        sign("↶", "undo", () => this.draft.undo()), button("subtitles", () => this.save({ subtitles: true }))),
    ];
    main.replaceChildren(this.tools(own, ["txt", "json", "srt", "vtt", "ctm", "textgrid"]), this.wave.element,
      h("section", { class: "sound-lines", "aria-label": t("stretches") }, this.list.element));
    draft.addEventListener("change", settled(60, () => this.drawWords()), { signal: this.signal });
    onThreshold(() => this.drawWords(), this.signal);
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.played());
    this.audio.addEventListener("seeked", () => this.follow());
    this.signal.addEventListener("abort", () => this.audio.pause());
  }

  async start() {
    this.wave.show(await get(`api/files/${this.draft.id}/waveform?parts=4000`));
    this.drawWords();
    await super.start();
    this.drawWords();
  }

  /** Show from when to when each stretch lasts. */
  drawPlayers() {
    for (const { id, start, end } of this.draft.lines) {
      const face = this.players.get(id);
      if (face) face.textContent = `▶ ${clock(start)}–${clock(end)}`;
    }
  }

  /** The words of all stretches, those that a person wrote too, under the waveform. */
  drawWords() {
    this.drawPlayers();
    const words = this.draft.lines.flatMap((line) => {
      const inside = line.reading ? { ...line.reading, extent: line.end } : { words: [], extent: line.end };
      return placeWords(line.text, inside).map((word) => ({ ...word, line: line.id, confidence: line.state === "read" ? word.confidence : null }));
    });
    const known = words.filter((word) => word.start !== null);
    this.wave.showWords(known.map((word) => {
      const element = h("button", { type: "button", class: "spoken", tabindex: "-1", "aria-label": `${word.text}: ${t("play_from", { time: clock(word.start) })}`, onclick: () => this.playFrom(word.start) }, word.text);
      showDoubt(element, word.confidence);
      return { ...word, element };
    }));
  }

  player(id) {
    const line = () => this.draft.line(id);
    const play = () => this.playFrom(line().start, line().end);
    const element = h("button", { type: "button", class: "play", tabindex: "-1", onclick: play });
    this.players.set(id, element);
    return element;
  }

  chosen(id) {
    const line = this.draft.line(id);
    if (line && this.audio.paused) {
      this.wave.showCursor(line.start);
      this.wave.reveal(line.start);
    }
  }

  playFrom(seconds, until = Infinity) {
    this.until = until;
    this.audio.currentTime = seconds;
    this.audio.play().catch(() => {});
  }

  playOrPause() {
    this.until = Infinity;
    this.audio.paused ? this.audio.play().catch(() => {}) : this.audio.pause();
  }

  played() {
    this.toggle.textContent = t(this.audio.paused ? "play" : "pause");
    if (!this.audio.paused) this.frame();
    else this.follow();
  }

  frame() {
    this.follow();
    if (this.audio.currentTime >= (this.until ?? Infinity)) this.audio.pause();
    if (!this.audio.paused) requestAnimationFrame(() => this.frame());
  }

  /** Light the word that sounds, above and in the text. */
  follow() {
    const now = this.audio.currentTime;
    this.clock.textContent = clock(now);
    this.wave.showCursor(now);
    if (!this.audio.paused) this.wave.reveal(now);
    const lit = this.audio.paused ? null : this.wave.words.find((word) => word.start <= now && now < word.end);
    for (const word of this.wave.words) word.element.classList.toggle("sounding", word === lit);
    for (const row of this.list.rows.values())
      for (const word of row.words) word.element.classList.toggle("sounding", Boolean(lit) && row.id === lit.line && word.at === lit.at);
  }

  split(id) {
    const made = this.draft.line(id) && split(this.draft.lines, id, this.list.rows.get(id).text.selectionStart);
    if (!made) return;
    this.draft.replace(made[0]);
    this.list.focus(made[1]);
  }

  remove(id) {
    if (!this.draft.line(id) || this.draft.lines.length < 2) return;
    const next = this.list.focusNeighbour(id, 1) ?? this.list.focusNeighbour(id, -1);
    this.draft.replace(without(this.draft.lines, id));
    this.list.focus(next.id);
  }

  lineKey(event, id) {
    const line = this.draft.line(id);
    if (event.key === " " && event.ctrlKey) this.audio.paused ? this.playFrom(line.start, line.end) : this.audio.pause();
    else if (event.key === "Enter" && event.ctrlKey) this.split(id);
    else if (event.key === "Delete" && event.ctrlKey) this.remove(id);
    else return;
    event.preventDefault();
  }

  key(event) {
    super.key(event);
    if (event.key === " " && !isText(event.target) && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      this.playOrPause();
    }
  }
}

/** Return seconds as minutes:seconds. */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
