// What a running build needs of its one-time token: good again for every retry, and forgotten at the release.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import { markReady, noteOneTimeKey, noteRetries } from '../../../controller/lease/write-lease.ts';
import { signFacts } from '../../../controller/lease/signed-facts.ts';
import type { LeaseFacts } from '../../../controller/model/host-lease.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { aProvisionFor, aTaskRun, factsOf, testKey, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';

const claimed = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64').claimed(aHost('h'));
const withKey = aProvisionFor(claimed().build()).ended('succeeded', start, { ONE_TIME_KEY: 'true' }).build();

function look(builder: TaskRunBuilder, children: readonly OwnTaskRun[] = []): string[] {
  return sentencesOf(nextActions(observe(builder.build(), children), start).actions);
}

function withFacts(
  builder: TaskRunBuilder,
  change: (facts: LeaseFacts) => LeaseFacts | undefined | null,
): TaskRunBuilder {
  const taskRun = builder.build();
  const facts = change(factsOf(taskRun));
  if (facts === undefined || facts === null) throw new Error('no facts');
  return builder.with(({ metadata }) => {
    const signed = signFacts(testKey, taskRun.uid, facts);
    Object.assign(metadata['annotations'] ?? {}, { 'build.appstudio.redhat.com/host-lease': signed });
  });
}

/** Between two runs, as Tekton writes it: no pod, condition Unknown. */
function retried(builder: TaskRunBuilder, times: number): TaskRunBuilder {
  return builder.with(({ status }) => {
    status['retriesStatus'] = Array.from({ length: times }, () => ({}));
    status['conditions'] = [{ type: 'Succeeded', status: 'Unknown', reason: 'ToBeRetried' }];
    delete status['podName'];
  });
}

describe('the one-time token of a build', () => {
  it('is armed once per retry, and the build keeps its host', () => {
    expect(look(retried(claimed().ready(), 1))).to.deep.equal([
      'one-time token is good for 1 retries',
      'patch: attempt 1 on h ready armed for 1 retries',
    ]);
    const armed = withFacts(retried(claimed().ready(), 1), (facts) => noteRetries(facts, 1).facts);
    expect(look(armed)).to.deep.equal([]);
    const again = withFacts(retried(claimed().ready(), 2), (facts) => noteRetries(facts, 1).facts);
    expect(look(again)[0]).to.equal('one-time token is good for 2 retries');
  });

  it('is none of a build that runs in its own pod', () => {
    const local = aTaskRun().forPlatform('linux/x86_64').claimedLocally().ready();
    expect(look(retried(local, 1))).to.deep.equal([]);
  });

  it('is noted when the provision TaskRun says that its key is stored, also when the Secret was delivered before', () => {
    expect(look(claimed(), [withKey])).to.include('  there: patch: attempt 1 on h ready with a stored key');
    expect(look(claimed().ready(), [withKey])).to.deep.equal(['patch: attempt 1 on h ready with a stored key']);
  });

  it('is forgotten with the Secret of the build', () => {
    const stored = withFacts(claimed(), (facts) => noteOneTimeKey(markReady(facts).facts ?? facts).facts).ended();
    expect(look(stored)).to.deep.equal([
      'create cleanup 1 of attempt 1 on h',
      'delete Secret team-a/multi-platform-ssh-build',
      'delete Secret multi-platform-controller/multi-platform-one-time-key-uid-of-build',
      'event Normal Released: host h is released',
      'patch: attempt 1, finalizer away, assigned-host away',
    ]);
  });
});
