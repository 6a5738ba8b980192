// Time as the pure folders see it: an argument, never a clock.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;
/** Milliseconds. */
export type Duration = number;

export const second: Duration = 1000;
export const minute: Duration = 60 * second;
export const hour: Duration = 60 * minute;

/** Undefined, or Infinity: never. Of any number of times: thousands of builds may wait. */
export function earliest(times: readonly (Instant | undefined)[]): Instant | undefined {
  const first = times.reduce<Instant>((sofar, time) => Math.min(sofar, time ?? Infinity), Infinity);
  return first === Infinity ? undefined : first;
}

/** RFC 3339 from the Kubernetes API → Instant; undefined for an absent or unreadable value. */
export function parseInstant(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}
