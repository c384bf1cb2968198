// Starts the page and shows the view that the address names.

import { h } from "./dom.js";
import { DrawView, StrokesView } from "./draw-view.js";
import { openDraft } from "./file-view.js";
import { buildFiles, currentProject, refreshFiles } from "./files-list.js";
import { showHelp } from "./help.js";
import { LearnView } from "./learn-view.js";
import { NextView } from "./next-view.js";
import { PageView } from "./page-view.js";
import { SoundView } from "./sound-view.js";
import { complain, say, working } from "./status.js";
import { chooseLanguage, currentLanguage, loadTexts, t, translate } from "./texts.js";

const VIEWS = { page: PageView, line: PageView, sound: SoundView, strokes: StrokesView };
const main = document.getElementById("main");
let open = { controller: new AbortController(), draft: null };

/** Close what is open and show what the address names: a file, a line of one, the sheet, what is next, the learning.
 * `moved` is the event of an address that has changed; without one the window was just opened. */
async function show(moved = null) {
  const before = open;
  open = { controller: new AbortController(), draft: null };
  const { controller } = open;
  before.controller.abort();
  await before.draft?.close();
  toggleMenu(false);
  say("");
  const [name, line] = location.hash.slice(1).split("/");
  const view = name ? await viewOf(name, controller) : welcome();
  if (controller.signal.aborted) return;
  await refreshFiles();
  document.title = [currentProject()?.files.find((file) => file.id === name)?.name, "recognizer"].filter(Boolean).join(" · ");
  try {
    if (moved) enterMain();
    await view?.start?.();
    if (line) view?.list?.focus(decodeURIComponent(line));
  } catch (error) {
    complain(error);
  }
}

async function viewOf(name, controller) {
  if (name === "draw") return new DrawView(main, controller);
  if (name === "learn") return new LearnView(main, controller);
  if (name === "next") return new NextView(main, controller);
  main.replaceChildren(h("p", { class: "soft", style: "padding: 2rem" }, h("span", { class: "spin" }), " ", t("reading")));
  const draft = await working("reading", () => openDraft(name));
  if (!draft || controller.signal.aborted) {
    if (!controller.signal.aborted) welcome();
    return null;
  }
  open.draft = draft;
  return new VIEWS[draft.data.kind](main, draft, controller);
}

function welcome() {
  const steps = ["welcome_1", "welcome_2", "welcome_3"].map((name) => h("li", {}, t(name)));
  main.replaceChildren(h("section", { class: "welcome" }, h("img", { src: "static/icon.svg", alt: "", width: 64, height: 64 }), h("h1", {}, t("welcome")), h("p", { class: "lead" }, t("welcome_lead")), h("ol", {}, steps)));
  return null;
}

/** Lead the keyboard on into what was opened, unless it is there already. */
function enterMain() {
  const { activeElement: at } = document;
  if (at === document.body || document.getElementById("files").contains(at)) main.focus({ preventScroll: true });
}

/** Go past the files and the tools to the first text, where there is one. The address stays: it names the file. */
function skip(event) {
  event.preventDefault();
  (main.querySelector(".chosen textarea, textarea") ?? main).focus();
}

function toggleMenu(wished) {
  const files = document.getElementById("files");
  const shown = wished ?? !files.classList.contains("open");
  files.classList.toggle("open", shown);
  document.getElementById("menu").setAttribute("aria-expanded", String(shown));
}

await loadTexts();
translate();
document.getElementById("language").value = currentLanguage();
document.getElementById("language").addEventListener("change", (event) => chooseLanguage(event.target.value));
document.getElementById("menu").addEventListener("click", () => toggleMenu());
document.getElementById("help").addEventListener("click", showHelp);
document.getElementById("learn").addEventListener("click", () => (location.hash = "#learn"));
document.querySelector(".skip").addEventListener("click", skip);
document.addEventListener("keydown", (event) => {
  const menu = document.getElementById("menu");
  if (event.key !== "Escape" || menu.getAttribute("aria-expanded") !== "true" || document.querySelector("dialog[open]")) return;
  toggleMenu(false);
  menu.focus();
});
addEventListener("hashchange", show);
await buildFiles();
await show();
