// How long nobody launches a host after launches that failed one after the other: the more there were, the longer.
import { minute, second, type Duration } from '../model/instant.ts';

const first: Duration = 15 * second;
const longest: Duration = 5 * minute;

/** `failures`: 1, 2, …: in a row. */
export function launchPause(failures: number): Duration {
  return Math.min(first * 2 ** Math.min(failures - 1, 10), longest);
}
