// What becomes of one volume mount of the build step: a row per kind of volume.
// It decides from the Task alone; `--volume NAME=…` overrides every row.

import type { Finding, Path } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { PlannedMount } from './sync-plan.ts';
import { fields, list } from './task-model.ts';
import type { Task, Volume, VolumeMount } from './task-model.ts';

type Sync = PlannedMount['sync'] | 'skip';

interface Row {
  readonly sync: Sync;
  readonly mode: PlannedMount['mode'];
  readonly kind: PlannedMount['kind'];
}

interface Place {
  readonly task: Task;
  readonly stepIndex: number;
  readonly mount: VolumeMount;
}

const storagePath = /^(?:\/var\/lib\/containers|.*\/\.local\/share\/containers)(?:\/storage)?\/?$/;

export function planVolume(
  task: Task,
  stepIndex: number,
  mount: VolumeMount,
  options: GenerateOptions,
  findings: Finding[],
): PlannedMount[] {
  const index = task.volumes.findIndex(({ name }) => name === mount.name);
  const volume = task.volumes[index];
  const asked = options.volumes.get(mount.name);
  if (volume === undefined) {
    findings.push(unknownVolume(stepIndex, mount));
    return [];
  }
  const at: Path = ['spec', 'volumes', index];
  const tokens = tokenSources(volume);
  if (tokens.length > 0) {
    if (asked !== 'skip') findings.push(tokenFinding(volume, tokens, at));
    return [];
  }
  const row = rowFor({ task, stepIndex, mount }, volume, at, asked === undefined ? findings : []);
  const sync = asked ?? row.sync;
  if (sync === 'skip') return [];
  const mode = mount.readOnly && sync !== 'out' ? 'ro' : row.mode;
  return [{ name: `volume ${mount.name}`, path: mount.mountPath, bound: 'true', sync, mode, kind: row.kind }];
}

function rowFor(place: Place, volume: Volume, at: Path, findings: Finding[]): Row {
  const { name, kind } = volume;
  switch (kind) {
    case 'emptyDir':
    case 'ephemeral':
      return { sync: syncOfScratch(place), mode: 'rw', kind: 'dir' };
    case 'secret':
      findings.push(secretNote(name, at));
      return flatRow(place.mount, volume);
    case 'configMap':
    case 'downwardAPI':
      return flatRow(place.mount, volume);
    case 'projected':
      return projectedRow(place.mount, volume, at, findings);
    case 'persistentVolumeClaim':
      return claimRow(place.mount, volume, at, findings);
    case 'image':
      return { sync: 'in', mode: 'ro', kind: 'dir' };
    default:
      findings.push({
        code: 'MPT112',
        at,
        message: `Volume "${name}" is a ${kind} volume, which cannot be sent to a host.`,
        fix: `Say --volume ${name}=skip if the build can do without it, or --volume ${name}=in to send its files.`,
      });
      return { sync: 'skip', mode: 'rw', kind: 'dir' };
  }
}

/** Nobody else sees it: empty on the host. Otherwise it brings what earlier steps left and takes back what later ones read. */
function syncOfScratch({ task, stepIndex, mount }: Place): Sync {
  if (storagePath.test(mount.mountPath)) return 'storage';
  const sees = (step: Task['steps'][number]) => step.mounts.some(({ name }) => name === mount.name);
  const shared = task.sidecars.some(sees);
  const before = shared || task.steps.slice(0, stepIndex).some(sees);
  const after = (shared || task.steps.slice(stepIndex + 1).some(sees)) && !mount.readOnly;
  if (before) return after ? 'both' : 'in';
  return after ? 'out' : 'empty';
}

/** Secrets and ConfigMaps are farms of symbolic links; with a subPath that names a key the mount is one file. */
function flatRow(mount: VolumeMount, volume: Volume): Row {
  const paths = [volume, ...list(volume.source['sources']).flatMap(projectedSources)]
    .flatMap(({ source }) => list(source['items']))
    .map((item) => String(item['path']));
  const isFolder = paths.some((path) => path.startsWith(`${mount.subPath}/`));
  return { sync: 'in', mode: 'ro', kind: mount.subPath === undefined || isFolder ? 'flat' : 'file' };
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

function claimRow(mount: VolumeMount, volume: Volume, at: Path, findings: Finding[]): Row {
  if (storagePath.test(mount.mountPath)) return { sync: 'storage', mode: 'rw', kind: 'dir' };
  findings.push({
    code: 'MPT116',
    at,
    message: `Volume "${volume.name}" is a volume claim: all of it is sent to the host, and changes come back.`,
    fix: `If the build needs less, say --volume ${volume.name}=in, or =empty for a cache that may start empty.`,
  });
  const readOnly = volume.source['readOnly'] === true || mount.readOnly;
  return { sync: readOnly ? 'in' : 'both', mode: readOnly ? 'ro' : 'rw', kind: 'dir' };
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
    fix: reference ? 'Use the path of the workspace.' : `Add the volume, or remove the mount at "${mount.mountPath}".`,
  };
}
