// Hosts of several builds when things go wrong: launches that fail, hosts that are no good, answers that are lost.
import { expect } from 'chai';
import { hour, minute, second } from '../../../controller/model/instant.ts';
import { asTextMap } from '../../../controller/model/json.ts';
import { operatorNamespace } from '../../support/builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { namesOf, PoolStand } from './pool-stand.ts';

describe('controller: hosts of several builds, in trouble', () => {
  let stand: PoolStand;
  const begin = async (more: Record<string, string> = {}): Promise<void> => void (stand = await PoolStand.begin(more));

  afterEach(async () => expect(await stand.stop(), 'timers left').to.equal(0));

  it('a launch that fails is terminated, and tried again with pauses', async () => {
    await begin();
    stand.play = ({ type }) => (type === 'launch' ? { fails: 'InsufficientCapacity' } : 'succeeds');
    stand.createAll('waits');
    await stand.until(() => stand.build('waits').waitReason?.includes('no capacity') === true, 5 * minute);
    expect(stand.build('waits').waitReason).to.contain('as played');
    await stand.until(() => stand.ours('launch').length === 4, 10 * minute);
    const [first = 0, second_ = 0, third = 0, fourth = 0] = stand.ours('launch').map(({ created }) => created);
    expect([second_ - first > 15 * second, third - second_ > 30 * second, fourth - third > minute]).to.deep.equal([
      true,
      true,
      true,
    ]);
    expect(stand.mostHosts).to.equal(1);
    stand.play = () => 'succeeds';
    await stand.untilReady(1);
    await stand.clock.advance(2 * hour);
    expect(stand.ours('launch').filter(({ outcome }) => outcome === 'failed')).to.deep.equal([]);
  });

  it('a launch that is refused is told to the builds that waited for it, not to later ones', async () => {
    await begin();
    stand.play = ({ type }) => (type === 'launch' ? { fails: 'LaunchRefused' } : 'succeeds');
    stand.createAll('early');
    await stand.until(() => stand.errorOf('early') !== undefined, minute);
    expect(stand.errorOf('early')).to.contain('Error allocating host: no host could be launched: as played');
    stand.play = () => 'succeeds';
    stand.createAll('late');
    await stand.untilReady(1, 2 * minute);
    expect(stand.ready()).to.deep.equal(['late']);
  });

  it('three launches in a row that fail are told to the builds that wait', async () => {
    await begin();
    stand.play = ({ type }) => (type === 'launch' ? { fails: 'Timeout' } : 'succeeds');
    stand.createAll('waits');
    await stand.until(() => stand.errorOf('waits') !== undefined, 10 * minute);
    expect(stand.ours('launch')).to.have.length(3);
  });

  it('a launch that takes longer than allocation-timeout is cancelled, and its host terminated', async () => {
    await begin({ 'allocation-timeout': '60' });
    stand.play = ({ type }) => (type === 'launch' ? 'hangs' : 'succeeds');
    stand.createAll('waits');
    await stand.clock.advance(2 * second);
    const [first] = stand.ours('launch');
    await stand.clock.advance(100 * second);
    expect(stand.ours('launch').map(({ name }) => name)).not.to.include(first?.name);
  });

  it('a host on which no build can be prepared is replaced', async () => {
    await begin({ concurrency: '1', 'max-instances': '2' });
    let bad = '';
    stand.play = ({ type, host }) => {
      if (type === 'launch' && bad === '') bad = host;
      return type === 'provision' && host === bad ? { fails: 'HostUnreachable' } : 'succeeds';
    };
    stand.createAll(...namesOf(4));
    await stand.until(() => {
      for (const name of stand.ready()) if (stand.build(name).outcome === 'running') stand.end(name);
      return namesOf(4).every((name) => stand.build(name).outcome === 'succeeded');
    });
    await stand.until(() => !stand.hosts().includes(bad));
    expect(stand.mostHosts).to.equal(2);
  });

  it('an answer that is lost makes no second host', async () => {
    await begin({ concurrency: '1' });
    let lost = 0;
    stand.cluster.fault = ({ verb, body }) => {
      const type = asTextMap(Object(Object(body).metadata).labels)['build.appstudio.redhat.com/task-type'];
      if (verb !== 'create' || type !== 'launch' || lost > 0) return undefined;
      lost += 1;
      return { after: apiError('timeout', 'no answer', true) };
    };
    stand.createAll('only');
    await stand.untilReady(1);
    await stand.clock.advance(minute);
    expect([lost, stand.mostHosts]).to.deep.equal([1, 1]);
  });

  it('a launch that somebody deletes is no host any more, and another one is launched', async () => {
    await begin();
    stand.play = ({ type }) => (type === 'launch' ? 'hangs' : 'succeeds');
    stand.createAll('waits');
    await stand.clock.advance(5 * second);
    const [first] = stand.ours('launch');
    stand.cluster.remove('taskruns', operatorNamespace, first?.name ?? '');
    stand.play = () => 'succeeds';
    await stand.untilReady(1);
    expect(stand.hosts()).not.to.include(first?.host);
  });

  for (const lag of [second, 7 * second]) {
    it(`with a watch ${lag / second} s behind, no host is shared by too many, and none is one too many`, async () => {
      await begin({ concurrency: '2', 'max-instances': '3', 'max-age': '2' });
      stand.watch.lag = lag;
      let nth = 0;
      stand.play = ({ type }) => {
        nth += 1;
        if (type === 'launch' && nth % 5 === 0) return { fails: 'Timeout' };
        return type === 'terminate' && nth % 3 === 0 ? { fails: 'Flaky' } : 'succeeds';
      };
      stand.createAll(...namesOf(12));
      const isOver = (name: string): boolean => stand.build(name).outcome !== 'running';
      await stand.until(() => {
        for (const name of stand.ready()) if (!isOver(name)) stand.end(name);
        for (const name of namesOf(12)) if (stand.errorOf(name) !== undefined && !isOver(name)) stand.end(name);
        return namesOf(12).every(isOver);
      });
      stand.play = () => 'succeeds';
      await stand.until(() => stand.leftovers().every((name) => /^list-|-launch-/.test(name)));
      expect([stand.mostHosts, stand.mostOnOne]).to.deep.equal([3, 2]);
    });
  }
});
