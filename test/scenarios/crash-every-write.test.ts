// A controller that gets one change done each time it is started, then is killed again, for builds that go all the ways a
// build can go: it gets there all the same, nothing is made twice, nothing is left.
import { expect } from 'chai';
import { buildLives } from '../support/build-life.ts';
import { LifeRounds } from '../support/life-rounds.ts';

describe('scenario: killed after every write', function () {
  this.timeout(120_000);
  this.bail(true);
  let rounds: LifeRounds;

  before(async () => {
    rounds = await LifeRounds.open();
  });
  after(() => rounds.close());

  for (const life of buildLives) {
    it(`9: ${life.title}: killed after each write, started again for the next one`, async () => {
      expect(await rounds.killAfterEachWrite(life, 3)).to.be.at.least(2);
    });
  }
});
