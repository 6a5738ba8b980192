// Platforms that need no host: the build runs in its own pod, with the same Task.
import { expect } from 'chai';
import {
  eventsOf,
  exitCodeOf,
  deleteBuild,
  imageOf,
  logOf,
  resultOf,
  runImage,
  startBuild,
  untilDone,
} from './build.ts';
import { ourTaskRuns, untilClean } from './cleanliness.ts';
import { shared, useNamespace } from './shared-cluster.ts';

const namespace = 'local-build';

describe('a build of a local platform', function () {
  this.timeout(600_000);
  before(() => useNamespace(namespace));
  afterEach(() => untilClean(namespace));

  for (const platform of ['linux/x86_64', 'local']) {
    it(`PLATFORM ${platform} builds and pushes in its own pod, and no host hears of it`, async () => {
      const { cluster, host } = shared();
      const logins = async (): Promise<number> => {
        const log = await cluster.kubectl.run(['logs', host.name, '-n', 'test-hosts']);
        return log.match(/Accepted publickey/g)?.length ?? 0;
      };
      const before = await logins();
      const build = { namespace, name: platform.replace('/', '-').replace('_', '-') };
      const Dockerfile = `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo made in a pod > /said\nCMD ["cat", "/said"]\n`;
      await startBuild(cluster, { ...build, platform, files: { Dockerfile }, params: { SBOM: 'none' } });
      const done = await untilDone(cluster, build);
      const log = await logOf(cluster, build);
      expect(exitCodeOf(done, 'build-local'), log).to.equal(0);
      expect(log).to.include('this build runs in its own pod');
      expect(done.status.conditions[0].status, log).to.equal('True');
      const digest = resultOf(done, 'IMAGE_DIGEST') ?? '';
      expect(await runImage(cluster, namespace, imageOf(cluster, build), digest)).to.equal('made in a pod\n');
      expect(await logins()).to.equal(before);
      expect(await ourTaskRuns(cluster.kubectl, namespace)).to.deep.equal([]);
      expect((await eventsOf(cluster, build)).map(({ reason }) => reason)).not.to.include('Provisioning');
      // Its Secret belongs to the TaskRun and goes with it.
      await deleteBuild(cluster, build);
    });
  }
});
