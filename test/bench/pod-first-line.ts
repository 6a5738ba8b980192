// `npm run bench:pod-first-line`: from the creation of a TaskRun to the first line on a pod that is launched for it, as a ratio to two empty
// pods started one after the other; by turns, on one cluster. Then the builder image is pulled, and the script says its first line. A
// measurement, never a test.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Raw } from '../cluster/build.ts';
import type { Cluster } from '../cluster/cluster.ts';
import {
  benchNamespace,
  hostsNamespace,
  leftOfHosts,
  median,
  onPodPlatform,
  operatorNamespace,
  startSaying,
} from './pod-platform.ts';
import { watchPods, type PodTimes } from './pod-times.ts';

const rounds = Number(process.env['ROUNDS'] ?? 10);
const firstLine = 'first line of the script';

const partNames = [
  'claimed',
  'launch pod scheduled',
  'launch step runs',
  'launch script begins',
  'host pod made',
  'host pod runs',
  'sshd listens',
  'Secret made',
  'ready',
  'build step runs',
  'first line on the host',
  firstLine,
  'pull of the builder image',
] as const;
/** Seconds since the creation of the TaskRun. */
type Parts = Readonly<Record<(typeof partNames)[number], number>>;

await onPodPlatform({ 'max-instances': '2' }, async (cluster) => {
  const pods: number[] = [];
  const taskRuns: number[] = [];
  const builds: Parts[] = [];
  // What the first round finds has to do with empty caches only.
  for (let round = 0; round <= rounds; round += 1) {
    const twoPods = (await emptyPod(cluster, `empty-${round}-a`)) + (await emptyPod(cluster, `empty-${round}-b`));
    const twoRuns =
      (await emptyTaskRun(cluster, `empty-${round}-a`)) + (await emptyTaskRun(cluster, `empty-${round}-b`));
    const parts = await build(cluster, `build-${round}`);
    console.log(
      `  ${parts[firstLine].toFixed(2)} s, two empty pods ${twoPods.toFixed(2)} s, two empty TaskRuns ${twoRuns.toFixed(2)} s`,
    );
    if (round === 0) continue;
    pods.push(twoPods);
    taskRuns.push(twoRuns);
    builds.push(parts);
  }
  report(pods, taskRuns, builds);
});

/** Until it is seen to have run. */
async function emptyPod({ kubectl }: Cluster, name: string): Promise<number> {
  const spec = {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'nothing',
        image: 'localhost/multi-platform-runner:dev',
        imagePullPolicy: 'IfNotPresent',
        command: ['true'],
      },
    ],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: benchNamespace }, spec };
  const began = Date.now();
  await kubectl.run(['create', '-f', '-'], JSON.stringify(pod));
  const ran = '--for=jsonpath={.status.phase}=Succeeded';
  await kubectl.run(['wait', `pod/${name}`, '-n', benchNamespace, ran, '--timeout=60s']);
  const took = (Date.now() - began) / 1000;
  await kubectl.run(['delete', 'pod', name, '-n', benchNamespace]);
  return took;
}

async function emptyTaskRun({ kubectl }: Cluster, name: string): Promise<number> {
  const taskRun = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name, namespace: benchNamespace },
    spec: {
      taskSpec: { steps: [{ name: 'nothing', image: 'localhost/multi-platform-runner:dev', command: ['true'] }] },
    },
  };
  const began = Date.now();
  await kubectl.run(['create', '-f', '-'], JSON.stringify(taskRun));
  await kubectl.run(['wait', `taskrun/${name}`, '-n', benchNamespace, '--for=condition=Succeeded', '--timeout=60s']);
  const took = (Date.now() - began) / 1000;
  await kubectl.run(['delete', 'taskrun', name, '-n', benchNamespace]);
  return took;
}

async function build(cluster: Cluster, name: string): Promise<Parts> {
  const { kubectl } = cluster;
  const watched = watchPods(kubectl);
  const created = await startSaying(cluster, name, `echo '${firstLine}'; sleep 2`);
  const lines = await untilSaid(cluster, name);
  const taskRun = await kubectl.json<Raw>(['get', 'taskrun', name, '-n', benchNamespace]);
  const annotations = taskRun.metadata.annotations;
  const claimed = Number(/"since":(\d+)/.exec(annotations['build.appstudio.redhat.com/host-lease'])?.[1]);
  const isHost = (it: PodTimes): boolean => it.namespace === hostsNamespace;
  const isLaunch = (it: PodTimes): boolean => it.namespace === operatorNamespace && it.name.includes('-launch-');
  const [host, launch] = [watched.pods().find(isHost), watched.pods().find(isLaunch)];
  const step = watched.pods().find((it) => it.namespace === benchNamespace && it.name === taskRun.status.podName);
  const launchLog = await stampedLog(cluster, operatorNamespace, launch?.name ?? '');
  const hostLog = await stampedLog(cluster, hostsNamespace, host?.name ?? '');
  const ready = await readyAt(cluster, name);
  watched.stop();
  await kubectl.run(['delete', 'taskrun', name, '-n', benchNamespace]);
  while ((await leftOfHosts(cluster)) !== '') await sleep(200);
  const since = (at: number | undefined): number => ((at ?? NaN) - created) / 1000;
  return {
    claimed: since(claimed),
    'launch pod scheduled': since(launch?.scheduled),
    'launch step runs': since(launch?.running),
    'launch script begins': since(timeOf(launchLog, '')),
    'host pod made': since(timeOf(launchLog, 'made: pods')),
    'host pod runs': since(host?.running),
    'sshd listens': since(timeOf(hostLog, 'Server listening')),
    'Secret made': since(timeOf(launchLog, 'created')),
    ready: since(ready),
    'build step runs': since(step?.running),
    'first line on the host': since(timeOf(lines, 'remote-build: on host ')),
    [firstLine]: since(timeOf(lines, firstLine)),
    // By itself, not since the creation: how big the image is says nothing of us.
    'pull of the builder image': pullOf(lines),
  };
}

async function untilSaid(cluster: Cluster, name: string): Promise<string[]> {
  const giveUp = Date.now() + 120_000;
  for (;;) {
    const lines = await stampedLog(cluster, benchNamespace, `${name}-pod`);
    if (lines.some((line) => line.endsWith(firstLine))) return lines;
    if (Date.now() > giveUp) throw new Error(`the script of ${name} never said anything:\n${lines.join('\n')}`);
    await sleep(400);
  }
}

/** Each line with the time at which the kubelet's runtime read it. */
async function stampedLog({ kubectl }: Cluster, namespace: string, pod: string): Promise<string[]> {
  const log = await kubectl.run(['logs', pod, '-n', namespace, '--all-containers', '--timestamps']).catch(() => '');
  return log.split('\n').filter((line) => !line.includes('Entrypoint initialization') && line !== '');
}

function timeOf(lines: readonly string[], text: string): number {
  return Date.parse(lines.find((line) => line.includes(text))?.split(' ')[0] ?? '');
}

/** Seconds; nothing is pulled that the host has. */
function pullOf(lines: readonly string[]): number {
  return Number(/phase pull took ([0-9.]+)s/.exec(lines.join('\n'))?.[1] ?? 0);
}

/** From the controller's log, which has milliseconds. */
async function readyAt({ kubectl }: Cluster, name: string): Promise<number> {
  const log = await kubectl.run(['logs', '-n', operatorNamespace, '-l', 'app=multi-platform-controller', '--tail=-1']);
  // A cluster that is used again has builds of this name behind it.
  const line = log.split('\n').findLast((it) => it.includes('"HostReady"') && it.includes(`"${name}"`));
  return Date.parse(/"timestamp":"([^"]+)"/.exec(line ?? '')?.[1] ?? '');
}

function report(pods: readonly number[], taskRuns: readonly number[], builds: readonly Parts[]): void {
  const line = (name: string, figure: number, unit = ' s'): void =>
    console.log(`  ${name.padEnd(46)}${figure.toFixed(2).padStart(7)}${unit}`);
  console.log(`median of ${builds.length}, seconds after the creation of the TaskRun:`);
  for (const part of partNames) line(part, median(builds.map((it) => it[part])));
  line('two empty pods, one by one', median(pods));
  line('two empty TaskRuns, one by one', median(taskRuns));
  const onHost = median(builds.map((it) => it['first line on the host']));
  const ofScript = median(builds.map((it) => it[firstLine] - it['pull of the builder image']));
  line('first line on the host / two empty pods', onHost / median(pods), '');
  line(`${firstLine}, less the pull / …`, ofScript / median(pods), '');
  line('first line on the host / two empty TaskRuns', onHost / median(taskRuns), '');
}
