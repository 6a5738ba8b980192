// What holds for every pool and every queue.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { allocate, type Allocation } from '../../../controller/allocation/allocate.ts';
import type { HostUse, PoolSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import { compareRequests } from '../../../controller/allocation/waiting-order.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import { minute } from '../../../controller/model/instant.ts';
import { aHost, aRequest, platform, start } from '../../support/host-builders.ts';

const hostNames = ['h1', 'h2', 'h3', 'h4', 'h5'];

const anyUse = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  taken: fc.integer({ min: 0, max: 5 }),
  recentFailures: fc.integer({ min: 0, max: 3 }),
  hasSshSecret: fc.boolean(),
  cordoned: fc.boolean(),
});

const anyPool = fc
  .record({
    hosts: fc.array(anyUse, { minLength: 1, maxLength: hostNames.length }),
    maxWait: fc.constantFrom(undefined, minute),
    closed: fc.boolean(),
  })
  .map(({ hosts, maxWait, closed }): Extract<PoolSnapshot, { readonly status: 'static' }> => ({
    status: 'static',
    platform: platform('linux/arm64'),
    limits: { maxWait, allowedNamespaces: closed ? [[/^team-a$/]] : [] },
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

function couldUse(use: HostUse, request: HostRequest): boolean {
  return use.hasSshSecret && !use.cordoned && !request.failedHosts.includes(use.host.name);
}

describe('allocate, always', () => {
  it('one answer per request, in queue order', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const expected = queue.toSorted(compareRequests).map(({ uid }) => uid);
        expect(allocate(pool, queue, at).map(({ request }) => request.uid)).to.deep.equal(expected);
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
          expect(use !== undefined && couldUse(use, it.request)).to.equal(true);
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
        for (const it of allocations) {
          if (it.outcome !== 'wait' && !(it.outcome === 'reject' && it.told.reason === 'WaitedTooLong')) continue;
          const free = pool.hosts.filter(
            (use) => couldUse(use, it.request) && (taken.get(use.host.name) ?? 0) < use.host.concurrency,
          );
          expect(free).to.deep.equal([]);
        }
      }),
    );
  });

  it('nobody overtakes: who waits could not have used a slot that a later one got', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const allocations = allocate(pool, queue, at);
        allocations.forEach((earlier, index) => {
          if (earlier.outcome !== 'wait') return;
          for (const later of allocations.slice(index + 1)) {
            const use = later.outcome === 'assign' ? pool.hosts.find(({ host }) => host === later.host) : undefined;
            expect(use === undefined || !couldUse(use, earlier.request)).to.equal(true);
          }
        });
      }),
    );
  });

  it('positions of those who wait are 1, 2, 3, …', () => {
    fc.assert(
      fc.property(anyPool, anyQueue, now, (pool, queue, at) => {
        const positions = allocate(pool, queue, at).flatMap((it) => (it.outcome === 'wait' ? [it.position] : []));
        expect(positions).to.deep.equal(positions.map((_, index) => index + 1));
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
