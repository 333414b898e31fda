// The line at the top: whether what is shown is of now.

import { announce, byId, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";

// Figures older than this are called so.
const STALE_MS = 15000;

export class Status {
  constructor() {
    this.root = byId("status");
    this.newest = null;
    // Requests in a row that came to nothing: one may be lost, more say that Floe is gone.
    this.missed = 0;
    this.locked = false;
    this.paused = false;
    setInterval(() => this.show(), 1000);
  }

  /** Hears of each answer: `error` is null for a success, and has the status 0 where there was none. */
  told(error) {
    if (error === null) this.newest = Date.now();
    this.locked = error?.status === 401 || (this.locked && error !== null);
    if (error === null) this.missed = 0;
    else if (error.status === 0) this.missed += 1;
    this.show();
  }

  pause(paused) {
    this.paused = paused;
    this.show();
  }

  show() {
    const [state, text] = this.state();
    const changed = this.root.dataset.state !== state;
    setAttribute(this.root, "data-state", state);
    setText(byId("status-text"), text);
    setAttribute(byId("main"), "data-locked", state === "locked");
    setAttribute(byId("banner"), "hidden", state !== "gone");
    if (state === "gone") setText(byId("banner"), `${text}. What is shown is older; the page goes on by itself.`);
    if (changed && state !== "gone" && state !== "starting") announce(text);
  }

  state() {
    const at = this.newest && format.moment(this.newest);
    if (this.missed > 1) return ["gone", at ? `Floe does not answer since ${at}` : "Floe does not answer"];
    if (this.locked) return ["locked", "An API key is needed"];
    if (this.paused) return ["stale", at ? `Paused at ${at}` : "Paused"];
    if (this.newest === null) return ["starting", "Waiting for the first answer"];
    return Date.now() - this.newest > STALE_MS ? ["stale", `Stale, as of ${at}`] : ["live", `Live, as of ${at}`];
  }
}
