// What must hold at every moment in the small world of leases, as sentences about what is wrong: nothing is held twice,
// and every change of phase is in the table.
import { isOfOlderController } from '../../../controller/lease/observed.ts';
import { readPhase } from '../../../controller/lease/read-lease.ts';
import { transitions } from '../../../controller/lease/transitions.ts';
import type { Host } from '../../../controller/model/host.ts';
import type { LeasePhase } from '../../../controller/model/host-lease.ts';
import type { Instant } from '../../../controller/model/instant.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { olderBuildUid } from '../../../controller/taskruns/older-task-run.ts';
import { observe } from './observed-builds.ts';

export interface Truth {
  readonly builds: readonly UserTaskRun[];
  readonly ours: readonly OwnTaskRun[];
  readonly hosts: readonly Host[];
  readonly now: Instant;
}

/** Changes that only a view older than the truth leads to: what was decided is put right by the next look. */
const lateViews: ReadonlySet<string> = new Set([
  'over → releasing', // a host was given to a build that had ended
  'releasing → stopping', // a provision TaskRun was created for a build that had ended
]);

export class LeaseChecks {
  readonly #phases = new Map<string, LeasePhase>();

  wrongNow(truth: Truth): string[] {
    return [...this.#phaseChanges(truth), ...overCapacity(truth), ...twice(truth), ...tooEarly(truth)];
  }

  #phaseChanges({ builds, ours, now }: Truth): string[] {
    const wrong: string[] = [];
    for (const taskRun of builds) {
      const { uid, namespace, name } = taskRun;
      const older = olderBuildUid(namespace, name);
      const own = ours.filter(({ userUid }) => userUid === uid || userUid === older);
      const phase = readPhase(observe(taskRun, own), now);
      const before = this.#phases.get(uid) ?? (phase === 'unsigned' ? phase : 'waiting');
      // A local build has no finalizer: without its facts it looks as if it waited.
      const stripped = taskRun.facts === undefined && before !== 'waiting' && before !== 'rejected';
      this.#phases.set(uid, stripped ? 'unsigned' : phase);
      // Facts are taken away by others, at any moment.
      if (phase === before || taskRun.facts === undefined || lateViews.has(`${before} → ${phase}`)) continue;
      if (!transitions.some(({ from, to }) => from === before && to === phase))
        wrong.push(`${before} → ${phase} is not in the table`);
    }
    return wrong;
  }
}

/** What an older controller gave away is not ours to answer for; it is counted, though. */
function overCapacity({ builds, hosts }: Truth): string[] {
  return hosts.flatMap(({ name, concurrency }) => {
    const claims = builds.filter(({ facts, ...it }) => facts?.claim?.host === name && facts.attempt > 0 && isLive(it));
    return claims.length > concurrency ? [`host ${name} has ${claims.length} builds`] : [];
  });
}

function twice({ ours }: Truth): string[] {
  return (['provision', 'clean', 'launch', 'terminate'] as const).flatMap((type) => {
    const live = ours.filter((it) => it.type === type && isLive(it) && !it.cancelled && !isOfOlderController(it));
    const doubled = live.filter((it) => live.some((other) => other !== it && leaseOf(other) === leaseOf(it)));
    return doubled.length > 0 ? [`${doubled.length} live ${type} TaskRuns of one attempt`] : [];
  });
}

function tooEarly({ ours }: Truth): string[] {
  const prepares = (it: OwnTaskRun): boolean => it.type === 'provision' || it.type === 'launch';
  const uncancelled = ours.filter((it) => prepares(it) && isLive(it) && !it.cancelled);
  const undoes = (it: OwnTaskRun): boolean => it.type === 'clean' || it.type === 'terminate';
  const early = ours.filter((it) => undoes(it) && uncancelled.some((other) => leaseOf(other) === leaseOf(it)));
  return early.map(({ name }) => `${name} undoes what a TaskRun that nobody cancelled still does`);
}

function isLive({ outcome, deleting }: Pick<KeptTaskRun, 'outcome' | 'deleting'>): boolean {
  return outcome === 'running' && !deleting;
}

/** Whose attempt on which host. An older controller's know their build by name only. */
export function leaseOf({ userUid, userNamespace, userName, attempt, host, facts }: OwnTaskRun): string {
  // A launched host is one claim's, whatever its attempt.
  if (facts?.claim?.provider === 'dynamic') return `${userUid} on ${host}`;
  const address = facts?.claim?.address ?? host;
  return attempt === 0 ? `${userNamespace}/${userName} on ${address}` : `${userUid} attempt ${attempt} on ${address}`;
}

/** The same, of a build an older controller prepared the host for. */
export function olderLease(name: string, { address }: Host): string {
  return `team-a/${name} on ${address}`;
}
