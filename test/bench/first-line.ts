// `npm run bench:first-line`: from the creation of a TaskRun to the first line that runs on its host, as a ratio to two
// empty TaskRuns one after the other on the same cluster. A measurement, never a test.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectCluster, startCluster, type Cluster } from '../cluster/cluster.ts';
import { startBuild, type Raw } from '../cluster/build.ts';
import { startHost } from '../cluster/host.ts';
import { configureHosts, createTenant, installProduct, untilReady } from '../cluster/product.ts';

const rounds = Number(process.env['ROUNDS'] ?? 10);
const given = process.env['CLUSTER'];
const operator = 'multi-platform-controller';
const namespace = 'bench';

const partNames = [
  'claimed',
  'provision step runs',
  'provision step ended',
  'ready',
  'build step runs',
  'first line on the host',
] as const;
/** Seconds since the creation of the TaskRun. */
type Parts = Readonly<Record<(typeof partNames)[number], number>>;

const cluster = given === undefined ? await startCluster(`bench-${process.pid}`) : connectCluster(given);
try {
  await prepare();
  const empty: number[] = [];
  const first: Parts[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    empty.push((await emptyTaskRun(`empty-${round}-a`)) + (await emptyTaskRun(`empty-${round}-b`)));
    first.push(await firstLine(`build-${round}`));
  }
  report(empty, first);
} finally {
  if (given === undefined) await cluster.stop();
}

async function prepare(): Promise<void> {
  const { kubectl } = cluster;
  await installProduct(kubectl);
  const host = await startHost(kubectl, 'bench-host');
  await configureHosts(kubectl, [{ host, platform: 'linux/amd64', concurrency: 4 }]);
  await untilReady(kubectl);
  await createTenant(kubectl, namespace);
}

async function emptyTaskRun(name: string): Promise<number> {
  const step = { name: 'nothing', image: 'localhost/busybox:1', command: ['true'] };
  const taskRun = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace },
    spec: { taskSpec: { steps: [step] } },
  };
  const began = Date.now();
  await cluster.kubectl.run(['create', '-f', '-'], JSON.stringify(taskRun));
  await cluster.kubectl.run(['wait', `taskrun/${name}`, '-n', namespace, '--for=condition=Succeeded', '--timeout=60s']);
  return (Date.now() - began) / 1000;
}

async function firstLine(name: string): Promise<Parts> {
  const build = { namespace, name, platform: 'linux/amd64', files: { Dockerfile: 'FROM scratch\n' } };
  const provision = watchProvision(name);
  const created = await startBuild(cluster, build);
  const line = await untilHostSpeaks(cluster, name);
  const taskRun = await cluster.kubectl.json<Raw>(['get', 'taskrun', name, '-n', namespace]);
  const facts = taskRun.metadata.annotations['build.appstudio.redhat.com/host-lease'];
  const pod = await cluster.kubectl.json<Raw>(['get', 'pod', taskRun.status.podName, '-n', namespace]);
  const ready = await readyAt(name);
  await cluster.kubectl.run(['delete', 'taskrun', name, '-n', namespace]);
  await untilNothingOfOurs();
  const since = (at: number): number => (at - created) / 1000;
  const { started, ended } = provision.times;
  provision.stop();
  const step = pod.status.containerStatuses.find((it: Raw) => it.name === 'step-build');
  return {
    claimed: since(Number(/"since":(\d+)/.exec(facts)?.[1])),
    'provision step runs': since(started),
    'provision step ended': since(ended),
    ready: since(ready),
    'build step runs': since(Date.parse(step.state.running?.startedAt ?? step.state.terminated?.startedAt)),
    'first line on the host': since(line),
  };
}

/** From the controller's log, which has milliseconds. */
async function readyAt(name: string): Promise<number> {
  const log = await cluster.kubectl.run(['logs', '-n', operator, '-l', 'app=multi-platform-controller', '--tail=-1']);
  const line = log.split('\n').find((it) => it.includes('"HostReady"') && it.includes(`"${name}"`));
  return Date.parse(/"timestamp":"([^"]+)"/.exec(line ?? '')?.[1] ?? '');
}

/** The first log line that was printed on the host, by the kubelet's clock. */
async function untilHostSpeaks({ kubectl }: Cluster, name: string): Promise<number> {
  for (;;) {
    const log = await kubectl
      .run(['logs', `${name}-pod`, '-n', namespace, '-c', 'step-build', '--timestamps'])
      .catch(() => '');
    const line = log.split('\n').find((it) => it.includes('remote-build: on host '));
    if (line !== undefined) return Date.parse(line.split(' ')[0] ?? '');
    await sleep(400);
  }
}

/** When the provision TaskRun's container ran, as one watch shows it: polling would be a load of its own. */
function watchProvision(name: string): { readonly times: { started: number; ended: number }; stop(): void } {
  const selector = `build.appstudio.redhat.com/user-task-name=${name}`;
  const path = `-o=jsonpath={.status.containerStatuses[0].state}{"\\n"}`;
  const args = ['get', 'pods', '-n', operator, '-l', selector, '--watch', path];
  const child = spawn('kubectl', args, { env: cluster.kubectl.env, stdio: ['ignore', 'pipe', 'ignore'] });
  const times = { started: 0, ended: 0 };
  child.stdout.on('data', (chunk: Buffer) => {
    const text = chunk.toString();
    if (times.started === 0 && /running|terminated/.test(text)) times.started = Date.now();
    if (times.ended === 0 && text.includes('terminated')) times.ended = Date.now();
  });
  return { times, stop: () => child.kill() };
}

async function untilNothingOfOurs(): Promise<void> {
  for (;;) {
    if ((await cluster.kubectl.run(['get', 'taskruns', '-n', operator, '-o', 'name'])).trim() === '') return;
    await sleep(200);
  }
}

function report(empty: readonly number[], parts: readonly Parts[]): void {
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  const line = (name: string, seconds: number): void =>
    console.log(`  ${name.padEnd(36)}${seconds.toFixed(2).padStart(7)} s`);
  console.log(`median of ${parts.length}, seconds after the creation of the TaskRun:`);
  for (const key of partNames) line(key, median(parts.map((it) => it[key])));
  const two = median(empty);
  const firsts = median(parts.map((it) => it['first line on the host']));
  line('two empty TaskRuns, one by one', two);
  console.log(`  ${'ratio'.padEnd(36)}${(firsts / two).toFixed(2).padStart(7)}`);
}
