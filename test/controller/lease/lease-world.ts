// A small world to live leases in: builds, hosts with users on them, a Tekton that does what the test says, and the
// controller's own decisions and writes, cut off at any write. After every single change of an object it is checked
// that nothing is held twice and that every change of phase is in the table.
import { allocate } from '../../../controller/allocation/allocate.ts';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import type { KubeObject } from '../../../controller/kubernetes/cluster.ts';
import { hasOurMark } from '../../../controller/lease/lease-mark.ts';
import { refuseWaiting } from '../../../controller/lease/refusal.ts';
import { defaultKeepTimes } from '../../../controller/lease/timeouts.ts';
import { claimHost, claimLaunch, claimLocal } from '../../../controller/lease/write-lease.ts';
import type { Allocation } from '../../../controller/allocation/allocate.ts';
import type { Action, UserTaskRunChange } from '../../../controller/model/action.ts';
import { assertNever } from '../../../controller/model/assert-never.ts';
import { second } from '../../../controller/model/instant.ts';
import { noLimits } from '../../../controller/model/pool.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { BuildReconciler } from '../../../controller/reconcile/build-reconciler.ts';
import type { ConfiguredPool } from '../../../controller/reconcile/host-config-state.ts';
import { knownHosts, type LabelWriter } from '../../../controller/reconcile/known-hosts.ts';
import type { Perform } from '../../../controller/reconcile/perform.ts';
import {
  readRequest,
  taskRunIndexes,
  takeSnapshot,
  type TaskRuns,
} from '../../../controller/reconcile/take-snapshot.ts';
import { aTaskRun, installation, operatorNamespace, readBuild, readOwn, testKey } from '../../support/builders.ts';
import { aHost, platform } from '../../support/host-builders.ts';
import { tokens } from '../../support/launched-builds.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aPool, aSelfPreparingPool } from '../../support/pool-builders.ts';
import { apiError, MemoryCluster, type WatchEvent } from '../../support/memory-cluster.ts';
import { performOn } from '../../support/perform-on.ts';
import { LeaseChecks } from './lease-checks.ts';

/** Where the controller is cut off: at its nth write, which took effect or not; or it is only told a time-out. */
export interface Cut {
  readonly write: number;
  readonly how: 'crash before' | 'crash after' | 'time-out before' | 'time-out after';
}

class Crash extends Error {
  override readonly name = 'Crash';
}

export const hosts = [aHost('one').at('10.0.0.1').build(), aHost('two').at('10.0.0.2').withSlots(2).build()];
/** Each build has a host of its own there. */
export const launchedPools = [
  aPool({ platform: platform('linux/s390x'), maxInstances: 2 }),
  aSelfPreparingPool({ platform: platform('linux/ppc64le'), maxInstances: 1 }),
];
const pools: Readonly<Record<string, ConfiguredPool>> = {
  'linux/arm64': {
    status: 'pool',
    pool: { kind: 'static', platform: platform('linux/arm64'), hosts, cordoned: new Set(), limits: noLimits },
  },
  'linux/x86_64': { status: 'pool', pool: { kind: 'local', platform: platform('linux/x86_64'), limits: noLimits } },
  ...Object.fromEntries(launchedPools.map((pool) => [pool.platform, { status: 'pool', pool }])),
};

function poolOf(name: string): ConfiguredPool {
  return pools[name] ?? { status: 'unknown', configured: Object.keys(pools) };
}

/** Here a build that never was ours is from before our first start. */
function writerOf(taskRun: UserTaskRun): LabelWriter {
  if (hasOurMark(testKey, taskRun)) return 'us';
  return taskRun.markLabel === undefined && taskRun.attemptLabel === undefined ? 'older controller' : 'anybody';
}

export function project(raw: KubeObject): KeptTaskRun | undefined {
  return raw.metadata.namespace === operatorNamespace ? readOwn(raw) : readBuild(raw);
}

export class LeaseWorld {
  readonly clock = new ManualClock();
  readonly cluster = new MemoryCluster(this.clock);
  /** What went wrong, as sentences. Empty at the end of a good life. */
  readonly wrong: string[] = [];
  readonly #checks = new LeaseChecks();
  readonly #events: WatchEvent[] = [];
  #taskRuns: TaskRuns = newCache();
  #perform: Perform = async () => undefined;
  #builds: BuildReconciler | undefined;

  constructor() {
    this.cluster.watch('taskruns', (event) => {
      this.#events.push(event);
      this.#check(`${event.type} ${event.object.metadata.name}`);
    });
    this.restart();
  }

  // ---- the controller

  /** A new process: everything is listed, nothing is remembered. */
  restart(): void {
    this.#events.length = 0;
    const taskRuns = newCache();
    this.#taskRuns = taskRuns;
    const onDone = (action: Action): void => builds.noteDone(action);
    this.#perform = performOn(this.cluster, this.clock, { taskRuns, project, onDone });
    const builds = new BuildReconciler({
      hasReported: () => false,
      knownHosts: knownHosts(
        { hostConfig: { poolOf, config: undefined }, writerOf, tokens, launches: () => [] },
        (host) => {
          const claims = [...taskRuns.by('claims', host)].length;
          return claims + builds.lostClaimsOn(host) - builds.undecidedOn(host);
        },
      ),
      taskRuns,
      perform: (actions) => this.#perform(actions),
      clock: this.clock,
      installation: () => installation,
      keep: defaultKeepTimes,
    });
    this.#builds = builds;
    taskRuns.onChange((before, after) => builds.noteChange(before, after));
    const kept = this.cluster.all('taskruns').flatMap((raw) => project(raw) ?? []);
    taskRuns.replace(taskRuns.relisting(), kept);
  }

  /** The watch brings everything that happened. */
  catchUp(): void {
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      const kept = project(event.object);
      if (kept === undefined) continue;
      if (event.type === 'DELETED') this.#taskRuns.deleted(kept);
      else this.#taskRuns.applied(kept);
    }
  }

  async look(uid: string, cut?: Cut): Promise<void> {
    await this.#until(cut, async () => void (await this.#builds?.look(uid)));
  }

  /** Gives away hosts, one claim after another. */
  async lane(name: string, cut?: Cut): Promise<void> {
    const assumed = (host: string): string[] => Array.from({ length: this.#builds?.lostClaimsOn(host) ?? 0 }, () => '');
    const assumedLaunches = (of: string) =>
      (this.#builds?.lostHosts(of) ?? []).map((host) => ({ host, namespace: '' }));
    const hasSshSecret = (): boolean => true;
    const sources = { taskRuns: this.#taskRuns, hasSshSecret, assumed, assumedLaunches, isDraining: () => false };
    const now = this.clock.now();
    const waiting = [...this.#taskRuns.by('waiting', name)].flatMap((it) =>
      it.kind === 'user' && !this.#builds?.hasLostFacts(it.uid) ? [it] : [],
    );
    const requests = waiting.flatMap((it) => readRequest(it, this.#taskRuns) ?? []);
    for (const allocation of allocate(takeSnapshot(name, poolOf(name), sources), requests, now)) {
      const target = waiting.find(({ uid }) => uid === allocation.request.uid);
      if (target === undefined || allocation.outcome === 'wait') continue;
      if (allocation.outcome === 'reject')
        await this.#until(cut, () => this.#perform(refuseWaiting(target, allocation.told)));
      else {
        const change = claimOf(target, allocation, now);
        await this.#until(cut, () => this.#perform([{ type: 'patch-user-task-run', target, change }]));
      }
    }
  }

  // ---- what is there, truly

  builds(): UserTaskRun[] {
    return this.cluster.all('taskruns').flatMap((raw) => readBuild(raw) ?? []);
  }

  ours(type: OwnTaskRun['type']): OwnTaskRun[] {
    const own = this.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
    return own.filter((it) => it.type === type);
  }

  create(name: string, platformName: string): void {
    const { metadata, spec, status } = aTaskRun().forPlatform(platformName).withPod(`${name}-pod`).raw();
    const { creationTimestamp: _, ...rest } = metadata;
    this.cluster.put('taskruns', 'team-a', { metadata: { ...rest, name }, spec, status });
  }

  pass(seconds: number): void {
    this.clock.jump(seconds * second);
    this.#check(`${seconds} s passed`);
  }

  // ---- inside

  async #until(cut: Cut | undefined, run: () => Promise<void>): Promise<void> {
    let writes = 0;
    this.cluster.fault = ({ verb, resource, dryRun }) => {
      if (resource === 'events') return { before: apiError('throttled', 'no time for Events') };
      if (verb === 'read' || dryRun) return undefined;
      writes += 1;
      if (cut?.write !== writes) return undefined;
      const error = cut.how.startsWith('crash') ? new Crash() : apiError('timeout', 'no answer', true);
      return cut.how.endsWith('before') ? { before: error } : { after: error };
    };
    try {
      await run();
    } catch (error) {
      if (error instanceof Crash) this.restart();
      // Anything else is tried again when the watch has brought news, as the queue does.
    }
  }

  #check(after: string): void {
    const ours = (['provision', 'clean', 'launch', 'terminate'] as const).flatMap((type) => this.ours(type));
    const truth = { builds: this.builds(), ours, hosts, now: this.clock.now() };
    this.wrong.push(...this.#checks.wrongNow(truth).map((wrong) => `${after}: ${wrong}`));
  }
}

function claimOf(
  target: UserTaskRun,
  allocation: Exclude<Allocation, { outcome: 'wait' | 'reject' }>,
  now: number,
): UserTaskRunChange {
  switch (allocation.outcome) {
    case 'assign':
      return claimHost(target, allocation.host, now);
    case 'assign-local':
      return claimLocal(target, allocation.request.platform, now);
    case 'launch':
      return claimLaunch(target, allocation.pool, tokens, now);
    default:
      return assertNever(allocation);
  }
}

function newCache(): TaskRuns {
  return new Cache({
    index: taskRunIndexes,
    onListenerError: (error) => {
      throw error;
    },
  });
}
