// Builds that can never get a host: the log of the build says why and what to do about it, and they leave nothing but the log of what failed.
import { expect } from 'chai';
import { deleteBuild, eventsOf, exitCodeOf, logOf, startBuild, untilDone, type Raw } from './build.ts';
import { ourTaskRuns, untilClean, untilCleanButOurTaskRuns } from './cleanliness.ts';
import { brokenPlatforms, shared, useNamespace } from './shared-cluster.ts';

const namespace = 'refused-build';

interface Refused {
  readonly done: Raw;
  readonly log: string;
  readonly told: string;
}

/** Starts a build and waits for its end, which has to be that of a build without a host. */
async function refusedBuild(name: string, platform: string): Promise<Refused> {
  const { cluster } = shared();
  const build = { namespace, name };
  await startBuild(cluster, { ...build, platform, files: { Dockerfile: 'FROM scratch\n' } });
  const done = await untilDone(cluster, build);
  const log = await logOf(cluster, build);
  expect(exitCodeOf(done, 'build'), log).to.equal(69);
  expect(done.status.conditions[0].status).to.equal('False');
  expect(log).to.include(`no build host for PLATFORM ${platform}: the reason is above`);
  const events = await eventsOf(cluster, build);
  return { done, log, told: events.map(({ reason, message }) => `${reason}: ${message}`).join('\n') };
}

describe('a build that can get no host', function () {
  this.timeout(600_000);
  before(() => useNamespace(namespace));

  it('because nobody configured its platform is told which there are', async () => {
    const { log, told } = await refusedBuild('unknown-platform', brokenPlatforms.unknown);
    expect(log).to.include(`no hosts configured for platform ${brokenPlatforms.unknown}`);
    expect(log).to.include('choose another PLATFORM').and.to.include('linux/amd64').and.to.include('linux/arm64');
    expect(told).to.include('Rejected: ');
    await deleteBuild(shared().cluster, { namespace, name: 'unknown-platform' });
    await untilClean(namespace);
  });

  it('because the ssh Secret of its hosts is missing is told its name', async () => {
    const { log } = await refusedBuild('no-secret', brokenPlatforms.noSecret);
    expect(log).to.include('ask an administrator to create Secret no-such-secret with key id_rsa');
    await deleteBuild(shared().cluster, { namespace, name: 'no-secret' });
    await untilClean(namespace);
  });

  it('because its only host is down is told what the host said', async () => {
    const { log, told } = await refusedBuild('host-down', brokenPlatforms.down);
    expect(log).to.match(
      /all available hosts for the platform have failed: down .*Connection refused.*: run the build again/,
    );
    expect(told).to.match(/ProvisionFailed: host down could not be prepared: .*Connection refused/);
    await deleteBuild(shared().cluster, { namespace, name: 'host-down' });
    await untilCleanButOurTaskRuns(namespace);
  });

  it('because its only host refuses the key is told what the host said', async () => {
    const { log, told } = await refusedBuild('wrong-key', brokenPlatforms.wrongKey);
    expect(log).to.match(
      /all available hosts for the platform have failed: locked .*Permission denied.*: run the build again/,
    );
    expect(told).to.match(/ProvisionFailed: host locked could not be prepared: .*Permission denied/);
    await deleteBuild(shared().cluster, { namespace, name: 'wrong-key' });
    await untilCleanButOurTaskRuns(namespace);
  });

  it('leaves the failed provision for its log, and cleanups go on for hosts that may come back', async () => {
    const names = await ourTaskRuns(shared().cluster.kubectl, namespace);
    for (const name of names) expect(name).to.match(/^(host-down|wrong-key)-(prov|cleanup)-[0-9a-f]{10}$/);
    expect(names.filter((name) => name.includes('-prov-'))).to.have.length(2);
    expect(names.filter((name) => name.startsWith('host-down-cleanup-'))).not.to.be.empty;
  });
});
