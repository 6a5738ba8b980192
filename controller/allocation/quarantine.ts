// Which hosts are left alone for a while because provisions on them kept failing. Derived anew from failed provisions each
// time. One namespace alone can close a host for itself only: its builds may fail on purpose.
import { minute, type Duration, type Instant } from '../model/instant.ts';
import type { FailedProvision, HostUse } from './pool-snapshot.ts';
import { compareText } from './waiting-order.ts';

/** Failures further apart are no streak. */
export const failureMemory: Duration = 10 * minute;
const firstPause: Duration = minute;
const longestPause: Duration = 30 * minute;
/** Of the hosts of a platform, rounded down: the others serve on, however they fail. */
const largestShare = 0.4;

/** What makes a host suspect: how many failures in a row, before and after a first quarantine, from how many namespaces. */
interface Evidence {
  readonly first: number;
  readonly again: number;
  readonly namespaces: number;
}
/** Against all builds. After a quarantine, too, one namespace is not enough. */
const forAll: Evidence = { first: 3, again: 2, namespaces: 2 };
/** Against builds of the namespace itself. */
const forOne: Evidence = { first: 3, again: 1, namespaces: 1 };

export type Quarantined = ReadonlyMap<HostUse, Instant>;

export class Quarantine {
  readonly #now: Instant;
  readonly #most: number;
  /** Hosts by the namespaces that have a streak of failures there. */
  readonly #suspects = new Map<string, Set<HostUse>>();
  readonly #ofNamespaces = new Map<string, Quarantined>();
  readonly #ofAll: Quarantined;

  constructor(hosts: readonly HostUse[], now: Instant) {
    this.#now = now;
    this.#most = Math.floor(hosts.length * largestShare);
    this.#ofAll = this.#most === 0 ? new Map() : longest(this.#closed(hosts, forAll), this.#most);
    if (this.#most > 0) for (const use of hosts) this.#noteSuspects(use);
  }

  /** Hosts that are closed for builds of that namespace, and until when. */
  of(namespace: string): Quarantined {
    const suspects = this.#suspects.get(namespace);
    if (suspects === undefined) return this.#ofAll;
    const known = this.#ofNamespaces.get(namespace);
    if (known !== undefined) return known;
    const others = [...suspects].filter((use) => !this.#ofAll.has(use));
    const own = longest(this.#closed(others, forOne, namespace), this.#most - this.#ofAll.size);
    const both = new Map([...this.#ofAll, ...own]);
    this.#ofNamespaces.set(namespace, both);
    return both;
  }

  /** Hosts that are closed for every build. */
  get ofAll(): Quarantined {
    return this.#ofAll;
  }

  /** Hosts that are closed for every build, or for those of some namespace. */
  get ofAnybody(): ReadonlySet<HostUse> {
    const views = [this.#ofAll, ...Array.from(this.#suspects.keys(), (namespace) => this.of(namespace))];
    return new Set(views.flatMap((closed) => [...closed.keys()]));
  }

  #closed(hosts: readonly HostUse[], evidence: Evidence, namespace?: string): [HostUse, Instant][] {
    return hosts.flatMap((use): [HostUse, Instant][] => {
      const until = closedUntil(streakOf(use, namespace), evidence);
      return until !== undefined && until > this.#now ? [[use, until]] : [];
    });
  }

  #noteSuspects(use: HostUse): void {
    if (use.failures.length < forOne.first) return;
    const counts = new Map<string, number>();
    for (const { namespace } of streakOf(use)) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
    for (const [namespace, count] of counts) {
      if (count < forOne.first) continue;
      const suspects = this.#suspects.get(namespace) ?? new Set();
      this.#suspects.set(namespace, suspects.add(use));
    }
  }
}

/** The longest to go first: of too many, those are closed. */
function longest(closed: [HostUse, Instant][], most: number): Quarantined {
  const order = closed.sort(
    ([use, until], [other, otherUntil]) => otherUntil - until || compareText(use.host.name, other.host.name),
  );
  return new Map(order.slice(0, most));
}

/** Failures since the last success, oldest first, one for each build: it could be sent to the host again and again. */
function streakOf({ failures, lastGood }: HostUse, namespace?: string): FailedProvision[] {
  const since = lastGood ?? -Infinity;
  const counted = failures.filter((it) => it.since > since && (namespace === undefined || it.namespace === namespace));
  const byAge = counted.sort((a, b) => a.failed - b.failed || compareText(a.build, b.build));
  const seen = new Set<string>();
  return byAge.filter(({ build }) => !seen.has(build) && seen.add(build));
}

/** When the quarantine ends, or ended, that these failures lead to; undefined: they lead to none. */
function closedUntil(streak: readonly FailedProvision[], evidence: Evidence): Instant | undefined {
  let until: Instant | undefined;
  let strikes = 0;
  let recent: FailedProvision[] = [];
  for (const failure of streak) {
    // Under way when the quarantine began: nothing new.
    if (until !== undefined && failure.since < until) continue;
    const endOfMemory = failure.failed - failureMemory;
    // It worked for a while after its quarantine.
    if (until !== undefined && until < endOfMemory) strikes = 0;
    const needed = strikes === 0 ? evidence.first : evidence.again;
    recent = [...recent.filter(({ failed }) => failed > endOfMemory), failure].slice(-needed);
    if (recent.length < needed || new Set(recent.map((it) => it.namespace)).size < evidence.namespaces) continue;
    strikes += 1;
    until = failure.failed + Math.min(firstPause * 2 ** (strikes - 1), longestPause);
    recent = [];
  }
  return until;
}
