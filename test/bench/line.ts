// A line of the bench: one kind of work, and the figures that are read from it. The bounds are those the project has set
// itself, as ratios to another controller under the same work in the same run.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import type { Contender, ContenderPlan } from './contender.ts';
import type { WorkPlace } from './work-place.ts';

export interface Line {
  readonly name: string;
  /** How often the work is done with each controller, by turns. */
  readonly rounds: number;
  /** Nothing to compare with: measured from inside our process. */
  readonly onlyOurs?: true;
  readonly figures: readonly Figure[];
  run(arena: Arena, plan: ContenderPlan, effort: Effort): Promise<Samples>;
}

export interface Effort {
  readonly quick: boolean;
  /** How many TaskRuns of other people there are where that matters. */
  readonly foreign: number;
  /** Seconds to wait for a controller to become quiet, or to serve a build after a restart. */
  readonly patience: number;
}

export type Samples = Readonly<Record<string, readonly number[]>>;

export interface Figure {
  readonly what: string;
  readonly sample: string;
  readonly reduce: 'p50' | 'p99' | 'most' | 'sum';
  readonly unit: 'ms' | 's' | 'MiB' | 'bytes' | '';
  /** Times the other controller's figure, or a number by itself; none: told only. */
  readonly bound?: { readonly ratio: number } | { readonly most: number };
}

export interface Place {
  readonly hosts: number;
  readonly slots: number;
}

/** Roomy enough that no build ever waits. */
export const roomy: Place = { hosts: 25, slots: 8 };

const warmUpBuilds = 10;
/** Controllers that limit their own requests get back to their full speed. */
const restAfterWarmUp = 3_000;

/** Starts a controller, lets it serve a few builds, has the work done, and leaves nothing behind. */
export async function atWork(
  arena: Arena,
  plan: ContenderPlan,
  { hosts, slots }: Place,
  work: (place: WorkPlace, contender: Contender) => Promise<Samples>,
): Promise<Samples> {
  const place = await arena.place(hosts, slots);
  const contender = await arena.start(plan, place);
  try {
    await warmUp(place, contender);
    return await work(place, contender);
  } finally {
    await contender.stop();
    await place.remove();
  }
}

async function warmUp(place: WorkPlace, contender: Contender): Promise<void> {
  const names: string[] = [];
  for (let nth = 0; nth < warmUpBuilds; nth += 1) names.push(await place.build());
  for (const name of names) {
    // One that loses builds is measured all the same: this is what people would meet.
    if (!(await place.provisioned(name)))
      console.error(`bench: '${contender.name}' gave no host to a build on an idle cluster`);
  }
  await place.leave(names);
  await sleep(restAfterWarmUp);
}

/** Milliseconds from the arrival of each build to its provision TaskRun. */
export async function latencies(place: WorkPlace, names: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const name of names) {
    await place.provisioned(name);
    const { arrived = NaN, provisioned = Infinity } = place.times(name);
    found.push(provisioned - arrived);
  }
  return found;
}
