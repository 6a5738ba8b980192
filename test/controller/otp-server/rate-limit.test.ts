import { expect } from 'chai';
import { RateLimit, sourceOf } from '../../../controller/otp-server/rate-limit.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('RateLimit', () => {
  let clock: ManualClock;
  let limit: RateLimit;

  beforeEach(() => {
    clock = new ManualClock();
    limit = new RateLimit({ perSecond: 2, burst: 3 }, clock);
  });
  const takeAll = (times: number, source?: string): number[] => Array.from({ length: times }, () => limit.take(source));

  it('gives a burst, then says when the next may come', () => {
    expect(takeAll(4)).to.deep.equal([0, 0, 0, 500]);
  });

  it('fills steadily, and never above the burst', async () => {
    takeAll(3);
    await clock.advance(1_250);
    expect(takeAll(3)).to.deep.equal([0, 0, 250]);
    await clock.advance(60_000);
    expect(takeAll(4)).to.deep.equal([0, 0, 0, 500]);
  });

  it('keeps those who are refused waiting no longer than they have to', async () => {
    takeAll(10);
    await clock.advance(500);
    expect(takeAll(2)).to.deep.equal([0, 500]);
  });

  it('counts every source for itself', () => {
    takeAll(4, 'one');
    expect(limit.take('other')).to.equal(0);
  });

  it('forgets the source that was longest away when there are too many', () => {
    takeAll(4, 'first');
    takeAll(4, 'second');
    for (let source = 0; source < 9_999; source += 1) limit.take(String(source));
    expect(limit.take('second')).to.be.greaterThan(0);
    expect(limit.take('first')).to.equal(0);
  });
});

describe('sourceOf', () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['fd00:1:2:3:4:5:6:7', 'fd00:1:2:3'],
    ['fd00:1:2:3::9', 'fd00:1:2:3'],
    ['fd00::1', 'fd00:0:0:0'],
    ['::1', '0:0:0:0'],
    ['fd00:1::2:3:4:5:6', 'fd00:1:0:2'],
    [undefined, ''],
  ];
  for (const [address, source] of cases)
    it(`of ${address} is ${source}`, () => expect(sourceOf(address)).to.equal(source));
});
