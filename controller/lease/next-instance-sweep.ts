// What to do about launched hosts that nobody knows any more: when to ask a provider which ones it has, and which of those to
// terminate. An instance goes when two lists in a row name it, and no TaskRun does.
import { minute, type Duration, type Instant } from '../model/instant.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { ProviderTask } from '../model/provider.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { readInstances, type Instance } from '../taskruns/list-task-run-manifest.ts';

export interface InstanceSweepInput {
  readonly pools: readonly LaunchedPool[];
  /** All that list instances, of whatever platform. */
  readonly lists: readonly OwnTaskRun[];
  /** Launched hosts that may be there, by token: each has somebody who terminates it. */
  readonly known: ReadonlySet<string>;
  /** Platforms that may have such hosts. */
  readonly inUse: ReadonlySet<string>;
  /** Made by this installation; another one may have the same account and the same tags. */
  readonly isOurs: (token: string) => boolean;
}

export type InstanceSweepStep =
  | { readonly type: 'list'; readonly pool: LaunchedPool; readonly task: ProviderTask; readonly after: Instant }
  | { readonly type: 'terminate'; readonly pool: LaunchedPool; readonly instance: Instance }
  | { readonly type: 'retire'; readonly list: OwnTaskRun }
  | { readonly type: 'tell-failure'; readonly list: OwnTaskRun };

/** What the last list of a platform came to. */
interface Listed {
  readonly uid: string;
  /** One has succeeded since this memory began. */
  readonly everSucceeded: boolean;
  readonly hasOurs: boolean;
  readonly suspects: ReadonlySet<string>;
}

/** By platform. May be lost: then an instance is found a list later. */
export type InstanceSweepMemory = ReadonlyMap<string, Listed>;
export const nothingListed: InstanceSweepMemory = new Map();

export interface InstanceSweepPlan {
  readonly steps: readonly InstanceSweepStep[];
  readonly memory: InstanceSweepMemory;
}

const listEvery: Duration = 10 * minute;

export function nextInstanceSweep(
  input: InstanceSweepInput,
  memory: InstanceSweepMemory,
  now: Instant,
): InstanceSweepPlan {
  const steps: InstanceSweepStep[] = [];
  const remembered = new Map<string, Listed>();
  const current = new Set<OwnTaskRun>();
  for (const pool of input.pools) {
    const { list: task } = pool.provider;
    if (task === undefined) continue;
    const newest = newestOf(input.lists, pool);
    if (newest !== undefined) current.add(newest);
    const before = memory.get(pool.platform);
    const isNews = newest !== undefined && newest.outcome !== 'running' && newest.uid !== before?.uid;
    const read = isNews ? readList(input, pool, newest, before) : { listed: before, steps: [] };
    steps.push(...read.steps);
    if (read.listed !== undefined) remembered.set(pool.platform, read.listed);
    const dueAt = dueTime(input, pool, newest, read.listed);
    if (dueAt !== undefined && now >= dueAt) steps.push({ type: 'list', pool, task, after: newest?.completed ?? 0 });
  }
  const old = input.lists.filter((list) => !current.has(list) && !list.deleting && list.outcome !== 'running');
  return { steps: [...steps, ...old.map((list) => ({ type: 'retire', list }) as const)], memory: remembered };
}

function newestOf(lists: readonly OwnTaskRun[], { platform }: LaunchedPool): OwnTaskRun | undefined {
  const mine = lists.filter(({ facts, deleting }) => facts?.platform === platform && !deleting);
  return mine.reduce<OwnTaskRun | undefined>(
    (newest, list) => (newest === undefined || list.created > newest.created ? list : newest),
    undefined,
  );
}

function readList(
  { known, isOurs }: InstanceSweepInput,
  pool: LaunchedPool,
  list: OwnTaskRun,
  before: Listed | undefined,
): { readonly listed: Listed; readonly steps: readonly InstanceSweepStep[] } {
  const instances = list.outcome === 'succeeded' ? readInstances(list.results['INSTANCES']) : undefined;
  if (instances === undefined) {
    const { everSucceeded = false, hasOurs = false, suspects = new Set<string>() } = before ?? {};
    return { listed: { uid: list.uid, everSucceeded, hasOurs, suspects }, steps: [{ type: 'tell-failure', list }] };
  }
  const ours = instances.filter(({ token }) => isOurs(token));
  const unknown = ours.filter(({ token }) => !known.has(token));
  const confirmed = unknown.filter((instance) => before?.suspects.has(keyOf(instance)));
  const suspects = new Set(unknown.map(keyOf));
  return {
    listed: { uid: list.uid, everSucceeded: true, hasOurs: ours.length > 0, suspects },
    steps: confirmed.map((instance) => ({ type: 'terminate', pool, instance })),
  };
}

/** When the next list begins; undefined: when something happens. */
function dueTime(
  { inUse }: InstanceSweepInput,
  { platform }: LaunchedPool,
  newest: OwnTaskRun | undefined,
  listed: Listed | undefined,
): Instant | undefined {
  if (newest === undefined) return 0;
  if (newest.outcome === 'running') return undefined;
  // Of the time before this process nobody knows what was launched.
  const mayHaveAny = inUse.has(platform) || listed?.hasOurs === true || listed?.everSucceeded !== true;
  return mayHaveAny ? (newest.completed ?? newest.created) + listEvery : undefined;
}

function keyOf({ id, token }: Instance): string {
  return `${token} ${id}`;
}
