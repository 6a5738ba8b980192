import { expect } from 'chai';
import { nothingKnown } from '../../../controller/config/host-config.ts';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { pooledLaunch } from '../../../controller/lease/pooled-launch.ts';
import { HostConfigState } from '../../../controller/reconcile/host-config-state.ts';
import { knownHosts, type KnownHosts, type LabelWriter } from '../../../controller/reconcile/known-hosts.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { aTaskRun, operatorNamespace, OwnTaskRunBuilder } from '../../support/builders.ts';
import { hostConfigData, platform, start } from '../../support/host-builders.ts';
import { launching, tokens } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';

const data = { ...hostConfigData({ one: 2 }), 'local-platforms': 'linux/amd64' };

interface Given {
  readonly taken?: number;
  readonly config?: Record<string, string>;
  readonly writer?: LabelWriter;
}

function known({ taken = 0, config = data, writer = 'us' }: Given = {}) {
  const hostConfig = new HostConfigState('operator', start);
  hostConfig.update(config, start);
  return knownHosts({ hostConfig, writerOf: () => writer, tokens, launches: () => [] }, () => taken);
}

function labelled(assignedHost: string | undefined, on = 'linux/arm64'): UserTaskRun {
  return { ...aTaskRun().forPlatform(on).build(), assignedHost };
}

describe('the host a label names', () => {
  it('is one of its platform, with room or without', () => {
    expect(known({ taken: 1 }).labelled(labelled('one'))).to.deep.include({ to: 'host', hasRoom: true });
    expect(known({ taken: 2 }).labelled(labelled('one'))).to.deep.include({ to: 'host', hasRoom: false });
  });

  const nothing: readonly (readonly [string, UserTaskRun])[] = [
    ['no label', labelled(undefined)],
    ['a host nobody knows', labelled('two')],
    ["another platform's host", labelled('one', 'linux/s390x')],
    ['localhost on a platform that is not local', labelled('localhost')],
    ['a host on a local platform', labelled('one', 'linux/amd64')],
  ];
  for (const [what, taskRun] of nothing)
    it(`${what}: nothing`, () => expect(known().labelled(taskRun)).to.deep.equal({ to: 'nothing' }));

  it('is the cluster itself on a local platform', () => {
    expect(known().labelled(labelled('localhost', 'linux/amd64'))).to.deep.include({ to: 'host', hasRoom: true });
  });

  it('cannot be told while there is no host-config', () => {
    const hostConfig = new HostConfigState('operator', start);
    const none = knownHosts({ hostConfig, writerOf: () => 'us', tokens, launches: () => [] }, () => 0);
    expect(none.labelled(labelled('one'))).to.deep.equal({ to: 'unknown' });
    expect(none.isConfigured('two')).to.equal(true);
  });
});

describe('a label', () => {
  it('that anybody may have written names nothing, and keeps no slot', () => {
    for (const build of [labelled('one'), labelled('localhost', 'linux/amd64')]) {
      expect(known({ writer: 'anybody' }).labelled(build)).to.deep.equal({ to: 'forgery' });
      expect(known({ writer: 'anybody' }).mayHold(build)).to.equal(false);
    }
  });

  it('that is ours, or older than we are, may hold a slot until it is looked at', () => {
    for (const writer of ['us', 'older controller'] as const) {
      expect(known({ writer }).mayHold(labelled('one'))).to.equal(true);
      expect(known({ writer }).mayHold(labelled(undefined))).to.equal(false);
    }
  });

  const closed = { ...data, 'allowed-namespaces': 'team-b' };

  it('of an older controller gives nothing to a namespace that is not allowed', () => {
    const older = { writer: 'older controller', config: closed } as const;
    expect(known(older).labelled(labelled('one'))).to.deep.equal({ to: 'nothing' });
    expect(known({ ...older, config: data }).labelled(labelled('one'))).to.deep.include({ to: 'host' });
  });

  it('of ours counts also when its namespace is not allowed any more', () => {
    expect(known({ config: closed }).labelled(labelled('one'))).to.deep.include({ to: 'host' });
  });
});

describe('the launched host a label names', () => {
  const pool = aPool({ platform: platform('linux/arm64') });
  const writtenBy = (writer: LabelWriter): KnownHosts =>
    knownHosts(
      {
        hostConfig: { poolOf: () => ({ status: 'pool', pool }), config: undefined },
        writerOf: () => writer,
        tokens,
        launches: () => [],
      },
      () => 0,
    );
  const launched = writtenBy('us');
  const build = launching(aTaskRun().forPlatform('linux/arm64'), pool).build();

  it('is that of its own build, which is made from it', () => {
    const host = build.facts?.claim?.host;
    expect(launched.labelled(build)).to.deep.include({ to: 'host', hasRoom: true });
    expect(launched.labelled(build)).to.have.nested.property('claim.host', host);
    expect(launched.labelled({ ...build, attemptLabel: '3' })).to.have.property('to', 'host');
  });

  it('is the one its provider calls so, when the label is our writing and no older one', () => {
    const named = { ...build, assignedHost: 'i-0abc' };
    expect(launched.labelled(named)).to.have.nested.property('claim.launch.instanceId', 'i-0abc');
    expect(launched.labelled(named)).to.have.nested.property('claim.host', build.facts?.claim?.host);
    expect(writtenBy('older controller').labelled(named)).to.deep.equal({ to: 'nothing' });
  });

  it("is nothing when it is another build's", () => {
    expect(launched.labelled({ ...build, uid: 'another' })).to.deep.equal({ to: 'nothing' });
    expect(launched.labelled({ ...build, assignedHost: 'mp-0123456789abcdef0123' })).to.deep.equal({ to: 'nothing' });
  });

  it('is launched by Tasks of that type only', () => {
    expect(launched.launchedPool('linux/arm64', 'toy')).to.equal(pool);
    expect(launched.launchedPool('linux/arm64', 'other')).to.equal(undefined);
  });
});

describe('a host of several builds', () => {
  const pool = aPool({ kind: 'dynamic-pool', concurrency: 2 });
  const launch = new OwnTaskRunBuilder(pooledLaunch(pool, 'mp-1', start, operatorNamespace))
    .ended('succeeded', start, { INSTANCE_ID: 'i-1', ADDRESS: '10.0.0.1', USER: 'toy' })
    .build();
  const config = parseHostConfig(
    launchedConfig({}, 'linux/arm64', 'dynamic-pool-platforms'),
    nothingKnown,
    providerTasks(...toyTasks()),
  );
  const hostConfig = { poolOf: () => ({ status: 'pool', pool }) as const, config };
  const withTaken = (taken: number) =>
    knownHosts({ hostConfig, writerOf: () => 'us', tokens, launches: () => [launch] }, () => taken);

  it('is the one of that name, with room or without', () => {
    const claim = { provider: 'static', host: 'mp-1', address: '10.0.0.1', user: 'toy', sshSecret: 'ssh-key' };
    expect(withTaken(1).labelled(labelled('mp-1'))).to.deep.equal({ to: 'host', claim, hasRoom: true });
    expect(withTaken(2).labelled(labelled('mp-1'))).to.deep.equal({ to: 'host', claim, hasRoom: false });
    expect(withTaken(0).labelled(labelled('mp-2'))).to.deep.equal({ to: 'nothing' });
  });

  it('is there as long as its launch is on the record', () => {
    expect([withTaken(0).isConfigured('mp-1'), withTaken(0).isConfigured('mp-2')]).to.deep.equal([true, false]);
  });
});

describe('a host that is gone from host-config', () => {
  it('is one it does not name', () => {
    expect(known().isConfigured('one')).to.equal(true);
    expect(known().isConfigured('two')).to.equal(false);
  });

  it('is not one it names wrongly', () => {
    const wrong = { ...data, 'host.two.platform': 'linux/arm64', 'host.two.address': 'not an address' };
    expect(parseHostConfig(wrong).problems.map(({ key }) => key)).not.to.deep.equal([]);
    expect(known({ config: wrong }).isConfigured('two')).to.equal(true);
  });
});
