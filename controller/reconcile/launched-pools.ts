// Keeps the hosts of dynamic-pools: looks when something changes that matters, does what allocation/plan-pool.ts says. Decides
// nothing itself; what it remembers may be lost.
import { planPool, type PooledHost, type PoolPlan, type PoolStep, type PoolUse } from '../allocation/plan-pool.ts';
import { ApiError } from '../kubernetes/api-errors.ts';
import { pooledLaunch, terminatePooled } from '../lease/pooled-launch.ts';
import { remove } from '../lease/build-actions.ts';
import { launchDeadline } from '../lease/timeouts.ts';
import type { Action, TaskRunManifest } from '../model/action.ts';
import { assertNever } from '../model/assert-never.ts';
import type { Clock } from '../model/clock.ts';
import { minute, type Duration, type Instant } from '../model/instant.ts';
import { noLimits, type LaunchedPool, type StaticPool } from '../model/pool.ts';
import type { KeptTaskRun, OwnTaskRun } from '../model/task-run.ts';
import type { LaunchTokens } from '../taskruns/launch-token.ts';
import type { HostConfigState } from './host-config-state.ts';
import type { Perform } from './perform.ts';
import { missingSecretOf } from './pool-secrets.ts';
import { asStaticPool, hostsTaken, isPooledLaunch, pooledHost, pooledLaunches } from './pooled-hosts.ts';
import { heldBy, readRequest, useOf, type SnapshotSources, type TaskRuns } from './take-snapshot.ts';
import { defaultPause, WorkQueue } from './work-queue.ts';

export interface LaunchedPoolsOptions {
  readonly taskRuns: TaskRuns;
  readonly hostConfig: Pick<HostConfigState, 'config' | 'poolOf'>;
  readonly hasSshSecret: (name: string) => boolean;
  /** Builds that are to have this host although no TaskRun shows it yet: the namespace of each, '' where unknown. */
  readonly assumedOn: (host: string) => readonly string[];
  /** A decision is being written for this build. */
  readonly isUnderWay: (uid: string) => boolean;
  readonly tokens: LaunchTokens;
  readonly perform: Perform;
  readonly clock: Clock;
  readonly operatorNamespace: string;
  /** How long a launch that failed is kept for its log. */
  readonly keep: Duration;
  /** Its hosts take builds again, or do not any more. */
  readonly lookAtPlatform: (platform: string) => void;
  readonly onError: (message: string, error: unknown) => void;
}

/** After the API server refused the TaskRun of a launch. */
const refusedPause: Duration = minute;
/** For this try of a cleanup, and for later ones, no host is kept. */
const lastCleanup = 3;

export class LaunchedPools {
  readonly #options: LaunchedPoolsOptions;
  readonly #queue: WorkQueue<string>;
  /** Platforms that have such a pool, or had. */
  readonly #platforms = new Set<string>();
  readonly #closed = new Map<string, ReadonlySet<string>>();
  /** Launches whose TaskRun may not have been created yet, by host. */
  readonly #unknown = new Map<string, { readonly platform: string; readonly manifest: TaskRunManifest }>();
  readonly #refusedUntil = new Map<string, Instant>();
  #launches = 0;
  #active = false;

  constructor(options: LaunchedPoolsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      look: (platform) => this.#lookAt(platform),
      workers: 1,
      clock: options.clock,
      pauseAfter: defaultPause,
      onError: (_platform, error) => options.onError('hosts of a pool: a look failed, trying again', error),
    });
  }

  /** Once the caches are filled and this process is the leader. */
  start(): void {
    this.#active = true;
    this.lookAtAll();
  }

  stop(): Promise<void> {
    this.#active = false;
    return this.#queue.stop();
  }

  /** It takes no new builds. */
  isClosed(host: string): boolean {
    return [...this.#closed.values()].some((closed) => closed.has(host));
  }

  /** To be called with every change of the cache of TaskRuns. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    const taskRun = after ?? before;
    if (!this.#active || taskRun === undefined) return;
    const platform = taskRun.kind === 'own' ? taskRun.facts?.platform : taskRun.platform;
    if (platform === undefined) return;
    if (taskRun.kind === 'own' && isPooledLaunch(taskRun)) this.#platforms.add(platform);
    if (this.#platforms.has(platform)) this.#queue.add(platform);
  }

  /** After a new host-config, and once per sweep. */
  lookAtAll(): void {
    if (!this.#active) return;
    this.#learnPlatforms();
    for (const platform of this.#platforms) this.#queue.add(platform);
  }

  /** Instead of start(), before an uninstall: no host is wanted any more. */
  async endAll(): Promise<void> {
    this.#learnPlatforms();
    for (const platform of this.#platforms) await this.#look(platform, undefined);
  }

  #learnPlatforms(): void {
    for (const pool of this.#options.hostConfig.config?.pools.values() ?? [])
      if (pool.kind === 'dynamic-pool') this.#platforms.add(pool.platform);
    for (const taskRun of this.#options.taskRuns.values())
      if (taskRun.kind === 'own' && isPooledLaunch(taskRun)) this.#platforms.add(taskRun.facts?.platform ?? '');
  }

  async #lookAt(platform: string): Promise<Instant | undefined> {
    const configured = this.#options.hostConfig.poolOf(platform);
    // A mistake that is mended in a moment costs no host.
    if (configured.status === 'unusable') return undefined;
    const pool = configured.status === 'pool' ? configured.pool : undefined;
    return this.#look(platform, pool?.kind === 'dynamic-pool' ? pool : undefined);
  }

  async #look(platform: string, pool: LaunchedPool | undefined): Promise<Instant | undefined> {
    const { clock, keep, perform, operatorNamespace } = this.#options;
    await this.#settle(platform);
    const now = clock.now();
    const plan = planPool(this.#useOf(platform, pool), now, keep);
    // Before anything is awaited: from here on no lane gives these hosts away.
    this.#close(platform, plan);
    const until = this.#refusedUntil.get(platform) ?? 0;
    for (const step of plan.steps) {
      if (step.type !== 'launch') await perform([...actionsOf(step, operatorNamespace), ...this.#noLongerNeeded(step)]);
      else if (now >= until) await this.#launch(step.pool, now);
    }
    return until > now ? Math.min(until, plan.lookAgainAt ?? Infinity) : plan.lookAgainAt;
  }

  #close(platform: string, { closed }: PoolPlan): void {
    const before = this.#closed.get(platform) ?? new Set();
    this.#closed.set(platform, closed);
    const changed = closed.size !== before.size || [...closed].some((host) => !before.has(host));
    if (changed) this.#options.lookAtPlatform(platform);
  }

  /** What may have been created and may not counts as a host, and is asked for again under its name. */
  async #launch(pool: LaunchedPool, now: Instant): Promise<void> {
    const { tokens, operatorNamespace } = this.#options;
    this.#launches += 1;
    // Unique to this moment: nothing but the TaskRun itself remembers it.
    const identity = { uid: String(this.#launches), namespace: operatorNamespace, name: pool.platform };
    const token = tokens({ ...identity, attempt: now });
    const manifest = pooledLaunch(pool, token, now, operatorNamespace);
    this.#unknown.set(token, { platform: pool.platform, manifest });
    await this.#settle(pool.platform);
  }

  async #settle(platform: string): Promise<void> {
    const { perform, clock, onError } = this.#options;
    for (const [token, { platform: of, manifest }] of this.#unknown) {
      if (of !== platform) continue;
      try {
        await perform([{ type: 'create-task-run', manifest }]);
      } catch (error) {
        if (!(error instanceof ApiError) || (error.kind !== 'refused' && error.kind !== 'invalid')) throw error;
        onError(`a host of platform ${platform} could not be launched: its TaskRun was refused`, error);
        this.#refusedUntil.set(platform, clock.now() + refusedPause);
      }
      this.#unknown.delete(token);
    }
  }

  #useOf(platform: string, pool: LaunchedPool | undefined): PoolUse {
    const { taskRuns, hasSshSecret, assumedOn, isUnderWay } = this.#options;
    const sources: SnapshotSources = {
      taskRuns,
      hasSshSecret,
      assumed: assumedOn,
      isDraining: () => false,
    };
    const waiting = [...taskRuns.by('waiting', platform)].flatMap((it) =>
      it.kind === 'user' && !isUnderWay(it.uid) ? (readRequest(it, taskRuns) ?? []) : [],
    );
    const standing = pool && asStaticPool(pool, taskRuns);
    const launches = pooledLaunches(platform, taskRuns);
    return {
      pool,
      hosts: launches.map((launch) => this.#hostOf(launch, pool?.concurrency ?? 1, standing, sources)),
      taken: hostsTaken(platform, taskRuns).size,
      waiting,
      held: standing === undefined ? new Map() : heldBy(standing, sources),
      lacksSecret: pool !== undefined && missingSecretOf(pool, sources) !== undefined,
    };
  }

  #hostOf(
    launch: OwnTaskRun,
    concurrency: number,
    standing: StaticPool | undefined,
    sources: SnapshotSources,
  ): PooledHost {
    const host = pooledHost(launch, concurrency);
    const pool: Pick<StaticPool, 'limits' | 'cordoned'> = standing ?? { limits: noLimits, cordoned: new Set() };
    return {
      launch,
      deadline: launchDeadline(launch.created, launch.facts?.claim?.launch?.timeout ?? 0),
      use: host === undefined ? undefined : useOf(host, pool, sources),
      isBeingCleaned: () => this.#isBeingCleaned(launch.host),
    };
  }

  /** Nothing that a build left is there any more when its host is gone. */
  #noLongerNeeded(step: PoolStep): Action[] {
    if (step.type !== 'terminate') return [];
    return [...this.#options.taskRuns.by('cleanups', step.launch.host)].flatMap((target): Action[] =>
      target.kind === 'own' ? [{ type: 'mark-cleaned', target }] : [],
    );
  }

  #isBeingCleaned(host: string): boolean {
    const { taskRuns } = this.#options;
    if (taskRuns.count('endedClaims', host) > 0) return true;
    const own = [...taskRuns.by('working', host), ...taskRuns.by('cleanups', host)];
    return own.some((it) => it.kind === 'own' && isAtWork(it));
  }
}

/** For a build that has been there: it is cleaned up, or the preparation that nobody needs any more has yet to end. */
function isAtWork({ type, cleaned, cleanupTry }: OwnTaskRun): boolean {
  return type === 'provision' || (type === 'clean' && !cleaned && cleanupTry < lastCleanup);
}

function actionsOf(step: Exclude<PoolStep, { type: 'launch' }>, operatorNamespace: string): readonly Action[] {
  const { launch } = step;
  switch (step.type) {
    case 'cancel':
      return [{ type: 'cancel-task-run', target: launch }];
    case 'terminate':
      return terminatePooled(launch, operatorNamespace);
    case 'forget':
      return remove(launch);
    default:
      return assertNever(step);
  }
}
