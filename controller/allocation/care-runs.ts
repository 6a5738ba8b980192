// What update TaskRuns tell: which is under way, when a host was cared for last, how long each is kept. They are the only
// record of care, so nothing is lost with a restart.
import { hour, second, type Duration, type Instant } from '../model/instant.ts';
import type { OwnTaskRun } from '../model/task-run.ts';

/** Tekton ends a TaskRun after an hour; one that goes on for longer has nobody who runs it. */
const lostAfter: Duration = 2 * hour;
/** Tekton starts a TaskRun within a moment, or it is not there. */
const startWait: Duration = 10 * second;
/** After care that was put off. */
export const putOff: Duration = hour;
/** REASON of an update TaskRun that found builds on the host. */
const hostBusy = 'HostBusy';

export function isOver(run: OwnTaskRun, now: Instant): boolean {
  return run.outcome !== 'running' || run.deleting || now >= run.created + lostAfter;
}

export function foundBuilds(run: OwnTaskRun): boolean {
  return run.outcome === 'failed' && run.results['REASON'] === hostBusy;
}

/** Goes on although it was to end long ago. */
export function isLost(run: OwnTaskRun, now: Instant): boolean {
  return run.outcome === 'running' && !run.deleting && isOver(run, now);
}

export function lostAt(run: OwnTaskRun): Instant {
  return run.created + lostAfter;
}

/** A TaskRun that nobody has started by then keeps no builds away. */
export function startedBy(run: OwnTaskRun): Instant {
  return run.podName === '' ? run.created + startWait : Infinity;
}

/** End of the last care of a host, failed or not; 0 when none is known. */
export function lastCare(host: string, runs: readonly OwnTaskRun[], now: Instant): Instant {
  return latest(runs.filter((run) => run.host === host && isOver(run, now) && !foundBuilds(run)));
}

/** End of the last update of a host, whatever came of it: what names the next one. 0 when none is known. */
export function lastUpdate(host: string, runs: readonly OwnTaskRun[]): Instant {
  return latest(runs.filter((run) => run.host === host));
}

/** Until when a host is left alone because builds were found on it. */
export function leftAloneUntil(host: string, runs: readonly OwnTaskRun[]): Instant {
  const busy = runs.filter((run) => run.host === host && foundBuilds(run));
  return busy.length === 0 ? 0 : latest(busy) + putOff;
}

/** Kept for its log; the last one of a host that is cared for stays until there is another: it is the record. */
export function retireAt(run: OwnTaskRun, runs: readonly OwnTaskRun[], keep: Duration, caredFor: boolean): Instant {
  const isLast = runs.every((other) => other.host !== run.host || endOf(other) <= endOf(run));
  return caredFor && isLast ? Infinity : endOf(run) + keep;
}

function endOf(run: OwnTaskRun): Instant {
  return run.completed ?? run.created;
}

function latest(runs: readonly OwnTaskRun[]): Instant {
  return Math.max(0, ...runs.map(endOf));
}
