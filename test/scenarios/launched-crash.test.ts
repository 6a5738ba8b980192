// The controller is killed at every single write it makes for builds that get a host of their own. Whatever it left half
// done is finished after its next start: no host is there that nobody uses, never two where one may be, nothing is left.
import { expect } from 'chai';
import { launchedLives } from '../support/build-life.ts';
import { LifeRounds } from '../support/life-rounds.ts';

describe('scenario: crash sweep of launched hosts', function () {
  this.timeout(120_000);
  this.bail(true);
  let rounds: LifeRounds;

  before(async () => {
    rounds = await LifeRounds.open();
  });
  after(() => rounds.close());

  for (const life of launchedLives) {
    it(`9: ${life.title}: killed before its first write, and after each`, async () => {
      const writes = await rounds.writesOf(life);
      const reached = await rounds.killAfterWrites(
        life,
        writes.map((_write, index) => index),
      );
      expect(reached).to.be.within(writes.length - 3, writes.length);
    });

    it(`9: ${life.title}: killed after each write, started again for the next one`, async () => {
      expect(await rounds.killAfterEachWrite(life, 3)).to.be.at.least(2);
    });
  }
});
