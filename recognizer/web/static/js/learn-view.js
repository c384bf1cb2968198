// A model of this hand: begin, watch, stop, read the rest with it.

import { get, post, remove } from "./api.js";
import { curve } from "./curve.js";
import { h } from "./dom.js";
import { refreshFiles } from "./files-list.js";
import { complain, working } from "./status.js";
import { button } from "./tools.js";
import { percent, t } from "./texts.js";
import { matched } from "./words.js";

const EVERY = 1000; // milliseconds between two looks
const LEAST = 10; // lines, as the server has it
const SHARES = [0.1, 0.2, 0.3];
const GOING = ["preparing", "measuring", "learning"];

export class LearnView {
  constructor(main, controller) {
    Object.assign(this, { main, signal: controller.signal });
    this.form = h("div", { class: "card" });
    this.progress = h("div", { class: "card", hidden: true });
    this.differences = h("div", { class: "card", hidden: true });
    main.replaceChildren(h("section", { class: "learn", "aria-label": t("learn_title") }, h("h1", {}, t("learn_title")), this.form, this.progress, this.differences));
  }

  async start() {
    await this.look(true);
  }

  /** Ask how things stand; again after a while as long as something goes on. */
  async look(whole = false) {
    if (this.signal.aborted) return;
    try {
      const ready = await get("api/learning");
      if (whole) this.drawForm(ready);
      if (ready.last) this.drawProgress(ready.last);
      if (ready.last && GOING.includes(ready.last.phase)) setTimeout(() => this.look(), EVERY);
    } catch (error) {
      complain(error);
    }
  }

  drawForm({ lines, files }) {
    const kinds = Object.keys(lines).filter((kind) => lines[kind] >= LEAST);
    const total = Object.values(lines).reduce((sum, count) => sum + count, 0);
    if (!kinds.length) {
      this.form.replaceChildren(h("p", {}, t("learn_few", { lines: total, least: LEAST })));
      return;
    }
    const kind = h("select", { id: "learn-kind" }, kinds.map((name) => h("option", { value: name }, `${t(`kind_${name}`)} (${lines[name]})`)));
    const held = h("select", { id: "held-back" },
      SHARES.map((share) => h("option", { value: share, selected: share === 0.2 }, t("hold_back_share", { share: percent(share) }))),
      files.map((file) => h("option", { value: file.id }, t("hold_back_file", file))));
    const epochs = h("input", { type: "number", min: 1, max: 500, id: "epochs", placeholder: "–" });
    const begin = async () => {
      const wish = { kind: kind.value, epochs: Number(epochs.value) || 0 };
      Number(held.value) in SHARES || SHARES.includes(Number(held.value)) ? (wish.held_back = Number(held.value)) : (wish.held_back_file = held.value);
      const state = await working("phase_preparing", () => post("api/learning", wish));
      if (!state) return;
      this.differences.hidden = true;
      this.drawProgress(state);
      this.look();
    };
    this.form.replaceChildren(h("p", {}, t("learn_lead", { lines: total })),
      h("div", { class: "row" }, h("label", {}, t("what"), kind), h("label", {}, t("hold_back"), held), h("label", {}, t("epochs"), epochs), button("start_learning", begin, { class: "main", id: "start-learning" })));
  }

  drawProgress(state) {
    const going = GOING.includes(state.phase);
    const rates = state.curve.map((row) => row.cer);
    const figure = (name, rate) => h("div", {}, h("span", { class: "soft" }, t(name)), h("b", {}, rate === null || rate === undefined ? "–" : percent(rate, 1)));
    const count = (name, number) => h("div", {}, h("span", { class: "soft" }, t(name)), h("b", {}, String(number)));
    const epoch = Math.min(state.epochs, state.curve.length + 1);
    this.progress.hidden = false;
    this.progress.dataset.phase = state.phase;
    this.progress.replaceChildren(
      h("h2", {}, going && h("span", { class: "spin", "aria-hidden": "true" }), " ", h("span", { role: "status" }, t(`phase_${state.phase}`, { epoch, epochs: state.epochs, fault: state.fault }))),
      h("p", { class: "soft" }, t("characters_wrong")),
      h("div", { class: "figures" }, figure("before", state.before), figure("now", rates.at(-1)), figure("best", rates.length ? Math.min(...rates) : null), count("learnt_lines", state.lines), count("held_lines", state.held_back)),
      curve(state),
      h("div", { class: "row" },
        going && button("stop", () => this.stop(), { id: "stop-learning" }),
        !going && state.model && button("use_model", () => this.use(), { class: "main", id: "use-model" })),
      state.model && h("p", { class: "soft" }, `${t("model_file")}: ${state.model}`));
  }

  async stop() {
    const state = await working("stop", () => remove("api/learning"));
    if (state) this.drawProgress(state);
  }

  /** Read the rest with the new model and show what it reads otherwise. */
  async use() {
    const found = await working("using", () => post("api/learning/use"));
    if (!found) return;
    refreshFiles();
    this.differences.hidden = false;
    if (!found.length) {
      this.differences.replaceChildren(h("p", {}, t("no_differences")));
      return;
    }
    this.differences.replaceChildren(h("h2", {}, `${t("differences")} (${found.length})`),
      h("table", { class: "differences" }, h("tr", {}, h("th", {}, t("files")), h("th", {}, t("before")), h("th", {}, t("now"))),
        found.map((one) => h("tr", {}, h("td", {}, h("a", { href: `#${one.file}` }, one.name)), h("td", {}, marked(one.before, one.after, "del")), h("td", {}, marked(one.after, one.before, "ins"))))));
    this.differences.scrollIntoView({ block: "nearest" });
  }
}

/** Return the letters of a text, those that another text does not have in the same order marked. */
function marked(text, other, tag) {
  const kept = new Set(matched([...text], [...other]).map(([i]) => i));
  const parts = [];
  [...text].forEach((letter, i) => {
    const same = kept.has(i);
    const last = parts.at(-1);
    if (last && last.same === same) last.text += letter;
    else parts.push({ same, text: letter });
  });
  return parts.map((part) => (part.same ? part.text : h(tag, {}, part.text)));
}
