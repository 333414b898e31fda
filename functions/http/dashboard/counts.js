// The tiles at the top: how many events of each type, and how many anomalies.

import { apiTime, path } from "./api.js";
import { Chart, line } from "./charts.js";
import { byId, element, setText } from "./dom.js";
import * as format from "./format.js";
import { panel } from "./panel.js";
import { TYPES } from "./types.js";

const MINUTE = 60;
const HOUR = 3600;
const sparks = new Map();

/** The panel of the counts; `seen(total)` is told how many events the last day had. */
export function countsPanel(seen) {
  const tiles = [...TYPES, { name: "anomalies" }].map((type) => [makeTile(type), type.name]);
  byId("tiles").replaceChildren(...tiles.map(([tile]) => tile));
  return panel(byId("counts"), 5000, (api) => api.get("/api/dashboard/summary"), ({ summary }) => {
    for (const [tile, name] of tiles) fill(tile, name, summary);
    seen(Object.values(summary.event_counts_24h).reduce((sum, each) => sum + each, 0));
  });
}

/** The little lines in the tiles: the last hour, minute by minute. */
export function sparksPanel() {
  const load = (api) => api.get(path("/api/aggregations", { window: MINUTE, start_time: apiTime(start() * 1000), limit: 1000 }));
  const show = ({ aggregations }) => {
    for (const { name, colour } of TYPES) drawSpark(name, colour, aggregations);
  };
  // Without them the tiles tell as much.
  return { every: 20000, load, show, fail: () => {} };
}

const start = () => Math.floor(Date.now() / 1000 / MINUTE) * MINUTE - HOUR;

function drawSpark(name, colour, aggregations) {
  const counted = new Map(aggregations.filter((each) => each.event_type === name).map((each) => [Date.parse(each.window_start) / 1000, each.count]));
  const from = start();
  // The minute of now is not over, and would look like a fall.
  const times = Array.from({ length: HOUR / MINUTE }, (_, at) => from + at * MINUTE);
  if (!sparks.has(name)) sparks.set(name, new Chart(byId(`spark-${name}`), { height: 34, bare: true }));
  const words = "The last hour, minute by minute";
  sparks.get(name).update({ lines: [line(name, colour, { width: 1.5 })], data: [times, times.map((time) => counted.get(time) ?? 0)], from, to: from + HOUR - MINUTE, words });
}

function makeTile(type) {
  if (type.name === "anomalies") {
    return element(
      "li",
      { class: "tile" },
      element("h3", {}, "Anomalies"),
      element("p", { class: "big", "data-figure": "anomalies-24h" }, format.UNKNOWN),
      element("span", {}, "detected in 24 hours"),
      element("p", { class: "foot" }, element("a", { href: "#anomalies" }, "See the list")),
    );
  }
  const figure = (name, label) => element("div", {}, element("dt", {}, label), element("dd", { "data-figure": name }, format.UNKNOWN));
  return element(
    "li",
    { class: "tile", "data-colour": type.colour },
    element("h3", {}, element("span", { class: "swatch", "data-shape": type.shape, "aria-hidden": "true" }), type.label),
    element("p", { class: "big", "data-figure": "five-minutes" }, format.UNKNOWN),
    element("span", {}, "in the last 5 minutes"),
    element("dl", {}, figure("hour", "hour"), figure("day", "24 hours")),
    element("div", { class: "spark", id: `spark-${type.name}` }),
  );
}

function fill(tile, name, summary) {
  const set = (figure, value) => setText(tile.querySelector(`[data-figure="${figure}"]`), format.count(value));
  if (name === "anomalies") return set("anomalies-24h", summary.anomalies_24h);
  set("five-minutes", summary.realtime_counts[name] ?? 0);
  set("hour", summary.recent_aggregations_1h[name] ?? 0);
  set("day", summary.event_counts_24h[name] ?? 0);
}
