// The interface's words, in the language of the reader, from one file.

let words = {};
let language = "en";

/** Load the words; the language is the one chosen last, else the browser's. */
export async function loadTexts() {
  const all = await (await fetch("static/texts.json")).json();
  const wished = localStorage.getItem("language") ?? navigator.language.slice(0, 2);
  language = wished in all ? wished : "en";
  words = { ...all.en, ...all[language] };
  document.documentElement.lang = language;
}

/** Return the text of a name with {places} filled in. */
export function t(name, values = {}) {
  const text = words[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** Fill in every element that names its text. */
export function translate(root = document) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    element.title = t(element.dataset.tLabel);
  }
}

export const currentLanguage = () => language;

export function chooseLanguage(wished) {
  localStorage.setItem("language", wished);
  location.reload();
}

/** Return a share as a percentage in the reader's language. */
export const percent = (share, digits = 0) =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits, minimumFractionDigits: digits }).format(share);
