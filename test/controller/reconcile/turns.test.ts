import { expect } from 'chai';
import { Turns } from '../../../controller/reconcile/turns.ts';
import { settled } from '../../support/manual-clock.ts';

class Stand {
  readonly turns = new Turns(2);
  readonly began: string[] = [];
  readonly ends = new Map<string, (error?: Error) => void>();

  work(name: string): Promise<string> {
    return this.turns.run(() => {
      this.began.push(name);
      return new Promise((resolve, reject) => {
        this.ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)));
      });
    });
  }
}

describe('turns', () => {
  it('so many at once, the others in the order in which they came', async () => {
    const stand = new Stand();
    const done = ['a', 'b', 'c', 'd'].map((name) => stand.work(name));
    await settled();
    expect(stand.began).to.deep.equal(['a', 'b']);
    stand.ends.get('b')?.();
    await settled();
    expect(stand.began).to.deep.equal(['a', 'b', 'c']);
    for (const name of ['a', 'c', 'd']) {
      stand.ends.get(name)?.();
      await settled();
    }
    expect(await Promise.all(done)).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('tells when nothing goes on any more, and nothing waits', async () => {
    const stand = new Stand();
    await stand.turns.untilIdle();
    const done = ['a', 'b', 'c'].map((name) => stand.work(name));
    let idle = false;
    const wait = stand.turns.untilIdle().then(() => (idle = true));
    for (const name of ['a', 'b', 'c']) {
      await settled();
      expect(idle).to.equal(false);
      stand.ends.get(name)?.();
    }
    await Promise.all([...done, wait]);
  });

  it('work that fails gives its turn to the next', async () => {
    const stand = new Stand();
    const failed = stand.work('a').catch((error: unknown) => String(error));
    const others = ['b', 'c'].map((name) => stand.work(name));
    stand.ends.get('a')?.(new Error('no'));
    await settled();
    expect(stand.began).to.deep.equal(['a', 'b', 'c']);
    for (const name of ['b', 'c']) stand.ends.get(name)?.();
    expect([await failed, ...(await Promise.all(others))]).to.deep.equal(['Error: no', 'b', 'c']);
  });
});
