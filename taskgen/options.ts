// What a user can ask of the generator, as values. Reading the command line is command-line.ts; no defaults hide elsewhere.

import type { ImageFacts } from './builder-image.ts';

export type WorkspaceSync = 'none' | 'in' | 'out' | 'both';
export type VolumeSync = 'skip' | 'in' | 'out' | 'both' | 'empty' | 'storage';
export type Transfer = 'oci' | 'stream' | 'registry' | 'none';
export type LocalBuild = 'extra-step' | 'same-step' | 'off';
export type Compression = 'auto' | 'always' | 'never';
export type RegistryAuth = 'none' | 'pull' | 'push' | 'both';

export const workspaceSyncs: readonly WorkspaceSync[] = ['none', 'in', 'out', 'both'];
export const localBuilds: readonly LocalBuild[] = ['extra-step', 'same-step', 'off'];
export const transfers: readonly Transfer[] = ['oci', 'stream', 'registry', 'none'];
export const compressions: readonly Compression[] = ['auto', 'always', 'never'];
export const registryAuths: readonly RegistryAuth[] = ['none', 'pull', 'push', 'both'];
export const volumeSyncs: readonly VolumeSync[] = ['skip', 'in', 'out', 'both', 'empty', 'storage'];

export interface GenerateOptions {
  /** Name or index of the step that goes to the host. */
  readonly step: string;
  /** A step that has a command in place of a script is taken too. */
  readonly wrapCommand: boolean;
  /** Which Task of a file with several. */
  readonly select: string | undefined;
  readonly name: string | undefined;
  readonly suffix: string;
  /** `same`: the step connects from the image it builds in. */
  readonly runnerImage: string;
  /** Where a build for the cluster's own platform runs; `localBuildOf` knows the default. */
  readonly local: LocalBuild | undefined;
  readonly platformDefault: string | undefined;
  /** `v1` converts; otherwise the version of the source is kept. */
  readonly apiVersion: 'v1' | undefined;
  readonly imageParameter: string;
  /** The tag can end in the platform, when a TaskRun says so. */
  readonly appendPlatform: boolean;
  readonly transfer: Transfer;
  readonly registryAuth: RegistryAuth;
  /** The script pushes too: it runs in two halves, the second one in the cluster. */
  readonly deferPush: boolean;
  /** Text of a script that runs in the cluster when the image is loaded. */
  readonly afterLoad: string | undefined;
  readonly sync: ReadonlyMap<string, WorkspaceSync>;
  readonly volumes: ReadonlyMap<string, VolumeSync>;
  readonly envAllow: readonly string[];
  readonly envDeny: readonly string[];
  readonly podmanArguments: readonly string[];
  /** File in the pod with more of them, one a line. */
  readonly podmanArgumentsFile: string | undefined;
  /** Podman on the host is root's, through sudo. */
  readonly hostRootful: boolean;
  readonly secretOptional: boolean;
  readonly secretWait: number;
  readonly sshVolumeName: string | undefined;
  readonly wrapperCpu: string;
  readonly wrapperMemory: string;
  readonly wrapperUser: number | undefined;
  readonly unprivilegedWrapper: boolean;
  /** Of what goes over the connection; `auto`: when the host is far away. */
  readonly compress: Compression;
  /** The build outlives a lost connection. */
  readonly detached: boolean;
  /** Seconds; where nothing is said, as many as the step's timeout allows up to a minute. */
  readonly timeoutMargin: number | undefined;
  /** Of the step's image, where a registry was asked. */
  readonly imageFacts: ImageFacts | undefined;
  readonly accepted: ReadonlySet<string>;
  readonly strict: boolean;
}

export const defaultOptions: GenerateOptions = {
  step: 'build',
  wrapCommand: false,
  select: undefined,
  name: undefined,
  suffix: '-remote',
  runnerImage: 'multi-platform-runner',
  local: undefined,
  platformDefault: undefined,
  apiVersion: undefined,
  imageParameter: 'IMAGE',
  appendPlatform: false,
  transfer: 'oci',
  registryAuth: 'none',
  deferPush: false,
  afterLoad: undefined,
  sync: new Map(),
  volumes: new Map(),
  envAllow: [],
  envDeny: [],
  podmanArguments: [],
  podmanArgumentsFile: undefined,
  hostRootful: false,
  secretOptional: true,
  secretWait: 0,
  sshVolumeName: undefined,
  wrapperCpu: '250m',
  wrapperMemory: '256Mi',
  wrapperUser: undefined,
  unprivilegedWrapper: false,
  compress: 'auto',
  detached: false,
  timeoutMargin: undefined,
  imageFacts: undefined,
  accepted: new Set(),
  strict: false,
};

/** Matches `*` and `?`, whole name, as a shell would. */
export function matchesGlob(name: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(name);
}
