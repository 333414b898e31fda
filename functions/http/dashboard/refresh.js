// Keeps the panels up to date: each in its own rhythm, none while nobody looks, slower while something fails.

const TICK_MS = 500;
const MOST_SLOWER = 4;

/**
 * A panel has `every` (ms), `load(api)`, `show(data)` and `fail(error)`. `told(error, panel)` hears of every
 * outcome: null for a success. The first panel goes ahead; while it gets 401, the others are not asked for, but
 * for those that are `open`.
 */
export class Refresher {
  constructor(api, told) {
    this.api = api;
    this.told = told;
    this.paused = false;
    this.admitted = false;
    this.entries = new Map();
  }

  add(panel) {
    this.first ??= panel;
    this.entries.set(panel, { due: 0, failures: 0, running: null });
    panel.changed = () => this.now(panel);
  }

  start() {
    setInterval(() => this.tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => this.tick());
    this.tick();
  }

  /** Loads a panel again at once, or all of them; what is still on its way from before no longer counts. */
  now(panel = null) {
    if (panel === null) this.admitted = false;
    for (const [each, entry] of this.entries) {
      if (panel !== null && panel !== each) continue;
      Object.assign(entry, { due: 0, failures: 0, running: null });
      // What a person asked for is shown, paused or not.
      if (panel !== null) this.run(each, entry);
    }
    this.tick();
  }

  pause(paused) {
    this.paused = paused;
    this.tick();
  }

  tick() {
    if (this.paused || document.hidden) return;
    for (const [panel, entry] of this.entries) {
      const admitted = this.admitted || panel.open || panel === this.first;
      if (admitted && !entry.running && performance.now() >= entry.due) this.run(panel, entry);
    }
  }

  async run(panel, entry) {
    const turn = Symbol("turn");
    entry.running = turn;
    let problem = null;
    try {
      const data = await panel.load(this.api);
      if (entry.running !== turn) return;
      panel.show(data);
      entry.failures = 0;
    } catch (error) {
      if (entry.running !== turn) return;
      problem = error;
      entry.failures += 1;
      panel.fail(error);
      if (error.status === undefined) console.error(error);
    }
    if (panel === this.first) this.admitted = problem?.status !== 401;
    const slower = Math.min(2 ** entry.failures, MOST_SLOWER);
    entry.due = performance.now() + Math.max(panel.every * slower, (problem?.retryAfter ?? 0) * 1000);
    entry.running = null;
    this.told(problem, panel);
    if (panel === this.first) this.tick();
  }
}
