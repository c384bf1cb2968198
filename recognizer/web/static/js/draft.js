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
    this.mine = new Set(); // lines that were changed here since the server last heard of them
    this.rearranged = false; // whether lines came, went, or changed places since then
    this.sendSoon = settled(PAUSE, () => this.flush());
    this.leave = () => document.visibilityState === "hidden" && this.flush({ keepalive: true });
    document.addEventListener("visibilitychange", this.leave);
  }

  static async open(id) {
    return new Draft(id, await get(`api/files/${id}`));
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
    if (kind === "lines") this.rearranged = true;
    else this.mine.add(id);
    this.tell("change", { kind, id });
    this.tell("keeping");
    this.sendSoon();
  }

  /** Send what has changed; one after the other, so that revisions follow one another. */
  flush(more = {}) {
    this.sending = this.sending.then(async () => {
      if (!this.dirty) return;
      const { mine, rearranged } = this;
      Object.assign(this, { dirty: false, mine: new Set(), rearranged: false });
      try {
        const { revision, lines } = this.data;
        const kept = await put(`api/files/${this.id}`, { revision, lines }, more);
        this.data = { ...this.data, revision: kept.revision };
        this.tell("kept");
      } catch (error) {
        Object.assign(this, { dirty: true, mine: new Set([...mine, ...this.mine]), rearranged: rearranged || this.rearranged });
        if (error instanceof Refused && error.status === 409) {
          // Read anew by the server meanwhile, or changed in another window: what was changed here goes into that.
          this.take(await get(`api/files/${this.id}`));
          this.tell("elsewhere");
          this.sendSoon();
        } else this.tell("fault", { error });
      }
    });
    return this.sending;
  }

  /** Let the server read all lines, or some; what a person wrote stays. */
  async read(only = []) {
    await this.flush();
    const data = await post(`api/files/${this.id}/read`, only);
    this.take(data);
  }

  async save(wish) {
    await this.flush();
    const done = await post(`api/files/${this.id}/save`, wish);
    if (done.file === this.id) this.take(done.draft);
    return done;
  }

  /** Take the server's draft in the place of this one, except what was changed here since it last heard of it. */
  take(data) {
    const theirs = new Map(data.lines.map((line) => [line.id, line]));
    const own = new Map(this.lines.map((line) => [line.id, line]));
    const order = this.rearranged ? this.lines.map((line) => line.id) : data.lines.map((line) => line.id);
    const lines = order.map((id) => merged(this.mine.has(id) ? own.get(id) : null, theirs.get(id)) ?? own.get(id));
    this.data = { ...data, lines };
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

const place = (line) => JSON.stringify([line.outline, line.baseline, line.start, line.end]);

/** Return a line that was changed here and read there; what was read holds where the line stands where it stood. */
function merged(own, theirs) {
  if (!own || !theirs) return own ?? theirs;
  if (place(own) !== place(theirs)) return { ...own, given: theirs.given };
  const read = isChecked(own) || own.state === "given" ? {} : { text: theirs.text, state: theirs.state };
  return { ...own, ...read, reading: theirs.reading, given: theirs.given, moved: theirs.moved };
}

export const isChecked = (line) => line.state === "corrected" || line.state === "accepted";
