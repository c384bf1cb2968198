// The words of a text with the places and confidences of those that were read.

/** Split a text into words with where they begin. */
export function wordsOf(text) {
  return [...text.matchAll(/\S+/g)].map((found) => ({ text: found[0], at: found.index }));
}

/**
 * Return the words of `text`, each with confidence (null where a person wrote it), start, end and outline:
 * those that were read as they are keep theirs, as many others as were read between the same neighbours take
 * their places, and any others share the way between by their lengths.
 */
export function placeWords(text, reading) {
  const words = wordsOf(text).map((word) => ({ ...word, confidence: null, start: null, end: null, outline: [] }));
  if (!reading) return words;
  const pairs = matched(words.map((word) => word.text), reading.words.map((word) => word.text));
  pairs.push([words.length, reading.words.length]);
  let [mine, read] = [0, 0];
  for (const [i, j] of pairs) {
    fill(words.slice(mine, i), reading.words.slice(read, j), between(reading, read, j));
    if (i < words.length) {
      const { confidence, start, end, outline } = reading.words[j];
      Object.assign(words[i], { confidence, start, end, outline });
    }
    [mine, read] = [i + 1, j + 1];
  }
  return words;
}

function between(reading, from, to) {
  const last = reading.words[from - 1]?.end ?? 0;
  const next = reading.words[to]?.start ?? reading.extent;
  return [last, next];
}

function fill(words, read, [from, to]) {
  if (words.length === read.length) {
    words.forEach((word, i) => Object.assign(word, { start: read[i].start, end: read[i].end, outline: read[i].outline }));
    return;
  }
  if (read.length) [from, to] = [read[0].start, read[read.length - 1].end];
  const letters = words.reduce((sum, word) => sum + word.text.length + 1, 0) || 1;
  let at = 0;
  for (const word of words) {
    word.start = from + ((to - from) * at) / letters;
    at += word.text.length + 1;
    word.end = from + ((to - from) * at) / letters;
  }
}

/** Return index pairs of a longest common subsequence. */
export function matched(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  const pairs = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (table[i + 1][j] >= table[i][j + 1]) i++;
    else j++;
  }
  return pairs;
}
