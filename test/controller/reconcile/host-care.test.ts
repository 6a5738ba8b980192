import { expect } from 'chai';
import { hour, minute, second } from '../../../controller/model/instant.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { CareStand } from './care-stand.ts';

const started = (hosts: Readonly<Record<string, number>>, more: Readonly<Record<string, string>> = {}): CareStand => {
  const stand = new CareStand(hostConfigData(hosts, more));
  stand.care.start();
  return stand;
};
const drained = (stand: CareStand, ...hosts: string[]): string[] => hosts.filter((it) => stand.care.isDraining(it));

describe('HostCare', () => {
  let stand: CareStand;
  afterEach(async () => {
    await stand.care.stop();
    expect(stand.clock.sleeping, 'timers left').to.equal(0);
  });

  it('has each host updated once a day, one after the other, a minute after the start', async () => {
    stand = started({ a: 1, b: 1 });
    await stand.clock.advance(59 * second);
    expect(stand.updates()).to.deep.equal([]);
    await stand.clock.advance(second);
    expect(stand.updates()).to.deep.equal(['a running']);
    expect(drained(stand, 'a', 'b')).to.deep.equal(['a']);
    stand.endUpdate('a', 'succeeded', { MESSAGE: 'all well' });
    await stand.clock.advance(0);
    expect(stand.updates()).to.deep.equal(['a succeeded', 'b running']);
    expect(drained(stand, 'a', 'b')).to.deep.equal(['b']);
    stand.endUpdate('b', 'failed', { REASON: 'HostUnreachable', MESSAGE: 'no route' });
    await stand.clock.advance(0);
    expect(drained(stand, 'a', 'b')).to.deep.equal([]);
    expect(stand.told[0]).to.equal('succeeded linux/arm64: host a is updated: all well');
    expect(stand.told[1]).to.match(
      /^failed linux\/arm64: host b could not be updated: no route: see the log of TaskRun update-task-b-[0-9a-f]{10}$/,
    );
    await stand.clock.advance(23 * hour);
    expect(stand.updates()).to.deep.equal(['a succeeded', 'b failed']);
    await stand.clock.advance(hour);
    expect(stand.updates()).to.deep.equal(['b failed', 'a running']);
    expect(stand.errors).to.deep.equal([]);
  });

  it('waits for the builds of a host, claims under way included, and gives it to nobody meanwhile', async () => {
    stand = started({ a: 2 });
    stand.build('one', 'a');
    stand.assumed = 1;
    await stand.clock.advance(2 * minute);
    expect(drained(stand, 'a')).to.deep.equal(['a']);
    stand.endBuild('one');
    await stand.clock.advance(0);
    expect(stand.updates()).to.deep.equal([]);
    stand.assumed = 0;
    stand.build('two', 'b');
    await stand.clock.advance(0);
    expect(stand.updates()).to.deep.equal(['a running']);
  });

  it('gives up when they take too long: told, and tried again an hour later', async () => {
    stand = started({ a: 1 }, { 'drain-timeout': '5m' });
    stand.build('long', 'a');
    await stand.clock.advance(6 * minute);
    expect(drained(stand, 'a')).to.deep.equal([]);
    expect(stand.told).to.deep.equal([
      'skipped linux/arm64: host a was not updated: its builds did not end in 5 min; next try in an hour',
    ]);
    await stand.clock.advance(hour);
    expect(drained(stand, 'a')).to.deep.equal(['a']);
  });

  it('rings the platform when a host is drained, and when it is in use again', async () => {
    stand = started({ a: 1 });
    await stand.clock.advance(minute);
    expect(stand.rung).to.deep.equal(['linux/arm64']);
    stand.endUpdate('a', 'succeeded');
    await stand.clock.advance(0);
    expect(stand.rung).to.deep.equal(['linux/arm64', 'linux/arm64']);
  });

  it('a host on which builds were found is told as skipped, and tried again an hour later', async () => {
    stand = started({ a: 1 });
    await stand.clock.advance(minute);
    stand.endUpdate('a', 'failed', { REASON: 'HostBusy', MESSAGE: '1 build users are active' });
    await stand.clock.advance(0);
    expect(stand.told).to.deep.equal([
      'skipped linux/arm64: host a was not updated: 1 build users are active; next try in an hour',
    ]);
    await stand.clock.advance(hour - second);
    expect(stand.updates()).to.deep.equal(['a failed']);
    await stand.clock.advance(second);
    expect(stand.updates()).to.deep.equal(['a failed', 'a running']);
  });

  it('a host without its ssh Secret is told as skipped', async () => {
    stand = started({ a: 1 });
    stand.secrets.clear();
    await stand.clock.advance(minute);
    expect(stand.told).to.deep.equal([
      'skipped linux/arm64: host a was not updated: its Secret ssh-key is missing; next try in an hour',
    ]);
    expect(stand.updates()).to.deep.equal([]);
  });

  it('a request whose fate is unknown makes no second update', async () => {
    stand = started({ a: 1 });
    let lost = true;
    stand.cluster.fault = ({ verb }) => {
      if (verb !== 'create' || !lost) return undefined;
      lost = false;
      return { after: apiError('unavailable', 'no answer', true) };
    };
    await stand.clock.advance(2 * minute);
    expect(stand.updates()).to.deep.equal(['a running']);
    expect(stand.errors).to.have.length(1);
  });

  it('an API server that is away costs no host more than its drain', async () => {
    stand = started({ a: 1 });
    stand.cluster.fault = () => ({ before: apiError('unavailable', 'away') });
    await stand.clock.advance(10 * minute);
    expect(drained(stand, 'a')).to.deep.equal(['a']);
    await stand.clock.advance(10 * minute);
    expect(drained(stand, 'a')).to.deep.equal([]);
    stand.cluster.fault = () => undefined;
    await stand.clock.advance(hour);
    expect(stand.updates()).to.deep.equal(['a running']);
  });

  it('an update that the API server refuses keeps no builds away: told, and tried again an hour later', async () => {
    stand = started({ a: 1, b: 1 });
    stand.cluster.fault = ({ name }) =>
      name.startsWith('update-task-a') ? { before: apiError('refused', 'exceeded quota') } : undefined;
    await stand.clock.advance(minute);
    expect(stand.told).to.deep.equal([
      'skipped linux/arm64: host a was not updated: its TaskRun was refused: exceeded quota; next try in an hour',
    ]);
    expect(drained(stand, 'a', 'b')).to.deep.equal(['b']);
    expect(stand.updates()).to.deep.equal(['b running']);
    expect(stand.errors).to.deep.equal([]);
    stand.endUpdate('b', 'succeeded');
    stand.cluster.fault = () => undefined;
    await stand.clock.advance(hour);
    expect(stand.updates()).to.deep.equal(['b succeeded', 'a running']);
  });

  it('a restart in the middle of an update makes no second one, and the next comes in its time', async () => {
    stand = started({ a: 1 });
    await stand.clock.advance(minute);
    stand.startUpdate('a');
    await stand.care.stop();
    const next = new CareStand(hostConfigData({ a: 1 }));
    await next.clock.advance(3 * minute);
    for (const raw of stand.cluster.all('taskruns'))
      next.cluster.put('taskruns', raw.metadata.namespace ?? '', { ...raw, metadata: { ...raw.metadata } });
    next.care.start();
    await next.clock.advance(minute);
    expect(next.updates()).to.deep.equal(['a running']);
    expect(drained(next, 'a')).to.deep.equal(['a']);
    next.endUpdate('a', 'succeeded');
    await next.clock.advance(23 * hour);
    expect(next.updates()).to.deep.equal(['a succeeded']);
    stand = next;
  });

  it('does nothing before it is started, and nothing without a host-config', async () => {
    stand = new CareStand(undefined);
    stand.build('one', 'a');
    await stand.clock.advance(hour);
    stand.care.start();
    await stand.clock.advance(hour);
    expect([stand.cluster.requests, stand.errors]).to.deep.equal([[], []]);
    stand.configure(hostConfigData({ b: 1 }));
    await stand.clock.advance(minute);
    expect(stand.updates()).to.deep.equal(['b running']);
  });

  it('asks the API nothing while nothing is due', async () => {
    stand = started({ a: 1 });
    await stand.clock.advance(minute);
    stand.endUpdate('a', 'succeeded');
    await stand.clock.advance(0);
    const asked = stand.cluster.requests.length;
    stand.build('one', 'a');
    stand.endBuild('one');
    await stand.clock.advance(20 * hour);
    expect(stand.cluster.requests.length).to.equal(asked);
  });
});
