// The life of a build on a static host, on a real API server; the test plays Tekton.
import { expect } from 'chai';
import { eventually, operatorNamespace, Scenario, type Raw } from '../support/scenario.ts';

const prefix = 'build.appstudio.redhat.com';
const host = (name: string, address: string, concurrency = '1'): Record<string, string> => ({
  [`host.${name}.address`]: address,
  [`host.${name}.user`]: 'ec2-user',
  [`host.${name}.platform`]: 'linux/arm64',
  [`host.${name}.secret`]: 'arm-key',
  [`host.${name}.concurrency`]: concurrency,
});

describe('scenario: static hosts', function () {
  this.timeout(60_000);
  let scenario: Scenario;
  let tenant: string;
  let tenants = 0;

  before(async () => {
    scenario = await Scenario.start();
    await scenario.sshSecret('arm-key');
    await scenario.hostConfig({ ...host('one', '10.1.1.1'), ...host('two', '10.1.1.2') });
    await scenario.startController();
  });
  after(() => scenario.stop());
  beforeEach(async () => {
    tenants += 1;
    tenant = `tenant-${tenants}`;
    await scenario.api.createNamespace(tenant);
  });
  afterEach(async () => {
    expect(await scenario.ours('provision')).to.deep.equal([]);
    expect(await scenario.ours('clean')).to.deep.equal([]);
  });

  const provisionFor = (name: string): Promise<Raw> =>
    eventually(async () =>
      (await scenario.ours('provision')).find(
        (it) => it.metadata.labels[`${prefix}/user-task-name`] === name && !it.status?.completionTime,
      ),
    );
  const cleaned = async (name: string): Promise<void> => {
    const clean = await eventually(async () =>
      (await scenario.ours('clean')).find((it) => it.metadata.labels[`${prefix}/user-task-name`] === name),
    );
    await scenario.finish(operatorNamespace, clean.metadata.name, 'succeeded');
    await eventually(async () =>
      (await scenario.ours('clean')).every((it) => it.metadata.name !== clean.metadata.name),
    );
  };

  it('1: claims a slot, provisions, tells the build, cleans up, and leaves nothing', async () => {
    await scenario.build(tenant, 'b', 'linux/arm64');
    const provision = await provisionFor('b');
    const claimed = await scenario.taskRun(tenant, 'b');
    expect(claimed.metadata.finalizers).to.deep.equal(['appstudio.io/multi-platform-finalizer']);
    expect(claimed.metadata.labels).to.include({
      [`${prefix}/assigned-host`]: 'one',
      [`${prefix}/target-platform`]: 'linux-arm64',
    });
    expect(provision.metadata.name).to.match(/^b-prov-[0-9a-f]{10}$/);
    const params = Object.fromEntries(provision.spec.params.map((it: Raw) => [it.name, it.value]));
    expect(params).to.include({
      SECRET_NAME: 'multi-platform-ssh-b',
      HOST: '10.1.1.1',
      USER: 'ec2-user',
      RAW_PLATFORM: 'linux-arm64',
    });
    await scenario.provision(provision);
    await eventually(async () => (await scenario.ours('provision')).length === 0);
    expect((await scenario.taskRun(tenant, 'b')).metadata.annotations[`${prefix}/host-lease`]).to.contain(
      '"ready":true',
    );

    await scenario.finish(tenant, 'b', 'succeeded');
    await cleaned('b');
    const released = await scenario.taskRun(tenant, 'b');
    expect(released.metadata.finalizers ?? []).to.deep.equal([]);
    expect(released.metadata.labels).not.to.have.property(`${prefix}/assigned-host`);
    expect(await scenario.secret(tenant, 'multi-platform-ssh-b')).to.equal(undefined);
    const reasons = await eventually(async () => {
      const seen = (await scenario.events(tenant)).map((it) => it.reason);
      return seen.includes('Released') && seen;
    });
    expect(reasons).to.include.members(['HostAssigned', 'Provisioning', 'HostReady', 'Released']);
  });

  it('7: a failed provision is cleaned up and the build tries the other host, then is told that all failed', async () => {
    await scenario.build(tenant, 'unlucky', 'linux/arm64');
    for (let failures = 0; failures < 2; failures += 1) {
      const provision = await provisionFor('unlucky');
      await scenario.finish(operatorNamespace, provision.metadata.name, 'failed', { MESSAGE: 'no ssh' });
      await cleaned('unlucky');
    }
    const secret = await eventually(() => scenario.secret(tenant, 'multi-platform-ssh-unlucky'));
    const error = Buffer.from(secret.data.error, 'base64').toString();
    expect(error).to.match(
      /^Error allocating host: all available hosts for the platform have failed: (one,two|two,one)/,
    );
    const told = await eventually(async () => {
      const taskRun = await scenario.taskRun(tenant, 'unlucky');
      return taskRun.metadata.annotations[`${prefix}/host-lease`].includes('AllHostsFailed') && taskRun;
    });
    expect(told.metadata.annotations[`${prefix}/failed-hosts`].split(',')).to.have.members(['one', 'two']);
    expect(told.metadata.finalizers ?? []).to.deep.equal([]);
    // Failed ones are kept for their logs; this test has seen them.
    for (const { metadata } of await scenario.ours('provision'))
      await scenario.remove(operatorNamespace, metadata.name);
  });

  it('11: a build deleted during provisioning: its provision is cancelled, then cleaned up', async () => {
    await scenario.build(tenant, 'gone', 'linux/arm64');
    const provision = await provisionFor('gone');
    await scenario.remove(tenant, 'gone');
    await eventually(
      async () =>
        (await scenario.taskRun(operatorNamespace, provision.metadata.name)).spec.status === 'TaskRunCancelled',
    );
    expect(await scenario.ours('clean')).to.deep.equal([]);
    await scenario.finish(operatorNamespace, provision.metadata.name, 'failed');
    await cleaned('gone');
    await eventually(async () => (await scenario.taskRun(tenant, 'gone')) === undefined);
    await eventually(async () => (await scenario.ours('provision')).length === 0);
  });

  it('5: an unknown platform is refused at once, with what to do', async () => {
    await scenario.build(tenant, 'odd', 'linux/s390x');
    const secret = await eventually(() => scenario.secret(tenant, 'multi-platform-ssh-odd'));
    const error = Buffer.from(secret.data.error, 'base64').toString();
    expect(error).to.contain('no hosts configured for platform linux/s390x').and.to.contain('choose another PLATFORM');
    expect(secret.metadata.ownerReferences[0].name).to.equal('odd');
  });
});
