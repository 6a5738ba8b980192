import { expect } from 'chai';
import type { Instant } from '../../../controller/model/instant.ts';
import { WorkQueue } from '../../../controller/reconcile/work-queue.ts';
import { start } from '../../support/host-builders.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

/** A queue whose looks the test ends. */
class Stand {
  readonly clock = new ManualClock(start);
  readonly looks: string[] = [];
  readonly errors: string[] = [];
  readonly queue: WorkQueue<string>;
  readonly #open = new Map<string, { resolve: (again: Instant | undefined) => void; reject: (error: Error) => void }>();

  constructor(workers = 2) {
    this.queue = new WorkQueue({
      look: (key) => {
        this.looks.push(key);
        if (this.#open.has(key)) throw new Error(`two looks at ${key} at once`);
        return new Promise((resolve, reject) => this.#open.set(key, { resolve, reject }));
      },
      workers,
      clock: this.clock,
      pauseAfter: (_error, nth) => nth * 1000,
      onError: (key, error, pause) => this.errors.push(`${key}: ${String(error)}, again in ${pause} ms`),
    });
  }

  async end(key: string, again?: Instant): Promise<void> {
    const look = this.#open.get(key);
    this.#open.delete(key);
    look?.resolve(again);
    await settled();
  }

  async fail(key: string): Promise<void> {
    const look = this.#open.get(key);
    this.#open.delete(key);
    look?.reject(new Error('no'));
    await settled();
  }

  async add(...keys: string[]): Promise<void> {
    for (const key of keys) this.queue.add(key);
    await settled();
  }
}

describe('WorkQueue: adding', () => {
  it('a key that waits is there once', async () => {
    const stand = new Stand(1);
    await stand.add('a', 'b', 'b', 'b');
    expect(stand.queue.depth).to.equal(1);
    await stand.end('a');
    await stand.end('b');
    expect(stand.looks).to.deep.equal(['a', 'b']);
  });

  it('looks begin in the order of adding', async () => {
    const stand = new Stand(1);
    await stand.add('c', 'a', 'b', 'a');
    for (const key of ['c', 'a', 'b']) await stand.end(key);
    expect(stand.looks).to.deep.equal(['c', 'a', 'b']);
  });

  it('as many at once as there are workers', async () => {
    const stand = new Stand(2);
    await stand.add('a', 'b', 'c');
    expect(stand.looks).to.deep.equal(['a', 'b']);
    await stand.end('b');
    expect(stand.looks).to.deep.equal(['a', 'b', 'c']);
  });

  it('while a key is looked at, one further look follows, however often it is added', async () => {
    const stand = new Stand();
    await stand.add('a');
    await stand.add('a', 'a', 'a');
    expect(stand.looks).to.deep.equal(['a']);
    await stand.end('a');
    expect(stand.looks).to.deep.equal(['a', 'a']);
    await stand.end('a');
    expect(stand.looks).to.deep.equal(['a', 'a']);
  });

  it('a look begins after the turn of whoever adds', () => {
    const stand = new Stand();
    stand.queue.add('a');
    expect(stand.looks).to.deep.equal([]);
    return settled().then(() => expect(stand.looks).to.deep.equal(['a']));
  });
});

describe('WorkQueue: later', () => {
  it('a look may ask for another', async () => {
    const stand = new Stand();
    await stand.add('a');
    await stand.end('a', start + 5000);
    await stand.clock.advance(4999);
    expect(stand.looks).to.deep.equal(['a']);
    await stand.clock.advance(1);
    expect(stand.looks).to.deep.equal(['a', 'a']);
    expect(stand.clock.sleeping).to.equal(0);
  });

  it('of several times the earliest counts', async () => {
    const stand = new Stand();
    for (const at of [9000, 3000, 6000]) stand.queue.addAt('a', start + at);
    await stand.clock.advance(3000);
    expect(stand.looks).to.deep.equal(['a']);
    await stand.end('a');
    await stand.clock.advance(60_000);
    expect(stand.looks).to.deep.equal(['a']);
    expect(stand.clock.sleeping).to.equal(0);
  });

  it('keys are woken in the order of their times, by one timer', async () => {
    const stand = new Stand(9);
    stand.queue.addAt('c', start + 3000);
    stand.queue.addAt('a', start + 1000);
    stand.queue.addAt('b', start + 2000);
    await settled();
    expect(stand.clock.sleeping).to.equal(1);
    await stand.clock.advance(3000);
    expect(stand.looks).to.deep.equal(['a', 'b', 'c']);
  });

  it('a key whose time comes while it is looked at gets one further look', async () => {
    const stand = new Stand();
    await stand.add('a');
    stand.queue.addAt('a', start + 1000);
    await stand.clock.advance(1000);
    expect(stand.looks).to.deep.equal(['a']);
    await stand.end('a');
    expect(stand.looks).to.deep.equal(['a', 'a']);
  });

  it('a year from now costs no timer that overflows', async () => {
    const slept: number[] = [];
    const clock = new ManualClock(start);
    const queue = new WorkQueue<string>({
      look: () => Promise.resolve(undefined),
      workers: 1,
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        sleep: (duration, signal) => {
          slept.push(duration);
          return clock.sleep(duration, signal);
        },
      },
      pauseAfter: () => 1000,
      onError: () => undefined,
    });
    queue.addAt('a', start + 365 * 24 * 3_600_000);
    expect(slept.every((duration) => duration < 2 ** 31)).to.equal(true);
    await queue.stop();
  });
});

describe('WorkQueue: failures', () => {
  it('a key that failed is looked at again after a pause, longer each time', async () => {
    const stand = new Stand();
    await stand.add('a');
    await stand.fail('a');
    await stand.clock.advance(999);
    expect(stand.looks).to.have.length(1);
    await stand.clock.advance(1);
    expect(stand.looks).to.have.length(2);
    await stand.fail('a');
    await stand.clock.advance(1999);
    expect(stand.looks).to.have.length(2);
    await stand.clock.advance(1);
    expect(stand.looks).to.have.length(3);
    expect(stand.errors).to.deep.equal(['a: Error: no, again in 1000 ms', 'a: Error: no, again in 2000 ms']);
  });

  it('after a success the pauses begin anew', async () => {
    const stand = new Stand();
    await stand.add('a');
    await stand.fail('a');
    await stand.clock.advance(1000);
    await stand.end('a');
    await stand.add('a');
    await stand.fail('a');
    expect(stand.errors.at(-1)).to.equal('a: Error: no, again in 1000 ms');
  });

  it('one key that fails holds up no other', async () => {
    const stand = new Stand(1);
    await stand.add('a', 'b');
    await stand.fail('a');
    expect(stand.looks).to.deep.equal(['a', 'b']);
  });

  it('news during a look that then fails wait for the pause', async () => {
    const stand = new Stand();
    await stand.add('a');
    await stand.add('a');
    await stand.fail('a');
    expect(stand.looks).to.have.length(1);
    await stand.clock.advance(1000);
    expect(stand.looks).to.have.length(2);
  });

  it('nor does news during the pause cut it short', async () => {
    const stand = new Stand();
    await stand.add('a');
    await stand.fail('a');
    await stand.add('a', 'b');
    stand.queue.addAt('a', start + 1);
    await stand.clock.advance(999);
    expect(stand.looks).to.deep.equal(['a', 'b']);
    await stand.clock.advance(1);
    expect(stand.looks).to.deep.equal(['a', 'b', 'a']);
  });
});

describe('WorkQueue: stop', () => {
  it('waits for what is under way, begins nothing more, leaves no timer', async () => {
    const stand = new Stand(1);
    await stand.add('a', 'b');
    stand.queue.addAt('c', start + 1000);
    let stopped = false;
    void stand.queue.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).to.equal(false);
    expect(stand.clock.sleeping).to.equal(0);
    await stand.add('d', 'a');
    await stand.end('a', start + 10);
    expect(stopped).to.equal(true);
    await stand.clock.advance(60_000);
    expect(stand.looks).to.deep.equal(['a']);
    expect(stand.clock.sleeping).to.equal(0);
  });

  it('a look that fails after the stop is not tried again', async () => {
    const stand = new Stand();
    await stand.add('a');
    const stopped = stand.queue.stop();
    await stand.fail('a');
    await stopped;
    await stand.clock.advance(60_000);
    expect(stand.looks).to.deep.equal(['a']);
    expect(stand.clock.sleeping).to.equal(0);
  });
});
