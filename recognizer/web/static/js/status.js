// The one line at the top that says what goes on, and what went wrong.

import { t } from "./texts.js";

const place = () => document.getElementById("status");

export function say(text) {
  place().classList.remove("fault");
  place().textContent = text;
}

export function complain(error) {
  place().classList.add("fault");
  place().textContent = error.message ?? String(error);
}

/** Do something that takes a while, saying so; a fault is said in its one line. Return what came out, or undefined. */
export async function working(name, work) {
  say(t(name));
  document.body.setAttribute("aria-busy", "true");
  try {
    const made = await work();
    if (place().textContent === t(name)) say("");
    return made;
  } catch (error) {
    complain(error);
    return undefined;
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

/** Say how a draft fares until `signal` aborts. */
export function watch(draft, signal) {
  const tell = (state) => {
    document.body.dataset.draft = state;
    say(t(`draft_${state}`));
  };
  draft.addEventListener("keeping", () => tell("keeping"), { signal });
  draft.addEventListener("kept", () => tell("kept"), { signal });
  draft.addEventListener("elsewhere", () => say(t("reload_hint")), { signal });
  draft.addEventListener("fault", (event) => complain(event.detail.error), { signal });
}
