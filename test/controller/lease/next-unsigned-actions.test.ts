// Builds that carry our finalizer and no facts of ours: from a Go controller, or with their facts taken away.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import type { Labelled } from '../../../controller/lease/observed.ts';
import { second } from '../../../controller/model/instant.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { aCleanupFor, aProvisionFor, aTaskRun, readOwn, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';
import { olderMetadata, olderTaskRun } from './older-builds.ts';

const host = aHost('h').build();
const claim = {
  provider: 'static',
  host: 'h',
  address: host.address,
  user: host.user,
  sshSecret: host.secret,
} as const;
const roomy: Labelled = { to: 'host', claim, hasRoom: true };
const full: Labelled = { to: 'host', claim, hasRoom: false };
const local: Labelled = {
  to: 'host',
  claim: { provider: 'local', host: 'localhost', address: '', user: '', sshSecret: '' },
  hasRoom: true,
};

const older = (): TaskRunBuilder =>
  aTaskRun()
    .forPlatform('linux/arm64')
    .with(({ metadata }) => Object.assign(metadata, olderMetadata('h')));
const stripped = (): TaskRunBuilder =>
  aTaskRun()
    .forPlatform('linux/arm64')
    .claimed(host)
    .with(({ metadata }) => delete metadata['annotations']);

function olders(type: 'provision' | 'clean', status: Record<string, unknown> = {}): OwnTaskRun {
  const kept = readOwn({ ...olderTaskRun(type, 'build', host), status });
  if (kept === undefined) throw new Error('not ours');
  return kept;
}

function look(
  builder: TaskRunBuilder,
  labelled: Labelled = { to: 'nothing' },
  children: readonly OwnTaskRun[] = [],
  now = start,
) {
  const plan = nextActions(observe(builder.build(), children, { labelled }), now);
  return { does: sentencesOf(plan.actions), lookAgainAt: plan.lookAgainAt };
}

describe('a build an older controller gave a host', () => {
  it('that it was preparing: its provision TaskRun tells the facts, also when the host is full or not in host-config', () => {
    for (const labelled of [roomy, full, { to: 'nothing' } as const])
      expect(look(older(), labelled, [olders('provision')]).does).to.deep.equal(['patch: attempt 0 on h']);
  });

  it('with its Secret: takes a slot, if there is one', () => {
    expect(look(older(), roomy).does.slice(0, 2)).to.deep.equal([
      'check Secret',
      '  there: patch: attempt 0 on h ready',
    ]);
    expect(look(older(), full).does.filter((it) => it.includes('there:'))).to.deep.equal([]);
  });

  it('without a Secret: what was begun is cleaned up, and it waits for a host like any other', () => {
    expect(look(older(), roomy).does.filter((it) => it.includes('missing:'))).to.deep.equal([
      '  missing: create cleanup 1 of attempt 0 on h',
      '  missing: patch: attempt 0, assigned-host away',
    ]);
  });

  it('that ended: is released like one of ours', () => {
    expect(look(older().ended(), full).does).to.deep.equal(['patch: attempt 0 on h']);
  });

  it('that is being cleaned by an older cleanup: nothing holds that one, so it is cleaned once more', () => {
    expect(look(older().ended(), roomy, [olders('clean')]).does[0]).to.match(/^patch: attempt 0 on /);
  });

  it('that runs in its own pod: gets its Secret', () => {
    expect(look(older(), local).does).to.deep.equal(['patch: attempt 0 on localhost, assigned-host=localhost']);
  });
});

describe('a build whose host is not in host-config', () => {
  it('is left alone while it runs with a Secret, and waits for a host without one', () => {
    expect(look(older()).does).to.deep.equal(['check Secret', '  missing: patch: attempt 0, assigned-host away']);
  });

  it('has ended: is let go, and told what stays behind', () => {
    expect(look(older().ended()).does).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'patch: finalizer away, assigned-host away',
      'event Warning HostLost: its label names host h, which is not in host-config for this platform, or was not written there by this controller: what the build left there is not cleaned up',
    ]);
  });

  it('has ended while host-config cannot be read: so long it is waited for', () => {
    const unknown = { to: 'unknown' } as const;
    expect(look(older().ended(), unknown)).to.deep.equal({ does: [], lookAgainAt: start + 15 * second });
    expect(look(older().ended(), unknown, [], start + 15 * second).does).to.have.length(3);
  });
});

describe('a build with a label that is neither ours nor older than we are', () => {
  const forgery = { to: 'forgery' } as const;

  it('waits for a host like any other, whatever Secret is there', () => {
    expect(look(older(), forgery).does).to.deep.equal(['patch: attempt 0, assigned-host away']);
    expect(look(stripped(), forgery).does).to.deep.equal(['patch: attempt 1, assigned-host away']);
  });

  it('has ended: is let go, and nothing is cleaned anywhere', () => {
    expect(look(stripped().ended(), forgery).does.slice(0, 2)).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'patch: finalizer away, assigned-host away',
    ]);
  });

  it('is ours all the same when a TaskRun of ours works for it', () => {
    const claimed = aTaskRun().forPlatform('linux/arm64').claimed(host).build();
    expect(look(stripped(), forgery, [aProvisionFor(claimed).build()]).does).to.deep.equal(['patch: attempt 1 on h']);
  });
});

describe('a build of ours whose facts were taken away', () => {
  const claimed = aTaskRun().forPlatform('linux/arm64').claimed(host).build();

  it('is found by its provision TaskRun, whatever its label says', () => {
    expect(look(stripped(), { to: 'nothing' }, [aProvisionFor(claimed).build()]).does).to.deep.equal([
      'patch: attempt 1 on h',
    ]);
  });

  it('is being cleaned up: holds nothing, and the next attempt is a new one', () => {
    expect(look(stripped(), roomy, [aCleanupFor(claimed).build()]).does).to.deep.equal([
      'delete Secret team-a/multi-platform-ssh-build',
      'patch: attempt 1, assigned-host away',
    ]);
  });

  it('was ready: label and Secret say so, and it is never prepared again', () => {
    expect(look(stripped(), roomy).does.slice(0, 2)).to.deep.equal([
      'check Secret',
      '  there: patch: attempt 1 on h ready',
    ]);
    expect(look(stripped(), roomy).does.join()).not.to.contain('create provision');
  });

  it('has ended: its host is cleaned of that attempt', () => {
    expect(look(stripped().ended(), roomy).does).to.deep.equal(['patch: attempt 1 on h']);
  });

  it('has facts, but older ones than our TaskRuns know of: those count', () => {
    const second1 = aTaskRun().forPlatform('linux/arm64').claimed(host).gaveUpHost().claimed(aHost('i')).build();
    const behind = aTaskRun().forPlatform('linux/arm64').claimed(host).gaveUpHost();
    expect(look(behind, { to: 'nothing' }, [aProvisionFor(second1).build()]).does).to.deep.equal([
      'patch: attempt 2 on i, assigned-host=i, waiting-for-platform away',
    ]);
  });
});
