// The build of the demo: its host, its source, its TaskRun with the log as it comes, and what is left afterwards.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHost, type Host } from '../cluster/host.ts';
import { configureHosts, createTenant } from '../cluster/product.ts';
import { volumeManifests } from '../cluster/source-volume.ts';
import type { Place } from './place.ts';
import { timelineOf, type StepStatus, type TimelineRow } from './timeline.ts';

export const demoNamespace = 'demo';
const namespace = demoNamespace;
const name = 'hello';
const platform = 'linux/amd64';

export interface FinishedBuild {
  readonly timeline: readonly TimelineRow[];
  readonly image: string;
  readonly digest: string;
  /** Why it failed; undefined when it succeeded. */
  readonly failed: string | undefined;
}

interface TaskRun {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: {
    readonly podName?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly { readonly status: string; readonly message: string }[];
    readonly results?: readonly { readonly name: string; readonly value: string }[];
    readonly steps?: readonly StepStatus[];
  };
}

export async function prepareHost({ kubectl, images }: Place): Promise<Host> {
  const host = await startHost(kubectl, 'demo-host', { image: images.host });
  await configureHosts(kubectl, [{ host, platform, concurrency: 4 }]);
  return host;
}

export async function remoteBuild(place: Place): Promise<FinishedBuild> {
  const { kubectl, images } = place;
  await createTenant(kubectl, namespace, images);
  await sendSource(place, name, sourceFiles(images.base));
  const created = Date.now();
  await kubectl.run(['create', '-f', '-'], JSON.stringify(taskRunOf(place)));
  const seen = watchLease(place);
  const log = await streamLog(place);
  const done = await untilDone(place);
  const { claimed, ready } = await seen;
  const result = (key: string): string => done.status?.results?.find((it) => it.name === key)?.value ?? '';
  const [condition] = done.status?.conditions ?? [];
  return {
    timeline: timelineOf({ created, claimed, ready, log, steps: done.status?.steps ?? [] }),
    image: result('IMAGE_URL').trim(),
    digest: result('IMAGE_DIGEST').trim(),
    failed: condition?.status === 'True' ? undefined : condition?.message,
  };
}

/** A program that says which machine built it; its RUN steps are what must happen on the host. */
function sourceFiles(base: string): Record<string, string> {
  const dockerfile = [
    `FROM ${base}`,
    'COPY hello.sh /hello',
    'RUN chmod +x /hello && uname -m > /built-on',
    'RUN echo "built as $(id -un) on $(uname -m)"',
    'CMD ["/hello"]',
  ];
  const script = ['#!/bin/sh', 'echo "hello from an image built on $(cat /built-on)"'];
  return { Dockerfile: `${dockerfile.join('\n')}\n`, 'hello.sh': `${script.join('\n')}\n` };
}

/** Into a claim of that name, which it returns. */
export async function sendSource(
  place: Place,
  claim: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const { kubectl, sourceFolder } = place;
  const folder = sourceFolder === undefined ? undefined : join(sourceFolder, namespace, claim);
  await kubectl.apply(volumeManifests(namespace, claim, folder));
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777);
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
    await kubectl.run([
      'wait',
      `pvc/${claim}`,
      '-n',
      namespace,
      '--for=jsonpath={.status.phase}=Bound',
      '--timeout=60s',
    ]);
  } else {
    await loadSource(place, claim, files);
  }
  return claim;
}

async function loadSource(
  { kubectl, images }: Place,
  claimName: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const loader = {
    name: 'loader',
    image: images.runner,
    command: ['sleep', '600'],
    volumeMounts: [{ name: 'source', mountPath: '/source' }],
  };
  const volumes = [{ name: 'source', persistentVolumeClaim: { claimName } }];
  const spec = { containers: [loader], volumes, terminationGracePeriodSeconds: 0, securityContext: { runAsUser: 0 } };
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'loader', namespace }, spec }]);
  await kubectl.run(['wait', 'pod/loader', '-n', namespace, '--for=condition=Ready', '--timeout=120s']);
  for (const [file, content] of Object.entries(files)) {
    await kubectl.run(['exec', '-i', 'loader', '-n', namespace, '--', 'sh', '-c', 'cat > "/source/$0"', file], content);
  }
  await kubectl.run(['delete', 'pod', 'loader', '-n', namespace]);
}

function taskRunOf({ imageRepository, images }: Place): object {
  const params = {
    IMAGE: `${imageRepository}:latest`,
    PLATFORM: platform,
    BUILDER_IMAGE: images.builder,
    TLSVERIFY: 'false',
  };
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace },
    spec: {
      taskRef: { name: 'buildah-remote' },
      params: Object.entries(params).map(([key, value]) => ({ name: key, value })),
      workspaces: [{ name: 'source', persistentVolumeClaim: { claimName: name } }],
    },
  };
}

function readTaskRun({ kubectl }: Place): Promise<TaskRun> {
  return kubectl.json<TaskRun>(['get', 'taskrun', name, '-n', namespace]);
}

/** When the build got its slot, and when its Secret was there; read from the facts the controller notes. */
async function watchLease(place: Place): Promise<{ claimed: number; ready: number }> {
  let claimed = 0;
  for (;;) {
    const { metadata, status } = await readTaskRun(place);
    const facts = metadata.annotations?.['build.appstudio.redhat.com/host-lease'] ?? '';
    claimed = Number(/"since":(\d+)/.exec(facts)?.[1] ?? claimed);
    if (facts.includes('"ready":true') || status?.completionTime !== undefined) return { claimed, ready: Date.now() };
    await sleep(100);
  }
}

async function untilDone(place: Place): Promise<TaskRun> {
  for (;;) {
    const taskRun = await readTaskRun(place);
    if (taskRun.status?.completionTime !== undefined) return taskRun;
    await sleep(200);
  }
}

/** Prints the steps' logs one after another as they come, and returns that of the remote one. */
async function streamLog(place: Place): Promise<string> {
  let remote = '';
  for (const step of ['build', 'build-local', 'push', 'list-packages', 'sbom']) {
    const text = await followStep(place, step);
    if (step === 'build') remote = text;
  }
  return remote;
}

async function followStep(place: Place, step: string): Promise<string> {
  for (;;) {
    const { status } = await readTaskRun(place);
    const pod = status?.podName ?? '';
    const output = pod === '' ? undefined : await follow(place, pod, `step-${step}`);
    if (output !== undefined || status?.completionTime !== undefined) return output ?? '';
    await sleep(150);
  }
}

/** undefined: the container has not started yet. */
function follow({ kubectl }: Place, pod: string, container: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const args = ['logs', '-f', pod, '-n', namespace, '-c', container];
    const child = spawn('kubectl', args, { env: kubectl.env, stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      process.stdout.write(chunk.toString().replaceAll(/^(?=.)/gm, '    '));
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? output : undefined));
  });
}

/** Runs the pushed image as a pod: the kubelet pulls it by digest, and what it prints is the proof. */
export async function runImage({ kubectl }: Place, image: string, digest: string): Promise<string> {
  const repository = image.replace(/:[^:/]+$/, '');
  const container = { name: 'hello', image: `${repository}@${digest}` };
  const spec = { restartPolicy: 'Never', containers: [container] };
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'run-hello', namespace }, spec }]);
  await kubectl.run([
    'wait',
    'pod/run-hello',
    '-n',
    namespace,
    '--for=jsonpath={.status.phase}=Succeeded',
    '--timeout=120s',
  ]);
  const said = await kubectl.run(['logs', 'run-hello', '-n', namespace]);
  await kubectl.run(['delete', 'pod', 'run-hello', '-n', namespace]);
  return said;
}

/** Waits until the cleanup TaskRun did its work, and says what was looked for and not found. */
export async function checkClean({ kubectl }: Place, host: Host): Promise<string> {
  // Care of hosts is not part of the build, and a failed one stays to be read.
  const selector = `build.appstudio.redhat.com/user-task-namespace=${namespace}`;
  const ours = ['get', 'taskruns', '-n', 'multi-platform-controller', '-l', selector, '-o', 'name'];
  while ((await kubectl.run(ours)).trim() !== '') await sleep(300);
  const left = await host.run(
    `getent passwd | grep ^u- || true; ls -A /home; find /tmp /var/tmp -user 'u-*' 2>/dev/null || true`,
  );
  if (left.trim() !== '') throw new Error(`the host is not clean: ${left}`);
  const secrets = await kubectl.run(['get', 'secrets', '-n', namespace, '-o', 'name']);
  if (secrets.includes('multi-platform-ssh-')) throw new Error(`Secrets are left: ${secrets}`);
  return 'no user, home or process on the host, no Secret and no TaskRun for the build in the cluster';
}
