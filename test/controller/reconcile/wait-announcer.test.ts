import { expect } from 'chai';
import { second } from '../../../controller/model/instant.ts';
import { asTextMap } from '../../../controller/model/json.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

const prefix = 'build.appstudio.redhat.com';

/** One slot; nothing else happens to its host. */
const config = hostConfigData({ only: 1 }, { 'update-interval': 'never' });

/** One slot, taken, and two builds that wait. */
async function queue(): Promise<ControllerStand> {
  const stand = new ControllerStand(config);
  stand.controller.start();
  stand.create('a');
  await stand.clock.advance(10);
  stand.create('b');
  await stand.clock.advance(10);
  stand.create('c');
  return stand;
}

function told(stand: ControllerStand, name: string): string {
  const { waitReason, queuePosition, waitingFor } = stand.build(name);
  return `${queuePosition ?? '-'}: ${waitReason ?? '-'} (${waitingFor ?? '-'})`;
}

const busy = 'all 1 slots of the platform are taken (linux-arm64)';

function events(stand: ControllerStand, reason: string): string[] {
  const found = stand.cluster.all('events').filter((it) => it['reason'] === reason);
  return found.map((it) => String(it['message']));
}

describe('what a waiting build is told', () => {
  it('nothing in its first second: most have their host by then', async () => {
    const stand = await queue();
    await stand.clock.advance(900);
    expect(told(stand, 'b')).to.equal('-: - (-)');
    await stand.stop();
  });

  it('then why it waits, and its place in the queue: on the TaskRun, in its pod, as an Event', async () => {
    const stand = await queue();
    stand.cluster.put('pods', 'team-a', { metadata: { name: 'c-pod' } });
    await stand.clock.advance(2 * second);
    expect([told(stand, 'b'), told(stand, 'c')]).to.deep.equal([`1: ${busy}`, `2: ${busy}`]);
    expect(stand.cluster.find('pods', 'team-a', 'c-pod')?.metadata.annotations).to.deep.equal({
      [`${prefix}/wait-reason`]: 'all 1 slots of the platform are taken',
      [`${prefix}/queue-position`]: '2',
    });
    expect(events(stand, 'WaitingForHost')).to.deep.equal([
      'waiting for a host of platform linux/arm64, number 1 in the queue: all 1 slots of the platform are taken',
      'waiting for a host of platform linux/arm64, number 2 in the queue: all 1 slots of the platform are taken',
    ]);
    await stand.stop();
  });

  it('and it loses a host label that somebody else wrote', async () => {
    const stand = await queue();
    stand.cluster.change('taskruns', 'team-a', 'b', ({ metadata }) => {
      metadata['labels'] = {
        ...asTextMap(metadata['labels']),
        [`${prefix}/assigned-host`]: 'only',
        [`${prefix}/attempt`]: '1',
      };
    });
    await stand.clock.advance(2 * second);
    expect(told(stand, 'b')).to.equal(`1: ${busy}`);
    const { assignedHost, attemptLabel } = stand.build('b');
    expect([assignedHost, attemptLabel]).to.deep.equal([undefined, undefined]);
    await stand.stop();
  });

  it('its new place, at most every 15 s', async () => {
    const stand = await queue();
    await stand.clock.advance(2 * second);
    stand.end('a');
    await stand.clock.advance(5 * second);
    expect(told(stand, 'c')).to.equal(`2: ${busy}`);
    await stand.clock.advance(10 * second);
    expect(told(stand, 'c')).to.equal(`1: ${busy}`);
    await stand.stop();
  });

  it('nothing any more once it has its host', async () => {
    const stand = await queue();
    await stand.clock.advance(2 * second);
    stand.end('a');
    await stand.clock.advance(60 * second);
    expect(told(stand, 'b')).to.equal('-: - (-)');
    expect(stand.placed()).to.deep.include({ b: 'only' });
    await stand.stop();
  });

  it('at the front of a long queue its new place soon, at its end later; and never all at once', async () => {
    const stand = new ControllerStand(config);
    stand.controller.start();
    for (let nth = 0; nth <= 200; nth += 1) {
      stand.create(`b${String(nth).padStart(3, '0')}`);
      await stand.clock.advance(1);
    }
    const announced: { readonly at: number; readonly name: string }[] = [];
    stand.cluster.watch('taskruns', ({ object }) => {
      const { name } = object.metadata;
      const build = stand.build(name);
      if (build.queuePosition !== undefined) announced.push({ at: stand.clock.now(), name });
    });
    await stand.clock.advance(10 * second);
    expect(new Set(announced.map(({ name }) => name)).size).to.equal(200);
    for (const { at } of announced)
      expect(announced.filter((it) => it.at >= at && it.at < at + second).length).to.be.at.most(42);
    announced.length = 0;
    stand.end('b000');
    await stand.clock.advance(60 * second);
    const again = new Set(announced.map(({ name }) => name));
    expect([again.has('b002'), again.has('b200')]).to.deep.equal([true, false]);
    await stand.clock.advance(120 * second);
    expect(stand.build('b200').queuePosition).to.equal('199');
    expect(await stand.stop()).to.equal(0);
  });

  it('the same again costs no request', async () => {
    const stand = await queue();
    await stand.clock.advance(2 * second);
    const before = stand.cluster.requests.length;
    await stand.clock.advance(300 * second);
    expect(stand.cluster.requests.length).to.equal(before);
    expect(await stand.stop()).to.equal(0);
  });

  it('a refusal is tried again later, and holds up nobody', async () => {
    const stand = await queue();
    let refusals = 0;
    stand.cluster.fault = ({ verb, name }) => {
      if (verb !== 'patch' || name !== 'b' || refusals > 0) return undefined;
      refusals += 1;
      return { before: apiError('throttled', 'not now') };
    };
    await stand.clock.advance(3 * second);
    expect([told(stand, 'b'), told(stand, 'c')]).to.deep.equal(['-: - (-)', `2: ${busy}`]);
    await stand.clock.advance(20 * second);
    expect(told(stand, 'b')).to.equal(`1: ${busy}`);
    await stand.stop();
  });
});
