// What is inside a folder that goes to the host and has to stay in the pod all the same. Decides by the paths alone; the remote
// script leaves them out, on the way there and on the way back.

import type { SyncPlan } from './sync-plan.ts';
import { fields, text } from './task-model.ts';
import type { Step, Task } from './task-model.ts';

/**
 * Mounts that are left out inside one that is sent; and the files into which Tekton writes what the step says, from before
 * the step begins: what came back of them would replace what was said.
 */
export function staysVariables(task: Task, step: Step, { mounts, leftOut }: SyncPlan): Record<string, string> {
  const sent = mounts.map(({ path }) => resolved(task, path));
  const inside = leftOut.flatMap(({ path }) =>
    path !== undefined && sent.some((outer) => resolved(task, path).startsWith(`${outer}/`)) ? [path] : [],
  );
  const captured = ['stdoutConfig', 'stderrConfig'].flatMap((key) => text(fields(step.own[key])['path']) ?? []);
  const paths = [...inside, ...captured];
  return paths.length === 0 ? {} : { MP_STAYS: paths.join('\n') };
}

function resolved(task: Task, path: string): string {
  const known = task.workspaces.find(({ name }) => path.startsWith(`$(workspaces.${name}.path)`));
  const whole = known === undefined ? path : path.replace(`$(workspaces.${known.name}.path)`, known.mountPath);
  return whole.replace(/\/+$/, '');
}
