// Events a minute over time, by type, or by the regions of one type.

import { apiTime, path } from "./api.js";
import { Chart, legend, line, table, whenOpened } from "./charts.js";
import { byId, fillSelect } from "./dom.js";
import * as format from "./format.js";
import { panel } from "./panel.js";
import { LOOKS, TYPES } from "./types.js";

// Windows in seconds by range in hours, so that five types fit into one answer.
const WINDOWS = { 1: 60, 6: 300, 24: 900, 168: 3600 };
const MOST_ROWS = 1000;
const MOST_ANSWERS = 10;
// The window of now counts once this share of it is over, for what there is of it.
const LEAST_SHARE = 0.2;

export function ratesPanel() {
  const split = byId("rates-split");
  const range = byId("rates-range");
  const chart = new Chart(byId("rates-chart"));
  const region = byId("rates-table");
  const hidden = new Set();
  let drawn = null;
  let legendOf = "";
  fillSelect(split, [["", "event type"], ...TYPES.map(({ name, label }) => [name, `region: ${label.toLowerCase()}`])]);

  const wanted = () => {
    const window = WINDOWS[range.value];
    const now = Date.now() / 1000;
    const from = Math.floor((now - range.value * 3600) / window) * window + window;
    return { window, now, from, type: split.value };
  };

  async function load(api) {
    const { window, now, from, type } = wanted();
    const query = { window, start_time: apiTime(from * 1000), ...(type ? { event_type: type, group_by: "region" } : {}) };
    return { aggregations: await everything(api, query), window, now, from, type };
  }

  function show(data) {
    drawn = data;
    const names = data.type ? largest(data.aggregations) : TYPES.map(({ name }) => name);
    const lines = names.map((name, at) => described(name, at, data.type, hidden));
    const times = timesOf(data);
    const rates = names.map((name) => ratesOf(name, names, data, times));
    const key = JSON.stringify([data.type, names]);
    if (key !== legendOf) {
      legend(byId("rates-legend"), names.map((name, at) => ({ name, label: lines[at].label, look: lookOf(at, data.type), shown: !hidden.has(name) })), toggle);
    }
    legendOf = key;
    chart.update({ lines, data: [times, ...rates], from: data.from, to: data.now, words: inWords(lines, times, rates) });
    const rows = times.map((time, at) => [format.time(time * 1000), ...rates.map((rate) => format.figure(rate[at]))]).reverse();
    table(region, ["From", ...lines.map(({ label }) => label)], rows, "Events a minute, newest first");
  }

  function toggle(name, shown) {
    if (shown) hidden.delete(name);
    else hidden.add(name);
    show(drawn);
  }

  const made = panel(byId("rates"), 15000, load, show);
  for (const select of [split, range]) select.addEventListener("change", () => made.changed());
  whenOpened(region, () => drawn && show(drawn));
  return made;
}

/** All windows that were asked for, newest first: many regions take more than one answer. */
async function everything(api, query) {
  const found = [];
  let end = null;
  for (let answers = 0; answers < MOST_ANSWERS; answers += 1) {
    const { aggregations } = await api.get(path("/api/aggregations", { ...query, limit: MOST_ROWS, end_time: end && apiTime(end) }));
    const oldest = aggregations.at(-1)?.window_start;
    const whole = aggregations.length < MOST_ROWS || end === Date.parse(oldest) + query.window * 1000;
    // The oldest window of a full answer may be cut: the next answer begins with it.
    found.push(...(whole ? aggregations : aggregations.filter((entry) => entry.window_start !== oldest)));
    if (whole) break;
    end = Date.parse(oldest) + query.window * 1000;
  }
  return found;
}

const regionOf = (entry) => entry.region ?? "no region";
const lookOf = (at, byRegion) => (byRegion ? LOOKS[Math.min(at, LOOKS.length - 1)] : LOOKS[at]);

/** The regions with most events, and `further` where there are more than can be told apart. */
function largest(aggregations) {
  const sums = new Map();
  for (const entry of aggregations) sums.set(regionOf(entry), (sums.get(regionOf(entry)) ?? 0) + entry.count);
  const names = [...sums.keys()].sort((a, b) => sums.get(b) - sums.get(a));
  return names.length > LOOKS.length ? [...names.slice(0, LOOKS.length - 1), "further"] : names;
}

function described(name, at, byRegion, hidden) {
  const { colour, dash } = lookOf(at, byRegion);
  const label = byRegion ? name : TYPES[at].label;
  return line(label, colour, { dash, show: !hidden.has(name) });
}

function timesOf({ from, now, window }) {
  const share = (now % window) / window;
  const until = share < LEAST_SHARE ? now - window : now;
  const times = [];
  for (let time = from; time <= until; time += window) times.push(time);
  return times;
}

/** Events a minute of one line; windows without events are zeros. */
function ratesOf(name, names, { aggregations, window, now, type }, times) {
  const counts = new Map();
  for (const entry of aggregations) {
    const own = type ? regionOf(entry) : entry.event_type;
    if (own !== name && !(name === "further" && !names.includes(own))) continue;
    const time = Date.parse(entry.window_start) / 1000;
    counts.set(time, (counts.get(time) ?? 0) + entry.count);
  }
  return times.map((time) => ((counts.get(time) ?? 0) * 60) / Math.min(window, Math.max(1, now - time)));
}

function inWords(lines, times, rates) {
  if (!times.length) return "No events a minute yet";
  const told = lines.flatMap(({ label, show }, at) => {
    if (!show) return [];
    const highest = rates[at].indexOf(Math.max(...rates[at]));
    return [`${label}: now ${format.figure(rates[at].at(-1))}, at most ${format.figure(rates[at][highest])} at ${format.time(times[highest] * 1000)}`];
  });
  return `Events a minute since ${format.time(times[0] * 1000)}. ${told.join(". ")}.`;
}
