import { expect } from 'chai';
import { nothingKnown } from '../../../controller/config/host-config.ts';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { pooledLaunch } from '../../../controller/lease/pooled-launch.ts';
import { HostConfigState } from '../../../controller/reconcile/host-config-state.ts';
import { knownHosts } from '../../../controller/reconcile/known-hosts.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { aTaskRun, operatorNamespace, OwnTaskRunBuilder } from '../../support/builders.ts';
import { hostConfigData, platform, start } from '../../support/host-builders.ts';
import { launching, tokens } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';

const data = { ...hostConfigData({ one: 2 }), 'local-platforms': 'linux/amd64' };

function known(taken = 0, config: Record<string, string> | undefined = data) {
  const state = new HostConfigState('operator', start);
  state.update(config, start);
  return knownHosts(state, () => taken, tokens);
}

function labelled(assignedHost: string | undefined, on = 'linux/arm64'): UserTaskRun {
  return { ...aTaskRun().forPlatform(on).build(), assignedHost };
}

describe('the host a label names', () => {
  it('is one of its platform, with room or without', () => {
    expect(known(1).labelled(labelled('one'))).to.deep.include({ to: 'host', hasRoom: true });
    expect(known(2).labelled(labelled('one'))).to.deep.include({ to: 'host', hasRoom: false });
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
    const none = new HostConfigState('operator', start);
    expect(knownHosts(none, () => 0, tokens).labelled(labelled('one'))).to.deep.equal({ to: 'unknown' });
    expect(knownHosts(none, () => 0, tokens).isConfigured('two')).to.equal(true);
  });
});

describe('the launched host a label names', () => {
  const pool = aPool({ platform: platform('linux/arm64') });
  const launched = knownHosts({ poolOf: () => ({ status: 'pool', pool }), config: undefined }, () => 0, tokens);
  const build = launching(aTaskRun().forPlatform('linux/arm64'), pool).build();

  it('is that of its own build, which is made from it', () => {
    const host = build.facts?.claim?.host;
    expect(launched.labelled(build)).to.deep.include({ to: 'host', hasRoom: true });
    expect(launched.labelled(build)).to.have.nested.property('claim.host', host);
    expect(launched.labelled({ ...build, attemptLabel: '3' })).to.have.property('to', 'host');
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
  const withTaken = (taken: number) =>
    knownHosts(
      { poolOf: () => ({ status: 'pool', pool }), config },
      () => taken,
      tokens,
      () => [launch],
    );

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
    expect(known(0, wrong).isConfigured('two')).to.equal(true);
  });
});
