// Has static hosts cared for: looks at them when something changes that matters, does what allocation/next-care.ts says, and
// tells what came of it. Decides nothing itself; what it remembers may be lost.
import {
  nextCare,
  noCareYet,
  putOffCare,
  type CareHost,
  type CareMemory,
  type CareStep,
} from '../allocation/next-care.ts';
import { foundBuilds } from '../allocation/care-runs.ts';
import type { HostConfig } from '../config/host-config.ts';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Clock } from '../model/clock.ts';
import type { Action } from '../model/action.ts';
import { assertNever } from '../model/assert-never.ts';
import type { Host } from '../model/host.ts';
import type { Duration, Instant } from '../model/instant.ts';
import type { StaticPool } from '../model/pool.ts';
import { saidBy } from '../model/said-by.ts';
import type { KeptTaskRun, OwnTaskRun } from '../model/task-run.ts';
import { updateTaskRun } from '../taskruns/update-task-run-manifest.ts';
import type { EventText } from './event-recorder.ts';
import type { Perform } from './perform.ts';
import { allUpdates, type TaskRuns } from './take-snapshot.ts';
import { defaultPause, WorkQueue } from './work-queue.ts';

type CareOutcome = 'succeeded' | 'failed' | 'skipped';

/** To be told as an Event, and counted. */
export interface CareNews {
  readonly outcome: CareOutcome;
  /** Undefined: the host is not configured any more. */
  readonly platform: string | undefined;
  readonly event: EventText;
}

const reasons = {
  succeeded: { severity: 'Normal', reason: 'HostUpdated' },
  failed: { severity: 'Warning', reason: 'HostUpdateFailed' },
  skipped: { severity: 'Warning', reason: 'HostUpdateSkipped' },
} as const;

export interface HostCareOptions {
  readonly taskRuns: TaskRuns;
  readonly config: () => HostConfig | undefined;
  readonly hasSshSecret: (name: string) => boolean;
  /** Builds that are to have this host although no TaskRun shows it yet. */
  readonly assumedOn: (host: string) => number;
  readonly perform: Perform;
  readonly clock: Clock;
  readonly operatorNamespace: string;
  /** How long update TaskRuns are kept. */
  readonly keep: Duration;
  /** Its hosts take builds again, or do not any more. */
  readonly lookAtPlatform: (platform: string) => void;
  readonly tell: (news: CareNews) => void;
  readonly onError: (error: unknown) => void;
}

export class HostCare {
  readonly #options: HostCareOptions;
  readonly #queue: WorkQueue<'care'>;
  #memory: CareMemory = noCareYet;
  #drained: string | undefined;
  #active = false;

  constructor(options: HostCareOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      look: () => this.#look(),
      workers: 1,
      clock: options.clock,
      pauseAfter: defaultPause,
      onError: (_key, error) => options.onError(error),
    });
  }

  /** Once the caches are filled and this process is the leader. */
  start(): void {
    this.#active = true;
    this.#queue.add('care');
  }

  stop(): Promise<void> {
    this.#active = false;
    return this.#queue.stop();
  }

  /** This host takes no new builds now. */
  isDraining(host: string): boolean {
    return this.#drained === host;
  }

  /** To be called with every change of the cache of TaskRuns. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    if (!this.#active) return;
    const isUpdate = (after ?? before)?.kind === 'own' && [before, after].some(isUpdateRun);
    if (isUpdate && isUpdateRun(before) && isUpdateRun(after)) this.#tellEnd(before, after);
    // While a host is drained, any build that ends may be its last one.
    if (isUpdate || this.#drained !== undefined) this.#queue.add('care');
  }

  /** To be called after a new host-config or ssh Secret was taken over. */
  noteConfig(): void {
    if (this.#active) this.#queue.add('care');
  }

  async #look(): Promise<Instant | undefined> {
    const { config, clock, keep } = this.#options;
    const current = config();
    if (current === undefined) return undefined;
    const pools = [...current.pools.values()].filter((pool) => pool.kind === 'static');
    const hosts = pools.flatMap((pool) => pool.hosts.map((host) => this.#careHost(host, pool)));
    const runs = [...this.#options.taskRuns.by('updates', allUpdates)].filter((it) => it.kind === 'own');
    const plan = nextCare({ settings: current.care, hosts, runs }, this.#memory, clock.now(), keep);
    // Before anything is awaited: from here on no lane gives this host away.
    this.#memory = plan.memory;
    this.#setDrained(plan.drained);
    for (const step of plan.steps) {
      if (step.type === 'skip') this.#tellSkip(step.host, step.why);
      const refusal = await this.#perform(step);
      if (refusal === undefined) continue;
      this.#memory = putOffCare(plan.memory, refusal.host.name, clock.now());
      this.#setDrained(undefined);
      this.#tellSkip(refusal.host, refusal.why);
      return clock.now();
    }
    return plan.lookAgainAt;
  }

  /** Returns why the API server refused the update of a host: trying again would not help. */
  async #perform(step: CareStep): Promise<{ readonly host: Host; readonly why: string } | undefined> {
    try {
      await this.#options.perform(this.#actionOf(step));
      return undefined;
    } catch (error) {
      const refused = error instanceof ApiError && (error.kind === 'refused' || error.kind === 'invalid');
      if (!refused || step.type !== 'update') throw error;
      return { host: step.host, why: `its TaskRun was refused: ${error.message}` };
    }
  }

  #careHost(host: Host, { cordoned }: StaticPool): CareHost {
    const { taskRuns, hasSshSecret, assumedOn } = this.#options;
    const { name } = host;
    return {
      host,
      cordoned: cordoned.has(name),
      hasSshSecret: hasSshSecret(host.secret),
      users: taskRuns.count('claims', name) + assumedOn(name) + taskRuns.count('working', name),
    };
  }

  #actionOf(step: CareStep): Action[] {
    switch (step.type) {
      case 'update': {
        const manifest = updateTaskRun(step.host, step.after, this.#options.operatorNamespace);
        return [{ type: 'create-task-run', manifest }];
      }
      case 'cancel':
        return [{ type: 'cancel-task-run', target: step.run }];
      case 'retire':
        return [{ type: 'delete-task-run', target: step.run }];
      case 'skip':
        return [];
      default:
        return assertNever(step);
    }
  }

  #setDrained(host: string | undefined): void {
    if (host === this.#drained) return;
    const changed = [this.#drained, host];
    this.#drained = host;
    for (const name of changed) {
      const platform = name === undefined ? undefined : this.#platformOf(name);
      if (platform !== undefined) this.#options.lookAtPlatform(platform);
    }
  }

  #tellSkip(host: Host, why: string): void {
    const message = `host ${host.name} was not updated: ${why}; next try in an hour`;
    this.#tell('skipped', host.platform, message);
  }

  #tellEnd(before: OwnTaskRun, after: OwnTaskRun): void {
    if (before.outcome !== 'running' || after.outcome === 'running') return;
    const { host, name, outcome } = after;
    const said = saidBy(after);
    const messages = {
      succeeded: `host ${host} is updated: ${said}`,
      skipped: `host ${host} was not updated: ${said}; next try in an hour`,
      failed: `host ${host} could not be updated: ${said}: see the log of TaskRun ${name}`,
    };
    const ending = foundBuilds(after) ? 'skipped' : outcome;
    this.#tell(ending, this.#platformOf(host), messages[ending]);
  }

  #tell(outcome: CareOutcome, platform: string | undefined, message: string): void {
    this.#options.tell({ outcome, platform, event: { ...reasons[outcome], message } });
  }

  #platformOf(host: string): string | undefined {
    for (const pool of this.#options.config()?.pools.values() ?? [])
      if (pool.kind === 'static' && pool.hosts.some(({ name }) => name === host)) return pool.platform;
    return undefined;
  }
}

function isUpdateRun(taskRun: KeptTaskRun | undefined): taskRun is OwnTaskRun {
  return taskRun?.kind === 'own' && taskRun.type === 'update';
}
