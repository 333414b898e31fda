// How the pipeline is: streams and tables, jobs at work, the slowest operations, and what health has to say.

import { byId, element, keep, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { panel, tell } from "./panel.js";

// What a person should look at: landing that is behind, rows that wait for their flush for too long (seconds).
const BEHIND = 10000;
const WAITS = 600;
const TITLES = { events: "Events", readings: "Sensor readings", "dead-letters": "Dead letters", rollups: "Roll-ups" };

/** The panel of `/api/dashboard/pipeline`, which fills two sections. */
export function pipelinePanel() {
  const root = byId("pipeline");
  const operations = byId("operations");
  const made = panel(root, 5000, (api) => api.get("/api/dashboard/pipeline"), (state) => {
    const now = Date.parse(state.timestamp);
    keep(byId("streams"), state.tables, (table) => table.name, makeStream, (stream, table) => fillStream(stream, table, now));
    showJobs(state.jobs, now);
    showOperations(state.slowest);
    tell(operations, null);
  });
  return {
    ...made,
    fail(error) {
      made.fail(error);
      tell(operations, error);
    },
  };
}

/** The panel of `/health`, which needs no key. */
export function healthPanel() {
  const word = { healthy: ["good", "All is well"], degraded: ["warning", "Degraded"], unhealthy: ["bad", "Cannot take data"] };
  const root = byId("health");
  root.append(element("span", { class: "dot", "aria-hidden": "true" }), element("span", {}, "Health is not known yet"));
  const say = (state, text) => {
    setAttribute(root, "data-state", state);
    setText(root.lastElementChild, text);
  };
  return {
    every: 5000,
    open: true,
    load: (api) => api.get("/health"),
    show(health) {
      say(...(word[health.status] ?? ["warning", health.status]));
      keep(byId("notices"), health.notices ?? [], (notice) => `${notice.kind} ${notice.subject}`, () => element("li"), (item, { subject, message, since }) =>
        setText(item, `${subject}: ${message}${since ? ` (since ${format.time(since)})` : ""}`),
      );
    },
    fail: () => say("bad", "Health is not known"),
  };
}

function makeStream() {
  return element("section", { class: "stream" }, element("h3", {}, element("span", { class: "dot", "aria-hidden": "true" }), element("span", { class: "name" }), element("small")), element("dl"));
}

function fillStream(stream, table, now) {
  setText(stream.querySelector(".name"), TITLES[table.name] ?? table.name);
  const troubled = table.lag_messages > BEHIND || table.buffer_age_seconds > WAITS;
  setAttribute(stream.querySelector("h3"), "data-state", troubled ? "warning" : "good");
  setText(stream.querySelector("small"), troubled ? "behind" : table.version === null ? "" : table.version < 0 ? "no table yet" : `version ${format.count(table.version)}`);
  keep(stream.querySelector("dl"), figures(table, now), ([label]) => label, makeFigure, (row, [, text]) => setText(row.lastElementChild, text));
}

const makeFigure = ([label]) => element("div", {}, element("dt", {}, label), element("dd"));

/** What is told of a table: nothing of what it cannot have, a dash for what is not known. */
function figures(table, now) {
  const rows = [];
  const fed = table.name !== "rollups";
  if (table.dead_letters || table.lag_messages !== null || ["events", "readings"].includes(table.name)) {
    rows.push(["Behind", table.lag_messages === null ? format.UNKNOWN : `${format.count(table.lag_messages)} messages`]);
  }
  if (fed) {
    const age = table.buffer_age_seconds === null ? "" : `, ${format.span(table.buffer_age_seconds)}`;
    rows.push(["Buffered", table.buffered_rows === null ? format.UNKNOWN : `${format.count(table.buffered_rows)} rows${age}`]);
  }
  rows.push(["Last commit", committed(table.last_commit, now)]);
  if (table.dead_letters) rows.push(["Dead letters", `${format.count(table.dead_letters.last_24h)} in 24 h, ${format.count(table.dead_letters.total)} kept`]);
  return rows;
}

function committed(commit, now) {
  if (!commit) return format.UNKNOWN;
  const rows = commit.rows === null ? "" : `, ${format.count(commit.rows)} rows`;
  return `${commit.kind} ${format.ago(commit.time, now)}${rows}`;
}

function showJobs(jobs, now) {
  const shown = jobs === null ? [{ id: "unknown", text: "Not known just now." }] : jobs.length ? jobs : [{ id: "none", text: "None." }];
  keep(byId("jobs"), shown, (job) => job.id, () => element("li"), (item, job) => {
    if (job.text) return setText(item, job.text);
    const since = job.started_at ? `, since ${format.span((now - Date.parse(job.started_at)) / 1000)}` : "";
    const done = job.done === null ? "" : `: ${format.count(job.done)}${job.total === null ? "" : ` of ${format.count(job.total)}`} ${job.unit ?? ""}`;
    if (!item.firstElementChild) item.append(element("span"), element("progress", { "aria-label": `Progress of ${job.kind}`, max: 1 }));
    setText(item.firstElementChild, `${job.kind} ${job.status}${since}${done}`);
    const bar = item.lastElementChild;
    if (job.total > 0) bar.value = (job.done ?? 0) / job.total;
    bar.hidden = !(job.total > 0);
  });
}

function showOperations(slowest) {
  const rows = slowest?.operations ?? [];
  const counted = slowest?.since ? `Since ${format.time(slowest.since)}` : "Since Floe first ran";
  setText(byId("operations-span"), slowest ? `${counted}, all instances together` : "Not known just now.");
  keep(byId("operations-rows"), rows.length ? rows : [null], (row) => (row ? `${row.operation} ${row.method}` : "none"), makeRow, (line, row) => {
    if (!row) return setText(line.cells[0], "No requests yet.");
    const texts = [format.count(row.count), format.duration(row.p50_ms), format.duration(row.p99_ms)];
    texts.forEach((text, at) => setText(line.cells[at + 1], text));
  });
}

function makeRow(row) {
  if (!row) return element("tr", {}, element("td", { colspan: 4 }));
  const name = element("th", { scope: "row" }, row.operation.replaceAll("_", " "), " ", element("span", { class: "endpoint" }, `${row.method} ${row.endpoint}`));
  return element("tr", {}, name, ...[1, 2, 3].map(() => element("td", { class: "number" })));
}
