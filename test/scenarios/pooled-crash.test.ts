// The controller is killed at every single write it makes for hosts that serve several builds, and for the builds on them: from the
// launch to the terminate that follows when nobody wants the host any more. No host is forgotten, and there are never two.
import { expect } from 'chai';
import { pooledLives } from '../support/build-life.ts';
import { LifeRounds } from '../support/life-rounds.ts';

describe('scenario: crash sweep of hosts of several builds', function () {
  this.timeout(400_000);
  this.bail(true);
  let rounds: LifeRounds;

  before(async () => {
    rounds = await LifeRounds.open({ pools: 40 });
  });
  after(() => rounds.close());

  for (const life of pooledLives) {
    it(`9: ${life.title}: killed before its first write, and after each`, async () => {
      const writes = await rounds.writesOf(life);
      expect(writes).to.include('create launch');
      expect(writes).to.include('create terminate');
      const reached = await rounds.killAfterWrites(
        life,
        writes.map((_write, index) => index),
      );
      expect(reached).to.be.within(writes.length - 3, writes.length);
    });
  }
});
