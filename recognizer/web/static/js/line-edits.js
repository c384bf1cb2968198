// Lines added, deleted, split, put in another order: what becomes of a draft's lines.

import { baselineOf, cutAt, outlineAround } from "./geometry.js";
import { placeWords } from "./words.js";

const GAP = 1.0; // heights of a line by which one that is added by key stands lower

const fresh = () => `n${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;

const made = (values) => ({
  id: fresh(), text: "", state: "empty", outline: [], baseline: [], reading: null, moved: true, given: null, start: 0, end: 0, ...values,
});

/** Return the lines with one more along a baseline, in reading order by its height, and its id. */
export function withLineDrawn(lines, baseline, pageHeight) {
  const line = made({ baseline, outline: outlineAround(baseline, lines, pageHeight) });
  const middle = (baseline[0][1] + baseline.at(-1)[1]) / 2;
  const after = lines.findLastIndex((one) => one.outline.length > 2 && baselineOf(one)[0][1] <= middle);
  return [lines.toSpliced(after + 1, 0, line), line.id];
}

/** Return the lines with one more below a line, as long as that one, and its id. */
export function withLineBelow(lines, id, pageHeight) {
  const index = lines.findIndex((line) => line.id === id);
  const above = lines[index];
  const baseline = baselineOf(above);
  const outline = outlineAround(baseline, lines, pageHeight);
  const height = Math.max(...outline.map(([, y]) => y)) - Math.min(...outline.map(([, y]) => y));
  const lower = (points) => points.map(([x, y]) => [x, Math.min(pageHeight, y + GAP * height)]);
  const line = made({ baseline: lower(baseline), outline: lower(outline) });
  return [lines.toSpliced(index + 1, 0, line), line.id];
}

export function without(lines, id) {
  return lines.filter((line) => line.id !== id);
}

/** Return the lines with one of them a place up (-1) or down (1). */
export function shifted(lines, id, by) {
  const index = lines.findIndex((line) => line.id === id);
  const to = index + by;
  if (to < 0 || to >= lines.length) return lines;
  return lines.toSpliced(index, 1).toSpliced(to, 0, lines[index]);
}

/** Return the lines with one cut in two at a place of its text, and the id of the second; null where that cannot be. */
export function split(lines, id, at) {
  const index = lines.findIndex((line) => line.id === id);
  const line = lines[index];
  const [head, tail] = [line.text.slice(0, at).trim(), line.text.slice(at).trim()];
  if (!head || !tail) return null;
  const words = placeWords(line.text, line.reading);
  const next = words.findIndex((word) => word.at + word.text.length > at);
  const extent = line.reading?.extent ?? line.text.length;
  const place = words[next]?.start !== null && line.reading ? ((words[next - 1]?.end ?? 0) + words[next].start) / 2 : at;
  const share = Math.min(0.98, Math.max(0.02, place / extent));
  const state = line.state === "read" ? "read" : "corrected";
  const [first, second] = line.outline.length > 2
    ? cutAt(line, share)
    : [{ start: line.start, end: place }, { start: place, end: line.end }];
  const one = { ...line, ...first, text: head, state, reading: partOf(line.reading, 0, next), moved: true };
  const two = made({ ...second, text: tail, state, reading: partOf(line.reading, next), given: null });
  return [lines.toSpliced(index, 1, one, two), two.id];
}

/** Return a recording's reading with some of its words; of a page's line places change, so it is read again. */
function partOf(reading, from, to) {
  if (!reading) return null;
  const words = reading.words.slice(from, to);
  return { ...reading, words, text: words.map((word) => word.text).join(" ") };
}
