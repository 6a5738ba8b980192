// Builds on a test cluster: a source folder on the node, a TaskRun of the generated Task, and what became of it.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { volumeManifests } from './source-volume.ts';

export interface BuildOptions {
  readonly namespace: string;
  readonly name: string;
  readonly platform: string;
  /** File name → content. */
  readonly files: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string | readonly string[]>>;
  readonly task?: string;
  readonly timeout?: string;
  readonly retries?: number;
  /** Further fields of the TaskRun's spec. */
  readonly spec?: object;
}

/** JSON as it came; tests read what they name. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Raw = any;

/** The image of a build, by the name everybody in the cluster knows. */
export function imageOf(cluster: Cluster, { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>): string {
  return `${cluster.registry.inside}/${namespace}/${name}:latest`;
}

/** Creates the TaskRun and returns at once, with the time (milliseconds since 1970) just before. */
export async function startBuild(cluster: Cluster, options: BuildOptions): Promise<number> {
  const { namespace, name, platform } = options;
  await createSource(cluster, options);
  const values = {
    IMAGE: imageOf(cluster, options),
    PLATFORM: platform,
    BUILDER_IMAGE: `${cluster.registry.inside}/builder:1`,
    TLSVERIFY: 'false',
    ...options.params,
  };
  const taskRun = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace },
    spec: {
      taskRef: { name: options.task ?? 'buildah-remote' },
      timeout: options.timeout ?? '10m',
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...options.spec,
      params: Object.entries(values).map(([param, value]) => ({ name: param, value })),
      workspaces: [{ name: 'source', persistentVolumeClaim: { claimName: name } }],
    },
  };
  const began = Date.now();
  await cluster.kubectl.run(['create', '-f', '-'], JSON.stringify(taskRun));
  return began;
}

/** Where the workspace of a build is on the node, which is this machine. */
export function sourceFolder(cluster: Cluster, { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>): string {
  return join(dirname(cluster.kubeconfig), 'sources', namespace, name);
}

/** A claim named like the build, bound to a folder that goes with the cluster. */
export async function createSource(
  cluster: Cluster,
  { namespace, name, files }: Pick<BuildOptions, 'namespace' | 'name' | 'files'>,
): Promise<void> {
  const folder = sourceFolder(cluster, { namespace, name });
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  chmodSync(folder, 0o777);
  await cluster.kubectl.apply(volumeManifests(namespace, name, folder));
  // A pod that finds its claim unbound waits for the scheduler's next try, seconds later.
  await cluster.kubectl.run([
    'wait',
    `pvc/${name}`,
    '-n',
    namespace,
    '--for=jsonpath={.status.phase}=Bound',
    '--timeout=60s',
  ]);
}

/** The TaskRun once it is done. */
export async function untilDone(
  cluster: Cluster,
  { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>,
): Promise<Raw> {
  for (;;) {
    const taskRun = await cluster.kubectl.json<Raw>(['get', 'taskrun', name, '-n', namespace]);
    if (taskRun.status?.completionTime) return taskRun;
    await sleep(200);
  }
}

/** Everything the steps printed. */
export async function logOf(
  cluster: Cluster,
  { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>,
): Promise<string> {
  const taskRun = await cluster.kubectl.json<Raw>(['get', 'taskrun', name, '-n', namespace]);
  return cluster.kubectl.run(['logs', taskRun.status.podName, '-n', namespace, '--all-containers', '--prefix']);
}

/** With everything it owns; returns when it is gone. */
export async function deleteBuild(
  cluster: Cluster,
  { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>,
): Promise<void> {
  await cluster.kubectl.run(['delete', 'taskrun', name, '-n', namespace, '--wait', '--timeout=120s']);
}

/** Reasons and messages of the Events on a build, oldest first. */
export async function eventsOf(
  cluster: Cluster,
  { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>,
): Promise<{ readonly reason: string; readonly message: string }[]> {
  const about = `involvedObject.kind=TaskRun,involvedObject.name=${name}`;
  const events = await cluster.kubectl.json<Raw>(['get', 'events', '-n', namespace, '--field-selector', about]);
  const ours = events.items.filter((event: Raw) => event.reportingComponent === 'multi-platform-controller');
  return ours.sort((one: Raw, other: Raw) => Date.parse(one.firstTimestamp) - Date.parse(other.firstTimestamp));
}

/** The value of a result, as the TaskRun says it; undefined when there is none. */
export function resultOf(taskRun: Raw, name: string): string | undefined {
  return taskRun.status.results?.find((result: Raw) => result.name === name)?.value;
}

/** How a step ended; undefined when it never ran. */
export function exitCodeOf(taskRun: Raw, step: string): number | undefined {
  return taskRun.status.steps?.find((one: Raw) => one.name === step)?.terminated?.exitCode;
}

/** What the registry says an image is: its configuration (architecture, labels …). */
export async function imageConfig(cluster: Cluster, image: string, digest: string): Promise<Raw> {
  const repository = image.slice(cluster.registry.inside.length + 1).replace(/:[^:/]+$/, '');
  const base = `http://${cluster.registry.outside}/v2/${repository}`;
  const accept = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'];
  const read = async (path: string): Promise<Raw> => {
    const response = await fetch(`${base}/${path}`, { headers: { accept: accept.join(', ') } });
    if (!response.ok) throw new Error(`the registry answers ${response.status} for ${base}/${path}`);
    return response.json();
  };
  const manifest = await read(`manifests/${digest}`);
  return read(`blobs/${manifest.config.digest}`);
}

/** Pulls an image as a pod of the cluster does, runs it, and returns what it printed. */
export async function runImage(cluster: Cluster, namespace: string, image: string, digest: string): Promise<string> {
  const reference = `${image.replace(/:[^:/]+$/, '')}@${digest}`;
  const name = `run-${digest.slice(-10)}`;
  const spec = { restartPolicy: 'Never', containers: [{ name: 'image', image: reference }] };
  await cluster.kubectl.apply([{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec }]);
  const done = ['wait', `pod/${name}`, '-n', namespace, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s'];
  await cluster.kubectl.run(done);
  const said = await cluster.kubectl.run(['logs', name, '-n', namespace]);
  await cluster.kubectl.run(['delete', 'pod', name, '-n', namespace, '--wait=false']);
  return said;
}
