// The queue of a platform, one request at a time. With fair share, namespaces take turns: the one with fewest slots is
// next, and inside it the order is as usual. Decides who is asked next, not what becomes of it.
import type { HostRequest } from '../model/host-request.ts';
import type { PoolLimits } from '../model/pool.ts';
import type { Instant } from '../model/instant.ts';
import { SortedList } from '../model/sorted-list.ts';
import type { StaticSnapshot } from './pool-snapshot.ts';
import { comparePriorities, compareRequests, compareText, type RequestOrder } from './waiting-order.ts';

/** What each namespace has had of the platform. */
export type Shares = Pick<StaticSnapshot, 'held' | 'lastServed'>;

/** Later than any instant: turns of this decision. */
const afterAll = Number.MAX_SAFE_INTEGER / 2;

/** The requests that are served in a fixed order among each other. */
interface Line {
  readonly namespace: string;
  readonly requests: readonly HostRequest[];
  head: HostRequest;
  asked: number;
  /** Slots its namespace holds. */
  load: number;
  /** When its namespace had its last turn; of equals, the one that waits longest for another is next. */
  lastTurn: number;
}

export class WaitingQueue {
  readonly #lines: SortedList<Line>;
  #current: Line | undefined;
  #turns = 0;

  constructor(
    requests: readonly HostRequest[],
    { priority, fairShare }: Pick<PoolLimits, 'priority' | 'fairShare'>,
    { held, lastServed }: Shares,
  ) {
    const order = priority ? comparePriorities : compareRequests;
    const byLine = new Map<string, HostRequest[]>();
    for (const request of requests) {
      // Without fair share all stand in one line.
      const namespace = fairShare ? request.namespace : '';
      const line = byLine.get(namespace);
      if (line === undefined) byLine.set(namespace, [request]);
      else line.push(request);
    }
    const lines = [...byLine].flatMap(([namespace, members]) =>
      lineOf(namespace, members.sort(order), held, lastServed),
    );
    this.#lines = new SortedList(compareLines(order), lines);
  }

  /** Takes out whose turn it is. */
  next(): HostRequest | undefined {
    const last = this.#current;
    const following = last?.requests[last.asked];
    if (last !== undefined && following !== undefined) {
      last.head = following;
      this.#lines.add(last);
    }
    const line = this.#lines.first;
    this.#current = line;
    if (line === undefined) return undefined;
    this.#lines.remove(line);
    line.asked += 1;
    return line.head;
  }

  /** The one taken out last gets a slot: its namespace has had its turn. */
  served(): void {
    if (this.#current === undefined) return;
    this.#turns += 1;
    this.#current.load += 1;
    this.#current.lastTurn = afterAll + this.#turns;
  }
}

function lineOf(
  namespace: string,
  requests: readonly HostRequest[],
  held: ReadonlyMap<string, number>,
  lastServed: ReadonlyMap<string, Instant>,
): Line[] {
  const [head] = requests;
  if (head === undefined) return [];
  const load = held.get(namespace) ?? 0;
  return [{ namespace, requests, head, asked: 0, load, lastTurn: lastServed.get(namespace) ?? 0 }];
}

function compareLines(order: RequestOrder): (a: Line, b: Line) => number {
  return (a, b) =>
    a.load - b.load || a.lastTurn - b.lastTurn || order(a.head, b.head) || compareText(a.namespace, b.namespace);
}
