// One look at one build: its TaskRun and ours that work for it, what must happen next, and doing that.
import { nextActions } from '../lease/next-actions.ts';
import { cleanupsOf, type Observed } from '../lease/observed.ts';
import type { KeepTimes } from '../lease/timeouts.ts';
import type { Clock } from '../kubernetes/clock.ts';
import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';
import { annotations } from '../model/labels.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { Installation } from '../taskruns/own-task-run-manifest.ts';
import { ClaimMemory } from './claim-memory.ts';
import type { Perform } from './perform.ts';
import type { TaskRuns } from './take-snapshot.ts';

export interface BuildReconcilerOptions {
  readonly taskRuns: TaskRuns;
  /** This provision TaskRun says that its Secret is there. */
  readonly hasReported: (uid: string) => boolean;
  readonly perform: Perform;
  readonly clock: Clock;
  readonly installation: () => Installation;
  readonly keep: KeepTimes;
}

export class BuildReconciler {
  readonly #options: BuildReconcilerOptions;
  readonly #claims = new ClaimMemory();
  /** The pod of each build that was told about its Secret. */
  readonly #podTold = new Map<string, string>();

  constructor(options: BuildReconcilerOptions) {
    this.#options = options;
  }

  /** To be called with every change of the cache. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    this.#claims.note(before, after);
    if (before?.kind === 'user' && after === undefined) this.#podTold.delete(before.uid);
  }

  /** It holds a slot although its facts were taken away: not to be given another one. */
  hasLostFacts(uid: string): boolean {
    return this.#claims.lost(uid) !== undefined;
  }

  /** Slots of this host that are taken although no TaskRun shows it. */
  lostClaimsOn(host: string): number {
    return this.#claims.countOn(host);
  }

  /** To be called after every write. */
  noteDone(action: Action): void {
    // A pod that was told its place in the queue still waits for this.
    if (action.type !== 'annotate-pod' || action.annotations[annotations.podAssignedHost] === undefined) return;
    this.#podTold.set(action.about.uid, action.about.podName);
  }

  async look(uid: string): Promise<Instant | undefined> {
    const current = this.#options.taskRuns.byUid(uid);
    const lost = this.#claims.lost(uid);
    if (lost !== undefined && current?.kind === 'user') {
      await this.#options.perform([putFactsBack(current, lost)]);
      return undefined;
    }
    const gone = lost === undefined ? undefined : { ...lost, deleting: true, ended: lost.ended ?? this.#now() };
    const observed = this.#observe(uid, current?.kind === 'user' ? current : gone);
    if (observed === undefined) return undefined;
    const { actions, lookAgainAt } = nextActions(observed, this.#now(), this.#options.keep);
    await this.#options.perform(actions);
    // Its cleanup exists now, and carries on.
    if (gone !== undefined && actions.some(({ type }) => type === 'patch-user-task-run')) this.#claims.forget(uid);
    return lookAgainAt;
  }

  #observe(uid: string, taskRun: UserTaskRun | undefined): Observed | undefined {
    const children: OwnTaskRun[] = [];
    for (const child of this.#options.taskRuns.by('children', uid)) if (child.kind === 'own') children.push(child);
    const build = taskRun ?? buildOf(children[0]);
    if (build === undefined) return undefined;
    const observed: Observed = {
      build: { uid, namespace: build.namespace, name: build.name },
      taskRun,
      children,
      podTold: taskRun !== undefined && this.#podTold.get(uid) === taskRun.podName,
      reported: new Set(children.map((child) => child.uid).filter((it) => this.#options.hasReported(it))),
      installation: this.#options.installation(),
    };
    const handedOver =
      taskRun?.deleting === true && this.#claims.lost(uid) !== undefined && hasCleanup(observed, taskRun);
    if (!handedOver) return observed;
    this.#claims.forget(uid);
    return { ...observed, taskRun: undefined };
  }

  #now(): Instant {
    return this.#options.clock.now();
  }
}

function hasCleanup(observed: Observed, { facts }: UserTaskRun): boolean {
  return cleanupsOf(observed, facts?.attempt ?? 0).length > 0;
}

function putFactsBack(taskRun: UserTaskRun, lost: UserTaskRun): Action {
  return {
    type: 'patch-user-task-run',
    target: taskRun,
    change: lost.facts === undefined ? {} : { facts: lost.facts },
  };
}

function buildOf(child: OwnTaskRun | undefined): { namespace: string; name: string } | undefined {
  return child === undefined ? undefined : { namespace: child.userNamespace, name: child.userName };
}
