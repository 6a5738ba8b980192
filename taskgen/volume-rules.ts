// What becomes of one volume mount of the build step: a row per kind of volume.
// It decides from the Task alone; `--volume NAME=…` overrides every row.

import { isStorage } from './container-storage.ts';
import type { Finding, Path } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { LeftOut, PlannedMount } from './sync-plan.ts';
import { fields, list, mountsVolume } from './task-model.ts';
import type { Step, Task, Volume, VolumeMount } from './task-model.ts';

type Sync = PlannedMount['sync'] | 'skip';

interface Row {
  readonly sync: Sync;
  readonly mode: PlannedMount['mode'];
  readonly kind: PlannedMount['kind'];
  readonly why: string;
}

interface Place {
  readonly task: Task;
  readonly stepIndex: number;
  readonly mount: VolumeMount;
}

/** Why container storage stays where it is. */
export const ownStorage = 'container storage: the host has its own';

export function planVolume(
  task: Task,
  stepIndex: number,
  mount: VolumeMount,
  options: GenerateOptions,
  findings: Finding[],
): PlannedMount | LeftOut {
  const index = task.volumes.findIndex(({ name }) => name === mount.name);
  const volume = task.volumes[index];
  const asked = options.volumes.get(mount.name);
  if (volume === undefined) {
    if (asked === undefined) findings.push(unknownVolume(stepIndex, mount));
    const row = { mode: 'rw', kind: 'dir', why: 'TaskRuns bring this volume' } as const;
    return plannedAs(asked ?? 'skip', mount, row, asked);
  }
  const at: Path = ['spec', 'volumes', index];
  const tokens = tokenSources(volume);
  if (tokens.length > 0) {
    if (asked !== 'skip') findings.push(tokenFinding(volume, tokens, at));
    return {
      name: `volume ${mount.name}`,
      path: mount.mountPath,
      why: `a ${tokens.join(' and a ')} never leaves the cluster`,
    };
  }
  const row = rowFor({ task, stepIndex, mount }, volume, at, asked === undefined ? findings : []);
  return plannedAs(asked ?? row.sync, mount, row, asked);
}

function plannedAs(
  sync: Sync,
  mount: VolumeMount,
  { mode, kind, why: rule }: Omit<Row, 'sync'>,
  asked: Sync | undefined,
): PlannedMount | LeftOut {
  const name = `volume ${mount.name}`;
  const why = asked === undefined ? rule : `--volume ${mount.name}=${asked}`;
  if (sync === 'skip') return { name, path: mount.mountPath, why };
  const rights = mount.readOnly && sync !== 'out' ? 'ro' : mode;
  return { name, path: mount.mountPath, bound: 'true', sync, mode: rights, kind, why };
}

function rowFor(place: Place, volume: Volume, at: Path, findings: Finding[]): Row {
  const { name, kind } = volume;
  switch (kind) {
    case 'emptyDir':
    case 'ephemeral':
      return scratchRow(place);
    case 'secret':
      findings.push(secretNote(name, at));
      return flatRow(place.mount, volume);
    case 'configMap':
    case 'downwardAPI':
      return flatRow(place.mount, volume);
    case 'projected':
      return projectedRow(place.mount, volume, at, findings);
    case 'persistentVolumeClaim':
      return claimRow(place, volume, at, findings);
    case 'image':
      return { sync: 'in', mode: 'ro', kind: 'dir', why: 'files of an image, which the step may read' };
    default:
      findings.push({
        code: 'MPT112',
        at,
        message: `Volume "${name}" is a ${kind} volume, which cannot be sent to a host.`,
        fix: `Say --volume ${name}=skip if the build can do without it, or --volume ${name}=in to send its files.`,
      });
      return { sync: 'skip', mode: 'rw', kind: 'dir', why: `a ${kind} volume cannot be sent` };
  }
}

const isOwnStorage = ({ task, stepIndex, mount }: Place): boolean => isStorage(task, stepIndex, mount.mountPath);

/** Nobody else sees it: empty on the host. Otherwise it brings what earlier steps left and takes back what later ones read. */
function scratchRow(place: Place): Row {
  const { task, stepIndex, mount } = place;
  const data = { mode: 'rw', kind: 'dir' } as const;
  if (isOwnStorage(place)) return { sync: 'storage', ...data, why: ownStorage };
  const sees = (step: Step) => mountsVolume(step, mount.name);
  const shared = task.sidecars.some(sees);
  const before = shared || task.steps.slice(0, stepIndex).some(sees);
  const after = (shared || task.steps.slice(stepIndex + 1).some(sees)) && !mount.readOnly;
  if (before) {
    const why = `earlier ${after ? 'and later ' : ''}steps see it`;
    return { sync: after ? 'both' : 'in', ...data, why };
  }
  if (after) return { sync: 'out', ...data, why: 'later steps see it' };
  return { sync: 'empty', ...data, why: 'no other step sees it: it starts empty there' };
}

/** Secrets and ConfigMaps are farms of symbolic links; with a subPath that names a key the mount is one file. */
function flatRow(mount: VolumeMount, volume: Volume): Row {
  const paths = [volume, ...list(volume.source['sources']).flatMap(projectedSources)]
    .flatMap(({ source }) => list(source['items']))
    .map((item) => String(item['path']));
  const isFolder = paths.some((path) => path.startsWith(`${mount.subPath}/`));
  const isFile = mount.subPath !== undefined && !isFolder;
  return { sync: 'in', mode: 'ro', kind: isFile ? 'file' : 'flat', why: 'the step mounts it' };
}

function projectedSources(entry: Record<string, unknown>): Volume[] {
  return Object.entries(entry).map(([kind, source]) => ({ name: '', kind, source: fields(source) }));
}

function projectedRow(mount: VolumeMount, volume: Volume, at: Path, findings: Finding[]): Row {
  const sources = list(volume.source['sources']).flatMap(projectedSources);
  if (sources.some(({ kind }) => kind === 'secret')) findings.push(secretNote(volume.name, at));
  return flatRow(mount, volume);
}

/** Credentials of the pod itself: they never leave the cluster, whatever the options say. */
function tokenSources(volume: Volume): string[] {
  if (volume.kind !== 'projected') return [];
  const kinds = list(volume.source['sources']).flatMap((source) => Object.keys(source));
  return ['serviceAccountToken', 'podCertificate'].filter((kind) => kinds.includes(kind));
}

function tokenFinding(volume: Volume, tokens: readonly string[], at: Path): Finding {
  return {
    code: 'MPT111',
    at,
    message: `Volume "${volume.name}" holds a ${tokens.join(' and a ')}, which never leaves the cluster; the script finds no files there on the host.`,
    fix: `If the build can do without, say --volume ${volume.name}=skip; move other sources of it to a volume of their own.`,
  };
}

function claimRow(place: Place, volume: Volume, at: Path, findings: Finding[]): Row {
  if (isOwnStorage(place)) return { sync: 'storage', mode: 'rw', kind: 'dir', why: ownStorage };
  findings.push({
    code: 'MPT116',
    at,
    message: `Volume "${volume.name}" is a volume claim: all of it is sent to the host, and changes come back.`,
    fix: `If the build needs less, say --volume ${volume.name}=in, or =empty for a cache that may start empty.`,
  });
  const readOnly = volume.source['readOnly'] === true || place.mount.readOnly;
  const why = 'a volume claim outlives the Task';
  return { sync: readOnly ? 'in' : 'both', mode: readOnly ? 'ro' : 'rw', kind: 'dir', why };
}

function secretNote(name: string, at: Path): Finding {
  return {
    code: 'MPT115',
    at,
    message: `Volume "${name}" is a Secret that the build step mounts: its files are sent to the host.`,
    fix: `If the host must not see it, say --volume ${name}=skip.`,
  };
}

function unknownVolume(stepIndex: number, mount: VolumeMount): Finding {
  const reference = mount.name.startsWith('$(workspaces.');
  return {
    code: reference ? 'MPT021' : 'MPT113',
    at: ['spec', 'steps', stepIndex, 'volumeMounts'],
    message: reference
      ? `The step mounts "${mount.name}", the volume behind a workspace; it is known only when the pod exists.`
      : `The step mounts volume "${mount.name}", which spec.volumes does not name.`,
    fix: reference
      ? 'Use the path of the workspace.'
      : `Add the volume or remove the mount at "${mount.mountPath}"; if TaskRuns bring it, say --volume '${mount.name}=empty' or another word.`,
  };
}
