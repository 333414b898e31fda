// What the page shows before there is anything to show: how to send the first event.

import { currentKey } from "./key.js";
import { apiTime } from "./api.js";
import { busy, byId, setText } from "./dom.js";

const EVENT = { event_type: "user_action", data: { user_id: "user_1", action: "click", value: 42, region: "eu-west" } };
const SIMULATED = { num_events: 5000, event_type: "random" };
const SIMULATED_HOURS = 6;
// Panels that say nothing without events.
const EMPTY = ["rates", "regions", "series", "anomalies"];

/** `again()` has everything loaded anew. Returns what to call with the number of events of the last day. */
export function welcome(api, again) {
  const root = byId("welcome");
  const note = byId("welcome-note");
  let needsKey = false;
  let ever = false;

  byId("welcome-copy").addEventListener("click", async () => setText(note, (await copied(command(needsKey))) ? "Copied." : "Select the text and copy it, please."));
  byId("welcome-simulate").addEventListener("click", (event) => busy(event.currentTarget, simulate));

  async function simulate() {
    setText(note, "Making events …");
    try {
      const end = Date.now();
      const span = { start_time: apiTime(end - SIMULATED_HOURS * 3600e3), end_time: apiTime(end) };
      const made = await api.post("/api/simulate", { ...SIMULATED, ...span });
      setText(note, made.message ?? `${made.events_generated} events simulated`);
      again();
    } catch (error) {
      setText(note, error.status === 404 ? "This server does not simulate." : `Not simulated: ${error.message}`);
      byId("welcome-simulation").hidden = [403, 404].includes(error.status);
    }
  }

  function show(empty) {
    setText(byId("welcome-command"), command(needsKey));
    root.hidden = !empty;
    for (const id of EMPTY) byId(id).hidden = empty;
  }

  return {
    needKey: () => {
      needsKey = true;
    },
    /** `today` is how many events the last day had; older ones count too, and are asked for where there are none. */
    async seen(today) {
      ever ||= today > 0;
      if (!ever) ever = await anyEvent(api);
      show(!ever);
    },
  };
}

/** Whether there ever was an event; no, where that cannot be told. */
async function anyEvent(api) {
  try {
    const { stats } = await api.get("/api/stats");
    return stats.total_events > 0;
  } catch {
    return false;
  }
}

function command(needsKey) {
  const key = needsKey || currentKey() ? "  -H 'X-API-Key: YOUR_KEY' \\\n" : "";
  const { data, ...event } = EVENT;
  const body = `${JSON.stringify(event).slice(0, -1)},\n       "data":${JSON.stringify(data)}}`;
  return `curl ${location.origin}/api/events \\\n  -H 'Content-Type: application/json' \\\n${key}  -d '${body}'`;
}

/** Puts the text on the clipboard; false where the browser does not let a page do so. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(byId("welcome-command"));
    return false;
  }
}
