// How long a build waits for its provision TaskRun when there is room: builds that come one by one, one after another,
// all at once, and among builds that end.
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from './api-client.ts';
import { atWork, latencies, roomy, type Line } from './line.ts';

export const arrivals: readonly Line[] = [
  {
    name: 'arrival-steady',
    // The 99th percentile of fewer builds is a matter of luck: what the API server does beside is most of it.
    rounds: 4,
    figures: [
      {
        what: 'arrival → provision TaskRun, one build every 300 ms',
        sample: 'latency',
        reduce: 'p50',
        unit: 'ms',
        bound: { ratio: 1 },
      },
      { what: 'the same', sample: 'latency', reduce: 'p99', unit: 'ms', bound: { ratio: 1 } },
    ],
    run: async (arena, plan, { quick }) =>
      atWork(arena, plan, roomy, async (place) => {
        const names: string[] = [];
        const latency = await arena.whileProvisioning(async () => {
          for (let nth = 0; nth < (quick ? 20 : 100); nth += 1) {
            const name = await place.create();
            const pause = sleep(300);
            await place.arrive(name);
            names.push(name);
            await pause;
          }
          return latencies(place, names);
        });
        await place.leave(names);
        return { latency };
      }),
  },
  {
    name: 'arrival-back-to-back',
    rounds: 2,
    figures: [
      {
        what: 'arrival → provision TaskRun, 100 builds, each when the one before has its own',
        sample: 'latency',
        reduce: 'p50',
        unit: 'ms',
        bound: { ratio: 0.2 },
      },
      { what: 'the same', sample: 'latency', reduce: 'p99', unit: 'ms', bound: { ratio: 0.2 } },
    ],
    run: async (arena, plan) =>
      atWork(arena, plan, roomy, async (place) => {
        const names: string[] = [];
        const latency = await arena.whileProvisioning(async () => {
          for (let nth = 0; nth < 100; nth += 1) {
            const name = await place.build();
            await place.provisioned(name);
            names.push(name);
          }
          return latencies(place, names);
        });
        await place.leave(names);
        return { latency };
      }),
  },
  {
    name: 'burst',
    rounds: 5,
    figures: [
      {
        what: 'burst of 100 builds onto 25 hosts × 4 slots: last provision TaskRun',
        sample: 'last',
        reduce: 'p50',
        unit: 's',
        bound: { ratio: 0.1 },
      },
      { what: 'CPU of the controller in that time', sample: 'cpu', reduce: 'p50', unit: 's' },
      { what: 'hosts over capacity', sample: 'hostsOver', reduce: 'sum', unit: '', bound: { most: 0 } },
      { what: 'most builds at once on a host of 4', sample: 'worst', reduce: 'most', unit: '', bound: { most: 4 } },
      { what: 'builds without a host after 90 s', sample: 'lost', reduce: 'sum', unit: '', bound: { most: 0 } },
    ],
    run: async (arena, plan) =>
      atWork(arena, plan, { hosts: 25, slots: 4 }, async (place, contender) => {
        const names: string[] = [];
        for (let nth = 0; nth < 100; nth += 1) names.push(await place.create());
        // The handshakes of those who make the builds are no work of the controller's.
        await inParallel(names, 50, async () => arena.client.ask('GET', '/version'));
        const cpuBefore = contender.cpu;
        await arena.whileProvisioning(async () => {
          await inParallel(names, 50, async (name) => place.arrive(name));
          await arena.view.until(() => names.every((name) => place.times(name).provisioned !== undefined));
        });
        const cpu = contender.cpu - cpuBefore;
        const times = names.map((name) => place.times(name));
        const served = times.flatMap(({ provisioned }) => (provisioned === undefined ? [] : [provisioned]));
        const first = Math.min(...times.map(({ arrived = Infinity }) => arrived));
        const { hosts, worst } = arena.view.overCapacity();
        await place.leave(names);
        const lost = names.length - served.length;
        const last = (Math.max(...served) - first) / 1000;
        return { last: [last], cpu: [cpu], hostsOver: [hosts], worst: [worst], lost: [lost] };
      }),
  },
  {
    name: 'whole-lives',
    rounds: 1,
    figures: [
      {
        what: 'arrival → provision TaskRun while 4 builds a second come and go',
        sample: 'latency',
        reduce: 'p50',
        unit: 'ms',
      },
      { what: 'the same', sample: 'latency', reduce: 'p99', unit: 'ms' },
    ],
    run: async (arena, plan, { quick }) =>
      atWork(arena, plan, roomy, async (place) => {
        const names: string[] = [];
        for (let nth = 0; nth < (quick ? 20 : 80); nth += 1) {
          names.push(await place.build());
          const ending = names[nth - 8];
          if (ending !== undefined) await place.end(ending);
          await sleep(250);
        }
        const latency = await latencies(place, names);
        await place.leave(names);
        return { latency };
      }),
  },
];
