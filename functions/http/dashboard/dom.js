// Small ways to build and change the page. What did not change is not touched, so nothing flickers, focus stays
// where it is, and screen readers are not told again.

/** An element with attributes and children; `true` is an empty attribute, `null` and `false` none. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(made, key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** Sets an attribute where it differs. */
export function setAttribute(target, key, value) {
  if (value === null || value === undefined || value === false) target.removeAttribute(key);
  else if (target.getAttribute(key) !== String(value === true ? "" : value)) {
    target.setAttribute(key, value === true ? "" : String(value));
  }
}

/** Sets the text where it differs. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in their order. `make(item)` builds a child for a key that is
 * new, `update(child, item)` fills it, new or not.
 */
export function keep(parent, items, keyOf, make, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    let child = before.get(key);
    if (child) before.delete(key);
    else {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const gone of before.values()) gone.remove();
}

/** Fills a select with `[value, label]` pairs and keeps what is chosen, as far as it is still there. */
export function fillSelect(select, options) {
  const chosen = select.value;
  keep(select, options, ([value]) => value, ([value]) => element("option", { value }), (option, [, label]) => setText(option, label));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

/** Does what a button asks for, once at a time; unlike a disabled button it keeps the focus meanwhile. */
export async function busy(button, work) {
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  await work();
  button.ariaDisabled = null;
}

/** Says something to screen readers, once. */
export function announce(text) {
  setText(byId("announcements"), text);
}
