// One look at a build in every phase: what is asked for, in which order.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import { readPhase } from '../../../controller/lease/read-lease.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
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

interface Around {
  readonly children?: readonly (OwnTaskRunBuilder | OwnTaskRun)[];
  readonly podTold?: boolean;
  /** The provision TaskRuns say that the Secret is there. */
  readonly reported?: boolean;
  readonly now?: number;
}

function look(
  builder: TaskRunBuilder | undefined,
  { children = [], podTold = true, reported = false, now = start }: Around = {},
) {
  const own = children.map((it) => ('build' in it ? it.build() : it));
  const observed = observe(builder?.build(), own, {
    podTold,
    reported: new Set(reported ? own.map(({ uid }) => uid) : []),
  });
  const plan = nextActions(observed, now);
  return { phase: readPhase(observed, now), does: sentencesOf(plan.actions), lookAgainAt: plan.lookAgainAt };
}

const aBuild = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64');
const claimed = (): TaskRunBuilder => aBuild().claimed(aHost('h'));
const provision = (): OwnTaskRunBuilder => aProvisionFor(claimed().build());
const cleanup = (cleanupTry = 1): OwnTaskRunBuilder => aCleanupFor(claimed().build(), cleanupTry);

describe('a build that holds nothing', () => {
  it('waits for its lane', () => expect(look(aBuild())).to.deep.include({ phase: 'waiting', does: [] }));

  it('names no PLATFORM: is told once, and left alone', () => {
    expect(look(aTaskRun()).does.map((it) => it.replace(/:.*/, ''))).to.deep.equal(['event Warning PlatformMissing']);
  });

  it('ended: nothing', () => expect(look(aBuild().ended())).to.deep.include({ phase: 'over', does: [] }));

  it('ended while it waited: what said so goes, and the finalizer of an earlier attempt', () => {
    const waited = claimed().gaveUpHost().ended();
    expect(look(waited)).to.deep.include({
      phase: 'over',
      does: ['patch: attempt 1, finalizer away, waiting-for-platform away'],
    });
  });

  it('rejected: it is told why, once', () => {
    expect(look(aBuild().withPod('p').refused('PlatformUnknown', 'no such platform'))).to.deep.include({
      phase: 'rejected',
      does: [
        'create Secret error',
        'patch: attempt 0 rejected PlatformUnknown',
        'annotate pod p: assigned-host=error',
        'event Warning Rejected: no such platform',
      ],
    });
    expect(look(aBuild().rejected('PlatformUnknown'))).to.deep.include({ phase: 'rejected', does: [] });
  });

  it('has facts that are not ours, copied with all the rest from another: they go, then it waits', () => {
    const forged = claimed().with(({ metadata }) => (metadata['uid'] = 'copied-to-another'));
    expect(look(forged)).to.deep.include({
      phase: 'unsigned',
      does: ['check Secret', '  missing: patch: attempt 1, assigned-host away'],
    });
    const unbound = forged.with(({ metadata }) => delete metadata['finalizers']);
    expect(look(unbound)).to.deep.include({ phase: 'waiting', does: [] });
  });
});

describe('a build with a claim', () => {
  it('gets its provision TaskRun', () => {
    expect(look(claimed())).to.deep.include({
      phase: 'claimed',
      does: ['create provision of attempt 1 on h', 'event Normal Provisioning: preparing host h (attempt 1)'],
    });
  });

  it('waits for that to end', () => {
    expect(look(claimed(), { children: [provision()] })).to.deep.include({ phase: 'provisioning', does: [] });
  });

  it('is ready when it succeeded and the Secret is there', () => {
    const seen = look(claimed().withPod('p'), { children: [provision().ended('succeeded')] });
    expect(seen.phase).to.equal('provisioned');
    expect(seen.does).to.deep.equal([
      'check Secret',
      '  there: patch: attempt 1 on h ready',
      '  there: annotate pod p: assigned-host=h, queue-position away, wait-reason away',
      '  there: event Normal HostReady: host h is ready',
      '  there: delete provision of attempt 1 on h',
      '  missing: create cleanup 1 of attempt 1 on h',
      '  missing: create Secret error',
      '  missing: patch: attempt 1 rejected SecretNotCreated, assigned-host away',
      '  missing: annotate pod p: assigned-host=error',
      '  missing: event Warning Rejected: provision task failed to create a secret: ask an administrator to look at Task provision-shared-host',
    ]);
  });

  it('tries another host when it failed: the half-made user is cleaned up, the slot given back', () => {
    const failed = provision().ended('failed', start, { REASON: 'HostUnsuitable', MESSAGE: 'disk is full' });
    expect(look(claimed(), { children: [failed] })).to.deep.include({
      phase: 'failed',
      does: [
        'delete Secret team-a/multi-platform-ssh-build',
        'create cleanup 1 of attempt 1 on h',
        'patch: attempt 1, failed-hosts=h, assigned-host away, waiting-for-platform=linux-arm64',
        'event Warning ProvisionFailed: host h could not be prepared: disk is full',
      ],
    });
  });

  it('asks for no second cleanup of one attempt', () => {
    const children = [provision().ended('failed'), cleanup()];
    // Nor is the Secret deleted again: that of this name may say by now what is wrong.
    expect(look(claimed(), { children }).does[0]).to.equal(
      'patch: attempt 1, failed-hosts=h, assigned-host away, waiting-for-platform=linux-arm64',
    );
  });

  it("is refused when somebody else's Secret is in the way: no other host would help", () => {
    const failed = provision().ended('failed', start, { REASON: 'SecretExists' });
    expect(look(claimed(), { children: [failed] }).does).to.deep.equal([
      'create cleanup 1 of attempt 1 on h',
      'create Secret error',
      'patch: attempt 1 rejected SecretExists, assigned-host away',
      'event Warning Rejected: Secret multi-platform-ssh-build exists already and is not ours: delete it and run the build again',
    ]);
  });

  it('tries again when the Secret in the way may be of its own attempt before, whose pod ran on for a moment', () => {
    const again = claimed().gaveUpHost().claimed(aHost('h'));
    const failed = aProvisionFor(again.build()).ended('failed', start, { REASON: 'SecretExists' });
    expect(look(again, { children: [failed] }).does).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'create cleanup 1 of attempt 2 on h',
      'patch: attempt 2, assigned-host away, waiting-for-platform=linux-arm64',
      'event Warning ProvisionFailed: host h could not be prepared: as the test said',
    ]);
  });

  it('never starts an attempt again that was cleaned up', () => {
    expect(look(claimed(), { children: [cleanup()] })).to.deep.include({
      phase: 'claimed',
      does: ['patch: attempt 2 on h after a lost one'],
    });
  });

  it('on its own pod has its Secret at once', () => {
    const local = aTaskRun().forPlatform('linux/x86_64').withPod('p').claimedLocally();
    expect(look(local).does).to.deep.equal([
      'create Secret host',
      'patch: attempt 1 on localhost ready',
      'annotate pod p: assigned-host=localhost, queue-position away, wait-reason away',
      'event Normal HostReady: host localhost is ready',
    ]);
  });
});

describe('a build with a host', () => {
  const ready = (): TaskRunBuilder => claimed().ready();

  it('is left alone', () => expect(look(ready())).to.deep.include({ phase: 'ready', does: [] }));

  it('has its pod told, if it was not', () => {
    expect(look(ready().withPod('p'), { podTold: false }).does).to.deep.equal([
      'annotate pod p: assigned-host=h, queue-position away, wait-reason away',
    ]);
  });

  it('has no pod yet: nobody to tell', () => expect(look(ready(), { podTold: false }).does).to.deep.equal([]));

  for (const [how, builder] of [
    ['succeeded', ready().ended('succeeded')],
    ['failed', ready().ended('failed')],
    ['is being deleted', ready().deleting()],
  ] as const) {
    it(`gives it back when it ${how}: responsibility goes to the cleanup first, the finalizer last`, () => {
      expect(look(builder)).to.deep.include({
        phase: 'releasing',
        does: [
          'create cleanup 1 of attempt 1 on h',
          'delete Secret team-a/multi-platform-ssh-build',
          'event Normal Released: host h is released',
          'patch: attempt 1, finalizer away, assigned-host away',
        ],
      });
    });
  }

  it('in its own pod has nothing to clean up', () => {
    const local = aTaskRun().forPlatform('linux/x86_64').claimedLocally().ready().ended();
    expect(look(local).does).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'event Normal Released: host localhost is released',
      'patch: attempt 1, finalizer away, assigned-host away',
    ]);
  });
});

describe('a build that ends while its host is prepared', () => {
  const ended = (): TaskRunBuilder => claimed().ended('failed', start);

  it('has that cancelled, and waits', () => {
    expect(look(ended(), { children: [provision()] })).to.deep.equal({
      phase: 'stopping',
      does: ['cancel provision of attempt 1 on h'],
      lookAgainAt: start + 30 * second,
    });
  });

  it('cancels once', () => {
    expect(look(ended(), { children: [provision().cancelled()] })).to.deep.include({ phase: 'stopping', does: [] });
  });

  it('goes on when it is done', () => {
    const children = [provision().cancelled().ended('failed')];
    expect(look(ended(), { children })).to.deep.include({ phase: 'releasing' });
    expect(look(ended(), { children }).does[0]).to.equal('create cleanup 1 of attempt 1 on h');
  });

  it('goes on after 30 s', () => {
    const around = { children: [provision().cancelled()], now: start + 30 * second };
    expect(look(ended(), around).does[0]).to.equal('create cleanup 1 of attempt 1 on h');
  });

  it('though nobody cancelled it in time: now', () => {
    const around = { children: [provision()], now: start + 10 * minute };
    expect(look(ended(), around).does.slice(0, 2)).to.deep.equal([
      'cancel provision of attempt 1 on h',
      'create cleanup 1 of attempt 1 on h',
    ]);
  });
});
