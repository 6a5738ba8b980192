// One image for several platforms on a test cluster: the Pipeline that taskgen wrote, its runs, and what came of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSource, type BuildOptions, type Raw } from './build.ts';
import type { Cluster } from './cluster.ts';
import { shared, useNamespace } from './shared-cluster.ts';

const tasks = join(import.meta.dirname, '../../tasks');
const runner = 'localhost/multi-platform-runner:dev';

export type PipelineBuild = Pick<BuildOptions, 'namespace' | 'name' | 'files' | 'params'>;
type RunName = Pick<BuildOptions, 'namespace' | 'name'>;

/** With the generated Task, the index Task and the Pipeline over both. */
export async function useMultiArchNamespace(name: string): Promise<void> {
  const { kubectl } = shared().cluster;
  await useNamespace(name);
  const index = readFileSync(join(tasks, 'build-image-index/task.yaml'), 'utf8');
  await kubectl.apply(index.replace(/^( +image: )multi-platform-runner$/m, `$1${runner}`), '-n', name);
  await kubectl.apply(readFileSync(join(tasks, 'generated/buildah-multi-platform.yaml'), 'utf8'), '-n', name);
}

/** A run of the Pipeline; its image is named after `image`, otherwise after the run. */
export async function startPipeline(cluster: Cluster, build: PipelineBuild, image = build.name): Promise<void> {
  const { namespace, name } = build;
  await createSource(cluster, build);
  const values = {
    IMAGE: `${cluster.registry.inside}/${namespace}/${image}:latest`,
    BUILDER_IMAGE: `${cluster.registry.inside}/builder:1`,
    TLSVERIFY: 'false',
    SBOM: 'none',
    ...build.params,
  };
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name, namespace },
    spec: {
      pipelineRef: { name: 'buildah-multi-platform' },
      timeouts: { pipeline: '15m' },
      params: Object.entries(values).map(([param, value]) => ({ name: param, value })),
      workspaces: [{ name: 'source', persistentVolumeClaim: { claimName: name } }],
    },
  };
  await cluster.kubectl.run(['create', '-f', '-'], JSON.stringify(run));
}

export async function untilPipelineDone(cluster: Cluster, { namespace, name }: RunName): Promise<Raw> {
  for (;;) {
    const run = await cluster.kubectl.json<Raw>(['get', 'pipelinerun', name, '-n', namespace]);
    if (run.status?.completionTime) return run;
    await sleep(300);
  }
}

/** The TaskRuns of a run, by platform; the index Task's has none. */
export async function taskRunsOf(cluster: Cluster, { namespace, name }: RunName): Promise<Map<string, Raw>> {
  const selector = `tekton.dev/pipelineRun=${name}`;
  const { items } = await cluster.kubectl.json<Raw>(['get', 'taskruns', '-n', namespace, '-l', selector]);
  const platformOf = (taskRun: Raw): string =>
    taskRun.spec.params.find((param: Raw) => param.name === 'PLATFORM')?.value ?? 'index';
  return new Map(items.map((taskRun: Raw) => [platformOf(taskRun), taskRun]));
}

/** Everything that its pods printed, for a test that failed. */
export async function pipelineLog(cluster: Cluster, { namespace, name }: RunName): Promise<string> {
  const selector = `tekton.dev/pipelineRun=${name}`;
  const all = [
    'logs',
    '-n',
    namespace,
    '-l',
    selector,
    '--all-containers',
    '--prefix',
    '--tail=-1',
    '--max-log-requests=40',
  ];
  return cluster.kubectl.run(all).catch(String);
}

export function pipelineResult(run: Raw, name: string): string | undefined {
  return run.status.results?.find((result: Raw) => result.name === name)?.value;
}

/** What the registry has under a name: the index as it was pushed. */
export async function indexOf(cluster: Cluster, { namespace, name }: RunName): Promise<Raw> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json';
  const url = `http://${cluster.registry.outside}/v2/${namespace}/${name}/manifests/latest`;
  const response = await fetch(url, { headers: { accept } });
  return response.ok ? response.json() : undefined;
}
