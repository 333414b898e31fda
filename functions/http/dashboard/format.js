// Numbers and times as people read them, in the browser's own language and zone.

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

export const UNKNOWN = "–";

/** A count, or a dash where it is not known. */
export const count = (value) => (value === null || value === undefined ? UNKNOWN : whole.format(value));

/** Any number to three digits that count. */
export function figure(value) {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) >= 1000 ? whole.format(value) : precise.format(value);
}

/** A number for an axis: 1.2K, 3M. */
export const axis = (value) => short.format(value);

/** Milliseconds, in seconds from one second on. */
export function duration(ms) {
  if (ms === null || ms === undefined) return UNKNOWN;
  return ms >= 1000 ? `${precise.format(ms / 1000)} s` : `${precise.format(ms)} ms`;
}

/** How long something lasts, roughly: 42 s, 5 min, 3 h, 2 d. */
export function span(inSeconds) {
  const steps = [[90, 1, "s"], [5400, 60, "min"], [172800, 3600, "h"], [Infinity, 86400, "d"]];
  const [, unit, name] = steps.find(([limit]) => inSeconds < limit);
  return `${whole.format(Math.max(0, inSeconds) / unit)} ${name}`;
}

/** How long ago a time was; a dash where there is none. */
export const ago = (text, now = Date.now()) => (text ? `${span((now - Date.parse(text)) / 1000)} ago` : UNKNOWN);

/** Hours and minutes, with the day where it is not today. */
export function time(when, now = Date.now()) {
  const date = new Date(when);
  const same = date.toDateString() === new Date(now).toDateString();
  return same ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** Hours, minutes and seconds. */
export const moment = (when) => seconds.format(new Date(when));

/** Labels for times on an axis (seconds since 1970): the clock, and the day where it begins. */
export function axisTimes(splits) {
  const long = splits.length > 1 && splits[1] - splits[0] >= 86400;
  return splits.map((split) => {
    const date = new Date(split * 1000);
    return long || (date.getHours() === 0 && date.getMinutes() === 0) ? day.format(date) : clock.format(date);
  });
}

/** The time zone that times are shown in. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
