// What holds for every pool and every queue.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { allocate, type Allocation } from '../../../controller/allocation/allocate.ts';
import type { HostUse, StaticSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import { comparePriorities, compareRequests } from '../../../controller/allocation/waiting-order.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import { Quarantine } from '../../../controller/allocation/quarantine.ts';
import { minute, type Instant } from '../../../controller/model/instant.ts';
import { noLimits } from '../../../controller/model/pool.ts';
import { aHost, aRequest, platform, start } from '../../support/host-builders.ts';

const hostNames = ['h1', 'h2', 'h3', 'h4', 'h5'];

const anyUse = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  taken: fc.integer({ min: 0, max: 5 }),
  failures: fc.array(
    fc
      .record({ namespace: fc.constantFrom('team-a', 'team-b'), name: fc.nat(3), age: fc.integer({ min: 0, max: 15 }) })
      .map(({ namespace, name, age }) => {
        const failed = start - 2 * minute - age * minute;
        return { build: `${namespace}/${name}`, namespace, since: failed - 1000, failed };
      }),
    { maxLength: 6 },
  ),
  lastGood: fc.constantFrom(undefined, start - 5 * minute),
  hasSshSecret: fc.boolean(),
  cordoned: fc.boolean(),
  draining: fc.boolean(),
});

const anyPool = fc
  .record({
    hosts: fc.array(anyUse, { minLength: 1, maxLength: hostNames.length }),
    maxWait: fc.constantFrom(undefined, minute),
    closed: fc.boolean(),
    priority: fc.boolean(),
    fairShare: fc.boolean(),
    maxPerNamespace: fc.constantFrom(undefined, 1, 3),
    held: fc.dictionary(fc.constantFrom('team-a', 'team-b'), fc.nat(4)),
    lastServed: fc.dictionary(fc.constantFrom('team-a', 'team-b'), fc.nat(4)),
  })
  .map(({ hosts, closed, held, lastServed, ...limits }): StaticSnapshot => ({
    status: 'static',
    platform: platform('linux/arm64'),
    limits: { ...noLimits, ...limits, allowedNamespaces: closed ? [[/^team-a$/]] : [] },
    held: new Map(Object.entries(held)),
    lastServed: new Map(Object.entries(lastServed)),
    missingSecrets: new Map(),
    hosts: hosts.map(({ slots, ...rest }, index) => ({
      host: aHost(hostNames[index] ?? '')
        .withSlots(slots)
        .build(),
      ...rest,
    })),
  }));

const anyQueue = fc
  .array(
    fc.record({
      name: fc.stringMatching(/^[a-c]{1,2}$/),
      namespace: fc.constantFrom('team-a', 'team-b'),
      since: fc.integer({ min: start - 2 * minute, max: start - 2 * minute + 3 }),
      priority: fc.constantFrom(0, 0, 1),
      failedHosts: fc.subarray(hostNames),
    }),
    { maxLength: 12 },
  )
  .map((requests) => {
    const byUid = new Map(requests.map((request) => [`${request.namespace}/${request.name}`, aRequest(request)]));
    return [...byUid.values()];
  });

const now = fc.integer({ min: start - 2 * minute, max: start });

function takenAfter(hosts: readonly HostUse[], allocations: readonly Allocation[]): Map<string, number> {
  const taken = new Map(hosts.map((use) => [use.host.name, use.taken]));
  for (const it of allocations)
    if (it.outcome === 'assign') taken.set(it.host.name, (taken.get(it.host.name) ?? 0) + 1);
  return taken;
}

/** Who is next while nobody takes turns. */
function queueOrder({ limits }: StaticSnapshot): typeof compareRequests {
  return limits.priority ? comparePriorities : compareRequests;
}

function couldUse(pool: StaticSnapshot, use: HostUse, request: HostRequest, at: Instant): boolean {
  const open = use.hasSshSecret && !use.cordoned && !use.draining && !request.failedHosts.includes(use.host.name);
  return open && !new Quarantine(pool.hosts, at).of(request.namespace).has(use);
}

/** How many slots its namespace would hold. */
function heldAfter(pool: StaticSnapshot, allocations: readonly Allocation[], namespace: string): number {
  const given = allocations.filter((it) => it.outcome === 'assign' && it.request.namespace === namespace);
  return (pool.held.get(namespace) ?? 0) + given.length;
}

describe('allocate, always', () => {
  it('one answer per request; in queue order, where namespaces do not take turns', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const answered = allocate(pool, queue, at).map(({ request }) => request.uid);
        const expected = queue.toSorted(queueOrder(pool)).map(({ uid }) => uid);
        if (pool.limits.fairShare) expect(answered).to.have.members(expected);
        else expect(answered).to.deep.equal(expected);
        expect(new Set(answered).size).to.equal(queue.length);
      }),
    );
  });

  it('never over capacity, and nothing more on a host that is over already', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const taken = takenAfter(pool.hosts, allocate(pool, queue, at));
        for (const { host, taken: before } of pool.hosts)
          expect(taken.get(host.name)).to.be.at.most(Math.max(host.concurrency, before));
      }),
    );
  });

  it('only hosts the request may use', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        for (const it of allocate(pool, queue, at)) {
          if (it.outcome !== 'assign') continue;
          const use = pool.hosts.find(({ host }) => host === it.host);
          expect(use !== undefined && couldUse(pool, use, it.request, at)).to.equal(true);
          expect(pool.limits.allowedNamespaces.length === 0 || it.request.namespace === 'team-a').to.equal(true);
        }
      }),
    );
  });

  it('nobody waits, or is told that it waited too long, beside a free slot it could use', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const allocations = allocate(pool, queue, at);
        const taken = takenAfter(pool.hosts, allocations);
        const { maxPerNamespace = Infinity } = pool.limits;
        for (const it of allocations) {
          if (it.outcome !== 'wait' && !(it.outcome === 'reject' && it.told.reason === 'WaitedTooLong')) continue;
          const free = pool.hosts.filter(
            (use) => couldUse(pool, use, it.request, at) && (taken.get(use.host.name) ?? 0) < use.host.concurrency,
          );
          if (heldAfter(pool, allocations, it.request.namespace) < maxPerNamespace) expect(free).to.deep.equal([]);
        }
      }),
    );
  });

  it('no namespace gets more than it may have at once', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const allocations = allocate(pool, queue, at);
        const { maxPerNamespace = Infinity } = pool.limits;
        for (const namespace of ['team-a', 'team-b']) {
          const before = pool.held.get(namespace) ?? 0;
          expect(heldAfter(pool, allocations, namespace)).to.be.at.most(Math.max(maxPerNamespace, before));
        }
      }),
    );
  });

  it('nobody of the same namespace overtakes: who waits could not have used a slot that a later one got', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const allocations = allocate(pool, queue, at);
        const order = queueOrder(pool);
        const { fairShare, maxPerNamespace = Infinity } = pool.limits;
        for (const later of allocations) {
          const use = later.outcome === 'assign' ? pool.hosts.find(({ host }) => host === later.host) : undefined;
          if (use === undefined) continue;
          for (const { outcome, request } of allocations) {
            const rivals = !fairShare || request.namespace === later.request.namespace;
            if (outcome !== 'wait' || !rivals || order(request, later.request) > 0) continue;
            const capped = heldAfter(pool, allocations, request.namespace) >= maxPerNamespace;
            expect(capped || !couldUse(pool, use, request, at)).to.equal(true);
          }
        }
      }),
    );
  });

  it('fair share: who waits holds no fewer slots than one who got a slot it could have used, or one more', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        if (!pool.limits.fairShare || pool.limits.maxPerNamespace !== undefined) return;
        const allocations = allocate(pool, queue, at);
        for (const it of allocations) {
          if (it.outcome !== 'assign') continue;
          const use = pool.hosts.find(({ host }) => host === it.host);
          const got = heldAfter(pool, allocations, it.request.namespace);
          for (const { outcome, request } of allocations) {
            if (outcome !== 'wait' || use === undefined || !couldUse(pool, use, request, at)) continue;
            expect(heldAfter(pool, allocations, request.namespace)).to.be.at.least(got - 1);
          }
        }
      }),
    );
  });

  it('never more than two in five hosts are left alone', () => {
    fc.assert(
      fc.property(anyPool, now, ({ hosts }, at) => {
        const quarantine = new Quarantine(hosts, at);
        for (const namespace of ['team-a', 'team-b', 'other'])
          expect(quarantine.of(namespace).size).to.be.at.most(Math.floor(hosts.length * 0.4));
      }),
    );
  });

  it('positions of those who wait are 1, 2, 3, …', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const positions = allocate(pool, queue, at).flatMap((it) => (it.outcome === 'wait' ? [it.position] : []));
        expect(positions.toSorted((a, b) => a - b)).to.deep.equal(positions.map((_, index) => index + 1));
      }),
    );
  });

  it('the order in which requests and hosts are given changes nothing', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, fc.infiniteStream(fc.nat()), (pool, queue, at, chance) => {
        const shuffled = <Item>(items: readonly Item[]): Item[] =>
          items
            .map((item) => ({ item, at: chance.next().value }))
            .sort((x, y) => x.at - y.at)
            .map(({ item }) => item);
        const other = { ...pool, hosts: shuffled(pool.hosts) };
        expect(allocate(other, shuffled(queue), at)).to.deep.equal(allocate(pool, queue, at));
      }),
    );
  });

  it('what it was given is left as it was', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const before = structuredClone({ hosts: pool.hosts, queue });
        allocate(pool, queue, at);
        expect({ hosts: pool.hosts, queue }).to.deep.equal(before);
      }),
    );
  });
});
