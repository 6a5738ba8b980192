// TaskRuns of ours that work for a build: tried again, kept for their logs, deleted, whatever became of the build.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import { hour, minute, second } from '../../../controller/model/instant.ts';
import {
  aCleanupFor,
  aProvisionFor,
  aTaskRun,
  type OwnTaskRunBuilder,
  type TaskRunBuilder,
} from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';

const claimed = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64').claimed(aHost('h'));
const provision = (): OwnTaskRunBuilder => aProvisionFor(claimed().build());
const cleanup = (cleanupTry = 1): OwnTaskRunBuilder => aCleanupFor(claimed().build(), cleanupTry);
const withoutFinalizer = (builder: OwnTaskRunBuilder): OwnTaskRunBuilder =>
  builder.with(({ metadata }) => delete metadata['finalizers']);

const cleaned = (builder: OwnTaskRunBuilder): OwnTaskRunBuilder =>
  builder.with(({ metadata }) =>
    Object.assign(metadata['labels'] ?? {}, { 'build.appstudio.redhat.com/cleaned': 'true' }),
  );

const gone = undefined;
const released = (): TaskRunBuilder => claimed().ended().released();
const waitsAgain = (): TaskRunBuilder => claimed().gaveUpHost();
const onNextHost = (): TaskRunBuilder => waitsAgain().claimed(aHost('i')).ready();

function look(builder: TaskRunBuilder | undefined, children: readonly OwnTaskRunBuilder[], now = start) {
  const own = children.map((it) => it.build());
  const plan = nextActions(observe(builder?.build(), own), now);
  return { does: sentencesOf(plan.actions), lookAgainAt: plan.lookAgainAt };
}

describe('a provision TaskRun nobody needs any more', () => {
  for (const [when, builder] of [
    ['its build waits for another host', waitsAgain()],
    ['its build is on another host', onNextHost()],
    ['its build has ended', released()],
  ] as const) {
    it(`runs although ${when}: is cancelled`, () => {
      expect(look(builder, [provision()]).does).to.deep.equal(['cancel provision of attempt 1 on h']);
    });
  }

  it('is not cancelled twice', () => expect(look(released(), [provision().cancelled()]).does).to.deep.equal([]));

  it('succeeded: is deleted at once', () => {
    expect(look(released(), [provision().ended('succeeded')]).does).to.deep.equal([
      'delete provision of attempt 1 on h',
    ]);
  });

  it('failed: is kept for an hour, its log is the only trace', () => {
    const failed = provision().ended('failed', start + minute);
    expect(look(waitsAgain(), [failed], start + hour)).to.deep.equal({ does: [], lookAgainAt: start + minute + hour });
    expect(look(waitsAgain(), [failed], start + minute + hour).does).to.deep.equal([
      'delete provision of attempt 1 on h',
    ]);
  });

  it('failed because it was cancelled: is deleted at once', () => {
    const stopped = provision().cancelled().ended('failed');
    expect(look(released(), [stopped]).does).to.deep.equal(['delete provision of attempt 1 on h']);
  });

  it('of a build that vanished without a release: is cancelled and awaited, then its host is cleaned', () => {
    expect(look(gone, [provision()]).does).to.deep.equal(['cancel provision of attempt 1 on h']);
    expect(look(gone, [provision().cancelled()]).does).to.deep.equal([]);
    expect(look(gone, [provision().cancelled().ended('failed')]).does).to.deep.equal([
      'create cleanup 1 of attempt 1 on h',
      'delete provision of attempt 1 on h',
    ]);
    expect(look(gone, [provision().cancelled().deleting()]).does).to.deep.equal(['create cleanup 1 of attempt 1 on h']);
    expect(look(gone, [provision().ended('succeeded')]).does).to.deep.equal([
      'create cleanup 1 of attempt 1 on h',
      'delete provision of attempt 1 on h',
    ]);
  });

  it('of a build that vanished: one that never came to its host left nothing there', () => {
    const refused = provision().ended('failed', start, { REASON: 'AuthenticationFailed' });
    expect(look(gone, [refused]).does).to.deep.equal([]);
  });

  it('is kept for its log: it remembers that its host is clean when the cleanup goes', () => {
    const failed = provision().ended('failed', start);
    expect(look(gone, [failed, cleanup().ended('succeeded')]).does).to.deep.equal([
      'mark provision of attempt 1 on h as cleaned',
      'drop the finalizer of cleanup 1 of attempt 1 on h',
      'delete cleanup 1 of attempt 1 on h',
    ]);
    expect(look(gone, [cleaned(failed)]).does).to.deep.equal([]);
  });

  it('is left to whoever deletes it', () => expect(look(released(), [provision().deleting()]).does).to.deep.equal([]));
});

describe('the provision TaskRun its build stands on', () => {
  it('is left alone', () => {
    expect(look(claimed().ready(), [provision().ended('failed')]).does).to.deep.equal([]);
    expect(look(claimed(), [provision()]).does).to.deep.equal([]);
  });

  it('is deleted when it is delivered, though the look that delivered was cut off', () => {
    expect(look(claimed().ready(), [provision().ended('succeeded')]).does).to.deep.equal([
      'delete provision of attempt 1 on h',
    ]);
  });
});

describe('a cleanup', () => {
  it('runs: nothing', () => expect(look(gone, [cleanup()]).does).to.deep.equal([]));

  it('succeeded, and the build is over: a Secret that came late goes, the finalizer goes, it goes', () => {
    expect(look(released(), [cleanup().ended('succeeded')]).does).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'drop the finalizer of cleanup 1 of attempt 1 on h',
      'delete cleanup 1 of attempt 1 on h',
    ]);
  });

  it('succeeded, and the build is gone: its Secret went with it, and one of that name is of another build', () => {
    expect(look(gone, [cleanup().ended('succeeded')]).does).to.deep.equal([
      'drop the finalizer of cleanup 1 of attempt 1 on h',
      'delete cleanup 1 of attempt 1 on h',
    ]);
  });

  it('succeeded, and the build goes on elsewhere: its Secret stays', () => {
    expect(look(onNextHost(), [cleanup().ended('succeeded')]).does).to.deep.equal([
      'drop the finalizer of cleanup 1 of attempt 1 on h',
      'delete cleanup 1 of attempt 1 on h',
    ]);
  });

  it('succeeded, cut off after its finalizer went: is deleted', () => {
    expect(look(onNextHost(), [withoutFinalizer(cleanup().ended('succeeded'))]).does).to.deep.equal([
      'delete cleanup 1 of attempt 1 on h',
    ]);
  });

  it('succeeded and is being deleted already: only its finalizer is in the way', () => {
    expect(look(onNextHost(), [cleanup().ended('succeeded').deleting()]).does).to.deep.equal([
      'drop the finalizer of cleanup 1 of attempt 1 on h',
    ]);
  });

  it('failed: is tried again after a pause', () => {
    const failed = cleanup().ended('failed', start);
    expect(look(gone, [failed], start + 9 * second)).to.deep.equal({ does: [], lookAgainAt: start + 10 * second });
    expect(look(gone, [failed], start + 10 * second).does).to.deep.equal(['create cleanup 2 of attempt 1 on h']);
  });

  it('failed for the third time: the pause has grown, and the build is told', () => {
    const tries = [1, 2, 3].map((nth) => cleanup(nth).ended('failed', start));
    expect(look(released(), tries, start + 89 * second).lookAgainAt).to.equal(start + 90 * second);
    expect(look(released(), tries, start + 90 * second).does).to.include.members([
      'create cleanup 4 of attempt 1 on h',
      'event Warning CleanupFailed: host h could not be cleaned, trying again: as the test said',
    ]);
  });

  it('failed and has a successor: no finalizer any more, kept an hour for its log', () => {
    const children = [cleanup(1).ended('failed', start), cleanup(2)];
    expect(look(gone, children, start + minute)).to.deep.equal({
      does: ['drop the finalizer of cleanup 1 of attempt 1 on h'],
      lookAgainAt: start + hour,
    });
    const old = [withoutFinalizer(cleanup(1).ended('failed', start)), cleanup(2)];
    expect(look(gone, old, start + hour).does).to.deep.equal(['delete cleanup 1 of attempt 1 on h']);
  });

  it('is deleted while it runs: another one first, then it may go', () => {
    expect(look(gone, [cleanup().deleting()]).does).to.deep.equal([
      'create cleanup 2 of attempt 1 on h',
      'drop the finalizer of cleanup 1 of attempt 1 on h',
    ]);
  });

  it('is deleted after it failed: keeps its finalizer until it has a successor', () => {
    const failed = cleanup().ended('failed', start).deleting();
    expect(look(gone, [failed], start + second).does).to.deep.equal([]);
    expect(look(gone, [failed], start + 10 * second).does).to.deep.equal(['create cleanup 2 of attempt 1 on h']);
    expect(look(gone, [failed, cleanup(2)], start + 10 * second).does).to.deep.equal([
      'drop the finalizer of cleanup 1 of attempt 1 on h',
    ]);
  });

  it('succeeded: earlier ones of the attempt need no successor', () => {
    const children = [cleanup(1).ended('failed', start), cleanup(2).ended('succeeded', start)];
    expect(look(released(), children, start + hour).does).to.deep.equal([
      'drop the finalizer of cleanup 1 of attempt 1 on h',
      'delete cleanup 1 of attempt 1 on h',
      'delete Secret team-a/multi-platform-ssh-build',
      'drop the finalizer of cleanup 2 of attempt 1 on h',
      'delete cleanup 2 of attempt 1 on h',
    ]);
  });

  it('succeeded: a failed one that is kept is not tried again when it is the last that is left', () => {
    const failed = withoutFinalizer(cleanup(1).ended('failed', start));
    expect(look(gone, [failed, cleanup(2).ended('succeeded')]).does).to.deep.equal([
      'mark cleanup 1 of attempt 1 on h as cleaned',
      'drop the finalizer of cleanup 2 of attempt 1 on h',
      'delete cleanup 2 of attempt 1 on h',
    ]);
    expect(look(gone, [cleaned(failed)], start + minute).does).to.deep.equal([]);
    expect(look(gone, [cleaned(failed)], start + hour).does).to.deep.equal(['delete cleanup 1 of attempt 1 on h']);
  });

  it('failed again and again: the two newest logs are kept', () => {
    const tries = [1, 2, 3, 4].map((nth) => withoutFinalizer(cleanup(nth).ended('failed', start)));
    expect(look(gone, [...tries, cleanup(5)], start + minute).does).to.deep.equal([
      'delete cleanup 1 of attempt 1 on h',
      'delete cleanup 2 of attempt 1 on h',
    ]);
  });

  it('of a host that is not in host-config any more: given up after a day of tries, and told', () => {
    const look1 = (nth: number, known: boolean): string[] => {
      const kept = withoutFinalizer(cleanup(nth - 1).ended('failed', start)).build();
      const children = [kept, cleanup(nth).ended('failed', start).build()];
      return sentencesOf(nextActions(observe(gone, children, { isConfigured: () => known }), start + hour - 1).actions);
    };
    expect(look1(80, false)).to.deep.equal([
      'report host-user on h',
      'delete cleanup 79 of attempt 1 on h',
      'drop the finalizer of cleanup 80 of attempt 1 on h',
      'delete cleanup 80 of attempt 1 on h',
    ]);
    expect(look1(80, true)).to.deep.equal(['create cleanup 81 of attempt 1 on h']);
    expect(look1(20, false)).to.deep.equal(['create cleanup 21 of attempt 1 on h']);
  });

  it('succeeded while its build still stands on that attempt: stays until the finalizer is gone', () => {
    const look1 = look(claimed().ready().ended(), [cleanup().ended('succeeded')]);
    expect(look1.does).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'event Normal Released: host h is released',
      'patch: attempt 1, finalizer away, assigned-host away',
    ]);
  });
});
