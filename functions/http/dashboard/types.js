// The event types, each told apart by colour, by shape and by the dashes of its line.

export const TYPES = [
  { name: "user_action", label: "User actions", colour: "user-action", shape: "circle", dash: [] },
  { name: "transaction", label: "Transactions", colour: "transaction", shape: "diamond", dash: [9, 4] },
  { name: "page_view", label: "Page views", colour: "page-view", shape: "triangle", dash: [2, 3] },
  { name: "error", label: "Errors", colour: "error", shape: "cross", dash: [9, 3, 2, 3] },
  { name: "system_metric", label: "System metrics", colour: "system-metric", shape: "bar", dash: [5, 5] },
];

/** Looks for lines that are no event types: those of regions. */
export const LOOKS = [...TYPES.map(({ colour, dash }) => ({ colour, dash })), { colour: "further", dash: [1, 4] }];

/** What a type is called on the page. */
export const labelOf = (name) => TYPES.find((type) => type.name === name)?.label ?? name;

/** `[value, label]` for a select. */
export const TYPE_OPTIONS = TYPES.map(({ name, label }) => [name, label]);
