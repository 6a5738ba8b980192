// The controller is killed at every single write it makes, for builds that go all the ways a build can go. Whatever it
// left half done is finished after its next start: nothing is made twice, no host is there that nobody uses, nothing is
// left, every slot is free again.
import { expect } from 'chai';
import { buildLives, launchedLives } from '../support/build-life.ts';
import { LifeRounds } from '../support/life-rounds.ts';

describe('scenario: crash sweep', function () {
  this.timeout(120_000);
  this.bail(true);
  let rounds: LifeRounds;

  before(async () => {
    rounds = await LifeRounds.open();
  });
  after(() => rounds.close());

  for (const life of [...buildLives, ...launchedLives]) {
    it(`9: ${life.title}: killed before its first write, and after each`, async () => {
      const writes = await rounds.writesOf(life);
      const reached = await rounds.killAfterWrites(
        life,
        writes.map((_write, index) => index),
      );
      // Side by side, one write may save another.
      expect(reached).to.be.within(writes.length - 3, writes.length);
    });

    it(`9: ${life.title}: killed after each write, started again for the next one`, async () => {
      expect(await rounds.killAfterEachWrite(life, 3)).to.be.at.least(2);
    });
  }

  const [life] = buildLives;
  for (const moment of ['before', 'after'] as const) {
    for (let nth = 1; nth <= 10; nth += 1) {
      it(`9: killed in the middle of write ${nth}, ${moment} it took effect`, async () => {
        if (life !== undefined) await rounds.killAtWrite(life, nth, moment);
      });
    }
  }
});
