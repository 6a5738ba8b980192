import { expect } from 'chai';
import { HostConfigState } from '../../../controller/reconcile/host-config-state.ts';
import { hostConfigData, start } from '../../support/host-builders.ts';
import { launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';

const good = hostConfigData({ a: 1 });
const broken = { ...good, 'host.a.concurrency': '0' };
const wanted = 'linux/arm64';

function sinceOf(state: HostConfigState): number | undefined {
  const pool = state.poolOf(wanted);
  return pool.status === 'unusable' ? pool.since : undefined;
}

describe('host-config in force', () => {
  it('none yet: no platform can be used, since the start', () => {
    const state = new HostConfigState('operators', start);
    expect(state.config).to.equal(undefined);
    expect(state.poolOf(wanted)).to.deep.equal({
      status: 'unusable',
      since: start,
      told: {
        reason: 'HostConfigUnreadable',
        message:
          'failed to read host config: ConfigMap host-config not found in namespace operators: ask an administrator to create it, with label build.appstudio.redhat.com/multi-platform-config',
      },
    });
  });

  it('a missing one that is told again is missing since the first time', () => {
    const state = new HostConfigState('operators', start);
    state.update(undefined, start + 5000);
    expect(sinceOf(state)).to.equal(start);
  });

  it('one that is deleted gives away no more hosts, since it went; one that comes back does', () => {
    const state = new HostConfigState('operators', start);
    state.update(good, start);
    state.update(undefined, start + 1000);
    expect(sinceOf(state)).to.equal(start + 1000);
    expect(state.config?.pools.size).to.equal(1);
    state.update(good, start + 2000);
    expect(state.poolOf(wanted).status).to.equal('pool');
  });

  it('a list with a mistake is read against the one before', () => {
    const state = new HostConfigState('operators', start);
    state.update({ 'local-platforms': 'linux/x86_64,linux/amd64' }, start);
    state.update({ 'local-platforms': 'linux/x86_64,linux/AMD64' }, start + 1000);
    expect(state.poolOf('linux/amd64').status).to.equal('pool');
    state.update({ 'local-platforms': 'linux/x86_64' }, start + 2000);
    expect(state.poolOf('linux/amd64').status).to.equal('unknown');
  });

  it('a host that lost its platform: its builds are told so after the grace, not that there is none', () => {
    const state = new HostConfigState('operators', start);
    state.update(good, start);
    state.update({ ...good, 'host.a.platform': '', 'host.a.user': '-' }, start + 1000);
    const pool = state.poolOf(wanted);
    expect(pool).to.deep.include({ status: 'unusable', since: start + 1000 });
    expect(pool.status === 'unusable' ? pool.told.message : '').to.match(/host\.a\.(user|platform) .*\(and 1 more\)$/);
  });

  it('a platform it does not name is unknown', () => {
    const state = new HostConfigState('operators', start);
    state.update(good, start);
    expect(state.poolOf('linux/s390x')).to.deep.equal({ status: 'unknown', configured: [wanted] });
  });

  it('a platform without a usable host: why, and since when it is so', () => {
    const state = new HostConfigState('operators', start);
    state.update(good, start);
    state.update(broken, start + 1000);
    state.update({ ...broken, 'instance-tag': 'x' }, start + 2000);
    expect(state.poolOf(wanted)).to.deep.equal({
      status: 'unusable',
      since: start + 1000,
      told: {
        reason: 'HostConfigInvalid',
        message:
          "Error allocating host: host-config has no usable host for platform linux/arm64: host.a.concurrency '0' is not " +
          'valid: give a number of builds, 1 or more',
      },
    });
  });

  it('mended and broken again: the grace begins anew', () => {
    const state = new HostConfigState('operators', start);
    state.update(broken, start);
    state.update(good, start + 1000);
    state.update(broken, start + 2000);
    expect(sinceOf(state)).to.equal(start + 2000);
  });

  it('another platform goes on', () => {
    const state = new HostConfigState('operators', start);
    state.update({ ...broken, ...hostConfigData({ z: 1 }, {}, 'linux/s390x') }, start);
    expect(state.poolOf('linux/s390x').status).to.equal('pool');
  });

  it('launched platforms: none before the Tasks of providers are known, and as those say from then on', () => {
    const state = new HostConfigState('operators', start);
    state.update(launchedConfig(), start);
    expect(sinceOf(state)).to.equal(start);
    state.updateTasks(providerTasks(...toyTasks()), start + 1000);
    expect(state.poolOf(wanted).status).to.equal('pool');
    state.updateTasks(new Map(), start + 2000);
    expect(sinceOf(state)).to.equal(start + 2000);
  });

  it('Tasks that are known before host-config count for it', () => {
    const state = new HostConfigState('operators', start);
    state.updateTasks(providerTasks(...toyTasks()), start);
    expect(state.config).to.equal(undefined);
    state.update(launchedConfig(), start + 1000);
    expect(state.poolOf(wanted).status).to.equal('pool');
  });
});
