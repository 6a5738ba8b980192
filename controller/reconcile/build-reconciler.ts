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
import type { Perform } from './perform.ts';
import type { TaskRuns } from './take-snapshot.ts';

export interface BuildReconcilerOptions {
  readonly taskRuns: TaskRuns;
  readonly perform: Perform;
  readonly clock: Clock;
  readonly installation: () => Installation;
  readonly keep: KeepTimes;
}

export class BuildReconciler {
  readonly #options: BuildReconcilerOptions;
  /** Builds that vanished with a claim, as they were last seen: somebody took our finalizer away. */
  readonly #vanished = new Map<string, UserTaskRun>();
  /** The pod of each build that was told about its Secret. */
  readonly #podTold = new Map<string, string>();

  constructor(options: BuildReconcilerOptions) {
    this.#options = options;
  }

  /** To be called with every change of the cache. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    if (before?.kind !== 'user' || after !== undefined) return;
    this.#podTold.delete(before.uid);
    if (before.facts?.claim?.provider === 'static') this.#vanished.set(before.uid, before);
  }

  /** To be called after every write. */
  noteDone(action: Action): void {
    // A pod that was told its place in the queue still waits for this.
    if (action.type !== 'annotate-pod' || action.annotations[annotations.podAssignedHost] === undefined) return;
    this.#podTold.set(action.about.uid, action.about.podName);
  }

  async look(uid: string): Promise<Instant | undefined> {
    const observed = this.#observe(uid);
    if (observed === undefined) return undefined;
    const { actions, lookAgainAt } = nextActions(observed, this.#options.clock.now(), this.#options.keep);
    await this.#options.perform(actions);
    const cleaned = observed.taskRun !== undefined && actions.length > 0;
    if (cleaned && this.#vanished.get(uid) === observed.taskRun) this.#vanished.delete(uid);
    return lookAgainAt;
  }

  #observe(uid: string): Observed | undefined {
    const children: OwnTaskRun[] = [];
    for (const child of this.#options.taskRuns.by('children', uid)) if (child.kind === 'own') children.push(child);
    const current = this.#options.taskRuns.byUid(uid);
    const taskRun = current?.kind === 'user' ? current : this.#lastSeen(uid);
    const build = taskRun ?? buildOf(children[0]);
    if (build === undefined) return undefined;
    const observed: Observed = {
      build: { uid, namespace: build.namespace, name: build.name },
      taskRun,
      children,
      podTold: taskRun !== undefined && this.#podTold.get(uid) === taskRun.podName,
      installation: this.#options.installation(),
    };
    if (
      taskRun !== undefined &&
      current === undefined &&
      cleanupsOf(observed, taskRun.facts?.attempt ?? 0).length > 0
    ) {
      this.#vanished.delete(uid);
      return { ...observed, taskRun: undefined };
    }
    return observed;
  }

  /** Seen as being deleted, so that its host is released from the facts it had. */
  #lastSeen(uid: string): UserTaskRun | undefined {
    const vanished = this.#vanished.get(uid);
    if (vanished === undefined || vanished.deleting) return vanished;
    const deleting = { ...vanished, deleting: true, ended: this.#options.clock.now() };
    this.#vanished.set(uid, deleting);
    return deleting;
  }
}

function buildOf(child: OwnTaskRun | undefined): { namespace: string; name: string } | undefined {
  return child === undefined ? undefined : { namespace: child.userNamespace, name: child.userName };
}
