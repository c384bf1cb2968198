// The list of files, and the ways to add some: dropped, chosen, recorded, written.

import { addFiles, get } from "./api.js";
import { h } from "./dom.js";
import { record } from "./recorder.js";
import { complain, say, working } from "./status.js";
import { button } from "./tools.js";
import { t } from "./texts.js";

const SIGNS = { page: "▤", image: "▤", line: "▬", sound: "♪", strokes: "✎" };
const ORDER = "order";
let project = null;

export const currentProject = () => project;

/** Build the list and the ways to add files. */
export async function buildFiles() {
  const input = h("input", { type: "file", multiple: true, id: "choose", onchange: () => add([...input.files]) });
  const order = h("select", { id: "order", onchange: () => { localStorage.setItem(ORDER, order.value); draw(); } },
    ["by_name", "by_doubt"].map((name) => h("option", { value: name, selected: localStorage.getItem(ORDER) === name }, t(name))));
  document.getElementById("files").replaceChildren(
    h("section", { class: "add" },
      h("label", { class: "dropzone" }, input, h("strong", {}, t("drop")), h("span", {}, t("or_choose"))),
      h("div", { class: "two" }, recordButton(), button("draw", () => (location.hash = "#draw"))),
      button("next", () => (location.hash = "#next"), { id: "next" })),
    h("label", { class: "order" }, t("order"), order), h("ul", { class: "list" }));
  dropped();
  await refreshFiles();
}

/** Load the list anew. */
export async function refreshFiles() {
  try {
    project = await get("api/project");
    document.getElementById("where").textContent = project.folder;
    draw();
  } catch (error) {
    complain(error);
  }
}

function draw() {
  const list = document.querySelector(".files .list");
  const files = [...project.files];
  if (localStorage.getItem(ORDER) === "by_doubt") files.sort((a, b) => b.expected - a.expected || a.opened - b.opened);
  const [chosen] = location.hash.slice(1).split("/");
  const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
  list.replaceChildren(...files.map((file) => {
    const far = file.opened && file.lines
      ? [h("span", { class: "bar" }, h("i", { style: `width: ${(100 * file.checked) / file.lines}%` })), t("checked_of", file)]
      : [t("not_opened")];
    const unsaved = !file.saved && h("span", { class: "unsaved", title: t("unsaved"), role: "img", "aria-label": t("unsaved") }, "●");
    return h("li", {}, h("a", { href: `#${file.id}`, "aria-current": file.id === chosen ? "page" : null },
      h("span", { class: "kind", "aria-hidden": "true" }, SIGNS[file.kind]), h("span", { class: "name" }, file.name), unsaved || h("span"), h("span", { class: "far" }, far)));
  }));
  // The list is made anew while somebody walks through it by keyboard: they stay where they were.
  if (focused) [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
}

/** Add files to the project and open the first that can be. */
async function add(files) {
  if (!files.length) return;
  const made = await working("reading", () => addFiles(files));
  if (!made) return;
  await refreshFiles();
  const listed = project.files.map((file) => file.id);
  const first = made.find((file) => listed.includes(file.id));
  if (first && location.hash !== `#${first.id}`) location.hash = `#${first.id}`;
}

function dropped() {
  const veil = document.getElementById("drop-veil");
  let depth = 0;
  const show = (by) => {
    depth = Math.max(0, depth + by);
    veil.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => [...event.dataTransfer.types].includes("Files") && show(1));
  addEventListener("dragleave", (event) => [...event.dataTransfer.types].includes("Files") && show(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    add([...event.dataTransfer.files]);
  });
}

function recordButton() {
  let stop = null;
  let timer = 0;
  const made = button("record", async () => {
    if (stop) {
      clearInterval(timer);
      made.textContent = t("record");
      made.removeAttribute("aria-pressed");
      const end = stop;
      stop = null;
      add([await end()]);
      return;
    }
    try {
      stop = await record();
    } catch (error) {
      complain(new Error(t("no_microphone", { why: error.message })));
      return;
    }
    const begun = Date.now();
    made.setAttribute("aria-pressed", "true");
    made.textContent = `■ ${t("stop_recording")}`;
    timer = setInterval(() => say(t("recording", { seconds: Math.round((Date.now() - begun) / 1000) })), 500);
  }, { id: "record" });
  return made;
}
