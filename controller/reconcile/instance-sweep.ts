// Finds launched hosts that nobody knows any more, and has them terminated: looks once per sweep, and does what
// lease/next-instance-sweep.ts says.
import type { HostConfig } from '../config/host-config.ts';
import { hostToLaunch } from '../lease/host-facts.ts';
import {
  nextInstanceSweep,
  nothingListed,
  type InstanceSweepMemory,
  type InstanceSweepStep,
} from '../lease/next-instance-sweep.ts';
import type { Action } from '../model/action.ts';
import { assertNever } from '../model/assert-never.ts';
import type { Clock } from '../model/clock.ts';
import type { LaunchFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { isLaunched, type LaunchedPool } from '../model/pool.ts';
import { saidBy } from '../model/said-by.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { listTaskRun, type Instance } from '../taskruns/list-task-run-manifest.ts';
import { terminateTaskRun } from '../taskruns/terminate-task-run-manifest.ts';
import { launchedHostOf } from './launched-host.ts';
import type { Perform } from './perform.ts';
import type { TaskRuns } from './take-snapshot.ts';

export interface InstanceSweepOptions {
  readonly taskRuns: TaskRuns;
  readonly config: () => HostConfig | undefined;
  readonly isOwnToken: (token: string) => boolean;
  readonly perform: Perform;
  readonly clock: Pick<Clock, 'now'>;
  readonly operatorNamespace: string;
  readonly onFound: (platform: string, instance: Instance) => void;
  readonly onError: (message: string, error: unknown) => void;
}

export class InstanceSweep {
  readonly #options: InstanceSweepOptions;
  #memory: InstanceSweepMemory = nothingListed;

  constructor(options: InstanceSweepOptions) {
    this.#options = options;
  }

  /** To be called once per sweep, by the leader. Never rejects. */
  async sweep(): Promise<void> {
    const { config, clock, isOwnToken, onError, onFound } = this.#options;
    const pools = [...(config()?.pools.values() ?? [])].filter(isLaunched);
    const { steps, memory } = nextInstanceSweep(
      { pools, ...this.#taskRuns(), isOurs: isOwnToken },
      this.#memory,
      clock.now(),
    );
    this.#memory = memory;
    for (const step of steps) {
      if (step.type === 'tell-failure')
        onError('instances could not be listed', new Error(`TaskRun ${step.list.name}: ${saidBy(step.list)}`));
      try {
        await this.#options.perform(this.#actionsOf(step, clock.now()));
        if (step.type === 'terminate') onFound(step.pool.platform, step.instance);
      } catch (error) {
        onError('a sweep of launched hosts: a step failed', error);
      }
    }
  }

  #taskRuns(): { lists: OwnTaskRun[]; known: ReadonlySet<string>; inUse: ReadonlySet<string> } {
    const lists: OwnTaskRun[] = [];
    const known = new Set<string>();
    const inUse = new Set<string>();
    for (const taskRun of this.#options.taskRuns.values()) {
      if (taskRun.kind === 'own' && taskRun.type === 'list') lists.push(taskRun);
      const token = launchedHostOf(taskRun);
      if (token === undefined) continue;
      known.add(token);
      inUse.add(taskRun.facts?.platform ?? '');
    }
    return { lists, known, inUse };
  }

  #actionsOf(step: InstanceSweepStep, now: Instant): Action[] {
    const { operatorNamespace } = this.#options;
    switch (step.type) {
      case 'list':
        return [
          { type: 'create-task-run', manifest: listTaskRun(step.pool, step.task, step.after, operatorNamespace) },
        ];
      case 'terminate':
        return [{ type: 'create-task-run', manifest: this.#termination(step.pool, step.instance, now) }];
      case 'retire':
        return [{ type: 'delete-task-run', target: step.list }];
      case 'tell-failure':
        return [];
      default:
        return assertNever(step);
    }
  }

  /** As for a build that is gone: its token stands for the build. */
  #termination(pool: LaunchedPool, { id, token }: Instance, now: Instant) {
    const { operatorNamespace } = this.#options;
    const host = hostToLaunch(pool, token);
    const launch: LaunchFacts = { ...host.launch, ...(id === '' ? {} : { instanceId: id }) };
    const claim = { ...host, launch, since: now };
    const facts = { attempt: 1, platform: pool.platform, claim };
    const nobody = { uid: token, namespace: operatorNamespace, name: token };
    return terminateTaskRun(nobody, facts, claim, 1, { operatorNamespace, instanceTag: pool.instanceTag });
  }
}
