// What is left of a build that was refused, once it has ended: nothing of ours.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import type { RejectReason } from '../../../controller/model/reason.ts';
import { aTaskRun } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';

function afterRefusal(reason: RejectReason): string[] {
  const refused = aTaskRun().forPlatform('linux/arm64').rejected(reason).ended().build();
  const observed = observe(refused, [], { podTold: true, reported: new Set() });
  return sentencesOf(nextActions(observed, start).actions);
}

describe('a refused build that ended', () => {
  it('loses the Secret that said why', () =>
    expect(afterRefusal('PlatformUnknown')).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'patch: attempt 0 rejected PlatformUnknown, finalizer away',
    ]));

  it("keeps somebody else's Secret, which was in the way", () =>
    expect(afterRefusal('SecretExists')).to.deep.equal(['patch: attempt 0 rejected SecretExists, finalizer away']));
});
