// The one place that gives away hosts of a platform: snapshot, allocate, write the claims. Decisions of a lane are
// serial; claims written and not yet seen are part of the next snapshot, so no slot is given away twice.
import { allocate, type Allocation } from '../allocation/allocate.ts';
import { limitsOf, type PoolSnapshot } from '../allocation/pool-snapshot.ts';
import { ApiError } from '../kubernetes/api-errors.ts';
import { refuseWaiting } from '../lease/refusal.ts';
import type { LaunchTokens } from '../taskruns/launch-token.ts';
import { actionsFor } from './lane-actions.ts';
import type { Action } from '../model/action.ts';
import type { Clock } from '../model/clock.ts';
import { earliest, type Instant } from '../model/instant.ts';
import { parsePlatform, platformFormatMessage } from '../model/platform.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { annotations } from '../model/labels.ts';
import { AssumedClaims } from './assumed-claims.ts';
import { LaneMemory } from './lane-memory.ts';
import { LateConfig } from './late-config.ts';
import type { Perform } from './perform.ts';
import { retryPause, SteppedAside } from './stepped-aside.ts';
import { isWaiting, readRequest, takeSnapshot, type TaskRuns } from './take-snapshot.ts';
import { Turns } from './turns.ts';
import type { HostConfigState } from './host-config-state.ts';
import type { WaitAnnouncer } from './wait-announcer.ts';

export interface LaneOptions {
  readonly taskRuns: TaskRuns;
  readonly hostConfig: HostConfigState;
  readonly hasSshSecret: (name: string) => boolean;
  /** It takes no new builds: see Upkeep.isDraining(). */
  readonly isDraining: (host: string) => boolean;
  readonly perform: Perform;
  /** Reads a TaskRun again, into the cache: after a write whose fate is unknown. */
  readonly refresh: (taskRun: UserTaskRun) => Promise<void>;
  readonly announcer: WaitAnnouncer;
  /** Holds a slot that its TaskRun does not show: no part of the queue. */
  readonly hasLostFacts: (uid: string) => boolean;
  /** How many of those slots are on this host. */
  readonly lostClaimsOn: (host: string) => number;
  /** Launched hosts of this platform that no TaskRun shows. */
  readonly lostHosts: (platform: string) => readonly string[];
  /** Names of hosts to be launched. */
  readonly tokens: LaunchTokens;
  readonly clock: Clock;
  /** The fate of a write is known now, or it failed: this platform needs another look. */
  readonly lookAgain: (platform: string, at: Instant) => void;
  readonly onError: (platform: string, error: unknown) => void;
}

/** A request waits for its answer a few seconds only: thousands at once would not get theirs in time. */
const writesAtOnce = 16;
/** With thousands in the queue a decision takes milliseconds: the lane then rests, so that news cannot keep it busy. */
const longQueue = 500;
const restFactor = 4;
const longestRest = 50;

export class PlatformLanes {
  readonly #options: LaneOptions;
  readonly #underWay: AssumedClaims;
  readonly #memory = new LaneMemory();
  readonly #turns = new Turns(writesAtOnce);
  /** Builds that were told that their priority is no integer. */
  readonly #told = new Set<string>();
  readonly #stopped = new AbortController();
  readonly #restUntil = new Map<string, Instant>();
  readonly #aside = new SteppedAside();
  readonly #lateConfig = new LateConfig();

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#underWay = new AssumedClaims(options.taskRuns);
  }

  /** One decision for one platform, unless it rests. The writes go on behind it. */
  look(platform: string): Instant | undefined {
    const { clock } = this.#options;
    const rest = this.#restUntil.get(platform) ?? 0;
    if (clock.now() < rest) return rest;
    const began = clock.monotonic();
    const lookAgainAt = this.#decide(platform);
    const took = clock.monotonic() - began;
    if (this.#options.taskRuns.count('waiting', platform) <= longQueue) this.#restUntil.delete(platform);
    else this.#restUntil.set(platform, clock.now() + Math.min(restFactor * took, longestRest));
    return lookAgainAt;
  }

  #decide(platform: string): Instant | undefined {
    const { taskRuns, clock, announcer } = this.#options;
    const now = clock.now();
    const waiting = this.#waitingFor(platform, now);
    const times = this.#returnsAfter(platform, now);
    if (waiting.size === 0) return earliest(times);
    if (parsePlatform(platform) === undefined) return this.#refuseMalformed(waiting.values());

    const snapshot = this.#takeSnapshot(platform);
    if (limitsOf(snapshot)?.priority) for (const taskRun of waiting.values()) this.#tellOfPriority(taskRun);
    const requests = [...waiting.values()].flatMap((taskRun) => readRequest(taskRun, taskRuns) ?? []);
    for (const allocation of allocate(snapshot, requests, now)) {
      const taskRun = waiting.get(allocation.request.uid);
      if (taskRun === undefined) continue;
      const heldUntil = this.#lateConfig.heldUntil(allocation, now);
      if (allocation.outcome === 'wait') {
        if (allocation.until !== undefined) times.push(allocation.until);
        announcer.announce(taskRun, allocation);
      } else if (heldUntil === undefined) {
        this.#write(taskRun, allocation, now);
      } else {
        times.push(heldUntil);
      }
    }
    return earliest(times);
  }

  /** A decision is being written for this build. */
  isUnderWay(uid: string): boolean {
    return this.#underWay.has(uid);
  }

  /** Slots of this host that are taken although no TaskRun shows it: the namespace of each, '' where unknown. */
  assumedOn(host: string): readonly string[] {
    const lost = Array<string>(this.#options.lostClaimsOn(host)).fill('');
    return [...(this.#underWay.unseen().get(host) ?? []), ...lost];
  }

  forget(uid: string): void {
    this.#aside.forget(uid);
    this.#lateConfig.forget(uid);
    this.#told.delete(uid);
  }

  /** Begins no write any more; resolves when the last is answered. What came of those without one, whoever acts next reads. */
  stop(): Promise<void> {
    this.#stopped.abort();
    return this.#turns.untilIdle();
  }

  #takeSnapshot(platform: string): PoolSnapshot {
    const { taskRuns, hostConfig, hasSshSecret, lostClaimsOn, lostHosts, clock } = this.#options;
    const unseen = this.#underWay.unseen();
    return takeSnapshot(platform, hostConfig.poolOf(platform), {
      taskRuns,
      hasSshSecret,
      assumed: (host) => [...(unseen.get(host) ?? []), ...Array<string>(lostClaimsOn(host)).fill('')],
      assumedLaunches: () => [
        ...this.#underWay.unseenOf(platform),
        ...lostHosts(platform).map((host) => ({ host, namespace: '' })),
      ],
      isDraining: this.#options.isDraining,
      lastServed: this.#memory.lastServed(platform),
      missingSince: (secret) => this.#memory.missingSince(secret, hasSshSecret(secret), clock.now()),
    });
  }

  #waitingFor(platform: string, now: Instant): Map<string, UserTaskRun> {
    const waiting = new Map<string, UserTaskRun>();
    for (const taskRun of this.#options.taskRuns.by('waiting', platform)) {
      const { uid } = taskRun;
      const absent =
        this.#underWay.has(uid) || this.#options.hasLostFacts(uid) || this.#aside.returnsAt(uid, now) !== undefined;
      if (taskRun.kind === 'user' && !absent) waiting.set(uid, taskRun);
    }
    return waiting;
  }

  /** When builds that stepped aside join the queue again. */
  #returnsAfter(platform: string, now: Instant): Instant[] {
    if (this.#aside.isEmpty) return [];
    const waiting = [...this.#options.taskRuns.by('waiting', platform)];
    return waiting.flatMap(({ uid }) => this.#aside.returnsAt(uid, now) ?? []);
  }

  /** Once: it changes nothing else. */
  #tellOfPriority(taskRun: UserTaskRun): void {
    const { uid, unreadablePriority: given } = taskRun;
    if (given === undefined || this.#told.has(uid)) return;
    this.#told.add(uid);
    const message = `annotation ${annotations.priority} is '${given}', which counts as 0: give an integer, as 10 or -5`;
    const { perform, onError } = this.#options;
    const told = perform([
      { type: 'emit-event', about: taskRun, severity: 'Warning', reason: 'PriorityInvalid', message },
    ]);
    told.catch((error: unknown) => onError(taskRun.platform ?? '', error));
  }

  #refuseMalformed(waiting: Iterable<UserTaskRun>): undefined {
    for (const taskRun of waiting) {
      const message = `${platformFormatMessage}: PLATFORM is '${taskRun.platform}', give for example linux/arm64`;
      void this.#perform(taskRun, undefined, refuseWaiting(taskRun, { reason: 'PlatformMalformed', message }));
    }
  }

  #write(taskRun: UserTaskRun, allocation: Exclude<Allocation, { outcome: 'wait' }>, now: Instant): void {
    const actions = actionsFor(taskRun, allocation, this.#options.tokens, now);
    const [claim] = actions.flatMap((it) => (it.type === 'patch-user-task-run' ? (it.change.facts?.claim ?? []) : []));
    void this.#perform(taskRun, claim?.provider === 'local' ? undefined : claim?.host, actions);
  }

  /** Never rejects. Until it is known what became of the write, its slot counts as taken. */
  async #perform(taskRun: UserTaskRun, host: string | undefined, actions: readonly Action[]): Promise<void> {
    const { perform, clock, lookAgain, onError } = this.#options;
    const platform = taskRun.platform ?? '';
    this.#underWay.add(taskRun, host);
    try {
      const written = await this.#turns.run(async () => {
        const wanted = this.#isStillWanted(taskRun);
        if (wanted) await perform(actions);
        return wanted;
      });
      this.#aside.forget(taskRun.uid);
      if (written && host !== undefined) this.#memory.noteServed(platform, taskRun.namespace, clock.now());
    } catch (error) {
      onError(platform, error);
      const asked = !(error instanceof ApiError) || error.ambiguous || error.kind === 'conflict';
      if (asked) await this.#findOut(taskRun);
      const next = this.#aside.note(taskRun.uid, clock.now());
      if (next === 'keeps its place' && !asked) await clock.sleep(retryPause, this.#stopped.signal);
      // The slot it was to have may be for the next one.
      lookAgain(platform, clock.now());
    }
    this.#underWay.delete(taskRun.uid);
    // Its build ended, or vanished, in between, which rang while the slot still counted as taken.
    if (host !== undefined && this.#hasLeft(taskRun, host)) lookAgain(platform, clock.now());
  }

  /** It may have ended, and this process may have stopped acting, while the write waited for its turn. */
  #isStillWanted({ uid }: UserTaskRun): boolean {
    const current = this.#options.taskRuns.byUid(uid);
    return !this.#stopped.signal.aborted && current?.kind === 'user' && isWaiting(current);
  }

  /** Neither in the queue, which it will leave with a ring, nor on this host. */
  #hasLeft({ uid }: UserTaskRun, host: string): boolean {
    const current = this.#options.taskRuns.byUid(uid);
    return current?.kind !== 'user' || (!isWaiting(current) && current.facts?.claim?.host !== host);
  }

  /** Asks until the API server answers: an unknown claim must not become a second one. */
  async #findOut(taskRun: UserTaskRun): Promise<void> {
    const { refresh, clock, onError } = this.#options;
    const { signal } = this.#stopped;
    for (let pause = retryPause; !signal.aborted; pause = Math.min(2 * pause, 10_000)) {
      try {
        return await refresh(taskRun);
      } catch (error) {
        onError(taskRun.platform ?? '', error);
        if (error instanceof ApiError && error.kind === 'fenced') return;
      }
      await clock.sleep(pause, signal);
    }
  }
}
