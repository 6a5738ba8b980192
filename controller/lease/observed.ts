// What is known of one build: its TaskRun, and ours that work for it.
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { BuildIdentity, Installation } from '../taskruns/own-task-run-manifest.ts';

export interface Observed {
  readonly build: BuildIdentity;
  /** Undefined: gone. Only TaskRuns of ours are left. */
  readonly taskRun: UserTaskRun | undefined;
  /** Provision and cleanup TaskRuns of this build. */
  readonly children: readonly OwnTaskRun[];
  /** The pod of this build was already told that its Secret exists. */
  readonly podTold: boolean;
  /** uids of provision TaskRuns that say that the Secret is there, although they still run. */
  readonly reported: ReadonlySet<string>;
  readonly installation: Installation;
}

/** The provision TaskRun of one attempt. */
export function provisionOf(observed: Observed, attempt: number): OwnTaskRun | undefined {
  return observed.children.find((child) => child.type === 'provision' && child.attempt === attempt);
}

/** Cleanups of one attempt, newest try first. */
export function cleanupsOf(observed: Observed, attempt: number): OwnTaskRun[] {
  const all = observed.children.filter((child) => child.type === 'clean' && child.attempt === attempt);
  return all.sort((a, b) => b.cleanupTry - a.cleanupTry);
}
