// Where the events of the last hour came from.

import { path } from "./api.js";
import { byId, element, fillSelect, keep, setText } from "./dom.js";
import * as format from "./format.js";
import { panel } from "./panel.js";
import { TYPES, TYPE_OPTIONS } from "./types.js";

const MOST = 10;

/** `seen(names)` is told of the regions. */
export function regionsPanel(seen) {
  const type = byId("regions-type");
  const rows = byId("regions-rows");
  fillSelect(type, TYPE_OPTIONS);

  const load = (api) => api.get(path("/api/metrics/realtime", { event_type: type.value }));
  const made = panel(byId("regions"), 5000, load, (answer) => {
    const shares = sharesOf(answer);
    const most = Math.max(1, ...shares.map(([, count]) => count));
    rows.dataset.colour = TYPES.find(({ name }) => name === answer.event_type)?.colour;
    keep(rows, shares.length ? shares : [["No events in the last hour", null]], ([name]) => name, makeRow, (row, [name, count]) => fill(row, name, count, most, answer.total_count));
    seen(Object.keys(answer.region_distribution));
  });
  type.addEventListener("change", () => made.changed());
  return made;
}

/** Regions and counts, largest first; the last two stand for what has no row of its own. */
function sharesOf({ region_distribution: distribution, total_count: total }) {
  const regions = Object.entries(distribution).map(([name, text]) => [name, Number(text)]).sort((a, b) => b[1] - a[1]);
  const without = total - regions.reduce((sum, [, count]) => sum + count, 0);
  const further = regions.slice(MOST).reduce((sum, [, count]) => sum + count, 0);
  const shown = regions.slice(0, MOST);
  if (further > 0) shown.push([`${regions.length - MOST} further`, further]);
  if (without > 0) shown.push(["without a region", without]);
  return shown;
}

function makeRow([name]) {
  return element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "bar" }, element("span")), element("td", { class: "number" }));
}

function fill(row, name, count, most, total) {
  setText(row.cells[0], name);
  const known = count !== null;
  row.cells[1].firstElementChild.hidden = !known;
  row.cells[1].firstElementChild.style.inlineSize = known ? `${(100 * count) / most}%` : "0";
  setText(row.cells[2], known ? `${format.count(count)} (${Math.round((100 * count) / Math.max(1, total))} %)` : "");
}
