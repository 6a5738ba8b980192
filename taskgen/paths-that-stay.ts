// What is inside a folder that goes to the host and has to stay in the pod all the same. Decides by the paths alone; the remote
// script leaves them out, on the way there and on the way back.

import type { StepChoice } from './step-choice.ts';
import type { SyncPlan } from './sync-plan.ts';
import { fields, text } from './task-model.ts';
import type { Task } from './task-model.ts';
import { resolvedPath, visibleWorkspaces } from './workspace-places.ts';

/**
 * Mounts that are left out inside one that is sent; and the files into which Tekton writes what the step says, from before
 * the step begins: what came back of them would replace what was said.
 */
export function staysVariables(
  task: Task,
  { step, index }: Pick<StepChoice, 'step' | 'index'>,
  { mounts, leftOut }: SyncPlan,
): Record<string, string> {
  const places = visibleWorkspaces(task, step, index);
  const sent = mounts.map(({ path }) => resolvedPath(places, path));
  const isSent = (path: string) => sent.some((outer) => resolvedPath(places, path).startsWith(`${outer}/`));
  const inside = leftOut.flatMap(({ path }) => (path !== undefined && isSent(path) ? [path] : []));
  const captured = ['stdoutConfig', 'stderrConfig'].flatMap((key) => text(fields(step.own[key])['path']) ?? []);
  const paths = [...inside, ...captured];
  return paths.length === 0 ? {} : { MP_STAYS: paths.join('\n') };
}
