import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { updateTaskRun } from '../../../controller/taskruns/update-task-run-manifest.ts';
import { aCleanupFor, aProvisionFor, operatorNamespace, readBuild, readOwn } from '../../support/builders.ts';
import { aHost } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { DrainStand } from './drain-stand.ts';

function buildOf(stand: DrainStand, name: string): NonNullable<ReturnType<typeof readBuild>> {
  const raw = stand.cluster.find('taskruns', 'team-a', name);
  const build = raw && readBuild(raw);
  if (build === undefined) throw new Error(`no build ${name}`);
  return build;
}

describe('Drain', () => {
  it('gives back the hosts of builds that run, in the ordinary way, and leaves nothing of ours', async () => {
    const stand = new DrainStand();
    stand.put('ready', (build) => build.claimed(aHost('a')).ready());
    stand.put('claimed', (build) => build.claimed(aHost('b')));
    const cleaned: string[] = [];
    stand.ending = ({ type, host }) => (cleaned.push(`${type} ${host}`), 'succeeded');
    expect(await stand.run()).to.deep.equal([]);
    expect(cleaned.sort()).to.deep.equal(['clean a', 'clean b']);
    expect([stand.held(), stand.ours(), stand.secrets()]).to.deep.equal([[], [], []]);
    for (const name of ['ready', 'claimed']) {
      const { facts, assignedHost } = buildOf(stand, name);
      expect([facts?.claim, assignedHost]).to.deep.equal([undefined, undefined]);
    }
  });

  it('cancels a provision that runs, and cleans up after it has ended', async () => {
    const stand = new DrainStand();
    stand.put('half', (build) => build.claimed(aHost('a')));
    stand.putOwn(aProvisionFor(buildOf(stand, 'half')));
    expect(await stand.run()).to.deep.equal([]);
    const order = stand.cluster.requests
      .filter(({ resource, verb }) => resource === 'taskruns' && verb !== 'read')
      .map(({ verb, name }) => `${verb} ${name.replace(/-[0-9a-f]{10}$/, '')}`);
    expect(order.slice(0, 2)).to.deep.equal(['patch half-prov', 'create half-cleanup']);
    expect([stand.held(), stand.ours()]).to.deep.equal([[], []]);
  });

  it('waits for a cleanup that was under way, and for those of builds that are gone', async () => {
    const stand = new DrainStand();
    stand.put('gone', (build) => build.claimed(aHost('a')).ready());
    stand.putOwn(aCleanupFor(buildOf(stand, 'gone')));
    stand.cluster.change('taskruns', 'team-a', 'gone', ({ metadata }) => delete metadata['finalizers']);
    stand.cluster.remove('taskruns', 'team-a', 'gone');
    expect(await stand.run()).to.deep.equal([]);
    expect([stand.held(), stand.ours()]).to.deep.equal([[], []]);
  });

  it('allocates nothing: a build that waits is left waiting, without marks of ours', async () => {
    const stand = new DrainStand();
    stand.put('waiting', (build) =>
      build.with(({ metadata }) => {
        metadata['labels'] = { 'build.appstudio.redhat.com/waiting-for-platform': 'linux-arm64' };
      }),
    );
    expect(await stand.run()).to.deep.equal([]);
    expect(buildOf(stand, 'waiting')).to.include({ waitingFor: undefined, facts: undefined, outcome: 'running' });
    expect(stand.ours()).to.deep.equal([]);
  });

  it('lets builds that run end by themselves, as long as it was told to', async () => {
    const stand = new DrainStand(5 * minute);
    stand.put('short', (build) => build.claimed(aHost('a')).ready());
    stand.put('long', (build) => build.claimed(aHost('b')).ready());
    const cleaned: string[] = [];
    stand.ending = ({ host }) => {
      const minutes = Math.floor((stand.clock.now() - Date.parse('2026-01-01T00:00:00Z')) / minute);
      cleaned.push(`${host} after ${minutes} min`);
      return 'succeeded';
    };
    const ends = stand.clock.sleep(minute).then(() => stand.end('short'));
    expect(await stand.run()).to.deep.equal([]);
    await ends;
    expect(cleaned).to.deep.equal(['a after 1 min', 'b after 5 min']);
  });

  it('tries a failed cleanup again until the time is over, then takes the finalizers off and says what is left', async () => {
    const stand = new DrainStand(0, 2 * minute);
    stand.put('stuck', (build) => build.claimed(aHost('down')).ready());
    stand.put('fine', (build) => build.claimed(aHost('up')).ready());
    let tries = 0;
    stand.ending = ({ host }) => {
      if (host === 'up') return 'succeeded';
      tries += 1;
      return 'failed';
    };
    const left = await stand.run();
    expect(left).to.have.length.greaterThan(0);
    for (const sentence of left)
      expect(sentence).to.match(
        /^host down \(10\.0\.0\.1\) may still have the user of build team-a\/stuck: TaskRun stuck-cleanup-[0-9a-f]{10} did not succeed$/,
      );
    expect(tries).to.be.greaterThan(1);
    expect(stand.held()).to.deep.equal([]);
    expect(stand.logged).to.include(`warn: ${left[0]}`);
  });

  it('takes the finalizer off a build whose cleanup cannot even be created', async () => {
    const stand = new DrainStand(0, minute);
    stand.put('build', (build) => build.claimed(aHost('a')).ready());
    stand.cluster.fault = ({ verb, resource }) =>
      verb === 'create' && resource === 'taskruns' ? { before: apiError('refused', 'quota') } : undefined;
    expect(await stand.run()).to.deep.equal(['host a (10.0.0.1) was not given back by build team-a/build']);
    expect([stand.held(), stand.secrets()]).to.deep.equal([[], []]);
  });

  it('says so when even that fails', async () => {
    const stand = new DrainStand(0, minute);
    stand.put('build', (build) => build.claimed(aHost('a')).ready());
    stand.cluster.fault = ({ namespace }) =>
      namespace === 'team-a' ? { before: apiError('unavailable', 'away') } : undefined;
    expect(await stand.run()).to.deep.equal([
      'host a (10.0.0.1) was not given back by build team-a/build; our finalizer is still on it',
    ]);
  });

  it('goes on when the API server is away for a while', async () => {
    const stand = new DrainStand();
    stand.put('build', (build) => build.claimed(aHost('a')).ready());
    stand.cluster.fault = () => ({ before: apiError('unavailable', 'away') });
    const back = stand.clock.sleep(30 * second).then(() => (stand.cluster.fault = () => undefined));
    expect(await stand.run()).to.deep.equal([]);
    await back;
    expect([stand.held(), stand.ours()]).to.deep.equal([[], []]);
  });

  it('cancels updates of hosts, and waits for none', async () => {
    const stand = new DrainStand();
    const { metadata, spec } = updateTaskRun(aHost('a').build(), 0, operatorNamespace);
    stand.cluster.put('taskruns', operatorNamespace, { metadata, spec });
    expect(await stand.run()).to.deep.equal([]);
    const update = stand.cluster.find('taskruns', operatorNamespace, metadata.name);
    expect(update && readOwn(update)?.cancelled).to.equal(true);
  });

  it('ends at once when it is told to stop, with what is left', async () => {
    const stand = new DrainStand();
    stand.put('build', (build) => build.claimed(aHost('a')).ready());
    stand.ending = () => undefined;
    const left = await stand.run(5 * second);
    expect(left).to.have.length(1);
    expect(left[0]).to.contain('may still have the user of build team-a/build');
    expect(stand.held()).to.have.length(1);
    expect(stand.clock.sleeping).to.equal(0);
  });

  it('has nothing to do where nothing of ours is left, and asks nothing', async () => {
    const stand = new DrainStand();
    stand.put('ended', (build) => build.ended());
    expect(await stand.run()).to.deep.equal([]);
    expect(stand.cluster.requests).to.deep.equal([]);
  });
});
