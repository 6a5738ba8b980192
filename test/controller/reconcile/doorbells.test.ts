import { expect } from 'chai';
import type { KeptTaskRun } from '../../../controller/model/task-run.ts';
import { keysFor } from '../../../controller/reconcile/doorbells.ts';
import { aCleanupFor, aProvisionFor, aTaskRun, type TaskRunBuilder } from '../../support/builders.ts';

const build = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64');
const waiting = build().build();
const claimed = build().claimed().build();
const ready = build().claimed().ready().build();
const ended = build().claimed().ended().build();
const gaveUp = build().claimed().gaveUpHost().build();
const rejected = build().rejected('PlatformUnknown').build();
const local = aTaskRun().forPlatform('linux/x86_64').claimedLocally().build();
const provision = aProvisionFor(claimed).build();
const cleanup = aCleanupFor(claimed).build();

const own = 'build:uid-of-build';
const lane = 'platform:linux/arm64';

describe('which looks a change calls for', () => {
  const changes: readonly (readonly [string, KeptTaskRun | undefined, KeptTaskRun | undefined, string[]])[] = [
    ['a new build', undefined, waiting, [own, lane]],
    ['a waiting build got a host', waiting, claimed, [own, lane]],
    ['its host is ready', claimed, ready, [own]],
    ['it ended: a slot is free', claimed, ended, [own, lane]],
    ['it is being deleted: a slot is free', ready, build().claimed().ready().deleting().build(), [own, lane]],
    ['it is gone all at once: a slot is free', ready, undefined, [own, lane]],
    ['its host failed: a slot is free, and it waits again', claimed, gaveUp, [own, lane]],
    ['it was rejected', waiting, rejected, [own, lane]],
    ['a waiting one ended', waiting, build().ended().build(), [own, lane]],
    ['an ended one is gone: its slot may have waited for that', ended, undefined, [own, lane]],
    ['an ended one was released', ended, build().claimed().ended().released().build(), [own, lane]],
    ['its facts were missing and are settled', { ...gaveUp, facts: undefined }, gaveUp, [own, lane]],
    ['its failed hosts changed', waiting, { ...waiting, failedHosts: ['h'] }, [own, lane]],
    ['somebody wrote something else', waiting, { ...waiting, resourceVersion: '2' }, [own]],
    ['one that needs no host ended', local, { ...local, outcome: 'succeeded' }, [own]],
    ['one without PLATFORM', undefined, aTaskRun().build(), [own]],
    [
      'one whose PLATFORM is no text: its lane refuses it',
      undefined,
      aTaskRun().forPlatform([]).build(),
      [own, 'platform:'],
    ],
    ['a TaskRun of ours appeared', undefined, provision, [own]],
    ['a provision TaskRun is gone', provision, undefined, [own]],
    ['a cleanup ended: a slot may have waited for that', cleanup, { ...cleanup, outcome: 'failed' }, [own, lane]],
    ['a cleanup that ran is gone', cleanup, undefined, [own, lane]],
    ['a cleanup that had ended is gone', { ...cleanup, outcome: 'succeeded' }, undefined, [own]],
    ['a TaskRun of ours that works for no build', undefined, { ...provision, type: 'update', userUid: '' }, []],
    ['nothing', undefined, undefined, []],
  ];
  for (const [what, before, after, keys] of changes) {
    it(`${what}: ${keys.join(', ') || 'none'}`, () => expect(keysFor(before, after)).to.deep.equal(keys));
  }
});
