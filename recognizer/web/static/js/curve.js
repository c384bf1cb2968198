// The curve of a learning: error rate on the lines held back, and loss, by epoch.

import { svg } from "./dom.js";
import { percent, t } from "./texts.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 260, 52, 20, 16, 34];

/** Draw the epochs of a learning; `before` is the error rate of the model that it began with. */
export function curve({ curve: rows, epochs, before }) {
  const rates = [...rows.map((row) => row.cer), before ?? 0];
  const most = Math.max(0.01, ...rates) * 1.1;
  const losses = rows.map((row) => row.loss).filter((loss) => loss !== null);
  const worst = Math.max(0.001, ...losses) * 1.1;
  const x = (epoch) => LEFT + ((WIDTH - LEFT - RIGHT) * epoch) / Math.max(1, epochs);
  const y = (share) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;
  const start = before === null ? [] : [[x(0), y(before / most)]];
  const cer = [...start, ...rows.map((row) => [x(row.epoch), y(row.cer / most)])];
  const loss = rows.filter((row) => row.loss !== null).map((row) => [x(row.epoch), y(row.loss / worst)]);
  const points = (list) => list.map((pair) => pair.map((value) => value.toFixed(1)).join(",")).join(" ");
  const ticks = [0, 0.5, 1].map((share) => svg("g", {},
    svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share / 1.1), y2: y(share / 1.1) }),
    svg("text", { x: LEFT - 8, y: y(share / 1.1) + 4, "text-anchor": "end" }, percent((share * most) / 1.1, 1))));
  return svg("svg", { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("curve") },
    ticks,
    before !== null && svg("line", { class: "before", x1: LEFT, x2: WIDTH - RIGHT, y1: y(before / most), y2: y(before / most) }),
    svg("polyline", { class: "loss", points: points(loss) }),
    svg("polyline", { class: "cer", points: points(cer) }),
    cer.map(([cx, cy]) => svg("circle", { class: "dot", cx, cy, r: 3 })),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 8, "text-anchor": "end" }, `${t("epoch")} ${rows.length} / ${epochs}`),
    svg("text", { x: LEFT, y: HEIGHT - 8 }, `— ${t("characters_wrong")}   - - ${t("loss")}`));
}
