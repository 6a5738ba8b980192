import { expect } from 'chai';
import { ProgressMemory } from '../../../controller/reconcile/progress-memory.ts';
import type { KeptTaskRun } from '../../../controller/model/task-run.ts';
import { aProvisionFor, aTaskRun } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { aLaunchFor } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';

const waiting = aTaskRun().forPlatform('linux/arm64').build();
const claimed = aTaskRun().forPlatform('linux/arm64').claimed().build();
const again = aTaskRun().forPlatform('linux/arm64').claimed().gaveUpHost().claimed().build();
const provision = aProvisionFor(claimed).build();

/** What is there, as a cache would tell it. */
function world() {
  const there = new Map<string, KeptTaskRun>();
  let now = start;
  const memory = new ProgressMemory(
    (uid) => there.has(uid),
    () => now,
  );
  const note = (before: KeptTaskRun | undefined, after: KeptTaskRun | undefined, putBack = false): void => {
    if (after === undefined) there.delete(before?.uid ?? '');
    else there.set(after.uid, after);
    memory.note(before, after, putBack);
  };
  return { memory, note, of: () => memory.of(claimed.uid), pass: (time: number) => (now += time) };
}

describe('how far a build came', () => {
  it('a claim that was seen to come, and its provision TaskRun', () => {
    const { note, of } = world();
    note(undefined, waiting);
    expect(of()).to.equal(undefined);
    note(waiting, claimed);
    expect(of()).to.deep.equal({ attempt: 1, step: 'claim' });
    note(undefined, provision);
    expect(of()).to.deep.equal({ attempt: 1, step: 'provision' });
    note(claimed, waiting);
    note(waiting, claimed);
    expect(of(), 'set back, and found again').to.deep.equal({ attempt: 1, step: 'provision' });
    note(claimed, again);
    expect(of()).to.deep.equal({ attempt: 2, step: 'claim' });
  });

  it('a launch TaskRun, until there is one that provisions', () => {
    const { note, of } = world();
    const launch = aLaunchFor(claimed, aPool()).build();
    note(undefined, waiting);
    note(waiting, claimed);
    note(undefined, launch);
    note(launch, undefined);
    expect(of()).to.deep.equal({ attempt: 1, step: 'launch' });
    note(undefined, provision);
    note(undefined, launch);
    expect(of()).to.deep.equal({ attempt: 1, step: 'provision' });
  });

  it('since when its provision TaskRun is lost: being deleted, or gone', () => {
    const { note, of, pass } = world();
    note(undefined, waiting);
    note(waiting, claimed);
    note(undefined, provision);
    pass(1);
    const deleting = aProvisionFor(claimed).deleting().build();
    note(provision, deleting);
    pass(1);
    note(deleting, deleting);
    note(deleting, undefined);
    expect(of()).to.deep.equal({ attempt: 1, step: 'provision', lostSince: start + 1 });
    note(claimed, again);
    expect(of()).to.deep.equal({ attempt: 2, step: 'claim' });
  });

  it('nothing of a claim that was found as it is, or put back', () => {
    const { note, of } = world();
    note(undefined, claimed);
    note(waiting, claimed, true);
    expect(of()).to.equal(undefined);
  });

  it('is forgotten with the build', () => {
    const { note, of } = world();
    note(undefined, waiting);
    note(waiting, claimed);
    note(claimed, undefined);
    expect(of()).to.equal(undefined);
  });

  it('is forgotten with a provision TaskRun that changed after its build was gone', () => {
    const { note, of } = world();
    note(undefined, claimed);
    note(undefined, provision);
    note(claimed, undefined);
    note(provision, provision);
    note(provision, undefined);
    expect(of()).to.equal(undefined);
  });
});
