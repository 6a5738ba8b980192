// `npm run bench:pod-rush`: twenty builds at once on pods of which there may be five. Says how many pods there ever were, in which order the
// builds got theirs, how the builds ended, what is left, and how long it took; fails when one of these is not as promised.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Raw } from '../cluster/build.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { benchNamespace, hostsNamespace, leftOfHosts, median, onPodPlatform, startSaying } from './pod-platform.ts';
import { watchObjects, watchPods } from './pod-times.ts';

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
  const claims = new Map<string, Claim>();
  const path = `/apis/tekton.dev/v1/namespaces/${benchNamespace}/taskruns`;
  const stop = watchObjects(kubectl, path, ({ object }) => noteClaim(claims, object));
  const names = Array.from({ length: builds }, (_, index) => `rush-${String(index + 1).padStart(2, '0')}`);
  const began = Date.now();
  await Promise.all(names.map((name) => startSaying(cluster, name, `sleep ${work}`)));
  const taskRuns = await untilAllDone(cluster);
  const took = (Date.now() - began) / 1000;
  const left = await untilNothingLeft(cluster);
  watched.stop();
  stop();
  const hosts = watched.pods().filter(({ namespace }) => namespace === hostsNamespace);
  const lives = hosts.map(({ scheduled = NaN, gone = NaN }) => (gone - scheduled) / 1000);
  // Who came first was created first; creations are known to the second.
  const order = [...claims.values()].toSorted((a, b) => a.since - b.since);
  const isFair = order.every(({ created }, index) => created >= (order[index - 1]?.created ?? 0));
  const failed = taskRuns.filter((taskRun) => taskRun.status.conditions[0].status !== 'True');
  console.log(`${builds} builds at once, each ${work} s of work, max-instances ${most}:`);
  console.log(`  most pods at any instant   ${peak}`);
  console.log(`  pods in all                ${hosts.length}, each there for ${median(lives).toFixed(1)} s (median)`);
  console.log(`  order of the hosts         ${isFair ? 'first come, first served' : JSON.stringify(order)}`);
  console.log(`  builds that failed         ${failed.length}`);
  console.log(`  left behind                ${left === '' ? 'nothing' : left}`);
  console.log(`  all done after             ${took.toFixed(1)} s`);
  const allServed = hosts.length === builds && order.length === builds && failed.length === 0;
  if (peak !== most || !allServed || !isFair || left !== '') process.exitCode = 1;
});

interface Claim {
  readonly since: number;
  readonly created: number;
}

/** As long as the build has its host its facts say since when. */
function noteClaim(claims: Map<string, Claim>, { metadata }: Raw): void {
  const facts: string = metadata.annotations?.['build.appstudio.redhat.com/host-lease'] ?? '';
  const since = /"since":(\d+)/.exec(facts)?.[1];
  if (since === undefined || claims.has(metadata.name)) return;
  claims.set(metadata.name, { since: Number(since), created: Date.parse(metadata.creationTimestamp) });
}

async function untilAllDone({ kubectl }: Cluster): Promise<Raw[]> {
  for (;;) {
    const { items } = await kubectl.json<Raw>(['get', 'taskruns', '-n', benchNamespace]);
    if (items.length === builds && items.every((it: Raw) => it.status?.completionTime !== undefined)) return items;
    await sleep(1000);
  }
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
