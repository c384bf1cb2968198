// The bar above a file: what views have in common, as buttons, a slider, a menu.

import { h } from "./dom.js";
import { setThreshold, threshold } from "./doubt.js";
import { percent, t } from "./texts.js";

export const button = (name, on, more = {}) => h("button", { type: "button", onclick: on, ...more }, t(name));

/** A button whose face is a sign, named for those who do not see it. */
export const sign = (face, name, on, more = {}) =>
  h("button", { type: "button", onclick: on, title: t(name), "aria-label": t(name), ...more }, face);

/** The slider "show what is below p". */
export function doubtSlider() {
  const output = h("output", {}, percent(threshold()));
  const input = h("input", {
    type: "range", min: 0, max: 1, step: 0.05, value: threshold(), id: "below",
    oninput: () => {
      setThreshold(Number(input.value));
      output.textContent = percent(threshold());
    },
  });
  return h("label", {}, t("below"), input, output);
}

/** The menu of forms that a file can be had in. */
export function exportMenu(draft, forms) {
  const menu = h("select", { "aria-label": t("export_as") },
    h("option", { value: "" }, t("export")), forms.map((form) => h("option", { value: `api/files/${draft.id}/export/${form}` }, form)),
    h("option", { value: "api/export.tsv" }, t("export_table")));
  menu.addEventListener("change", async () => {
    const path = menu.value;
    menu.value = "";
    await draft.flush();
    const link = h("a", { href: path, download: "" });
    document.body.append(link);
    link.click();
    link.remove();
  });
  return menu;
}
