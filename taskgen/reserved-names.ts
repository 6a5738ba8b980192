// Names that the generated Task needs for itself, and what to say when the source uses them.

import type { Finding, Path } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { Step, Task } from './task-model.ts';
import type { StepChoice } from './step-choice.ts';
import type { Topology } from './topology.ts';
import { visibleWorkspaces } from './workspace-places.ts';

const sshMountPath = '/ssh';
const platformReference = /^\$\(params(?:\.PLATFORM|\[(["'])PLATFORM\1\])\)$/;

/** `ssh`, as in the Tasks people know; `mp-ssh` when that is taken. */
export function secretVolumeName(
  task: Task,
  step: Step,
  stepIndex: number,
  options: Pick<GenerateOptions, 'sshVolumeName'>,
): { name: string; findings: Finding[] } {
  const taken = new Set(task.volumes.map(({ name }) => name));
  const name = options.sshVolumeName ?? (taken.has('ssh') ? 'mp-ssh' : 'ssh');
  const findings: Finding[] = [];
  if (taken.has(name)) {
    const fix = 'Choose another --ssh-volume-name.';
    findings.push({ code: 'MPT007', at: ['spec', 'volumes'], message: `Volume "${name}" exists already.`, fix });
  }
  const volumes = step.mounts.map((mount) => ({
    what: `Volume "${mount.name}"`,
    path: mount.mountPath.replace(/\/+$/, ''),
    at: ['spec', 'steps', stepIndex, 'volumeMounts'],
  }));
  const workspaces = visibleWorkspaces(task, step, stepIndex).map(({ workspace, path, at }) => ({
    what: `Workspace "${workspace.name}"`,
    path,
    at,
  }));
  const inTheWay = [...volumes, ...workspaces].find(({ path }) => path === sshMountPath);
  if (inTheWay !== undefined) {
    const message = `${inTheWay.what} is mounted at /ssh, where the generated step has its credentials.`;
    findings.push({ code: 'MPT007', at: inTheWay.at, message, fix: 'Mount it elsewhere.' });
  }
  return { name, findings };
}

export function reservedNameFindings(
  task: Task,
  { step, index, name }: StepChoice,
  { hasLocalStep }: Topology,
): Finding[] {
  const findings: Finding[] = [];
  const taken = (at: Path, message: string) => findings.push({ code: 'MPT008', at, message, fix: 'Rename it.' });
  for (const variable of step.env) {
    const ours = variable.name.startsWith('MP_');
    const other = variable.name === 'PLATFORM' && !platformReference.test(variable.value ?? '');
    if (ours || other) {
      taken(
        ['spec', 'steps', index, 'env'],
        `Variable "${variable.name}" has a name that the generated step uses itself.`,
      );
    }
  }
  for (const [position, volume] of task.volumes.entries()) {
    if (/^(?:mp-|tekton-internal-)/.test(volume.name)) {
      taken(['spec', 'volumes', position], `Volume "${volume.name}" has a reserved name (mp-… and tekton-internal-…).`);
    }
  }
  if (!hasLocalStep) return findings;
  const position = task.steps.findIndex((other) => other.name === `${name}-local`);
  if (position >= 0) {
    taken(['spec', 'steps', position], `Step "${name}-local" has the name of the step that the generator adds.`);
  }
  if (name.length + '-local'.length > 58) {
    taken(
      ['spec', 'steps', index, 'name'],
      `Step "${name}" has too long a name: "-local" is added, and 58 characters are allowed.`,
    );
  }
  return findings;
}
