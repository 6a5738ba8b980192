import { expect } from 'chai';
import { second } from '../../../controller/model/instant.ts';
import { EventRecorder, type EventText } from '../../../controller/reconcile/event-recorder.ts';
import { aTaskRun, instantText } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { apiError, MemoryCluster } from '../../support/memory-cluster.ts';

const build = aTaskRun().named('a').build();
const waiting = (message: string): EventText => ({ severity: 'Normal', reason: 'WaitingForHost', message });

class Stand {
  readonly clock = new ManualClock(start);
  readonly cluster = new MemoryCluster(this.clock);
  readonly dropped: string[] = [];
  readonly events = new EventRecorder(this.cluster, this.clock, (error) => this.dropped.push(String(error)));

  messages(): string[] {
    return this.cluster.all('events').map((event) => String(event['message']));
  }
}

describe('Events', () => {
  it('say who is meant, since when, and by whom', async () => {
    const stand = new Stand();
    stand.events.emit(build, { severity: 'Warning', reason: 'HostLost', message: 'gone' });
    await stand.clock.advance(5 * second);
    const [event] = stand.cluster.all('events').map((it): Record<string, unknown> => ({ ...it }));
    expect(event).to.deep.include({
      involvedObject: {
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        namespace: 'team-a',
        name: 'a',
        uid: 'uid-of-team-a-a',
      },
      type: 'Warning',
      reason: 'HostLost',
      message: 'gone',
      firstTimestamp: instantText(start),
    });
  });

  it('go out a second late, in order', async () => {
    const stand = new Stand();
    stand.events.emit(build, waiting('first'));
    await stand.clock.advance(second - 1);
    stand.events.emit(build, waiting('second'));
    expect(stand.messages()).to.deep.equal([]);
    await stand.clock.advance(1);
    expect(stand.messages()).to.deep.equal(['first', 'second']);
  });

  it('the same again is no news, until something else was', async () => {
    const stand = new Stand();
    for (const message of ['x', 'x', 'y', 'x']) stand.events.emit(build, waiting(message));
    await stand.clock.advance(second);
    expect(stand.messages()).to.deep.equal(['x', 'y', 'x']);
  });

  it('about what is gone are news again', async () => {
    const stand = new Stand();
    stand.events.emit(build, waiting('x'));
    stand.events.forget(build.uid);
    stand.events.emit(build, waiting('x'));
    await stand.clock.advance(second);
    expect(stand.messages()).to.deep.equal(['x', 'x']);
  });

  it('that are too long are cut', async () => {
    const stand = new Stand();
    stand.events.emit(build, waiting('x'.repeat(5000)));
    await stand.clock.advance(second);
    expect(stand.messages()).to.deep.equal([`${'x'.repeat(1023)}…`]);
  });

  it('that are refused are dropped, and hold up nothing', async () => {
    const stand = new Stand();
    let refusals = 0;
    stand.cluster.fault = () => (refusals++ === 0 ? { before: apiError('throttled', 'not now') } : undefined);
    for (const message of ['x', 'y']) stand.events.emit(build, waiting(message));
    await stand.clock.advance(second);
    expect([stand.messages(), stand.dropped.length]).to.deep.equal([['y'], 1]);
  });

  it('beyond a thousand at once are dropped', async () => {
    const stand = new Stand();
    for (let nth = 0; nth < 1010; nth += 1) stand.events.emit(build, waiting(String(nth)));
    await stand.clock.advance(second);
    expect([stand.messages().length, stand.dropped.length]).to.deep.equal([1000, 10]);
  });

  it('that are waiting go out at the stop, and no timer is left', async () => {
    const stand = new Stand();
    stand.events.emit(build, waiting('x'));
    await stand.events.stop();
    await settled();
    expect([stand.messages(), stand.clock.sleeping]).to.deep.equal([['x'], 0]);
  });
});
