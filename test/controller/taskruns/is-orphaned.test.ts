import { expect } from 'chai';
import { hour } from '../../../controller/model/instant.ts';
import { ownTaskRunFinalizer } from '../../../controller/model/labels.ts';
import { isOrphaned } from '../../../controller/taskruns/is-orphaned.ts';
import { aCleanupFor, aTaskRun, endedStatus, instantText, readOwn } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';

interface Left {
  readonly type?: string;
  readonly status?: object;
  readonly metadata?: object;
}

/** A TaskRun of ours that names no build. */
function orphaned({ type = 'provision', status = {}, metadata = {} }: Left, now: number): boolean {
  const labels = { 'build.appstudio.redhat.com/task-type': type };
  const creationTimestamp = instantText(start);
  const taskRun = readOwn({ metadata: { name: 'left', uid: 'u', labels, creationTimestamp, ...metadata }, status });
  if (taskRun === undefined) throw new Error('not ours');
  return isOrphaned(taskRun, now, hour);
}

const ended = endedStatus('failed', start);
const deletionTimestamp = instantText(start);

describe('a TaskRun of ours that works for no build', () => {
  const rows: readonly (readonly [string, Left, number, boolean])[] = [
    ['that ended is kept for its log', { status: ended }, start + hour - 1, false],
    ['that ended an hour ago is an orphan', { status: ended }, start + hour, true],
    ['is one whatever its type', { type: 'terminate', status: ended }, start + hour, true],
    ['is none while it runs', {}, start + 100 * hour, false],
    ['is none if it updates a host: that is looked after', { type: 'update', status: ended }, start + hour, false],
    ['is none while it is being deleted', { status: ended, metadata: { deletionTimestamp } }, start + hour, false],
    [
      'is one if only our finalizer keeps it',
      { metadata: { deletionTimestamp, finalizers: [ownTaskRunFinalizer] } },
      start,
      true,
    ],
  ];
  for (const [sentence, left, now, expected] of rows) {
    it(sentence, () => expect(orphaned(left, now)).to.equal(expected));
  }

  it('is none if it names a build, whether that is there or not', () => {
    const cleanup = aCleanupFor(aTaskRun().forPlatform('linux/arm64').claimed().build()).ended('failed').build();
    expect(isOrphaned(cleanup, start + 100 * hour, hour)).to.equal(false);
  });
});
