// A build whose provision TaskRun was deleted: what its pod may still bring, and what follows when that does not come.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import type { Observed } from '../../../controller/lease/observed.ts';
import { second } from '../../../controller/model/instant.ts';
import { aCleanupFor, aProvisionFor, aTaskRun, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';

const claimed = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64').claimed(aHost('h'));
const lost: Observed['seen'] = { attempt: 1, step: 'provision', lostSince: start };

const anew = [
  'create cleanup 1 of attempt 1 on h',
  'delete Secret team-a/multi-platform-ssh-build',
  'patch: attempt 2 on h after a lost one',
  'event Warning ProvisionFailed: the TaskRun that prepared host h was deleted (attempt 1): it is started again',
];
const asked = [
  'check Secret',
  '  there: patch: attempt 1 on h ready',
  '  there: event Normal HostReady: host h is ready',
  ...anew.map((sentence) => `  missing: ${sentence}`),
];

describe('a build whose provision TaskRun was deleted', () => {
  const provision = aProvisionFor(claimed().build()).deleting().build();
  for (const [how, children] of [
    ['and is gone', []],
    ['and is held by a finalizer', [provision]],
  ] as const) {
    it(`${how}: waits 5 s for what its pod may have begun, then asks for the Secret, then begins anew`, () => {
      const observed = observe(claimed().build(), children, { seen: lost });
      expect(nextActions(observed, start + 4 * second)).to.deep.equal({ actions: [], lookAgainAt: start + 5 * second });
      expect(sentencesOf(nextActions(observed, start + 5 * second).actions)).to.deep.equal(asked);
    });
  }

  it('before this process began: asks at once', () => {
    const { actions } = nextActions(observe(claimed().build(), [provision], { seen: undefined }), start);
    expect(sentencesOf(actions)).to.deep.equal(asked);
  });

  it('and is cleaned up behind already: begins anew, whatever Secret there is', () => {
    const cleanup = aCleanupFor(claimed().build()).build();
    const { actions } = nextActions(observe(claimed().build(), [provision, cleanup]), start);
    expect(sentencesOf(actions)).to.deep.equal(anew.slice(1));
  });
});
