// Never two leaders, and never none for long: two replicas on clocks the test owns.
import { expect } from 'chai';
import { ManualClock } from '../../support/manual-clock.ts';
import { LeaseServer, Replica } from './leader-world.ts';

const second = 1000;
const hour = 3_600_000;

describe('leader election', () => {
  let world: ManualClock;
  let server: LeaseServer;
  let replicas: Replica[];

  beforeEach(() => {
    world = new ManualClock();
    server = new LeaseServer();
    replicas = [];
  });

  afterEach(async () => {
    for (const replica of replicas) replica.stop();
    await world.advance(10 * second);
    await Promise.all(replicas.map(async (it) => it.stopped()));
    expect(world.sleeping, 'a timer is left').to.equal(0);
  });

  const join = (identity: string, skew = 0): Replica => {
    const replica = new Replica(world, server, identity, skew);
    replicas.push(replica);
    return replica;
  };
  const joinLeading = async (identity: string): Promise<Replica> => {
    const replica = join(identity);
    await world.advance(2 * second);
    expect(replica.leads).to.equal(true);
    return replica;
  };
  /** Advances in small steps until it holds; returns how long that took. */
  const until = async (holds: () => boolean): Promise<number> => {
    const from = world.now();
    while (!holds()) {
      expect(world.now() - from, 'never').to.be.below(60 * second);
      await world.advance(50);
    }
    return world.now() - from;
  };

  it('the first one leads at once and keeps leading; the others stand by', async () => {
    const a = join('a');
    await world.advance(0);
    const b = join('b');
    for (let i = 0; i < 60; i += 1) {
      await world.advance(second);
      expect([a.leads, b.leads]).to.deep.equal([true, false]);
    }
    expect(a.events).to.deep.equal(['started']);
    expect([...a.troubles, ...b.troubles]).to.deep.equal([]);
  });

  it('writes what other tools expect of a Lease', async () => {
    await joinLeading('a');
    expect(JSON.parse(server.writes[0] ?? '')).to.deep.equal({
      holderIdentity: 'a',
      leaseDurationSeconds: 10,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    const renewed: unknown = JSON.parse(server.writes[1] ?? '');
    expect(renewed).to.deep.include({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:01.500000Z',
    });
  });

  it('a leader that dies is replaced within 12 s, and counted as a transition', async () => {
    const a = await joinLeading('a');
    const b = join('b');
    await world.advance(20 * second);
    a.stall();
    expect(await until(() => b.leads)).to.be.at.most(12 * second);
    expect(server.read()['spec']).to.include({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('a standby wakes when the lease runs out: exactly 10 s after it saw the last renewal, however its looks fall', async () => {
    const a = await joinLeading('a');
    for (let phase = 0; phase < 1500; phase += 100) {
      const leader = replicas.find((it) => it.leads) ?? a;
      await world.advance(phase);
      const standby = join(`standby-${phase}`);
      await world.advance(4 * second + 3 * phase);
      leader.stall();
      // A look every 1.5 s alone would come half a second late.
      await world.advance(1.5 * second);
      const { sawAt } = standby;
      expect(await until(() => standby.leads), `${phase} ms later`).to.be.at.most(10.1 * second);
      expect(standby.wroteAt - sawAt, `${phase} ms later`).to.equal(10 * second);
    }
  });

  it('the fence counts from the start of a renewal, not from its answer', async () => {
    const a = await joinLeading('a');
    a.fault = 'slow';
    const renewed = server.writes.length;
    await until(() => server.writes.length > renewed);
    await world.advance(0);
    expect(a.leader.remaining()).to.be.at.most(5 * second);
  });

  it('a clean stop hands over at the next look of a standby', async () => {
    const a = await joinLeading('a');
    const b = join('b');
    await world.advance(5 * second);
    a.stop();
    expect(await until(() => b.leads)).to.be.at.most(1.5 * second);
    expect(a.events).to.deep.equal(['started']);
    expect(a.leads).to.equal(false);
  });

  it('a restarted container takes its own lease back at once', async () => {
    const a = await joinLeading('a');
    a.stall();
    const again = join('a');
    await world.advance(0);
    expect(again.leads).to.equal(true);
    expect(server.read()['spec']).to.include({ holderIdentity: 'a', leaseTransitions: 0 });
  });

  it('a leader that cannot renew fences itself 6 s after its last renewal began, and says so', async () => {
    const a = await joinLeading('a');
    a.fault = 'unreachable';
    const fenced = await until(() => !a.leads);
    expect(fenced).to.be.at.most(6 * second);
    await world.advance(100);
    expect(a.events).to.deep.equal(['started', 'lost: the lease was not renewed in time']);
    expect(a.ended).to.equal(true);
  });

  it('a short outage costs nothing', async () => {
    const a = await joinLeading('a');
    a.fault = 'unreachable';
    await world.advance(4 * second);
    a.fault = 'none';
    await world.advance(10 * second);
    expect(a.leads).to.equal(true);
    expect(a.events).to.deep.equal(['started']);
    expect(a.troubles).not.to.deep.equal([]);
  });

  it('a renewal whose answer was lost is recognised as its own', async () => {
    const a = await joinLeading('a');
    a.fault = 'answer-lost';
    await world.advance(2 * second);
    a.fault = 'none';
    await world.advance(10 * second);
    expect(a.leads).to.equal(true);
    expect(a.events).to.deep.equal(['started']);
  });

  it('a process that stood still is fenced the moment it wakes, and asks for nothing', async () => {
    const a = await joinLeading('a');
    const b = join('b');
    const wake = a.stall();
    await until(() => b.leads);
    expect(a.leads, 'the fence needs no timer').to.equal(false);
    const writes = server.writes.length;
    wake();
    await world.advance(0);
    expect(a.events.at(-1)).to.equal('lost: the lease was not renewed in time');
    expect(server.writes).to.have.length(writes);
  });

  for (const skew of [-hour, hour]) {
    it(`clocks that disagree by ${skew / hour} h make no difference`, async () => {
      const a = await joinLeading('a');
      const b = join('b', skew);
      for (let i = 0; i < 30; i += 1) {
        await world.advance(second);
        expect([a.leads, b.leads]).to.deep.equal([true, false]);
      }
      a.stall();
      const taken = await until(() => b.leads);
      expect(taken).to.be.within(8 * second, 12 * second);
    });
  }

  it('a wall clock that jumps ahead, as after a suspended machine, fences at once', async () => {
    const a = await joinLeading('a');
    a.skew = 7 * second;
    expect(a.leads).to.equal(false);
    await world.advance(2 * second);
    expect(a.events.at(-1)).to.match(/^lost/);
  });

  it('a wall clock that is set back does not stretch the fence', async () => {
    const a = await joinLeading('a');
    a.skew = -hour;
    a.fault = 'unreachable';
    expect(await until(() => !a.leads)).to.be.at.most(6 * second);
  });

  it('a lease that somebody takes by hand is given up at the next renewal', async () => {
    const a = await joinLeading('a');
    const { metadata, ...rest } = server.read();
    server.replace({
      ...rest,
      metadata: { ...metadata },
      spec: { holderIdentity: 'somebody', leaseDurationSeconds: 10 },
    });
    await world.advance(2 * second);
    expect(a.events.at(-1)).to.equal("lost: the lease is held by 'somebody'");
  });

  it('a lease that somebody deletes is given up at the next renewal', async () => {
    const a = await joinLeading('a');
    server.lease = undefined;
    await world.advance(2 * second);
    expect(a.events.at(-1)).to.match(/^lost/);
    expect(a.leads).to.equal(false);
  });

  it('two that find no lease at the same time: one of them leads', async () => {
    const [a, b] = [join('a'), join('b')];
    a.fault = 'slow';
    b.fault = 'slow';
    await world.advance(5 * second);
    expect([a.leads, b.leads].filter(Boolean)).to.have.length(1);
  });
});
