// What is shown as doubtful: words below a confidence that the reader chooses.

const KEY = "below";
let below = Number(localStorage.getItem(KEY) ?? 0.8);
const changed = new EventTarget();

export const threshold = () => below;

export function setThreshold(value) {
  below = value;
  localStorage.setItem(KEY, String(value));
  changed.dispatchEvent(new Event("change"));
}

/** Call when the threshold changes, until `signal` aborts. */
export const onThreshold = (call, signal) => changed.addEventListener("change", call, { signal });

/** Mark an element by the confidence of its word: the less sure, the stronger; null is sure, a person wrote it. */
export function showDoubt(element, confidence) {
  const doubtful = confidence !== null && confidence < below;
  element.classList.toggle("doubtful", doubtful);
  if (doubtful) element.style.setProperty("--much", (0.12 + 0.45 * (1 - confidence / below)).toFixed(2));
}

export const isDoubtful = (line) =>
  line.state === "read" && (line.reading?.words ?? []).some((word) => word.confidence < below);
