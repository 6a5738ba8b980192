// Which paths of the build step go to the host, which come back, and how: one mount per workspace and volume mount.
// It only plans; nothing that it leaves out reaches the host. Rules with a remedy of their own become findings.

import { isStorage } from './container-storage.ts';
import type { Finding, Path } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import { list } from './task-model.ts';
import type { Step, Task, VolumeMount, Workspace } from './task-model.ts';
import { ownStorage, planVolume } from './volume-rules.ts';
import { isVisible, resolvedPath, visibleWorkspaces } from './workspace-places.ts';
import type { PlacedWorkspace } from './workspace-places.ts';

export interface PlannedMount {
  /** For messages: `workspace source`, `volume shared`. */
  readonly name: string;
  /** The same path in the pod and in the container on the host. */
  readonly path: string;
  /** `true`, or the reference that tells at run time whether an optional workspace is there. */
  readonly bound: string;
  readonly sync: 'in' | 'out' | 'both' | 'empty' | 'storage';
  readonly mode: 'rw' | 'ro';
  /** `flat`: a Secret or ConfigMap, symbolic links resolved. `file`: the path is one file. `rest`: a folder without the mounts in it. */
  readonly kind: 'dir' | 'flat' | 'file' | 'rest';
  readonly why: string;
}

/** Stays in the cluster. */
export interface LeftOut {
  readonly name: string;
  readonly workspace?: string;
  /** Where it is mounted in the pod; the step may not see it. */
  readonly path?: string;
  readonly why: string;
}

export interface SyncPlan {
  readonly mounts: readonly PlannedMount[];
  readonly leftOut: readonly LeftOut[];
  readonly findings: readonly Finding[];
}

const credentialName = /docker|config|cred|token|ssh|netrc|gpg|kube|secret|passw|auth(?!or)|private.?key/i;

export function planSync(task: Task, stepIndex: number, options: GenerateOptions): SyncPlan {
  const step = task.steps[stepIndex];
  if (step === undefined) throw new RangeError(`no step ${stepIndex}`);
  const visible = visibleWorkspaces(task, step, stepIndex);
  const findings: Finding[] = [...mountPathFindings(step, stepIndex, visible), ...workspacePathFindings(visible)];
  const storages = visible.filter(({ path }) => isStorage(task, stepIndex, path));
  const isWorkspaceStorage = (name: string) => storages.some(({ workspace }) => workspace.name === name);
  const planned = [
    ...task.workspaces.map((workspace, index) =>
      isVisible(task, step, workspace.name)
        ? planWorkspace(workspace, index, options, findings, isWorkspaceStorage(workspace.name))
        : {
            name: `workspace ${workspace.name}`,
            workspace: workspace.name,
            why: 'other steps claim it for themselves',
          },
    ),
    ...step.mounts.map((mount) => planVolume(task, stepIndex, mount, options, findings)),
    ...artifactMounts(step, stepIndex),
    ...homeMount(task, step),
    ...workspaceFolder(task, step, visible),
  ];
  const mounts = planned.filter((it): it is PlannedMount => 'sync' in it);
  const leftOut = planned.filter((it) => !('sync' in it));
  for (const name of step.devices) findings.push(deviceFinding(stepIndex, name));
  return { mounts, leftOut, findings };
}

/** Tekton's old home of all steps: what is in it, credentials too, stays in the cluster, but it is there to write to. */
function homeMount(task: Task, step: Step): PlannedMount[] {
  const path = '/tekton/home';
  const isUsed = wordsOf(step).includes(path) || task.parameters.some((parameter) => parameter.default === path);
  if (!isUsed || step.mounts.some(({ mountPath }) => mountPath.replace(/\/+$/, '') === path)) return [];
  const why = 'credentials in it never leave the cluster: it starts empty there';
  return [{ name: 'home of the steps', path, bound: 'true', sync: 'empty', mode: 'rw', kind: 'dir', why }];
}

/** All steps share this folder of the pod, whatever workspaces are mounted in it; many clone, or leave a file, right there. */
function workspaceFolder(task: Task, step: Step, visible: readonly PlacedWorkspace[]): PlannedMount[] {
  const path = '/workspace';
  const isBelow = (inner: string, outer: string) => `${inner}/`.startsWith(outer.replace(/\/*$/, '/'));
  const mounted = step.mounts.map(({ mountPath }) => resolvedPath(visible, mountPath));
  const places = [...visible.map((workspace) => workspace.path), ...mounted];
  if (places.includes(path)) return [];
  const defaults = task.parameters.map((parameter) => parameter.default).filter((it) => typeof it === 'string');
  const words = [wordsOf(step), step.workingDir, ...defaults].join('\n');
  const named = [...words.matchAll(/(?<![\w./~*?)}\]-])\/workspace(?![\w-])(?:\/[\w.-]+)*/g)].map(([found]) => found);
  const isUsed = named.some((found) => !places.some((place) => isBelow(found, place)));
  if (!isUsed && !words.includes('$(resources.')) return [];
  const why = 'the steps share it; without the workspaces and volumes in it';
  return [{ name: `folder ${path}`, path, bound: 'true', sync: 'both', mode: 'rw', kind: 'rest', why }];
}

function wordsOf({ script, command, args, env }: Step): string {
  return [script, ...command, ...args, ...env.map(({ value }) => value)].join('\n');
}

/** Where Tekton reads what a step says of its inputs and outputs; only a script that uses the references writes there. */
function artifactMounts(step: Step, stepIndex: number): PlannedMount[] {
  const used = wordsOf(step);
  const mount = { bound: 'true', sync: 'both', mode: 'rw', kind: 'dir', why: 'Tekton reads it in the pod' } as const;
  const own = `/tekton/steps/step-${step.name ?? `unnamed-${stepIndex}`}/artifacts`;
  return [
    ...(used.includes('$(artifacts.path)') ? [{ name: 'artifacts', path: '/tekton/artifacts', ...mount }] : []),
    ...(used.includes('$(step.artifacts.path)') ? [{ name: 'artifacts of the step', path: own, ...mount }] : []),
  ];
}

function planWorkspace(
  workspace: Workspace,
  index: number,
  options: GenerateOptions,
  findings: Finding[],
  isOwnStorage: boolean,
): PlannedMount | LeftOut {
  const name = workspace.name;
  const label = `workspace ${name}`;
  const path = `$(workspaces.${name}.path)`;
  const asked = options.sync.get(name);
  const bound = workspace.optional ? `$(workspaces.${name}.bound)` : 'true';
  const place = { name: label, path, bound };
  if (isOwnStorage && asked === undefined)
    return { ...place, sync: 'storage', mode: 'rw', kind: 'dir', why: ownStorage };
  if (asked === undefined && credentialName.test(name)) {
    findings.push({
      code: 'MPT110',
      at: ['spec', 'workspaces', index],
      message: `Workspace "${name}" looks like credentials, so it stays in the cluster; the script finds no files there on the host.`,
      fix: `If the build needs it, say --sync ${name}=in; otherwise --sync ${name}=none.`,
    });
    return { name: label, workspace: name, path, why: 'its name sounds like credentials' };
  }
  if (asked === 'none') return { name: label, workspace: name, path, why: `--sync ${name}=none` };
  // A workspace outlives the Task, so what the build writes goes back even when no later step looks at it.
  const sync = workspace.readOnly ? 'in' : (asked ?? 'both');
  const mode = workspace.readOnly ? 'ro' : 'rw';
  const rule = workspace.readOnly ? 'the Task only reads it' : 'what the build reads and writes';
  const why = asked === undefined ? rule : `--sync ${name}=${asked}`;
  return { ...place, sync, mode, kind: 'dir', why };
}

function mountPathFindings(step: Step, stepIndex: number, visible: readonly PlacedWorkspace[]): Finding[] {
  const own = list(step.own['volumeMounts']).map((mount) => mount['mountPath']);
  const seen = new Set<string>();
  return step.mounts.flatMap((mount): Finding[] => {
    const problem = mountPathProblem(mount, visible, seen);
    seen.add(mount.mountPath);
    if (problem === undefined) return [];
    const message = `Volume "${mount.name}" is mounted at "${mount.mountPath}": ${problem}.`;
    const at: Path = ['spec', 'steps', stepIndex, 'volumeMounts', own.lastIndexOf(mount.mountPath)];
    return [{ code: 'MPT113', at, message, fix: 'Mount it at a path of its own.' }];
  });
}

/** Two mounts at one path are refused when the pod is made. */
function workspacePathFindings(visible: readonly PlacedWorkspace[]): Finding[] {
  return visible
    .filter(({ path }) => isOfGenerated(path))
    .map(({ workspace, path, at }) => ({
      code: 'MPT113',
      at,
      message: `Workspace "${workspace.name}" is mounted at "${path}": ${belongsToGenerated}.`,
      fix: 'Mount it at a path of its own.',
    }));
}

const belongsToGenerated = 'paths that begin with /mp- belong to the generated steps';
const isOfGenerated = (path: string) => path.startsWith('/mp-');

function mountPathProblem(
  mount: VolumeMount,
  visible: readonly PlacedWorkspace[],
  seen: ReadonlySet<string>,
): string | undefined {
  const path = mount.mountPath.replace(/\/+$/, '');
  if (!path.startsWith('/') && !path.startsWith('$(')) return 'not an absolute path';
  if (path === '/tekton' || (path.startsWith('/tekton/') && !path.startsWith('/tekton/home'))) {
    return 'paths under /tekton belong to Tekton';
  }
  if (isOfGenerated(path)) return belongsToGenerated;
  if (visible.some((workspace) => workspace.path === resolvedPath(visible, path)))
    return 'a workspace is there already';
  return seen.has(mount.mountPath) ? 'another volume is there already' : undefined;
}

function deviceFinding(stepIndex: number, name: string): Finding {
  return {
    code: 'MPT112',
    at: ['spec', 'steps', stepIndex, 'volumeDevices'],
    message: `Block device "${name}" cannot be sent to a host.`,
    fix: 'Remove volumeDevices from this step.',
  };
}
