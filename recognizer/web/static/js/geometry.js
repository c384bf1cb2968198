// Outlines and baselines: points [x, y] in pixels of the page, y downwards.

const distance = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by);

/** Return the share, 0 to 1, of the way from the first to the last point of a baseline that is nearest to a point. */
function shareAlong(baseline, [x, y]) {
  const [ax, ay] = baseline[0];
  const [bx, by] = baseline[baseline.length - 1];
  const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
  return Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
}

/** Return a line's outline and baseline with one end ("start" or "end") moved; the other end stays where it is. */
export function movedEnd(line, end, dx, dy) {
  const baseline = baselineOf(line);
  const move = ([x, y]) => {
    const share = shareAlong(baseline, [x, y]);
    const part = end === "end" ? share : 1 - share;
    return [x + dx * part, y + dy * part];
  };
  return { outline: line.outline.map(move), baseline: baseline.map(move), moved: true };
}

/** Return a line's baseline, or, where it has none, one through the lower third of its outline. */
export function baselineOf(line) {
  if (line.baseline.length > 1) return line.baseline;
  const { left, right, top, bottom } = boxOf(line.outline);
  const y = top + (bottom - top) * 0.7;
  return [[left, y], [right, y]];
}

export function boxOf(points) {
  const across = points.map(([x]) => x);
  const down = points.map(([, y]) => y);
  return { left: Math.min(...across), right: Math.max(...across), top: Math.min(...down), bottom: Math.max(...down) };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Return the outline around a baseline, as high as the page's other lines are. */
export function outlineAround(baseline, lines, pageHeight) {
  const placed = lines.filter((line) => line.outline.length > 2);
  const heights = placed.map((line) => {
    const middle = baselineOf(line).reduce((sum, [, y]) => sum + y, 0) / baselineOf(line).length;
    const { top, bottom } = boxOf(line.outline);
    return [middle - top, bottom - middle];
  });
  const above = heights.length ? median(heights.map(([up]) => up)) : pageHeight / 40;
  const below = heights.length ? median(heights.map(([, down]) => down)) : pageHeight / 100;
  const upper = baseline.map(([x, y]) => [x, y - above]);
  const lower = baseline.map(([x, y]) => [x, y + below]).reverse();
  return [...upper, ...lower];
}

/** Return the two parts (outline, baseline) of a line that is cut at a share of its baseline's length. */
export function cutAt(line, share) {
  const baseline = baselineOf(line);
  const [first, second] = cutPolyline(baseline, share);
  const [x, y] = second[0];
  const [ax, ay] = baseline[0];
  const [bx, by] = baseline[baseline.length - 1];
  const side = ([px, py]) => (px - x) * (bx - ax) + (py - y) * (by - ay);
  return [
    { outline: clipped(line.outline, (point) => -side(point)), baseline: first },
    { outline: clipped(line.outline, side), baseline: second },
  ];
}

function cutPolyline(points, share) {
  const lengths = points.slice(1).map((point, i) => distance(points[i], point));
  let left = share * lengths.reduce((sum, length) => sum + length, 0);
  for (let i = 0; i < lengths.length; i++) {
    if (left <= lengths[i] || i === lengths.length - 1) {
      const part = lengths[i] ? Math.min(1, left / lengths[i]) : 0;
      const middle = points[i].map((value, axis) => value + (points[i + 1][axis] - value) * part);
      return [[...points.slice(0, i + 1), middle], [middle, ...points.slice(i + 1)]];
    }
    left -= lengths[i];
  }
  return [points, points];
}

/** Return the part of a polygon where `side` is not negative (Sutherland and Hodgman 1974). */
function clipped(polygon, side) {
  const kept = [];
  polygon.forEach((point, i) => {
    const before = polygon[(i + polygon.length - 1) % polygon.length];
    const [a, b] = [side(before), side(point)];
    if (a < 0 !== b < 0) {
      const part = a / (a - b);
      kept.push(before.map((value, axis) => value + (point[axis] - value) * part));
    }
    if (b >= 0) kept.push(point);
  });
  return kept;
}

export const inText = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
