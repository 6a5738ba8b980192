// The mark follows the claim through a whole life: there as long as a host is held, and never longer.
import { expect } from 'chai';
import { hasOurMark } from '../../../controller/lease/lease-mark.ts';
import { nextAttempt, release } from '../../../controller/lease/write-lease.ts';
import { signChange } from '../../../controller/lease/sign-change.ts';
import { labels } from '../../../controller/model/labels.ts';
import { aTaskRun, factsOf, testKey, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost } from '../../support/host-builders.ts';

const claimed = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64').claimed(aHost('one'));

describe('labels of a build', () => {
  const held: readonly (readonly [string, TaskRunBuilder])[] = [
    ['that was given a host', claimed()],
    ['that is ready', claimed().ready()],
    ['that was given another host', claimed().gaveUpHost().claimed(aHost('two'))],
    ['that runs in its own pod', aTaskRun().forPlatform('linux/amd64').claimedLocally()],
  ];
  for (const [what, builder] of held)
    it(`${what} are marked as ours`, () => expect(hasOurMark(testKey, builder.build())).to.equal(true));

  const free: readonly (readonly [string, TaskRunBuilder])[] = [
    ['that never had a host', aTaskRun()],
    ['that gave up its host', claimed().gaveUpHost()],
    ['that was released', claimed().released()],
    ['that was refused', claimed().rejected('AllHostsFailed')],
  ];
  for (const [what, builder] of free)
    it(`${what} have no mark`, () => expect(builder.build().markLabel).to.equal(undefined));

  it('are marked for the new attempt on the same host', () => {
    const build = claimed().build();
    const { change } = signChange(testKey, build.uid, nextAttempt(factsOf(build)));
    const changed = { ...build, attemptLabel: '2', markLabel: change.labels?.[labels.leaseMark] ?? undefined };
    expect(hasOurMark(testKey, changed)).to.equal(true);
    expect(changed.markLabel).not.to.equal(build.markLabel);
  });

  it('lose a mark also when there are no facts to take away', () => {
    const stripped = claimed()
      .with(({ metadata }) => delete metadata['annotations'])
      .build();
    const { change, signedFacts } = signChange(testKey, stripped.uid, release(stripped));
    expect(change.labels).to.have.property(labels.leaseMark, null);
    expect(signedFacts).to.equal(undefined);
  });

  it('keep what they have when the claim is not touched', () => {
    const change = { annotations: { some: 'thing' } };
    expect(signChange(testKey, 'uid', change)).to.deep.equal({ change, signedFacts: undefined });
  });
});
