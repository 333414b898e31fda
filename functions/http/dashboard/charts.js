// Charts over time, by uPlot: in the page's colours, as wide as there is room, readable by pointer and in words.

import uPlot from "./uplot.js";
import { element, setAttribute } from "./dom.js";
import * as format from "./format.js";

const resolved = new Map();
const charts = new Set();

/** A colour of colours.css as canvases take it, for the theme of now. */
export function colour(name) {
  if (!resolved.has(name)) {
    const probe = element("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    resolved.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return resolved.get(name);
}

/** To be called when the theme changed: every chart is painted anew. */
export function repaint() {
  resolved.clear();
  for (const chart of charts) chart.plot?.redraw(false, true);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

/** A line of a chart. `format` is for the values under the pointer. */
export function line(label, name, { dash = [], width = 1.75, show = true, format: shown = format.figure } = {}) {
  return { label, stroke: () => colour(name), width, dash, show, points: { show: false }, shown, colour: name };
}

/**
 * A chart in `host`. `options`: `height`, `bare` (no axes, no pointer), `zero` (the scale starts at zero),
 * `reach` (what else is to be seen, given the least and the most that lines reach) and `hooks` of uPlot. `update` gives it lines, data and the span of time, and says it in words.
 */
export class Chart {
  constructor(host, options = {}) {
    this.host = host;
    this.options = { height: 230, zero: true, reach: (...values) => values, hooks: {}, ...options };
    this.plot = null;
    this.shape = "";
    this.span = [0, 1];
    charts.add(this);
    new ResizeObserver(() => this.fit()).observe(host);
  }

  /** `data` is uPlot's: times in seconds, then a list for each of `lines`. */
  update({ lines, bands = [], data, from, to, words }) {
    this.span = [from, to];
    const shape = JSON.stringify([lines.map(({ label, colour: name, dash }) => [label, name, dash]), bands.length]);
    if (this.plot && shape === this.shape) this.plot.setData(data);
    else this.build(lines, bands, data);
    this.shape = shape;
    lines.forEach(({ show }, index) => {
      if (this.plot.series[index + 1].show !== show) this.plot.setSeries(index + 1, { show });
    });
    setAttribute(this.host, "role", "img");
    setAttribute(this.host, "aria-label", words);
  }

  build(lines, bands, data) {
    this.plot?.destroy();
    const { height, hooks, bare } = this.options;
    const tip = bare ? {} : tooltip(this.host);
    const options = {
      width: this.width,
      height,
      series: [{}, ...lines],
      bands,
      legend: { show: false },
      cursor: bare ? { show: false } : { drag: { x: false, y: false }, points: { size: 7 } },
      padding: bare ? [3, 1, 3, 1] : [10, 20, 0, 0],
      scales: { x: { time: true, range: () => this.span }, y: { range: (_, low, high) => this.range(low, high) } },
      axes: bare ? [{ show: false }, { show: false }] : axes(this.host),
      hooks: Object.fromEntries(Object.entries({ ...hooks, ...tip }).map(([name, hook]) => [name, [hook]])),
    };
    this.plot = new uPlot(options, data, this.host);
  }

  /** The scale for values from `low` to `high`, with some room. */
  range(low, high) {
    if (low === null || high === null) return [0, 1];
    const [least, most] = this.options.reach(low, high);
    const room = (most - least || Math.abs(most) || 1) * 0.08;
    if (this.options.zero) return [0, Math.max(most + room, 1)];
    return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
  }

  fit() {
    const { width } = this;
    if (this.plot && width !== this.plot.width && width > 0) this.plot.setSize({ width, height: this.options.height });
  }

  get width() {
    return Math.floor(this.host.clientWidth) || 300;
  }
}

function axes(host) {
  const font = `12px ${getComputedStyle(host).fontFamily}`;
  const look = { stroke: () => colour("quiet"), font, ticks: { show: false } };
  const grid = { stroke: () => colour("grid"), width: 1 };
  return [
    { ...look, grid: { show: false }, space: 74, size: 26, gap: 6, values: (_, splits) => format.axisTimes(splits) },
    { ...look, grid, space: 38, size: 46, gap: 6, values: (_, splits) => splits.map(format.axis) },
  ];
}

/** Hooks of uPlot that show the values under the pointer. What they say stands in the table too. */
function tooltip(host) {
  const tip = element("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const setCursor = (plot) => {
    const { idx, left } = plot.cursor;
    const shown = idx !== null && idx !== undefined && left >= 0 && plot.data[0].length > 0;
    tip.hidden = !shown;
    if (!shown) return;
    const rows = plot.series.slice(1).flatMap((series, at) => (series.show && series.shown ? [row(series, plot.data[at + 1][idx])] : []));
    tip.replaceChildren(element("strong", {}, format.time(plot.data[0][idx] * 1000)), ...rows);
    const { clientWidth } = host;
    const place = plot.over.offsetLeft + left;
    const right = place > clientWidth / 2;
    tip.style.left = right ? "auto" : `${place + 14}px`;
    tip.style.right = right ? `${clientWidth - place + 14}px` : "auto";
  };
  return { ready: () => host.append(tip), setCursor, destroy: () => tip.remove() };
}

function row(series, value) {
  const swatch = element("i", { class: "swatch", "data-shape": "bar" });
  swatch.style.background = colour(series.colour);
  return element("span", {}, swatch, series.label, element("b", {}, series.shown(value)));
}

/** Buttons that show and hide lines; `toggle(name, shown)` is called for each change. */
export function legend(root, items, toggle) {
  root.replaceChildren(
    ...items.map(({ name, label, look, shown }) => {
      const button = element("button", { type: "button", "aria-pressed": String(shown), "data-colour": look.colour }, sample(look.dash), label);
      button.addEventListener("click", () => {
        const pressed = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(pressed));
        toggle(name, pressed);
      });
      return button;
    }),
  );
}

function sample(dash) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of [["viewBox", "0 0 24 8"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
  for (const [key, value] of [["d", "M0 4H24"], ["stroke-width", "2.5"], ["stroke-dasharray", dash.join(" ")]]) stroke.setAttribute(key, value);
  svg.append(stroke);
  return svg;
}

/** The same figures as a table, newest first, made while it is open. `rows` are lists of texts. */
export function table(region, titles, rows, caption) {
  if (!region.closest("details").open) return;
  const head = element("tr", {}, ...titles.map((title, at) => element("th", { scope: "col", class: at ? "number" : null }, title)));
  const body = rows.map(([first, ...others]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...others.map((text) => element("td", { class: "number" }, text))),
  );
  const made = element("table", {}, element("caption", { class: "visually-hidden" }, caption), element("thead", {}, head), element("tbody", {}, ...body));
  if (region.firstElementChild?.innerText !== made.innerText) region.replaceChildren(made);
}

/** Has `details` filled when it is opened. */
export function whenOpened(region, fill) {
  region.closest("details").addEventListener("toggle", fill);
}

