// `npm run bench:pod-rush`: twenty builds at once on pods of which there may be five. Says how many pods there ever were, in which order the
// builds got theirs, how the builds ended, what is left, and how long it took; fails when one of these is not as promised.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Raw } from '../cluster/build.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { benchNamespace, hostsNamespace, leftOfHosts, median, onPodPlatform, startSaying } from './pod-platform.ts';
import { watchPods } from './pod-times.ts';

const builds = Number(process.env['BUILDS'] ?? 20);
const most = 5;
/** Each build has something to do for so many seconds. */
const work = 3;

await onPodPlatform({ 'max-instances': String(most) }, async (cluster) => {
  const { kubectl } = cluster;
  let peak = 0;
  const watched = watchPods(kubectl, () => {
    const there = watched.pods().filter(({ namespace, gone }) => namespace === hostsNamespace && gone === undefined);
    peak = Math.max(peak, there.length);
  });
  // In the order of their creation; of equal seconds the name decides.
  const names = Array.from({ length: builds }, (_, index) => `rush-${String(index + 1).padStart(2, '0')}`);
  const began = Date.now();
  await Promise.all(names.map((name) => startSaying(cluster, name, `sleep ${work}`)));
  const taskRuns = await untilAllDone(cluster);
  const took = (Date.now() - began) / 1000;
  const left = await untilNothingLeft(cluster);
  watched.stop();
  const hosts = watched.pods().filter(({ namespace }) => namespace === hostsNamespace);
  const lives = hosts.map(({ scheduled = NaN, gone = NaN }) => (gone - scheduled) / 1000);
  const claims = taskRuns.map((taskRun) => ({ name: taskRun.metadata.name, since: claimedAt(taskRun) }));
  const order: string[] = claims
    .toSorted((a, b) => a.since - b.since || compare(a.name, b.name))
    .map(({ name }) => name);
  const failed = taskRuns.filter((taskRun) => taskRun.status.conditions[0].status !== 'True');
  console.log(`${builds} builds at once, each ${work} s of work, max-instances ${most}:`);
  console.log(`  most pods at any instant   ${peak}`);
  console.log(`  pods in all                ${hosts.length}, each there for ${median(lives).toFixed(1)} s (median)`);
  console.log(
    `  order of the hosts         ${order.join(' ') === names.join(' ') ? 'first come, first served' : order.join(' ')}`,
  );
  console.log(`  builds that failed         ${failed.length}`);
  console.log(`  left behind                ${left === '' ? 'nothing' : left}`);
  console.log(`  all done after             ${took.toFixed(1)} s`);
  const asPromised = peak === most && hosts.length === builds && order.join() === names.join() && failed.length === 0;
  if (!asPromised || left !== '') process.exitCode = 1;
});

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

async function untilAllDone({ kubectl }: Cluster): Promise<Raw[]> {
  for (;;) {
    const { items } = await kubectl.json<Raw>(['get', 'taskruns', '-n', benchNamespace]);
    if (items.length === builds && items.every((it: Raw) => it.status?.completionTime !== undefined)) return items;
    await sleep(1000);
  }
}

function claimedAt({ metadata }: Raw): number {
  return Number(/"since":(\d+)/.exec(metadata.annotations['build.appstudio.redhat.com/host-lease'])?.[1]);
}

/** What is left after a minute of which nothing goes any more; '' is right. */
async function untilNothingLeft(cluster: Cluster): Promise<string> {
  for (let waited = 0; ; waited += 1) {
    const secrets = await cluster.kubectl.run(['get', 'secrets', '-n', benchNamespace, '-o', 'name']);
    const left = secrets + (await leftOfHosts(cluster));
    if (left === '' || waited >= 60) return left;
    await sleep(1000);
  }
}
