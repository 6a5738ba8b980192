// Two replicas on one cluster: one acts; when it is gone, stalled or cut off the other does, and never both.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { isDone } from '../support/observed-task-run.ts';
import { playTekton, type Tekton } from '../support/play-tekton.ts';
import { electionLease, startReplica, type Replica } from '../support/replica.ts';
import { eventually, Scenario } from '../support/scenario.ts';

/** What the promise says: 12 s from the loss of a leader, of which the Lease itself is 10. */
const leaseSeconds = 10;

const said = ({ process }: Replica, sentence: string): boolean =>
  process.log().some(({ message }) => message === sentence);

describe('scenario: two replicas', function () {
  this.timeout(120_000);
  let scenario: Scenario;
  let leading: Replica;
  let standing: Replica;
  let lane: Lane;
  let tekton: Tekton | undefined;

  before(async () => {
    scenario = await Scenario.start();
  });
  after(() => scenario.stop());

  beforeEach(async () => {
    lane = await openLane(scenario, { slots: [2, 2] });
    leading = await startReplica(scenario, 'first');
    // What the Lease says may be from the test before, and have run out.
    await eventually(async () => said(leading, 'acting'));
    standing = await startReplica(scenario, 'second');
    tekton = playTekton(scenario, { build: () => 0 });
  });
  afterEach(async () => {
    await tekton?.stop();
    await leading.process.stop();
    await standing.process.stop();
    await Promise.all([leading.end(), standing.end()]);
  });

  const finished = async (...names: string[]): Promise<void> => {
    await Promise.all(names.map((name) => lane.until(name, isDone)));
    await Promise.all(names.map((name) => lane.released(name)));
    await scenario.expectNothingLeft();
  };
  const isLed = (identity: string): Promise<unknown> =>
    eventually(async () => (await electionLease(scenario)).spec.holderIdentity === identity);

  const standsBy = (replica: Replica): Promise<unknown> =>
    eventually(async () => {
      expect(replica.process.ended).to.equal(false);
      return said(replica, 'not the leader any more, standing by');
    });

  it('15: one acts, the other only looks', async () => {
    await lane.build('b');
    await finished('b');
    expect(leading.writes()).not.to.deep.equal([]);
    expect(standing.writes()).to.deep.equal([]);
  });

  it('15: the leader is killed: the other goes on where it stood, once the Lease has run out', async () => {
    await lane.build('before');
    await lane.assigned('before');
    await leading.process.kill();
    const killed = Date.now();
    await lane.build('after');
    await lane.assigned('after');
    console.log(`        a new build has its host ${((Date.now() - killed) / 1000).toFixed(1)} s after the kill`);
    await finished('before', 'after');
    const { spec } = await electionLease(scenario);
    expect(spec).to.include({ holderIdentity: 'second', leaseDurationSeconds: leaseSeconds });
  });

  it('15: the leader is stopped: it gives the Lease back, and the other goes on', async () => {
    await lane.build('before');
    await lane.assigned('before');
    await leading.process.stop();
    const stopped = Date.now();
    expect((await electionLease(scenario)).spec.holderIdentity).not.to.equal('first');
    await lane.build('after');
    await lane.assigned('after');
    console.log(`        a new build has its host ${((Date.now() - stopped) / 1000).toFixed(1)} s after the stop`);
    await finished('before', 'after');
  });

  it('15: the leader stalls in the middle of its work: awake again it writes nothing, and stands by', async () => {
    // Its claim is answered while it is stalled, so that it has something to go on with.
    leading.proxy.add({ verb: 'patch', resource: 'taskruns', mischief: { type: 'lag', ms: 2000 } });
    await lane.build('stalled');
    await lane.assigned('stalled');
    leading.process.pause();
    await isLed('second');
    const since = leading.proxy.requests.length;
    await lane.build('meanwhile');
    await lane.ready('meanwhile');
    leading.process.resume();
    await standsBy(leading);
    expect(leading.writes(since)).to.deep.equal([]);
    await finished('stalled', 'meanwhile');
  });

  it('15: the leader is cut off: it stops writing before the other starts', async () => {
    await lane.build('before');
    await lane.assigned('before');
    leading.proxy.down();
    await isLed('second');
    leading.proxy.up();
    const since = leading.proxy.requests.length;
    await lane.build('after');
    await finished('before', 'after');
    await standsBy(leading);
    expect(leading.writes(since)).to.deep.equal([]);
  });

  it('15: cut off and alone: it stops writing, and acts again once the API server answers', async () => {
    await standing.process.stop();
    await lane.build('before');
    await lane.assigned('before');
    leading.proxy.down();
    await standsBy(leading);
    const since = leading.proxy.requests.length;
    await lane.build('meanwhile');
    leading.proxy.up();
    await finished('before', 'meanwhile');
    expect(leading.writes(since)).not.to.deep.equal([]);
  });

  it('1: a burst of 50 builds, the leader killed in the middle: no host ever has more builds than slots', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `burst-${index}`);
    const claims = scenario.invariants.claims.length;
    await Promise.all(names.map((name) => lane.build(name)));
    await scenario.watched.until(() => scenario.invariants.claims.length >= claims + 10);
    await leading.process.kill();
    await finished(...names);
    expect(standing.writes()).not.to.deep.equal([]);
  });
});
