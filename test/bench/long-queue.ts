// What a long queue costs: thousands of builds wait for a hundred slots, and slots become free one by one.
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from './api-client.ts';
import { freeSlots } from './handover.ts';
import { atWork, type Line } from './line.ts';

const pool = { hosts: 25, slots: 4 };
const slots = pool.hosts * pool.slots;
const watchedFor = 30;

export const longQueue: Line = {
  name: 'long-queue',
  rounds: 1,
  onlyOurs: true,
  figures: [
    {
      what: 'freed slot → next provision TaskRun, among thousands of builds that wait (10,000, with --quick 1,000)',
      sample: 'latency',
      reduce: 'p50',
      unit: 'ms',
    },
    { what: 'the same', sample: 'latency', reduce: 'p99', unit: 'ms' },
    { what: 'slots never handed on', sample: 'lost', reduce: 'sum', unit: '', bound: { most: 0 } },
    { what: 'resident memory with these', sample: 'memory', reduce: 'most', unit: 'MiB' },
    { what: `CPU in ${watchedFor} s of waiting`, sample: 'cpu', reduce: 'most', unit: 's' },
    { what: 'restart → a slot freed meanwhile is handed on', sample: 'restart', reduce: 'most', unit: 's' },
  ],
  run: async (arena, plan, { quick, patience }) =>
    atWork(arena, plan, pool, async (place, contender) => {
      const names = Array.from({ length: slots + (quick ? 1_000 : 10_000) }, () => '');
      await inParallel([...names.keys()], 32, async (nth) => {
        names[nth] = await place.build();
      });
      const served = (): number => names.filter((name) => place.times(name).provisioned !== undefined).length;
      await arena.view.until(() => served() >= slots, patience * 1000);
      const cpuBefore = contender.cpu;
      await sleep(watchedFor * 1000);
      const cpu = contender.cpu - cpuBefore;
      const handedOn = await freeSlots(arena, place, names, 1, 40);
      const memory = contender.memory.now;
      await contender.kill();
      const before = served();
      const [ending = ''] = names.filter(
        (name) => place.times(name).provisioned !== undefined && place.times(name).ended === undefined,
      );
      await place.end(ending);
      const began = performance.now();
      const next = await arena.start(plan, place);
      try {
        await arena.view.until(() => served() > before, patience * 1000);
        return { ...handedOn, memory: [memory], cpu: [cpu], restart: [(performance.now() - began) / 1000] };
      } finally {
        await next.stop();
      }
    }),
};
