// `npm run bench:trivial-build`: a four-line Dockerfile on a test cluster, from the creation of its TaskRun to its end: with the Task
// people wrote by hand, with the generated one, and with it on a host that keeps the builder image; by turns. A measurement, never a test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deleteBuild, logOf, startBuild, untilDone } from '../cluster/build.ts';
import { startCluster } from '../cluster/cluster.ts';
import { startHost } from '../cluster/host.ts';
import { keepBuilderImages } from '../cluster/kept-images.ts';
import { configureHosts, createTenant, installProduct, untilReady } from '../cluster/product.ts';

const rounds = Number(process.env['ROUNDS'] ?? 3);
const operator = 'multi-platform-controller';
const namespace = 'bench';
const kept = 'linux-kept/amd64';
const contenders = [
  { name: 'the Task written by hand', platform: 'linux/amd64', task: 'stock-buildah-remote', params: {} },
  { name: 'the generated Task', platform: 'linux/amd64', task: 'buildah-remote', params: { SBOM: 'none' } },
  {
    name: 'the generated Task, image kept on the host',
    platform: kept,
    task: 'buildah-remote',
    params: { SBOM: 'none' },
  },
];

const cluster = await startCluster(`bench-${process.pid}`);
try {
  await prepare();
  const seconds = contenders.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const took = await build(`build-${round}-${index}`, contender);
      // The first of each finds caches empty that have nothing to do with it.
      if (round > 0) seconds[index]!.push(took);
    }
  }
  report(seconds);
} finally {
  await cluster.stop();
}

async function prepare(): Promise<void> {
  const { kubectl, registry } = cluster;
  await installProduct(kubectl);
  const [host, keeper] = await Promise.all([startHost(kubectl, 'bench-host'), startHost(kubectl, 'bench-keeper')]);
  console.log(await keepBuilderImages(kubectl, keeper, [`${registry.inside}/builder:1`]));
  const entries = [
    { host, platform: 'linux/amd64', concurrency: 4 },
    { host: keeper, platform: kept, concurrency: 4 },
  ];
  await configureHosts(kubectl, entries, { 'update-interval': 'never' });
  await untilReady(kubectl);
  await createTenant(kubectl, namespace);
  await kubectl.apply(readFileSync(join(import.meta.dirname, '../cluster/stock-task.yaml'), 'utf8'), '-n', namespace);
}

async function build(name: string, contender: (typeof contenders)[number]): Promise<number> {
  const Dockerfile = `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo ${name} > /said\nCMD ["cat", "/said"]\n`;
  const { platform, task, params } = contender;
  const one = { namespace, name };
  const began = await startBuild(cluster, { ...one, platform, task, params, files: { Dockerfile } });
  const done = await untilDone(cluster, one);
  const took = (Date.now() - began) / 1000;
  const log = await logOf(cluster, one);
  if (done.status.conditions[0].status !== 'True') throw new Error(log);
  console.log(`  ${took.toFixed(1).padStart(6)} s  ${contender.name}  ${/timeline.*/.exec(log)?.[0] ?? ''}`);
  await deleteBuild(cluster, one);
  // The cleanup of this one must not slow down the next.
  while ((await cluster.kubectl.run(['get', 'taskruns', '-n', operator, '-o', 'name'])).trim() !== '') await sleep(200);
  return took;
}

function report(seconds: readonly (readonly number[])[]): void {
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  console.log(`medians of ${rounds}, seconds from the creation of the TaskRun to its end:`);
  const byHand = median(seconds[0] ?? []);
  for (const [index, { name }] of contenders.entries()) {
    const took = median(seconds[index] ?? []);
    console.log(`  ${name.padEnd(44)}${took.toFixed(1).padStart(6)}  x${(took / byHand).toFixed(2)}`);
  }
}
