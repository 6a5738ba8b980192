// The times of a reflector, and why they are what they are. Tests shorten them; nothing else does.
import type { Duration } from '../model/instant.ts';

export interface ReflectorTuning {
  /** Silence after which a connection counts as dead. Longer than any watch lasts: a healthy one is ended before. */
  readonly idleLimit: Duration;
  readonly shortestBackoff: Duration;
  readonly longestBackoff: Duration;
  /** Between the regular end of a watch and the next one. */
  readonly reconnectDelay: Duration;
  readonly pageSize: number;
  /**
   * A watch is asked to last between this and twice this. Where nothing changes a server may send nothing for minutes
   * (its first bookmark comes after two, and for Events none ever), so only a regular end tells quiet from dead.
   */
  readonly watchLasts: Duration;
  /** Own writes the watch has not shown for that long are read again. */
  readonly settleAfter: Duration;
  /** Failures in a row after which the version to resume from is no longer trusted. */
  readonly failuresBeforeRelist: number;
}

export const standardTuning: ReflectorTuning = {
  idleLimit: 90_000,
  shortestBackoff: 800,
  longestBackoff: 30_000,
  reconnectDelay: 50,
  pageSize: 100,
  watchLasts: 40_000,
  settleAfter: 10_000,
  failuresBeforeRelist: 5,
};
