// A file's draft in the browser: every change goes to the server's disk a moment later.

import { get, post, put, Refused } from "./api.js";
import { settled } from "./dom.js";

const PAUSE = 500; // milliseconds without a change after which a draft is sent
const UNDONE = 100; // steps back

export class Draft extends EventTarget {
  constructor(id, data) {
    super();
    this.id = id;
    this.data = data;
    this.history = [];
    this.sending = Promise.resolve();
    this.dirty = false;
    this.sendSoon = settled(PAUSE, () => this.flush());
    this.leave = () => document.visibilityState === "hidden" && this.flush({ keepalive: true });
    document.addEventListener("visibilitychange", this.leave);
  }

  static async open(id) {
    return new Draft(id, await get(`/api/files/${id}`));
  }

  get lines() {
    return this.data.lines;
  }

  line(id) {
    return this.lines.find((line) => line.id === id);
  }

  /** Change some of a line's values; `kind` says to listeners what has to be drawn anew. */
  change(id, values, kind = "text") {
    this.replace(this.lines.map((line) => (line.id === id ? { ...line, ...values } : line)), kind, id);
  }

  /** Put other lines in the place of all; steps that change more than a text can be undone. */
  replace(lines, kind = "lines", id = null) {
    if (kind !== "text") {
      this.history.push(this.lines);
      if (this.history.length > UNDONE) this.history.shift();
    }
    this.data = { ...this.data, lines };
    this.touched(kind, id);
  }

  undo() {
    const before = this.history.pop();
    if (!before) return;
    this.data = { ...this.data, lines: before };
    this.touched("lines");
  }

  touched(kind, id = null) {
    this.dirty = true;
    this.tell("change", { kind, id });
    this.tell("keeping");
    this.sendSoon();
  }

  /** Send what has changed; one after the other, so that revisions follow one another. */
  flush(more = {}) {
    this.sending = this.sending.then(async () => {
      if (!this.dirty) return;
      this.dirty = false;
      try {
        const { revision, lines } = this.data;
        const kept = await put(`/api/files/${this.id}`, { revision, lines }, more);
        this.data = { ...this.data, revision: kept.revision };
        this.tell("kept");
      } catch (error) {
        if (error instanceof Refused && error.status === 409) {
          this.data = await get(`/api/files/${this.id}`);
          this.tell("change", { kind: "lines" });
          this.tell("elsewhere");
        } else {
          this.dirty = true;
          this.tell("fault", { error });
        }
      }
    });
    return this.sending;
  }

  /** Let the server read all lines, or some; what a person wrote stays. */
  async read(only = []) {
    await this.flush();
    const data = await post(`/api/files/${this.id}/read`, only);
    this.take(data);
  }

  async save(wish) {
    await this.flush();
    const done = await post(`/api/files/${this.id}/save`, wish);
    if (done.file === this.id) this.take(done.draft);
    return done;
  }

  /** Take the server's draft in the place of this one, except what was typed since. */
  take(data) {
    if (this.dirty) {
      const mine = new Map(this.lines.map((line) => [line.id, line]));
      const lines = data.lines.map((line) => ({ ...line, text: mine.get(line.id)?.text ?? line.text, state: mine.get(line.id)?.state ?? line.state }));
      data = { ...data, lines };
    }
    this.data = data;
    this.tell("change", { kind: "lines" });
  }

  async close() {
    document.removeEventListener("visibilitychange", this.leave);
    await this.flush();
  }

  tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export const isChecked = (line) => line.state === "corrected" || line.state === "accepted";
