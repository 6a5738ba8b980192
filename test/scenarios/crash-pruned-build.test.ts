// A failed provision TaskRun is kept for its log for an hour; its build may be pruned long before.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { label, taskType } from '../support/observed-task-run.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: a build that is pruned while its failed provision is kept', function () {
  this.timeout(60_000);
  const { scenario } = setStage({
    tekton: {
      provision: (it) => (label(it, 'attempt') === '1' ? { outcome: 'failed' } : {}),
      build: () => 0,
    },
  });

  it('10: its host was cleaned, and is not cleaned again when the build is deleted', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    const cleanups = new Set<string>();
    scenario.watched.onChange((_before, after) => {
      if (after === undefined || taskType(after) !== 'clean' || label(after, 'user-task-name') !== 'pruned') return;
      cleanups.add(after.metadata.uid);
    });
    await lane.build('pruned');
    await lane.released('pruned');
    await scenario.watched.until(() => cleanups.size === 2 && lane.ours('clean', 'pruned').length === 0);
    await scenario.remove(lane.tenant, 'pruned');
    // Whatever the deletion brings about has begun when others are through.
    for (const name of ['one', 'two', 'three']) {
      await lane.build(name);
      await scenario.watched.until(() => scenario.invariants.claims.some((it) => it.name === name));
      await lane.released(name);
    }
    expect(cleanups.size).to.equal(2);
  });
});
