// Before anything is painted: the theme that was chosen here the last time, else the system's. Not a module,
// because those run only after the page was parsed.
try {
  const chosen = localStorage.getItem("floe-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is closed to the page: the system's theme it is.
}
