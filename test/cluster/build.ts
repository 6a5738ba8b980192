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
}

/** JSON as it came; tests read what they name. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Raw = any;

/** The image of a build, by the name everybody in the cluster knows. */
export function imageOf(cluster: Cluster, { namespace, name }: Pick<BuildOptions, 'namespace' | 'name'>): string {
  return `${cluster.registry.inside}/${namespace}/${name}:latest`;
}

/** Creates the TaskRun and returns at once. */
export async function startBuild(cluster: Cluster, options: BuildOptions): Promise<void> {
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
      timeout: options.timeout ?? '5m',
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      params: Object.entries(values).map(([param, value]) => ({ name: param, value })),
      workspaces: [{ name: 'source', persistentVolumeClaim: { claimName: name } }],
    },
  };
  await cluster.kubectl.run(['create', '-f', '-'], JSON.stringify(taskRun));
}

/** A claim named like the build, bound to a folder that goes with the cluster. */
async function createSource(cluster: Cluster, { namespace, name, files }: BuildOptions): Promise<void> {
  const folder = join(dirname(cluster.kubeconfig), 'sources', namespace, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  chmodSync(folder, 0o777);
  await cluster.kubectl.apply(volumeManifests(namespace, name, folder));
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
