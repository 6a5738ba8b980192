// Hosts of several builds: launched when builds wait, shared, cleaned after each build, terminated when they are old.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { namesOf, poolConfig, PoolStand } from './pool-stand.ts';

describe('controller: hosts of several builds', () => {
  let stand: PoolStand;
  const begin = async (more: Record<string, string> = {}): Promise<void> => void (stand = await PoolStand.begin(more));

  afterEach(async () => expect(await stand.stop(), 'timers left').to.equal(0));

  it('none is launched before somebody waits', async () => {
    await begin();
    await stand.clock.advance(5 * minute);
    expect(stand.ours('launch')).to.deep.equal([]);
  });

  it('as many are launched as the builds need that wait, and those share them', async () => {
    await begin({ concurrency: '2', 'max-instances': '5' });
    stand.createAll(...namesOf(5));
    await stand.untilReady(5);
    expect(stand.hosts()).to.have.length(3);
    expect([stand.mostHosts, stand.mostOnOne]).to.deep.equal([3, 2]);
    expect(new Set(Object.values(stand.placed()))).to.deep.equal(new Set(stand.hosts()));
    const build = stand.build('b0');
    expect(build.facts?.claim).to.include({ provider: 'static', user: 'toy', sshSecret: 'ssh-key' });
  });

  it('builds that come while one is launched wait for it, and are told so', async () => {
    await begin({ concurrency: '4' });
    stand.play = ({ type }) => (type === 'launch' ? 'hangs' : 'succeeds');
    stand.createAll('first');
    await stand.clock.advance(10 * second);
    stand.createAll('second', 'third');
    await stand.clock.advance(30 * second);
    expect(stand.ours('launch')).to.have.length(1);
    expect(stand.build('third').waitReason).to.contain('a host is being launched');
    stand.play = () => 'succeeds';
    await stand.untilReady(3);
    expect(stand.hosts()).to.have.length(1);
  });

  it('never more than max-instances, those included that are still being terminated', async () => {
    await begin({ concurrency: '1', 'max-instances': '2', 'max-age': '1' });
    stand.play = ({ type }) => (type === 'terminate' ? 'hangs' : 'succeeds');
    stand.createAll('a', 'b');
    await stand.untilReady(2);
    await stand.clock.advance(minute);
    for (const name of ['a', 'b']) stand.end(name);
    await stand.until(() => stand.ours('terminate').length === 2);
    stand.createAll('c', 'd', 'e');
    await stand.clock.advance(5 * minute);
    expect(stand.placed()).to.deep.equal({});
    expect(stand.build('c').waitReason).to.contain('all 2 hosts the platform may have at once');
    stand.play = () => 'succeeds';
    await stand.until(() => stand.placed()['c'] !== undefined && stand.placed()['d'] !== undefined);
    expect(stand.mostHosts).to.equal(2);
  });

  it('a host is cleaned after each build and serves the next one', async () => {
    await begin({ concurrency: '1', 'max-instances': '1' });
    stand.createAll('first', 'second');
    await stand.untilReady(1);
    const [host] = stand.hosts();
    stand.end('first');
    await stand.until(() => stand.placed()['second'] === host);
    await stand.until(() => stand.ours('clean').length === 0);
    expect(stand.hosts()).to.deep.equal([host]);
    expect(stand.ours('terminate')).to.deep.equal([]);
  });

  it('one that is older than max-age takes no new builds, and goes when it is empty', async () => {
    await begin({ concurrency: '4', 'max-age': '30' });
    stand.createAll('long');
    await stand.untilReady(1);
    const [old] = stand.hosts();
    await stand.clock.advance(31 * minute);
    stand.createAll('late');
    await stand.untilReady(2);
    expect(stand.placed()['late']).not.to.equal(old);
    expect(stand.ours('terminate')).to.deep.equal([]);
    stand.end('long');
    await stand.until(() => !stand.hosts().includes(old ?? ''));
    expect(stand.hosts()).to.deep.equal([stand.placed()['late']]);
    await stand.until(() => stand.ours('terminate').length === 0);
  });

  it('an idle one goes at max-age, and leaves nothing', async () => {
    await begin({ 'max-age': '10' });
    stand.createAll('only');
    await stand.untilReady(1);
    stand.end('only');
    await stand.clock.advance(11 * minute);
    await stand.until(() => stand.leftovers().filter((name) => !name.startsWith('list-')).length === 0, minute);
  });

  it('terminate is told which instance it is about', async () => {
    await begin({ 'max-age': '1' });
    stand.createAll('only');
    await stand.untilReady(1);
    stand.end('only');
    const [host] = stand.hosts();
    await stand.until(() => stand.ours('terminate').length > 0);
    const [raw] = stand.cluster.all('taskruns').filter(({ metadata }) => metadata.name.includes('-terminate-'));
    const params: { name: string; value: string }[] = Object(raw?.['spec']).params;
    const values = Object.fromEntries(params.map(({ name, value }) => [name, value]));
    expect(values).to.include({ LAUNCH_TOKEN: host, INSTANCE_ID: 'i-1' });
  });

  it('when its platform is not configured any more, a host goes as soon as it is empty', async () => {
    await begin();
    stand.createAll('last');
    await stand.untilReady(1);
    stand.configure({});
    await stand.clock.advance(minute);
    expect(stand.hosts()).to.have.length(1);
    stand.end('last');
    await stand.until(() => stand.leftovers().length === 0, 5 * minute);
  });

  it('a mistake in host-config costs no host', async () => {
    await begin();
    stand.createAll('first');
    await stand.untilReady(1);
    stand.end('first');
    const hosts = stand.hosts();
    stand.configure(poolConfig({ 'max-instances': 'many' }));
    await stand.clock.advance(5 * minute);
    stand.configure(undefined);
    await stand.clock.advance(5 * minute);
    expect(stand.hosts()).to.deep.equal(hosts);
    expect(stand.ours('terminate')).to.deep.equal([]);
  });

  it('no host is launched that nobody could log in to', async () => {
    await begin({ 'ssh-secret': 'not-there' });
    stand.createAll('waits');
    await stand.clock.advance(20 * second);
    expect(stand.ours('launch')).to.deep.equal([]);
    expect(stand.errorOf('waits')).to.contain('Secret not-there');
  });

  it('a namespace that may hold no more has no host launched for it', async () => {
    stand = new PoolStand({ ...poolConfig({ concurrency: '1' }), 'linux-arm64.max-per-namespace': '1' });
    stand.controller.start();
    stand.createAll(...namesOf(3));
    await stand.untilReady(1);
    await stand.clock.advance(minute);
    expect(stand.hosts()).to.have.length(1);
  });

  it('another process takes hosts over as it finds them', async () => {
    await begin({ concurrency: '1', 'max-instances': '2' });
    stand.createAll('first');
    await stand.untilReady(1);
    const hosts = stand.hosts();
    await stand.handOver();
    stand.createAll('second');
    await stand.untilReady(2);
    expect(stand.hosts()).to.include.members(hosts);
    expect(stand.placed()['first']).to.equal(hosts[0]);
    expect(stand.mostHosts).to.equal(2);
    stand.end('first');
    stand.createAll('third');
    await stand.until(() => stand.placed()['third'] === hosts[0]);
  });

  it('before an uninstall all of them are given back', async () => {
    await begin({ concurrency: '1', 'max-instances': '2' });
    stand.createAll('runs', 'over');
    await stand.untilReady(2);
    stand.end('over');
    await stand.clock.advance(10 * second);
    expect(await stand.drain()).to.deep.equal([]);
    const left = stand.leftovers().filter((name) => !name.startsWith('list-'));
    expect(left).to.deep.equal([]);
  });
});
