// What a launch TaskRun tells while it waits for room.
import { expect } from 'chai';
import type { Action } from '../../../controller/model/action.ts';
import type { KeptTaskRun } from '../../../controller/model/task-run.ts';
import { LaunchNews, readLaunchReport, type LaunchReport } from '../../../controller/reconcile/launch-news.ts';
import { aTaskRun, type OwnTaskRunBuilder } from '../../support/builders.ts';
import { aLaunchFor, launching } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { sentencesOf } from '../lease/action-sentences.ts';

const build = launching(aTaskRun().forPlatform('linux/arm64').withPod('pod'), aPool());
const launch = (): OwnTaskRunBuilder => aLaunchFor(build.build(), aPool());
const report = (message = 'no node', about = launch().build().uid): LaunchReport =>
  readLaunchReport({
    metadata: { uid: 'uid-of-event', name: 'event', namespace: 'operator', resourceVersion: '1' },
    involvedObject: { uid: about },
    message,
  });

async function told(kept: readonly KeptTaskRun[], news: LaunchReport, acting = true): Promise<string[]> {
  const done: Action[] = [];
  const listener = new LaunchNews({
    taskRuns: { byUid: (uid) => kept.find((it) => it.uid === uid) },
    perform: async (actions) => void done.push(...actions),
    onError: (message) => expect.fail(message),
  });
  if (acting) listener.start();
  await listener.note(news);
  return sentencesOf(done);
}

describe('news of a launch', () => {
  it('are told to the build and shown in its pod', async () => {
    expect(await told([build.build(), launch().build()], report())).to.deep.equal([
      'event Normal WaitingForHost: waiting for its host to be launched: no node',
      'annotate pod pod: wait-reason=waiting for its host to be launched: no node',
    ]);
  });

  const nobody: readonly [string, readonly KeptTaskRun[], LaunchReport, boolean?][] = [
    ['about no TaskRun of ours', [build.build()], report()],
    ['about a build', [build.build()], report('no node', build.build().uid)],
    ['about a launch that ended', [build.build(), launch().ended('failed').build()], report()],
    ['whose build is gone', [launch().build()], report()],
    ['without a word', [build.build(), launch().build()], report('')],
    ['while somebody else leads', [build.build(), launch().build()], report(), false],
  ];
  for (const [what, kept, news, acting] of nobody)
    it(`${what}: nobody is told`, async () => expect(await told(kept, news, acting)).to.deep.equal([]));

  it('are cut where they are no sentence any more', async () => {
    const [first = ''] = await told([build.build(), launch().build()], report('x'.repeat(9000)));
    expect(first.length).to.be.below(1200);
  });
});
