// The API key: asked for where Floe wants one, kept in this tab alone.

import { byId, setText } from "./dom.js";

const NAME = "floe-api-key";

let key = stored();

function stored() {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

function store(value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(NAME, value);
    else sessionStorage.removeItem(NAME);
  } catch {
    // Then it lasts until the page is loaded again.
  }
}

/** The key, or an empty text. */
export const currentKey = () => key;

/** Wires the button and the dialog; `changed` is called with each new key. Returns how to ask for one. */
export function keyDialog(changed) {
  const dialog = byId("key-dialog");
  const field = byId("key-field");
  let refused = null;

  function ask(reason) {
    if (dialog.open) return;
    setText(byId("key-reason"), reason ?? "Floe asks for a key that may read events and metrics.");
    byId("key-forget").hidden = !key;
    field.value = "";
    dialog.showModal();
    field.focus();
  }

  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const forget = event.submitter?.value === "forget";
    const given = field.value.trim();
    if (!forget && !given) return field.focus();
    store(forget ? "" : given);
    dialog.close();
    changed();
  });
  byId("key-cancel").addEventListener("click", () => dialog.close());
  byId("key").addEventListener("click", () => ask());

  /** Asks once for each key that was refused; whoever cancels is left alone until they press the button. */
  return (wrong) => {
    if (refused === key) return;
    refused = key;
    ask(wrong ? "Floe does not take this key. It may be mistyped, revoked or expired." : undefined);
  };
}
