import { expect } from 'chai';
import { aCleanupFor, aProvisionFor, aTaskRun, readOwn } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';

const prefix = 'build.appstudio.redhat.com';
const build = aTaskRun().forPlatform('linux/arm64').claimed(aHost('h')).build();

describe('TaskRuns of ours, as kept', () => {
  it('a provision TaskRun says whom it works for and on what', () => {
    const kept = aProvisionFor(build).build();
    expect(kept).to.deep.include({
      kind: 'own',
      type: 'provision',
      userUid: 'uid-of-build',
      userName: 'build',
      userNamespace: 'team-a',
      attempt: 1,
      host: 'h',
      facts: build.facts,
      hasFinalizer: false,
      cancelled: false,
      outcome: 'running',
      completed: undefined,
      results: {},
    });
  });

  it('a cleanup says which try it is, and has our finalizer', () => {
    const kept = aCleanupFor(build, 3).build();
    expect([kept.type, kept.cleanupTry, kept.hasFinalizer]).to.deep.equal(['clean', 3, true]);
  });

  it('its results, its message and its end are read', () => {
    const kept = aProvisionFor(build)
      .ended('failed', start + 5000, { REASON: 'SecretExists', MESSAGE: 'taken' })
      .build();
    expect(kept).to.deep.include({
      outcome: 'failed',
      completed: start + 5000,
      message: 'as the test said',
      results: { REASON: 'SecretExists', MESSAGE: 'taken' },
    });
  });

  it('results that are no text are left out', () => {
    const kept = aProvisionFor(build).with(({ status }) => {
      status['results'] = [{ name: 'A', value: ['x'] }, { value: 'y' }, 'z', { name: 'B', value: 'b' }];
    });
    expect(kept.build().results).to.deep.equal({ B: 'b' });
  });

  it('a cancelled one is known', () => expect(aProvisionFor(build).cancelled().build().cancelled).to.equal(true));

  for (const [type, isOurs] of [
    ['provision', true],
    ['clean', true],
    ['update', true],
    ['launch', true],
    ['terminate', true],
    ['cleanup', false],
    ['', false],
    [undefined, false],
  ] as const) {
    it(`task-type ${type === undefined ? 'missing' : `'${type}'`} is ${isOurs ? 'one of ours' : 'none of ours'}`, () => {
      const labels = type === undefined ? {} : { [`${prefix}/task-type`]: type };
      expect(readOwn({ metadata: { labels } }) !== undefined).to.equal(isOurs);
    });
  }

  it('facts of an older system are none', () => {
    const kept = aProvisionFor(build).with(({ metadata }) => (metadata['annotations'] = {}));
    expect(kept.build().facts).to.equal(undefined);
  });
});
