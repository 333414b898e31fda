// Asks Floe's API, of this origin alone. What did not change is not sent again, where Floe gives an ETag.

const PATIENCE_MS = 15000;
const MOST_KEPT = 60;

/** An answer that is no success, or none at all: then `status` is 0. */
export class ApiError extends Error {
  constructor(status, message, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** `key()` gives the API key, or an empty text. */
export function createApi(key) {
  const kept = new Map();
  let keyBefore = "";

  /** The answer's status, headers and text. */
  async function send(method, path, headers, body) {
    try {
      const response = await fetch(path, {
        method,
        headers,
        body,
        cache: "no-store",
        credentials: "omit",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return { ok: response.ok, status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      if (error.name === "TimeoutError") throw new ApiError(504, "Floe takes too long to answer");
      throw new ApiError(0, "Floe does not answer");
    }
  }

  function headersOf(more) {
    const own = key();
    if (own !== keyBefore) kept.clear();
    keyBefore = own;
    return { Accept: "application/json", ...(own ? { "X-API-Key": own } : {}), ...more };
  }

  async function get(path) {
    const headers = headersOf({});
    const known = kept.get(path);
    if (known) headers["If-None-Match"] = known.etag;
    const response = await send("GET", path, headers);
    if (response.status === 304 && known) return known.body;
    const body = read(response);
    const etag = response.headers.get("etag");
    if (etag) remember(path, { etag, body });
    return body;
  }

  function remember(path, answer) {
    kept.delete(path);
    kept.set(path, answer);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  }

  async function post(path, body) {
    const headers = headersOf({ "Content-Type": "application/json" });
    return read(await send("POST", path, headers, JSON.stringify(body)));
  }

  return { get, post };
}

/** The body of a success; raises ApiError with what Floe says of anything else. */
function read(response) {
  let body = null;
  try {
    body = JSON.parse(response.text);
  } catch {
    // Not Floe's own answer, such as a gateway's page.
  }
  // Health tells more in a 503 than that it is one.
  if (body !== null && (response.ok || (response.status === 503 && body.service))) return body;
  const said = body?.details ?? body?.error?.message ?? body?.detail ?? `status ${response.status}`;
  throw new ApiError(response.ok ? 502 : response.status, String(said), Number(response.headers.get("retry-after")) || 0);
}

/** A path with its query; what is empty is left out. */
export function path(base, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return `${base}?${new URLSearchParams(given)}`;
}

/** A time as the API takes it, in whole seconds. */
export const apiTime = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
