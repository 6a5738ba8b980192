// Which mounts of a step are container storage: it is never sent, since overlay does not survive the way, and later steps look for the image in it.

import type { Step, Task } from './task-model.ts';
import { mountsVolume } from './task-model.ts';
import { isVisible, visibleWorkspaces } from './workspace-places.ts';

const usual = /^(?:\/var\/lib\/containers|.*\/\.local\/share\/containers)(?:\/storage)?$/;
const withoutSlash = (path: string) => path.replace(/\/+$/, '');

/** In its usual places, or where the step says it is. */
export function isStorage(step: Step, mountPath: string): boolean {
  const path = withoutSlash(mountPath);
  const root = step.env.find(({ name }) => name === 'STORAGE_ROOT')?.value;
  return usual.test(path) || (root !== undefined && withoutSlash(root) === path);
}

/** Whether one of the steps after it shares the storage that the step builds into. */
export function laterStepsShareStorage(task: Task, step: Step, stepIndex: number): boolean {
  const volumes = step.mounts.filter(({ mountPath }) => isStorage(step, mountPath)).map(({ name }) => name);
  const workspaces = visibleWorkspaces(task, step, stepIndex)
    .filter(({ path }) => isStorage(step, path))
    .map(({ workspace }) => workspace.name);
  return task.steps
    .slice(stepIndex + 1)
    .some(
      (later) =>
        volumes.some((name) => mountsVolume(later, name)) || workspaces.some((name) => isVisible(task, later, name)),
    );
}
