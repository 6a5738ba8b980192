// How long a slot stays empty after its build has ended while others wait for it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import { atWork, type Line, type Samples } from './line.ts';
import type { WorkPlace } from './work-place.ts';

const pool = { hosts: 5, slots: 4 };
const slots = pool.hosts * pool.slots;
/** A slot that is not handed on by then counts as lost, and as that late. */
const lostAfter = 3_000;

export const handover: readonly Line[] = [line('handover-one', 1, 0.5, 0.3), line('handover-two', 2, 0.1, 0.1)];

function line(name: string, atOnce: number, p50: number, p99: number): Line {
  const what = atOnce === 1 ? 'one at a time' : 'two builds ending at once';
  const sample = 'latency';
  return {
    name,
    rounds: 2,
    figures: [
      {
        what: `freed slot → next provision TaskRun, ${what}`,
        sample,
        reduce: 'p50',
        unit: 'ms',
        bound: { ratio: p50 },
      },
      { what: 'the same', sample, reduce: 'p99', unit: 'ms', bound: { ratio: p99 } },
      { what: 'slots never handed on', sample: 'lost', reduce: 'sum', unit: '', bound: { most: 0 } },
    ],
    run: async (arena, plan, { quick }) =>
      atWork(arena, plan, pool, async (place) => handOn(arena, place, atOnce, quick ? 10 : 40)),
  };
}

async function handOn(arena: Arena, place: WorkPlace, atOnce: number, freed: number): Promise<Samples> {
  const names: string[] = [];
  for (let nth = 0; nth < slots + freed; nth += 1) {
    names.push(await place.build());
    // In order, so that it is known who waits.
    if (nth < slots) await place.provisioned(names[nth] ?? '');
  }
  await sleep(2_000);
  const samples = await freeSlots(arena, place, names, atOnce, freed);
  await place.leave(names);
  return samples;
}

/** Ends running builds of these, so many at once, until so many slots were freed; when each was somebody else's. */
export async function freeSlots(
  arena: Arena,
  place: WorkPlace,
  names: readonly string[],
  atOnce: number,
  freed: number,
): Promise<{ latency: number[]; lost: number[] }> {
  const latency: number[] = [];
  let lost = 0;
  for (let done = 0; done < freed; done += atOnce) {
    const running = names.filter((name) => place.times(name).provisioned !== undefined && !hasEnded(place, name));
    const ending = running.slice(0, atOnce);
    const before = new Set(provisioned(place, names));
    await Promise.all(ending.map(async (name) => place.end(name)));
    await arena.view.until(() => provisioned(place, names).length >= before.size + ending.length, lostAfter);
    const freedAt = ending.map((name) => place.times(name).ended ?? NaN).toSorted(ascending);
    const taken = provisioned(place, names).filter((name) => !before.has(name));
    const takenAt = taken.map((name) => place.times(name).provisioned ?? NaN).toSorted(ascending);
    freedAt.forEach((at, nth) => latency.push((takenAt[nth] ?? at + lostAfter) - at));
    lost += ending.length - takenAt.length;
    await sleep(250);
  }
  return { latency, lost: [lost] };
}

function provisioned(place: WorkPlace, names: readonly string[]): string[] {
  return names.filter((name) => place.times(name).provisioned !== undefined);
}

function hasEnded(place: WorkPlace, name: string): boolean {
  return place.times(name).ended !== undefined;
}

function ascending(one: number, other: number): number {
  return one - other;
}
