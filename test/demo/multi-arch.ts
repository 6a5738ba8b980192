// `npm run demo -- --multi-arch`: one image for amd64 and arm64 from one run of the Pipeline that taskgen wrote. amd64 is built on a pod that
// is launched for it; the arm64 host is a played one, as in the tests: the image is real arm64, the machine is not. Shows what each platform
// does, and the index that comes out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHost, type Host } from '../cluster/host.ts';
import { configureHosts, createTenant } from '../cluster/product.ts';
import type { Place } from './place.ts';
import { say } from './progress.ts';
import { demoNamespace, sendSource } from './remote-build.ts';

const run = 'hello-multi-arch';
const hostsNamespace = 'multi-platform-hosts';
/** Small pods: the machine of the demo may be. */
const podKeys = {
  'dynamic-platforms': 'linux/amd64',
  'dynamic.linux-amd64.type': 'pod',
  'dynamic.linux-amd64.max-instances': '2',
  'dynamic.linux-amd64.cpu-request': '100m',
  'dynamic.linux-amd64.memory-request': '256Mi',
};
const tasks = join(import.meta.dirname, '../../tasks');

interface Conditions {
  readonly completionTime?: string;
  readonly conditions?: readonly { readonly status: string; readonly reason: string; readonly message: string }[];
  readonly results?: readonly { readonly name: string; readonly value: string }[];
}
interface TaskRun {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly params?: readonly { readonly name: string; readonly value: string }[] };
  readonly status?: Conditions & { readonly steps?: readonly { readonly name: string; readonly running?: object }[] };
}

export interface FinishedIndex {
  readonly image: string;
  readonly digest: string;
  /** A line for each platform. */
  readonly platforms: readonly string[];
  readonly failed: string | undefined;
}

/** Hosts for amd64 are launched when a build wants one. */
export async function prepareArm64Host({ kubectl, images }: Place): Promise<Host> {
  const host = await startHost(kubectl, 'demo-host-arm64', { image: images.host, arch: 'arm64' });
  await configureHosts(kubectl, [{ host, platform: 'linux/arm64', concurrency: 4 }], podKeys);
  return host;
}

/** Returns when nothing of any pod that was a host is there. */
export async function untilPodsAreGone({ kubectl }: Place): Promise<string> {
  const made = ['pods,services,secrets,networkpolicies', '-l', 'build.appstudio.redhat.com/launch-token'];
  while ((await kubectl.run(['get', ...made, '-n', hostsNamespace, '-o', 'name'])) !== '') await sleep(300);
  return 'no pod, Service, Secret or NetworkPolicy of a host in the cluster';
}

export async function multiArchBuild(place: Place, base: string): Promise<FinishedIndex> {
  const { kubectl, images } = place;
  await createTenant(kubectl, demoNamespace, images);
  const index = readFileSync(join(tasks, 'build-image-index/task.yaml'), 'utf8');
  await kubectl.apply(index.replace(/^( +image: )multi-platform-runner$/m, `$1${images.runner}`), '-n', demoNamespace);
  await kubectl.apply(readFileSync(join(tasks, 'generated/buildah-multi-platform.yaml'), 'utf8'), '-n', demoNamespace);
  const Dockerfile = `FROM ${base}\nUSER 0\nRUN echo "hello from an image built on $(uname -m)" >/hello\nUSER 65532\nCMD ["cat", "/hello"]\n`;
  const claim = await sendSource(place, run, { Dockerfile });
  await kubectl.run(['create', '-f', '-'], JSON.stringify(pipelineRun(place, claim)));
  return follow(place);
}

function pipelineRun({ imageRepository, images }: Place, claimName: string): object {
  const params = {
    IMAGE: `${imageRepository}-multi-arch:latest`,
    BUILDER_IMAGE: images.builder,
    TLSVERIFY: 'false',
    SBOM: 'none',
  };
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: run, namespace: demoNamespace },
    spec: {
      pipelineRef: { name: 'buildah-multi-platform' },
      params: Object.entries(params).map(([name, value]) => ({ name, value })),
      workspaces: [{ name: 'source', persistentVolumeClaim: { claimName } }],
    },
  };
}

/** A line whenever something goes on, until the run is done. */
async function follow({ kubectl }: Place): Promise<FinishedIndex> {
  const said = new Map<string, string>();
  for (;;) {
    const selector = `tekton.dev/pipelineRun=${run}`;
    const list = await kubectl.json<{ items: TaskRun[] }>(['get', 'taskruns', '-n', demoNamespace, '-l', selector]);
    for (const taskRun of list.items) {
      const line = `  ${nameOf(taskRun).padEnd(12)} ${stateOf(taskRun)}`;
      if (said.get(taskRun.metadata.name) !== line) say(line);
      said.set(taskRun.metadata.name, line);
    }
    const { status } = await kubectl.json<{ status?: Conditions }>(['get', 'pipelinerun', run, '-n', demoNamespace]);
    if (status?.completionTime !== undefined) return finished(status);
    await sleep(300);
  }
}

function nameOf({ spec }: TaskRun): string {
  return spec.params?.find(({ name }) => name === 'PLATFORM')?.value ?? 'index';
}

function stateOf({ status }: TaskRun): string {
  const [condition] = status?.conditions ?? [];
  if (status?.completionTime !== undefined)
    return condition?.status === 'True' ? 'done' : `failed: ${condition?.message}`;
  const step = status?.steps?.find(({ running }) => running !== undefined)?.name;
  return step === undefined ? (condition?.reason ?? 'waiting') : `step ${step}`;
}

function finished(status: Conditions): FinishedIndex {
  const result = (key: string): string => status.results?.find(({ name }) => name === key)?.value ?? '';
  const [condition] = status.conditions ?? [];
  const platforms: { platform: string; status: string; digest: string; message: string }[] = JSON.parse(
    result('PLATFORM_RESULTS') || '[]',
  );
  return {
    image: result('IMAGE_URL'),
    digest: result('IMAGE_DIGEST'),
    platforms: platforms.map((it) => `${it.platform}  ${it.status}  ${it.digest}${it.message}`),
    failed: condition?.status === 'True' ? undefined : condition?.message,
  };
}
