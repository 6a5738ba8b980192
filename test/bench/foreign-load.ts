// What the TaskRuns of other people cost: memory, the time until a new build is served after a start, CPU, requests, and
// latency while they change. As many as --foreign says lie there.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import type { Contender, ContenderPlan } from './contender.ts';
import { foreignNamespace } from './foreign-task-run.ts';
import { atWork, latencies, roomy, type Effort, type Figure, type Line, type Samples } from './line.ts';
import type { WorkPlace } from './work-place.ts';

export const memoryEmpty: Line = {
  name: 'memory-empty',
  rounds: 1,
  figures: [
    {
      what: 'resident memory, empty cluster, after a few builds',
      sample: 'settled',
      reduce: 'most',
      unit: 'MiB',
      bound: { ratio: 1.7 },
    },
  ],
  run: async (arena, plan, { patience }) =>
    atWork(arena, plan, roomy, async (_place, contender) => {
      await contender.untilQuiet(patience);
      await sleep(5_000);
      return { settled: [contender.memory.now] };
    }),
};

const amongUpdates = 200;

export const foreignUpdates: Line = {
  name: 'foreign-updates',
  rounds: 1,
  figures: [
    {
      what: 'worst arrival → provision TaskRun during 50 foreign status updates a second',
      sample: 'latency',
      reduce: 'most',
      unit: 'ms',
      bound: { ratio: 0.01 },
    },
    { what: 'the same', sample: 'latency', reduce: 'p50', unit: 'ms' },
    { what: 'CPU in that time', sample: 'cpu', reduce: 'most', unit: 's', bound: { ratio: 1 } },
    { what: 'GETs of foreign TaskRuns', sample: 'gets', reduce: 'sum', unit: '', bound: { most: 0 } },
  ],
  run: async (arena, plan, { quick, patience }) => {
    const seconds = quick ? 15 : 60;
    await arena.foreign(amongUpdates);
    return atWork(arena, plan, roomy, async (place, contender) => {
      await contender.untilQuiet(patience);
      const mark = arena.audit.mark();
      const cpuBefore = contender.cpu;
      const updates = arena.order({ type: 'update', among: amongUpdates, perSecond: 50, seconds });
      const names: string[] = [];
      for (let second = 3; second < seconds; second += 3) {
        await sleep(3_000);
        names.push(await place.build());
      }
      await updates;
      const cpu = contender.cpu - cpuBefore;
      const latency = await latencies(place, names);
      const gets = arena.audit.since(mark, contender.user, foreignNamespace).reads;
      await place.leave(names);
      return { latency, cpu: [cpu], gets: [gets] };
    });
  },
};

const startFigures: readonly Figure[] = [
  {
    what: 'resident memory among the foreign TaskRuns, settled',
    sample: 'settled',
    reduce: 'most',
    unit: 'MiB',
    bound: { ratio: 0.14 },
  },
  { what: 'the same, peak', sample: 'peak', reduce: 'most', unit: 'MiB', bound: { ratio: 0.12 } },
  { what: 'first start → first new build served', sample: 'first', reduce: 'p50', unit: 's', bound: { ratio: 0.3 } },
  {
    what: 'restart → the build that came meanwhile is served',
    sample: 'restart',
    reduce: 'p50',
    unit: 's',
    bound: { ratio: 0.05 },
  },
  { what: 'CPU from the first start until quiet', sample: 'cpu', reduce: 'p50', unit: 's', bound: { ratio: 0.3 } },
  { what: 'still busy after the patience given', sample: 'busy', reduce: 'sum', unit: '', bound: { most: 0 } },
  { what: 'GETs of foreign TaskRuns', sample: 'gets', reduce: 'sum', unit: '', bound: { most: 0 } },
  { what: 'arrival → provision TaskRun afterwards', sample: 'latency', reduce: 'p50', unit: 'ms', bound: { ratio: 1 } },
];

export const foreignStart: Line = {
  name: 'start-among-foreign',
  rounds: 1,
  figures: startFigures,
  run: async (arena, plan, effort) => {
    await arena.foreign(effort.foreign);
    const place = await arena.place(roomy.hosts, roomy.slots);
    const contender = await arena.start(plan, place);
    try {
      return {
        ...(await firstStart(place, contender, arena, effort)),
        ...(await restart(arena, plan, place, contender, effort)),
      };
    } finally {
      await contender.stop();
      await place.remove();
    }
  },
};

async function firstStart(
  place: WorkPlace,
  contender: Contender,
  arena: Arena,
  { patience }: Effort,
): Promise<Samples> {
  const mark = arena.audit.mark();
  const names: string[] = [];
  const isServed = (name: string): boolean => place.times(name).provisioned !== undefined;
  // Builds keep coming while it starts: it counts when the first of them is served.
  for (let second = 0; second < patience && !names.some(isServed); second += 1) {
    await sleep(1_000);
    if (names.length < 30) names.push(await place.build());
  }
  const served = names.map((name) => place.times(name).provisioned ?? Infinity);
  const quiet = await contender.untilQuiet(patience);
  const figures = { cpu: [contender.cpu], busy: [quiet ? 0 : 1] };
  const { now, peak } = contender.memory;
  const gets = arena.audit.since(mark, contender.user, foreignNamespace).reads;
  const later: string[] = [];
  const howMany = quiet ? 10 : 0;
  for (let nth = 0; nth < howMany; nth += 1) {
    later.push(await place.build());
    await sleep(300);
  }
  const latency = await latencies(place, later);
  await place.leave([...names, ...later]);
  const first = (Math.min(...served) - contender.startedAt) / 1000;
  return { ...figures, first: [first], settled: [now], peak: [peak], gets: [gets], latency };
}

/** As after a crash. */
async function restart(
  arena: Arena,
  plan: ContenderPlan,
  place: WorkPlace,
  crashed: Contender,
  { patience }: Effort,
): Promise<Samples> {
  await crashed.kill();
  const name = await place.build();
  const contender = await arena.start(plan, place);
  try {
    await place.provisioned(name, patience * 1000);
    const { provisioned } = place.times(name);
    await place.leave([name]);
    // Not served yet: it takes at least as long as was waited.
    return { restart: [provisioned === undefined ? patience : (provisioned - contender.startedAt) / 1000] };
  } finally {
    await contender.stop();
  }
}
