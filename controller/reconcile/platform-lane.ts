// The one place that gives away hosts of a platform: snapshot, allocate, write the claims. Decisions of a lane are
// serial; claims written and not yet seen are part of the next snapshot, so no slot is given away twice.
import { allocate, type Allocation } from '../allocation/allocate.ts';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Clock } from '../kubernetes/clock.ts';
import { refusal } from '../lease/next-actions.ts';
import { claimHost, claimLocal } from '../lease/write-lease.ts';
import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';
import { parsePlatform, platformFormatMessage } from '../model/platform.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { Perform } from './perform.ts';
import { readRequest, staticHostOf, takeSnapshot, type TaskRuns } from './take-snapshot.ts';
import type { HostConfigState } from './host-config-state.ts';
import type { WaitAnnouncer } from './wait-announcer.ts';

export interface LaneOptions {
  readonly taskRuns: TaskRuns;
  readonly hostConfig: HostConfigState;
  readonly hasSshSecret: (name: string) => boolean;
  readonly perform: Perform;
  /** Reads a TaskRun again, into the cache: after a write whose fate is unknown. */
  readonly refresh: (taskRun: UserTaskRun) => Promise<void>;
  readonly announcer: WaitAnnouncer;
  /** Holds a slot that its TaskRun does not show: no part of the queue. */
  readonly hasLostFacts: (uid: string) => boolean;
  /** How many of those slots are on this host. */
  readonly lostClaimsOn: (host: string) => number;
  readonly clock: Clock;
  /** The fate of a write is known now, or it failed: this platform needs another look. */
  readonly lookAgain: (platform: string, at: Instant) => void;
  readonly onError: (platform: string, error: unknown) => void;
}

/** Builds whose decision is being written, with the host they are to get. */
type UnderWay = Map<string, string | undefined>;

/** A build whose claim cannot be written steps aside, for longer each time: those behind it are served meanwhile. */
interface SteppedAside {
  readonly until: Instant;
  readonly failures: number;
}

const retryPause = 200;
const longestPause = 30_000;

export class PlatformLanes {
  readonly #options: LaneOptions;
  readonly #underWay: UnderWay = new Map();
  readonly #aside = new Map<string, SteppedAside>();

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** One decision for one platform. The writes go on behind it. */
  look(platform: string): Instant | undefined {
    const { taskRuns, hostConfig, clock, announcer } = this.#options;
    const now = clock.now();
    const waiting = this.#waitingFor(platform, now);
    const times = this.#returnsAfter(platform, now);
    if (waiting.size === 0) return earliest(times);
    if (parsePlatform(platform) === undefined) return this.#refuseMalformed(waiting.values());

    const sources = {
      taskRuns,
      hasSshSecret: this.#options.hasSshSecret,
      assumed: (host: string) => this.#assumed(host),
    };
    const snapshot = takeSnapshot(platform, hostConfig.poolOf(platform), sources, now);
    const requests = [...waiting.values()].flatMap((taskRun) => readRequest(taskRun, taskRuns) ?? []);
    for (const allocation of allocate(snapshot, requests, now)) {
      const taskRun = waiting.get(allocation.request.uid);
      if (taskRun === undefined) continue;
      if (allocation.outcome === 'wait') {
        if (allocation.until !== undefined) times.push(allocation.until);
        announcer.announce(taskRun, allocation);
      } else {
        this.#write(taskRun, allocation, now);
      }
    }
    return earliest(times);
  }

  /** A decision is being written for this build. */
  isUnderWay(uid: string): boolean {
    return this.#underWay.has(uid);
  }

  forget(uid: string): void {
    this.#aside.delete(uid);
  }

  #waitingFor(platform: string, now: Instant): Map<string, UserTaskRun> {
    const waiting = new Map<string, UserTaskRun>();
    for (const taskRun of this.#options.taskRuns.by('waiting', platform)) {
      const { uid } = taskRun;
      const absent =
        this.#underWay.has(uid) || this.#options.hasLostFacts(uid) || now < (this.#aside.get(uid)?.until ?? 0);
      if (taskRun.kind === 'user' && !absent) waiting.set(uid, taskRun);
    }
    return waiting;
  }

  /** When builds that stepped aside join the queue again. */
  #returnsAfter(platform: string, now: Instant): Instant[] {
    if (this.#aside.size === 0) return [];
    const times = [...this.#options.taskRuns.by('waiting', platform)].flatMap(
      ({ uid }) => this.#aside.get(uid)?.until ?? [],
    );
    return times.filter((until) => until > now);
  }

  #stepAside(uid: string): void {
    const failures = (this.#aside.get(uid)?.failures ?? 0) + 1;
    const until = this.#options.clock.now() + Math.min(retryPause * 2 ** (failures - 1), longestPause);
    this.#aside.set(uid, { until, failures });
  }

  /** Claims under way; one that the cache shows already is counted there. */
  #assumed(host: string): number {
    let count = this.#options.lostClaimsOn(host);
    for (const [uid, assumedHost] of this.#underWay) {
      if (assumedHost !== host) continue;
      const seen = this.#options.taskRuns.byUid(uid);
      if (seen?.kind !== 'user' || staticHostOf(seen) !== host) count += 1;
    }
    return count;
  }

  #refuseMalformed(waiting: Iterable<UserTaskRun>): undefined {
    for (const taskRun of waiting) {
      const message = `${platformFormatMessage}: PLATFORM is '${taskRun.platform}', give for example linux/arm64`;
      void this.#perform(taskRun, undefined, refusal(taskRun, { reason: 'PlatformMalformed', message }));
    }
  }

  #write(taskRun: UserTaskRun, allocation: Exclude<Allocation, { outcome: 'wait' }>, now: Instant): void {
    const host = allocation.outcome === 'assign' ? allocation.host.name : undefined;
    void this.#perform(taskRun, host, actionsFor(taskRun, allocation, now));
  }

  /** Never rejects. Until it is known what became of the write, its slot counts as taken. */
  async #perform(taskRun: UserTaskRun, host: string | undefined, actions: readonly Action[]): Promise<void> {
    const { perform, clock, lookAgain, onError } = this.#options;
    const platform = taskRun.platform ?? '';
    this.#underWay.set(taskRun.uid, host);
    try {
      await perform(actions);
      this.#aside.delete(taskRun.uid);
    } catch (error) {
      onError(platform, error);
      if (!(error instanceof ApiError) || error.ambiguous || error.kind === 'conflict') await this.#findOut(taskRun);
      this.#stepAside(taskRun.uid);
      // The slot it was to have may be for the next one.
      lookAgain(platform, clock.now());
    }
    this.#underWay.delete(taskRun.uid);
  }

  /** Asks until the API server answers: an unknown claim must not become a second one. */
  async #findOut(taskRun: UserTaskRun): Promise<void> {
    const { refresh, clock, onError } = this.#options;
    for (let pause = retryPause; ; pause = Math.min(2 * pause, 10_000)) {
      try {
        return await refresh(taskRun);
      } catch (error) {
        onError(taskRun.platform ?? '', error);
        if (error instanceof ApiError && error.kind === 'fenced') return;
      }
      await clock.sleep(pause);
    }
  }
}

function earliest(times: readonly Instant[]): Instant | undefined {
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
}

function actionsFor(
  taskRun: UserTaskRun,
  allocation: Exclude<Allocation, { outcome: 'wait' }>,
  now: Instant,
): readonly Action[] {
  if (allocation.outcome === 'reject') return refusal(taskRun, allocation.told);
  const assigned = allocation.outcome === 'assign' ? allocation.host : undefined;
  const change = assigned ? claimHost(taskRun, assigned, now) : claimLocal(taskRun, allocation.request.platform, now);
  const message = assigned ? `host ${assigned.name} (${assigned.address})` : 'runs in the cluster itself';
  return [
    { type: 'patch-user-task-run', target: taskRun, change },
    { type: 'emit-event', about: taskRun, severity: 'Normal', reason: 'HostAssigned', message },
  ];
}
