// What becomes of one request after the other on hosts with slots: a slot, a wait with its reason, or a refusal.
import { configGrace } from '../model/config-grace.ts';
import type { HostRequest } from '../model/host-request.ts';
import type { Instant } from '../model/instant.ts';
import { mostFailedLaunches } from '../model/most-failed-launches.ts';
import type { Told, WaitReason } from '../model/reason.ts';
import type { Decision } from './allocate.ts';
import { FreeHosts } from './free-hosts.ts';
import type { HostUse, MoreHosts, StaticSnapshot } from './pool-snapshot.ts';
import { Quarantine, type Quarantined } from './quarantine.ts';
import { secretMissing } from './secret-missing.ts';
import {
  allBusy,
  allHostsFailed,
  hostsQuarantined,
  namespaceLimit,
  noSshSecret,
  waitedTooLong,
} from './told-reasons.ts';

/** `held` is kept up to date: slots by namespace, those given away here included. */
export function allocateStatic(
  pool: StaticSnapshot,
  held: Map<string, number>,
  now: Instant,
): (request: HostRequest) => Decision {
  const round = new Round(pool, held, now);
  return (request) => round.decide(request);
}

class Round {
  readonly #pool: StaticSnapshot;
  readonly #held: Map<string, number>;
  readonly #now: Instant;
  readonly #free: FreeHosts;
  readonly #quarantine: Quarantine;
  /** Hosts somebody can log in to. */
  readonly #usable: ReadonlySet<string>;
  readonly #busy: Told<WaitReason>;

  constructor(pool: StaticSnapshot, held: Map<string, number>, now: Instant) {
    this.#pool = pool;
    this.#held = held;
    this.#now = now;
    this.#free = new FreeHosts(pool.hosts, now);
    this.#quarantine = new Quarantine(pool.hosts, now);
    this.#usable = new Set(pool.hosts.flatMap((use) => (use.hasSshSecret ? [use.host.name] : [])));
    this.#busy = allBusy(pool.hosts, this.#quarantine.ofAll.size > 0);
  }

  decide(request: HostRequest): Decision {
    const { limits } = this.#pool;
    const { namespace, since } = request;
    const { launched } = this.#pool;
    const noHost = launched === undefined ? this.#noHostLeft(request) : this.#noHostToCome(request, launched);
    if (noHost !== undefined) return noHost;
    const held = this.#held.get(namespace) ?? 0;
    const capped = limits.maxPerNamespace !== undefined && held >= limits.maxPerNamespace;
    const closed = this.#quarantine.of(namespace);
    const host = capped ? undefined : this.#free.take((use) => !closed.has(use) && !hasFailed(request, use));
    if (host !== undefined) {
      this.#held.set(namespace, held + 1);
      return { outcome: 'assign', request, host };
    }
    const deadline = limits.maxWait === undefined ? Infinity : since + limits.maxWait;
    if (this.#now >= deadline) return { outcome: 'reject', request, told: waitedTooLong(request, this.#now) };
    const until = closed.size === 0 ? deadline : Math.min(deadline, ...closed.values());
    const told = capped ? namespaceLimit(namespace, limits.maxPerNamespace) : this.#whyBusy(request, closed);
    return { outcome: 'wait', request, told, until: until === Infinity ? undefined : until };
  }

  /** No host is left that this request could ever run on; a missing ssh Secret may come yet, as a late part of a change. */
  #noHostLeft(request: HostRequest): Decision | undefined {
    if (request.failedHosts.length < this.#usable.size) return undefined;
    const tried = new Set(request.failedHosts.filter((name) => this.#usable.has(name)));
    if (tried.size < this.#usable.size) return undefined;
    const untried = this.#pool.hosts.filter((use) => !hasFailed(request, use));
    if (untried.length === 0) return { outcome: 'reject', request, told: allHostsFailed(request) };
    const { missingSecrets } = this.#pool;
    const missingSince = untried.map((use) => missingSecrets.get(use.host.secret) ?? -Infinity);
    const until = Math.max(request.since, ...missingSince) + configGrace;
    const told = noSshSecret(untried);
    return this.#now >= until ? { outcome: 'reject', request, told } : { outcome: 'wait', request, told, until };
  }

  /** Where hosts are launched there is always another one, unless launching was of no use so far. */
  #noHostToCome(request: HostRequest, { refused, missingSecret }: MoreHosts): Decision | undefined {
    const missing = secretMissing(missingSecret, request, this.#now);
    if (missing !== undefined) return missing;
    if (request.failedHosts.length >= mostFailedLaunches)
      return { outcome: 'reject', request, told: allHostsFailed(request) };
    const useless = refused !== undefined && request.since < refused.failed && this.#usable.size === 0;
    return useless ? { outcome: 'reject', request, told: refused.told } : undefined;
  }

  #whyBusy(request: HostRequest, closed: Quarantined): Told<WaitReason> {
    if (this.#pool.launched !== undefined) return this.#pool.launched.told;
    if (closed.size === 0) return this.#busy;
    const left = this.#pool.hosts.filter((use) => use.hasSshSecret && !hasFailed(request, use));
    if (!left.every((use) => closed.has(use))) return this.#busy;
    return hostsQuarantined(left.map((use) => [use.host.name, closed.get(use) ?? 0]));
  }
}

function hasFailed({ failedHosts }: HostRequest, { host }: HostUse): boolean {
  return failedHosts.length > 0 && failedHosts.includes(host.name);
}
