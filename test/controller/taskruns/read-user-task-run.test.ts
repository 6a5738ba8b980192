import { expect } from 'chai';
import { asObject } from '../../../controller/model/json.ts';
import { aTaskRun, readBuild, signedFactsOf } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';

const prefix = 'build.appstudio.redhat.com';

describe('detection: which TaskRuns are builds', () => {
  const secret = (secretName: unknown): unknown => ({ name: 'ssh', secret: { secretName } });
  const volumes: readonly (readonly [string, unknown, boolean])[] = [
    ['the Secret of its own name', [secret('multi-platform-ssh-build')], true],
    ['any name with the prefix', [secret('multi-platform-ssh-something-else')], true],
    ['it among others', [{ name: 'x', emptyDir: {} }, secret('other'), secret('multi-platform-ssh-build')], true],
    ['another Secret', [secret('other')], false],
    ['the prefix further inside the name', [secret('my-multi-platform-ssh-build')], false],
    ['a ConfigMap of that name', [{ name: 'x', configMap: { name: 'multi-platform-ssh-build' } }], false],
    ['no volumes', undefined, false],
    ['an empty list', [], false],
    ['volumes that are no list', { secret: { secretName: 'multi-platform-ssh-build' } }, false],
    ['entries that are no objects', [null, 'x', 7, secret(7)], false],
  ];
  for (const [what, value, isBuild] of volumes) {
    it(`mounts ${what}: ${isBuild ? 'is one' : 'is none'}`, () => {
      const raw = aTaskRun()
        .with(({ status }) => (status['taskSpec'] = { volumes: value }))
        .raw();
      expect(readBuild({ ...raw }) !== undefined).to.equal(isBuild);
    });
  }

  it('has a name of 63 characters: is one; has a longer one, which no label of ours could hold: is none', () => {
    const named = (length: number): boolean => {
      const { metadata, ...rest } = aTaskRun().raw();
      return readBuild({ metadata: { ...asObject(metadata), name: 'n'.repeat(length) }, ...rest }) !== undefined;
    };
    expect([named(63), named(64)]).to.deep.equal([true, false]);
  });

  it('without a status it is none yet', () => {
    const { metadata, spec } = aTaskRun().raw();
    expect(readBuild({ metadata, spec })).to.equal(undefined);
  });
});

describe('detection: PLATFORM', () => {
  const param = (value: unknown): unknown => ({ name: 'PLATFORM', value });
  const given: readonly (readonly [string, unknown, unknown, string | undefined])[] = [
    ['from spec.params', [param('linux/arm64')], undefined, 'linux/arm64'],
    ['the first of several', [param('linux/arm64'), param('linux/s390x')], undefined, 'linux/arm64'],
    ['spec.params before the default', [param('linux/arm64')], [{ name: 'PLATFORM', default: 'x/y' }], 'linux/arm64'],
    ['the default of the Task', [], [{ name: 'PLATFORM', default: 'linux/s390x' }], 'linux/s390x'],
    ['the default where there are no params', undefined, [{ name: 'PLATFORM', default: 'x/y' }], 'x/y'],
    ["an array is ''", [param(['linux/arm64'])], undefined, ''],
    ["an object is ''", [param({ a: 'b' })], undefined, ''],
    ["no value is ''", [{ name: 'PLATFORM' }], undefined, ''],
    ['a default that is an array is none', undefined, [{ name: 'PLATFORM', default: ['x/y'] }], undefined],
    ['another case is another param', [{ name: 'platform', value: 'linux/arm64' }], undefined, undefined],
    ['params that are no list are none', { PLATFORM: 'linux/arm64' }, undefined, undefined],
    ['entries that are no objects are passed over', [null, 'x', param('linux/arm64')], undefined, 'linux/arm64'],
    ['none', undefined, undefined, undefined],
  ];
  for (const [sentence, params, defaults, expected] of given) {
    it(sentence, () => {
      const taskRun = aTaskRun().with(({ spec, status }) => {
        if (params !== undefined) spec['params'] = params;
        Object.assign(asObject(status['taskSpec']), { params: defaults });
      });
      expect(taskRun.build().platform).to.equal(expected);
    });
  }
});

describe('what is kept of a build', () => {
  it('everything the controller looks at, and nothing else', () => {
    const kept = aTaskRun().forPlatform('linux/arm64').withPod('build-pod').build();
    expect(kept).to.deep.equal({
      kind: 'user',
      uid: 'uid-of-build',
      namespace: 'team-a',
      name: 'build',
      resourceVersion: '1',
      created: start,
      deleting: false,
      outcome: 'running',
      podName: 'build-pod',
      platform: 'linux/arm64',
      retries: 0,
      finalizers: [],
      hasFinalizer: false,
      signedFacts: undefined,
      facts: undefined,
      cancelled: false,
      ended: undefined,
      assignedHost: undefined,
      attemptLabel: undefined,
      markLabel: undefined,
      waitingFor: undefined,
      targetPlatform: undefined,
      failedHosts: [],
      priority: 0,
      unreadablePriority: undefined,
      waitReason: undefined,
      queuePosition: undefined,
      hasAnnotations: false,
      hasLabels: false,
    });
  });

  it('a little of annotations that are full to the brim, and of failed hosts the last', () => {
    const garbage = 'x'.repeat(250_000);
    const names = ['host-lease', 'wait-reason', 'queue-position', 'priority'];
    const annotations = {
      ...Object.fromEntries(names.map((name) => [`build.appstudio.redhat.com/${name}`, garbage])),
      'build.appstudio.redhat.com/failed-hosts': `${garbage},${'a,'.repeat(100_000)}one,two`,
    };
    const kept = aTaskRun()
      .with(({ metadata }) => (metadata['annotations'] = annotations))
      .build();
    expect(JSON.stringify(kept).length).to.be.below(30_000);
    expect(kept.failedHosts).to.deep.equal(['a', 'one', 'two']);
    expect(kept.facts).to.equal(undefined);
  });

  it('no more failed hosts than a platform has', () => {
    const hosts = Array.from({ length: 2000 }, (_, index) => index.toString(36));
    const kept = aTaskRun()
      .with(
        ({ metadata }) => (metadata['annotations'] = { 'build.appstudio.redhat.com/failed-hosts': hosts.join(',') }),
      )
      .build();
    expect(kept.failedHosts).to.deep.equal(hosts.slice(-256));
  });

  for (const [status, cancelled] of [
    ['TaskRunCancelled', true],
    ['Cancelled', true],
    ['TaskRunPending', false],
    ['', false],
    [7, false],
  ] as const) {
    it(`spec.status ${JSON.stringify(status)}: it is ${cancelled ? '' : 'not '}to end`, () => {
      const build = aTaskRun()
        .with(({ spec }) => (spec['status'] = status))
        .build();
      expect(build.cancelled).to.equal(cancelled);
    });
  }

  const conditions: readonly (readonly [unknown, string])[] = [
    [[{ type: 'Succeeded', status: 'True' }], 'succeeded'],
    [[{ type: 'Succeeded', status: 'False', reason: 'TaskRunCancelled' }], 'failed'],
    [[{ type: 'Succeeded', status: 'Unknown' }], 'running'],
    [[{ type: 'Ready', status: 'True' }], 'running'],
    [[], 'running'],
    [undefined, 'running'],
    ['True', 'running'],
  ];
  for (const [value, outcome] of conditions) {
    it(`conditions ${JSON.stringify(value)}: ${outcome}`, () => {
      const taskRun = aTaskRun().with(({ status }) => (status['conditions'] = value));
      expect(taskRun.build().outcome).to.equal(outcome);
    });
  }

  it('it ended when it completed, also when it was deleted later', () => {
    expect(
      aTaskRun()
        .ended('failed', start + 1000)
        .deleting(start + 9000)
        .build().ended,
    ).to.equal(start + 1000);
  });

  it('its end is the deletion while it runs', () => {
    const { ended, deleting } = aTaskRun()
      .deleting(start + 2000)
      .build();
    expect([ended, deleting]).to.deep.equal([start + 2000, true]);
  });

  it('retries are counted', () => {
    expect(
      aTaskRun()
        .with(({ status }) => (status['retriesStatus'] = [{}, {}]))
        .build().retries,
    ).to.equal(2);
  });

  it('failed hosts are a comma list', () => {
    const taskRun = aTaskRun().with(
      ({ metadata }) => (metadata['annotations'] = { [`${prefix}/failed-hosts`]: 'a,b,' }),
    );
    expect(taskRun.build().failedHosts).to.deep.equal(['a', 'b']);
  });

  it('facts with our signature count', () => {
    const { facts, hasFinalizer } = aTaskRun().forPlatform('linux/arm64').claimed(aHost('h')).build();
    expect([facts?.claim?.host, hasFinalizer]).to.deep.equal(['h', true]);
  });

  it('facts copied from another TaskRun do not', () => {
    const victim = aTaskRun().forPlatform('linux/arm64').claimed().raw();
    const thief = aTaskRun()
      .named('thief')
      .with(({ metadata }) => (metadata['annotations'] = { [`${prefix}/host-lease`]: signedFactsOf(victim) }))
      .build();
    expect(thief.facts).to.equal(undefined);
    expect(thief.signedFacts).to.equal(signedFactsOf(victim));
  });
});
