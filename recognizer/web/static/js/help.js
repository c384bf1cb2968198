// Keys, models, and where other programs read on.

import { currentProject } from "./files-list.js";
import { h } from "./dom.js";
import { button } from "./tools.js";
import { t } from "./texts.js";

const KEYS = [
  [["Tab", "⇧ Tab"], "key_tab"], [["Enter"], "key_enter"], [["Esc"], "key_esc"], [["F8"], "key_next"], [["Ctrl Enter"], "key_split"],
  [["Ctrl Del"], "key_delete"], [["Alt ↑", "Alt ↓"], "key_move"], [["Ins"], "key_insert"], [["Ctrl Z"], "key_undo"], [["Ctrl S"], "key_save"],
  [["+", "−", "0"], "key_zoom"], [["Space", "Ctrl Space"], "key_play"],
];

export function showHelp() {
  const dialog = document.getElementById("dialog");
  const models = Object.entries(currentProject()?.models ?? {});
  dialog.setAttribute("aria-label", t("help"));
  dialog.replaceChildren(
    h("h2", {}, t("keys")), h("table", {}, KEYS.map(([keys, name]) => h("tr", {}, h("td", {}, keys.flatMap((key) => [h("kbd", {}, key), " "])), h("td", {}, t(name))))),
    h("h2", {}, t("models")), h("table", {}, models.map(([kind, model]) => h("tr", {}, h("td", {}, t(`kind_${{ lines: "handwriting" }[kind] ?? kind}`)), h("td", {}, model.name || t("no_model"), model.name && model.calibrated ? ` (${t("calibrated")})` : "")))),
    h("p", {}, h("a", { href: "docs" }, t("api"))), button("close", () => dialog.close(), { class: "main", autofocus: true }));
  dialog.showModal();
}
