// Which workspaces the build step sees, and where. Where it stands in the Task is told for findings.

import type { Path } from './findings.ts';
import type { Step, Task, Workspace } from './task-model.ts';

export interface PlacedWorkspace {
  readonly workspace: Workspace;
  /** Without a slash at its end. */
  readonly path: string;
  readonly at: Path;
}

/** A workspace that any step claims for itself is seen by the steps that claim it, by no other. */
export function isVisible(task: Task, step: Step, workspace: string): boolean {
  const claims = (other: Step) => other.workspaces.some(({ name }) => name === workspace);
  return ![...task.steps, ...task.sidecars].some(claims) || claims(step);
}

export function visibleWorkspaces(task: Task, step: Step, stepIndex: number): PlacedWorkspace[] {
  return task.workspaces.flatMap((workspace, index): PlacedWorkspace[] => {
    if (!isVisible(task, step, workspace.name)) return [];
    const claimed = step.workspaces.findIndex(({ name }) => name === workspace.name);
    const own = step.workspaces[claimed]?.mountPath;
    const path = (own ?? workspace.mountPath).replace(/\/+$/, '');
    const at = own === undefined ? ['workspaces', index] : ['steps', stepIndex, 'workspaces', claimed];
    return [{ workspace, path, at: ['spec', ...at] }];
  });
}

/** A path with the place of a workspace in it, as this step sees it; without a slash at its end. */
export function resolvedPath(places: readonly PlacedWorkspace[], path: string): string {
  const place = (reference: string, dotted?: string, quoted?: string) =>
    places.find(({ workspace }) => workspace.name === (dotted ?? quoted))?.path ?? reference;
  return path.replace(/\$\(workspaces(?:\.([^.)]+)|\[["']([^"']+)["']\])\.path\)/g, place).replace(/\/+$/, '');
}
