// Puts the page together: panels, their rhythm, key, theme.

import { anomaliesPanel } from "./anomalies.js";
import { createApi } from "./api.js";
import { repaint } from "./charts.js";
import { countsPanel, sparksPanel } from "./counts.js";
import { byId, setText } from "./dom.js";
import { zone } from "./format.js";
import { currentKey, keyDialog } from "./key.js";
import { healthPanel, pipelinePanel } from "./pipeline.js";
import { ratesPanel } from "./rates.js";
import { Refresher } from "./refresh.js";
import { regionsPanel } from "./regions.js";
import { seriesPanel } from "./series.js";
import { Status } from "./status.js";
import { welcome } from "./welcome.js";

const THEMES = ["system", "light", "dark"];

const api = createApi(currentKey);
const status = new Status();
const refresher = new Refresher(api, told);
const first = welcome(api, () => refresher.now());
const askForKey = keyDialog(() => refresher.now());

function told(error, panel) {
  // Health answers everybody: that it does says nothing of the figures.
  if (!panel.open || error?.status === 0) status.told(error);
  if (error?.status !== 401) return;
  first.needKey();
  askForKey(currentKey() !== "");
}

const series = seriesPanel();
for (const panel of [
  countsPanel((total) => first.seen(total)),
  sparksPanel(),
  ratesPanel(),
  regionsPanel((names) => series.offer(names)),
  series,
  anomaliesPanel(api, (anomaly) => series.look(anomaly)),
  pipelinePanel(),
  healthPanel(),
]) {
  refresher.add(panel);
}

byId("pause").addEventListener("click", ({ currentTarget: button }) => {
  const paused = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(paused));
  setText(button, paused ? "Go on" : "Pause");
  refresher.pause(paused);
  status.pause(paused);
});

function theme() {
  return document.documentElement.dataset.theme ?? "system";
}

function setTheme(chosen) {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    if (chosen === "system") localStorage.removeItem("floe-theme");
    else localStorage.setItem("floe-theme", chosen);
  } catch {
    // It holds for this visit.
  }
  setText(byId("theme"), `Theme: ${chosen}`);
  repaint();
}

byId("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]));
setText(byId("theme"), `Theme: ${theme()}`);
setText(byId("zone"), zone());
api.get("/info").then(({ version }) => setText(byId("version"), `Floe ${version}`), () => {});

refresher.start();
