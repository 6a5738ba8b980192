// Before the product is uninstalled: gives every host back in the ordinary way, waits until all is cleaned up, and takes our
// finalizers off whatever is left by then, saying what that leaves behind. Allocates nothing.
import { release } from '../lease/write-lease.ts';
import type { Action } from '../model/action.ts';
import type { Clock } from '../model/clock.ts';
import { second, type Duration } from '../model/instant.ts';
import { secretNameFor } from '../model/labels.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { LogFields } from '../telemetry/logger.ts';
import type { BuildReconciler } from './build-reconciler.ts';
import type { DrainView } from './drain-view.ts';
import type { Perform } from './perform.ts';
import type { TaskRuns } from './take-snapshot.ts';

export interface DrainOptions {
  readonly taskRuns: TaskRuns;
  /** The view that `builds` looks through. */
  readonly view: Pick<DrainView, 'endBuilds'>;
  readonly builds: Pick<BuildReconciler, 'look'>;
  readonly perform: Perform;
  /** Has hosts of several builds terminated that are empty. */
  readonly endPools: () => Promise<void>;
  readonly clock: Clock;
  readonly log: (severity: 'info' | 'warn', message: string, fields?: LogFields) => void;
  /** Builds that run may go on for this long. */
  readonly patience: Duration;
  /** After that, hosts may take this long to be cleaned. */
  readonly timeout: Duration;
}

/** Sentences about what could not be given back; none when all was. */
export type DrainOutcome = readonly string[];

const lookEvery = second;

export class Drain {
  readonly #options: DrainOptions;
  #told = '';

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Once the caches are filled and this process is the leader. Ends early when the signal aborts, with all that is left. */
  async run(signal: AbortSignal): Promise<DrainOutcome> {
    const { clock, view, patience, timeout } = this.#options;
    const endAt = clock.now() + patience;
    await this.#cancelUpdates();
    for (;;) {
      if (clock.now() >= endAt) view.endBuilds(clock.now());
      await this.#lookAtAll();
      if (clock.now() >= endAt) await this.#endPools();
      const held = this.#held();
      if (held.length === 0) return [];
      if (signal.aborted) return held.map(sentenceOf);
      if (clock.now() >= endAt + timeout) return this.#letGo(held);
      this.#tellProgress(held);
      await clock.sleep(lookEvery, signal);
    }
  }

  /** They carry no finalizer, and the next installation cares for its hosts itself. */
  async #cancelUpdates(): Promise<void> {
    for (const taskRun of this.#options.taskRuns.values()) {
      if (taskRun.kind !== 'own' || taskRun.type !== 'update' || taskRun.outcome !== 'running') continue;
      if (!taskRun.cancelled) await this.#try([{ type: 'cancel-task-run', target: taskRun }], taskRun);
    }
  }

  async #lookAtAll(): Promise<void> {
    const uids = new Set<string>();
    for (const taskRun of this.#options.taskRuns.values()) {
      if (taskRun.kind === 'own') uids.add(taskRun.userUid);
      else if (holdsAnything(taskRun) || taskRun.waitingFor !== undefined) uids.add(taskRun.uid);
    }
    uids.delete('');
    for (const uid of uids) {
      try {
        await this.#options.builds.look(uid);
      } catch (error) {
        this.#options.log('warn', 'a look at a build failed, trying again', { uid, error });
      }
    }
  }

  async #endPools(): Promise<void> {
    try {
      await this.#options.endPools();
    } catch (error) {
      this.#options.log('warn', 'hosts of a pool could not be given back, trying again', { error });
    }
  }

  #held(): KeptTaskRun[] {
    return [...this.#options.taskRuns.values()].filter((taskRun) =>
      taskRun.kind === 'own' ? isUnderWay(taskRun) : holdsAnything(taskRun),
    );
  }

  #tellProgress(held: readonly KeptTaskRun[]): void {
    const builds = held.filter(({ kind }) => kind === 'user').length;
    const message = `${builds} builds and ${held.length - builds} TaskRuns of ours still hold a host`;
    if (message !== this.#told) this.#options.log('info', message);
    this.#told = message;
  }

  async #letGo(held: readonly KeptTaskRun[]): Promise<DrainOutcome> {
    const left: string[] = [];
    for (const taskRun of held) {
      const done = await this.#try(taskRun.kind === 'own' ? letGoOwn(taskRun) : letGoBuild(taskRun), taskRun);
      if (!done) left.push(`${sentenceOf(taskRun)}; our finalizer is still on it`);
      else if (!isDone(taskRun)) left.push(sentenceOf(taskRun));
    }
    for (const sentence of left) this.#options.log('warn', sentence);
    return left;
  }

  async #try(actions: readonly Action[], { namespace, name }: KeptTaskRun): Promise<boolean> {
    try {
      await this.#options.perform(actions);
      return true;
    } catch (error) {
      this.#options.log('warn', 'a TaskRun could not be changed', { namespace, taskRun: name, error });
      return false;
    }
  }
}

function holdsAnything({ hasFinalizer, facts }: UserTaskRun): boolean {
  return hasFinalizer || facts?.claim !== undefined;
}

/** A failed provision is over; a failed cleanup is tried again. */
function isUnderWay({ type, hasFinalizer, outcome }: OwnTaskRun): boolean {
  const worksForBuild = type !== 'update' && type !== 'list';
  return hasFinalizer || (worksForBuild && outcome === 'running');
}

/** Did its work; only its build could not be told. */
function isDone(taskRun: KeptTaskRun): boolean {
  return taskRun.kind === 'own' && taskRun.outcome === 'succeeded';
}

function letGoBuild(target: UserTaskRun): Action[] {
  const { namespace, name } = target;
  return [
    { type: 'patch-user-task-run', target, change: release(target) },
    { type: 'delete-secret', namespace, name: secretNameFor(name) },
  ];
}

function letGoOwn(target: OwnTaskRun): Action[] {
  return [
    ...(target.outcome === 'running' && !target.cancelled ? [{ type: 'cancel-task-run', target } as const] : []),
    ...(target.hasFinalizer ? [{ type: 'drop-own-finalizer', target } as const] : []),
  ];
}

function sentenceOf(taskRun: KeptTaskRun): string {
  const claim = taskRun.facts?.claim;
  const host = claim === undefined ? 'a host' : `host ${claim.host} (${claim.address})`;
  if (taskRun.kind === 'user') return `${host} was not given back by build ${taskRun.namespace}/${taskRun.name}`;
  const build = `${taskRun.userNamespace}/${taskRun.userName}`;
  if (taskRun.type === 'launch' || taskRun.type === 'terminate')
    return `${host}, launched for ${taskRun.userName === '' ? 'several builds' : build}, may still be there: TaskRun ${taskRun.name} did not end it`;
  return `${host} may still have the user of build ${build}: TaskRun ${taskRun.name} did not succeed`;
}
