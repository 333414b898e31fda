// One series with what was expected of it, and where it was anomalous.

import { apiTime, path } from "./api.js";
import { Chart, colour, line, table, whenOpened } from "./charts.js";
import { byId, fillSelect } from "./dom.js";
import * as format from "./format.js";
import { panel } from "./panel.js";
import { labelOf, TYPE_OPTIONS } from "./types.js";

const MINUTE = 60;
const MOST_TABLE_ROWS = 180;

export function seriesPanel() {
  const [type, region, metric, range] = ["type", "region", "metric", "range"].map((name) => byId(`series-${name}`));
  const tableRegion = byId("series-table");
  let drawn = null;
  const hooks = { drawAxes: (plot) => shade(plot, drawn), draw: (plot) => mark(plot, drawn) };
  const chart = new Chart(byId("series-chart"), { height: 270, hooks, reach: (low, high) => reach(low, high, drawn) });
  fillSelect(type, TYPE_OPTIONS);
  type.value = "transaction";

  async function load(api) {
    const to = Math.floor(Date.now() / 1000 / MINUTE) * MINUTE + MINUTE;
    const from = to - range.value * 3600;
    const query = { event_type: type.value, region: region.value, metric: metric.value, start_time: apiTime(from * 1000), end_time: apiTime(to * 1000) };
    const found = await api.get(path("/api/series", query));
    return { ...found, from, to, asked: query };
  }

  function show(data) {
    drawn = data;
    const { points, anomalies, from, to, asked } = data;
    const columns = ["low", "high", "expected", "value"].map((name) => points.map((point) => point[name] ?? null));
    const times = points.map((point) => Date.parse(point.timestamp) / 1000);
    chart.options.zero = asked.metric === "count";
    chart.update({ lines: lines(), bands: [{ series: [2, 1], fill: () => colour("band") }], data: [times, ...columns], from, to, words: inWords(data) });
    const marked = new Set(anomalies.map((anomaly) => Date.parse(anomaly.window_start)));
    const rows = points.slice(-MOST_TABLE_ROWS).reverse().map((point) => {
      const own = ["value", "expected", "low", "high"].map((name) => format.figure(point[name]));
      return [format.time(point.timestamp), ...own, marked.has(Date.parse(point.timestamp)) ? "yes" : ""];
    });
    table(tableRegion, ["From", "Observed", "Expected", "Usual from", "to", "Anomaly"], rows, `The newest ${rows.length} minutes`);
  }

  const made = panel(byId("series"), 15000, load, show);
  for (const select of [type, region, metric, range]) select.addEventListener("change", () => made.changed());
  whenOpened(tableRegion, () => drawn && show(drawn));

  /** Offers these regions too. */
  made.offer = (names) => {
    const known = [...region.options].map((option) => option.value).filter(Boolean);
    const all = [...new Set([...known, ...names])].sort();
    fillSelect(region, [["", "all"], ...all.map((name) => [name, name])]);
  };

  /** Shows the series of an anomaly, far enough back. */
  made.look = (anomaly) => {
    made.offer(anomaly.region ? [anomaly.region] : []);
    type.value = anomaly.event_type;
    region.value = anomaly.region ?? "";
    metric.value = anomaly.metric ?? "count";
    const hours = (Date.now() - Date.parse(anomaly.window_start ?? anomaly.detected_at)) / 3.6e6;
    range.value = [...range.options].map((option) => option.value).find((value) => value > hours + 0.2) ?? "24";
    made.changed();
  };
  return made;
}

function lines() {
  return [
    { ...line("usual from", "expected", { width: 0 }), stroke: "transparent", auto: false },
    { ...line("usual to", "expected", { width: 0 }), stroke: "transparent", auto: false },
    line("expected", "expected", { dash: [6, 4], width: 1.25 }),
    line("observed", "observed", { width: 1.75 }),
  ];
}

/** As much of the usual range as leaves the line its place, and nothing below zero where no value is. */
function reach(low, high, { points }) {
  const room = 0.4 * (high - low);
  const known = points.filter((point) => typeof point.low === "number");
  const least = Math.max(low - room, Math.min(low, ...known.map((point) => point.low)));
  const most = Math.min(high + room, Math.max(high, ...known.map((point) => point.high)));
  return [low >= 0 ? Math.max(0, least) : least, most];
}

/** Where the windows of the anomalies lie on the canvas, and the values in them. */
function places(plot, data) {
  const at = (seconds) => plot.valToPos(seconds, "x", true);
  return (data?.anomalies ?? []).map((anomaly) => {
    const begin = Date.parse(anomaly.window_start) / 1000;
    const end = Date.parse(anomaly.window_end) / 1000;
    const found = plot.data[0].findIndex((time) => time >= begin && time < Math.max(end, begin + MINUTE));
    const value = found < 0 ? null : plot.data[4][found];
    return { left: at(begin), right: at(end), x: found < 0 ? at(begin) : at(plot.data[0][found]), value, open: !anomaly.acknowledged };
  });
}

function shade(plot, data) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("mark");
  ctx.globalAlpha = 0.14;
  for (const { left, right } of places(plot, data)) {
    const width = Math.max(right - left, 3 * devicePixelRatio);
    if (left + width >= bbox.left) ctx.fillRect(Math.max(left, bbox.left), bbox.top, width, bbox.height);
  }
  ctx.restore();
}

/** A diamond at each anomaly: full while it is open, hollow once it is acknowledged. */
function mark(plot, data) {
  const { ctx, bbox } = plot;
  const size = 5.5 * devicePixelRatio;
  ctx.save();
  Object.assign(ctx, { lineWidth: 2 * devicePixelRatio, strokeStyle: colour("mark") });
  for (const { x, value, open } of places(plot, data)) {
    if (x < bbox.left) continue;
    const y = value === null ? bbox.top + size : plot.valToPos(value, "y", true);
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    for (const [right, down] of [[size, 0], [0, size], [-size, 0]]) ctx.lineTo(x + right, y + down);
    ctx.closePath();
    ctx.fillStyle = colour(open ? "mark" : "panel");
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

function inWords({ points, anomalies, asked }) {
  const what = `${labelOf(asked.event_type)}${asked.region ? ` of ${asked.region}` : ""}, ${asked.metric === "count" ? "events a minute" : "mean value"}`;
  const last = points.findLast((point) => point.value !== null && point.value !== undefined);
  if (!last) return `${what}: nothing yet`;
  const expected = last.expected === null || last.expected === undefined ? "nothing is expected yet" : `${format.figure(last.expected)} expected`;
  const found = anomalies.map((anomaly) => `${anomaly.severity} at ${format.time(anomaly.window_start)}`).join(", ");
  return `${what} since ${format.time(points[0].timestamp)}. At ${format.time(last.timestamp)}: ${format.figure(last.value)}, ${expected}. ${anomalies.length ? `Anomalies: ${found}` : "No anomalies"}.`;
}
