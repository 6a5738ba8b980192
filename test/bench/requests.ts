// What a build costs the API server over its whole life, by the API server's own audit log.
import { setTimeout as sleep } from 'node:timers/promises';
import { atWork, roomy, type Line } from './line.ts';

const builds = 20;

export const requests: Line = {
  name: 'requests-per-build',
  rounds: 1,
  figures: [
    {
      what: 'API requests per build, whole life, Events not counted',
      sample: 'all',
      reduce: 'p50',
      unit: '',
      bound: { ratio: 0.6 },
    },
    { what: 'reads among them', sample: 'reads', reduce: 'p50', unit: '', bound: { most: 0 } },
    { what: 'Events', sample: 'events', reduce: 'p50', unit: '' },
  ],
  run: async (arena, plan) =>
    atWork(arena, plan, roomy, async (place, { user }) => {
      await sleep(1_000);
      const mark = arena.audit.mark();
      const names: string[] = [];
      for (let nth = 0; nth < builds; nth += 1) {
        const name = await place.create();
        await place.pod(name);
        await place.arrive(name);
        await place.provisioned(name);
        names.push(name);
        await sleep(100);
      }
      await sleep(3_000);
      await place.leave(names);
      await sleep(2_000);
      const { reads, writes, events, lists } = arena.audit.since(mark, user);
      return { all: [(reads + lists + writes) / builds], reads: [(reads + lists) / builds], events: [events / builds] };
    }),
};
