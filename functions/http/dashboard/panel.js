// What all panels do when something cannot be had: they say so, and keep what they showed.

import { setAttribute, setText } from "./dom.js";

const SENTENCES = {
  401: "Needs an API key.",
  404: "Not available on this server.",
  429: "Too many requests; this is asked for less often now.",
};

/** Says in the panel's note what is wrong; nothing where `error` is null. That Floe is gone is said once, above. */
export function tell(root, error) {
  if (error?.status === 0) return;
  const note = root.querySelector(":scope > .note");
  setAttribute(note, "hidden", error === null);
  note.classList.toggle("trouble", error !== null);
  if (error === null) return;
  setText(note, SENTENCES[error.status] ?? (error.status === 403 ? `Not allowed: ${error.message}` : `Not available just now: ${error.message}`));
}

/** A panel over the section with the given root: `load` and `show` as the refresher wants them. */
export function panel(root, every, load, show) {
  return {
    every,
    load,
    show(data) {
      tell(root, null);
      show(data);
    },
    fail: (error) => tell(root, error),
  };
}
