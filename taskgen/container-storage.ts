// Which mounts of a step are container storage: it is never sent, since overlay does not survive the way, and later steps look for the image in it.

import type { GenerateOptions } from './options.ts';
import type { Task } from './task-model.ts';
import { mountsVolume } from './task-model.ts';
import { isVisible, resolvedPath, visibleWorkspaces } from './workspace-places.ts';

const usual = /^(?:\/var\/lib\/containers|.*\/\.local\/share\/containers)(?:\/storage)?$/;

/** In its usual places, or where the step says it is: there, or in a folder of which it says nothing else. */
export function isStorage(task: Task, stepIndex: number, mountPath: string): boolean {
  const step = task.steps[stepIndex];
  if (step === undefined) return false;
  const places = visibleWorkspaces(task, step, stepIndex);
  const path = resolvedPath(places, mountPath);
  const given = step.env.find(({ name }) => name === 'STORAGE_ROOT')?.value;
  const root = given === undefined ? undefined : resolvedPath(places, given);
  if (usual.test(path) || root === path) return true;
  if (root?.startsWith(`${path}/`) !== true) return false;
  const { script, command, args, workingDir, env } = step;
  const values = env.filter(({ name }) => name !== 'STORAGE_ROOT').map(({ value }) => value);
  const defaults = task.parameters.map((parameter) => parameter.default);
  const said = resolvedPath(places, [script, ...command, ...args, workingDir, ...values, ...defaults].join('\n'));
  return !said.includes(path);
}

/** Whether one of the steps after it shares the storage that the step builds into. */
export function laterStepsShareStorage(
  task: Task,
  stepIndex: number,
  { volumes: asked }: Pick<GenerateOptions, 'volumes'>,
): boolean {
  const step = task.steps[stepIndex];
  if (step === undefined) return false;
  const volumes = step.mounts
    .filter(({ name, mountPath }) => asked.get(name) === 'storage' || isStorage(task, stepIndex, mountPath))
    .map(({ name }) => name);
  const workspaces = visibleWorkspaces(task, step, stepIndex)
    .filter(({ path }) => isStorage(task, stepIndex, path))
    .map(({ workspace }) => workspace.name);
  return task.steps
    .slice(stepIndex + 1)
    .some(
      (later) =>
        volumes.some((name) => mountsVolume(later, name)) || workspaces.some((name) => isVisible(task, later, name)),
    );
}
