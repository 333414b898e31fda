// The anomalies, newest first, each to be looked at and acknowledged.

import { path } from "./api.js";
import { announce, busy, byId, element, keep, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { panel, tell } from "./panel.js";
import { labelOf } from "./types.js";

const MOST = 50;

/** `look(anomaly)` shows the series that one was found in. */
export function anomaliesPanel(api, look) {
  const root = byId("anomalies");
  const list = byId("anomalies-list");
  const openOnly = byId("anomalies-open");
  const query = () => ({ limit: MOST, ...(openOnly.checked ? { acknowledged: "false" } : {}) });

  const made = panel(root, 5000, () => api.get(path("/api/anomalies", query())), ({ anomalies }) => {
    const wanted = openOnly.checked ? anomalies.filter(isOpen) : anomalies;
    // By when they happened: several that are found at once may be of different hours.
    const shown = wanted.toSorted((a, b) => Date.parse(b.window_start) - Date.parse(a.window_start));
    keep(list, shown.length ? shown : [null], (one) => one?.id ?? "none", make, fill);
  });

  function make(one) {
    if (one === null) return element("li", {});
    const show = element("button", { type: "button", class: "small" }, "Show");
    const acknowledge = element("button", { type: "button", class: "small" }, "Acknowledge");
    show.addEventListener("click", () => {
      look(one);
      byId("series").scrollIntoView({ block: "nearest" });
    });
    acknowledge.addEventListener("click", () => busy(acknowledge, () => accept(one)));
    return element(
      "li",
      {},
      element("p", { class: "head" }, element("span", { class: "severity" }), element("span", { class: "what" }), element("time")),
      element("p", { class: "figures" }),
      element("p", { class: "foot" }, show, acknowledge, element("span", { class: "by" })),
    );
  }

  async function accept(one) {
    try {
      await api.post(`/api/anomalies/${encodeURIComponent(one.id)}/acknowledge`, {});
      announce(`Acknowledged: ${named(one)}`);
      made.changed();
    } catch (error) {
      tell(root, error);
    }
  }

  openOnly.addEventListener("change", () => made.changed());
  return made;
}

const isOpen = (one) => !(one.acknowledged || one.acknowledged_at);

function named(one) {
  const metric = one.metric === "mean" ? "mean value" : "events a minute";
  return `${labelOf(one.event_type)}, ${one.region ?? "all regions"}, ${metric}`;
}

function fill(item, one) {
  if (one === null) return setText(item, byId("anomalies-open").checked ? "None is open." : "Nothing unusual so far.");
  const part = (name) => item.querySelector(`.${name}`);
  const severity = one.severity ?? "medium";
  setAttribute(part("severity"), "data-severity", severity);
  setText(part("severity"), severity);
  setText(part("what"), named(one));
  const when = one.window_start ?? one.detected_at;
  const time = item.querySelector("time");
  setAttribute(time, "datetime", when);
  setText(time, format.time(when));
  setText(part("figures"), deviation(one.details));
  const open = isOpen(one);
  const [show, acknowledge] = item.querySelectorAll("button");
  setAttribute(show, "aria-label", `Show: ${named(one)}, ${format.time(when)}`);
  setAttribute(acknowledge, "aria-label", `Acknowledge: ${named(one)}, ${format.time(when)}`);
  // Whoever pressed the button finds the focus beside it.
  if (!open && document.activeElement === acknowledge) show.focus();
  acknowledge.hidden = !open;
  setText(part("by"), open ? "" : ["Acknowledged", one.acknowledged_by && `by ${one.acknowledged_by}`, one.acknowledged_at && format.time(one.acknowledged_at)].filter(Boolean).join(" "));
}

function deviation({ current_value: current, expected_value: expected, deviation: by }) {
  const share = by === null || by === undefined ? "" : ` (${by > 0 ? "+" : "−"}${format.figure(Math.abs(by) * 100)} %)`;
  return `${format.figure(current)} where ${format.figure(expected)} was expected${share}`;
}
