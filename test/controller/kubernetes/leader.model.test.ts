// Leader election under random trouble, and once on a real API server.
import { expect } from 'chai';
import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { Leader } from '../../../controller/kubernetes/leader.ts';
import { systemClock } from '../../../controller/telemetry/clock.ts';
import { startApiServer } from '../../support/api-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { connect } from './connect.ts';
import { eventually } from './eventually.ts';
import { LeaseServer, Replica } from './leader-world.ts';
import type { Fault } from './leader-world.ts';

const second = 1000;
const hour = 3_600_000;

describe('leader election under random trouble', () => {
  it('through any mix of outages, lost answers, slow requests and stalls there is never a second leader', async function () {
    this.timeout(60_000);
    const fault = constantFrom<Fault>('none', 'none', 'unreachable', 'answer-lost', 'slow');
    const step = record({
      who: integer({ min: 0, max: 2 }),
      fault,
      stalled: constantFrom(false, false, true),
      ms: integer({ min: 1, max: 9000 }),
    });
    await assert(
      asyncProperty(array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        const clock = new ManualClock();
        const leases = new LeaseServer();
        const all = ['a', 'b', 'c'].map((identity, nth) => new Replica(clock, leases, identity, (nth - 1) * hour));
        const wake = new Map<Replica, () => void>();
        for (const { who, fault: next, stalled, ms } of steps) {
          const replica = all[who];
          if (replica === undefined) continue;
          replica.fault = next;
          wake.get(replica)?.();
          wake.delete(replica);
          if (stalled) wake.set(replica, replica.stall());
          for (let passed = 0; passed < ms; passed += 250) {
            await clock.advance(Math.min(250, ms - passed));
            expect(all.filter((it) => it.leads).map((it) => it.identity)).to.have.length.at.most(1);
          }
        }
        for (const replica of all) {
          replica.fault = 'none';
          wake.get(replica)?.();
          replica.stop();
        }
        await clock.advance(20 * second);
        await Promise.all(all.map(async (it) => it.stopped()));
      }),
      { numRuns: 40 },
    );
  });
});

describe('leader election on a real API server', function () {
  this.timeout(60_000);

  it('hands over on a clean stop, under the same Lease', async () => {
    const server = await startApiServer();
    const { cluster, transport } = connect(server.kubeconfig);
    const events: string[] = [];
    const stand = (identity: string): { stop: () => Promise<void> } => {
      const stopping = new AbortController();
      const leader = new Leader({
        cluster,
        clock: systemClock,
        namespace: 'default',
        name: 'election',
        identity,
        onStarted: () => events.push(identity),
        onLost: (why) => events.push(why),
        onTrouble: (error) => events.push(String(error)),
        times: { retry: 50 },
      });
      const running = leader.run(stopping.signal);
      return {
        stop: async () => {
          stopping.abort();
          await running;
        },
      };
    };
    try {
      const a = stand('a');
      await eventually('a leads', () => events.length === 1);
      const b = stand('b');
      await eventually(
        'a renewed',
        async () => (await cluster.read('leases', 'default', 'election')).metadata.resourceVersion !== '',
      );
      await a.stop();
      await eventually('b leads', () => events.length === 2);
      expect((await cluster.read('leases', 'default', 'election'))['spec']).to.include({
        holderIdentity: 'b',
        leaseTransitions: 1,
      });
      await b.stop();
      expect(events).to.deep.equal(['a', 'b']);
    } finally {
      await transport.close();
      await server.stop();
    }
  });
});
