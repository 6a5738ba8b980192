// tasks/generated/buildah-remote.yaml from its first step to its last, with a real host, a real builder and a real registry.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { hostSecret } from './remote-build/build.ts';
import { installRunner } from './installed-runner.ts';
import { registry, startRegistry, TaskRun } from './played-task-run.ts';
import type { Spec } from './played-task-run.ts';
import { openWorld } from './remote-build/world.ts';
import type { World } from './remote-build/world.ts';

const file = join(import.meta.dirname, '../../tasks/generated/buildah-remote.yaml');
const { spec }: { spec: Spec } = parse(readFileSync(file, 'utf8'));
const containerfile = [
  'FROM scratch',
  'ARG GREETING=none',
  'COPY busybox /bin/sh',
  'COPY busybox /bin/busybox',
  'COPY status /var/lib/dpkg/status',
  'COPY os-release /etc/os-release',
  'RUN busybox echo "$GREETING" >/greeting',
].join('\n');
const packages =
  'Package: libc6\nArchitecture: amd64\nVersion: 2.36-9+deb12u14\n\nPackage: bash\nArchitecture: amd64\nVersion: 5.2.15-2\n';

describe('the generated buildah-remote Task', function () {
  this.timeout(120_000);
  let world: World;
  before(async () => {
    world = await openWorld();
    await startRegistry(world);
    await installRunner(world);
  });
  after(() => world.close());

  for (const where of ['on a host', 'in the pod, with PLATFORM localhost']) {
    it(`builds ${where}, pushes, and attaches an SBOM that lists the packages of the image`, async () => {
      const local = where !== 'on a host';
      const run = new TaskRun(world, spec, {
        name: local ? 'local' : 'remote',
        secret: local ? { host: 'localhost' } : hostSecret(world),
        values: {
          TLSVERIFY: 'false',
          BUILDER_IMAGE: 'localhost/builder:1',
          CONTEXT: 'app',
          BUILD_ARGS: ["GREETING=it's $(quoted)"],
          BUILD_ARGS_FILE: 'app/args',
          LABELS: ['kind=a b'],
          PLATFORM: local ? 'localhost' : 'linux/arm64',
        },
      });
      run.writeSource({
        Dockerfile: containerfile,
        status: packages,
        'os-release': 'ID=debian\n',
        args: 'OTHER=file\n',
      });
      await world.run(`cp /bin/busybox ${run.folder}/source/app/`);
      for (const step of spec.steps) {
        const { code, stderr, stdout } = await run.step(step);
        expect(code, `${step.name}: ${stderr}${stdout}`).to.equal(0);
      }

      const digest = run.result('IMAGE_DIGEST');
      const report = { status: 'Succeeded', image: `${registry}/team/app@${digest}`, message: '' };
      expect(JSON.parse(run.result('PLATFORM_RESULT'))).to.deep.equal(report);
      expect(run.result('IMAGE_URL')).to.equal(run.image);
      expect(run.result('IMAGE_REF')).to.equal(`${registry}/team/app@${digest}`);
      const inspected = await world.run(`skopeo inspect --tls-verify=false docker://${run.image}`);
      expect(JSON.parse(inspected.stdout))
        .to.include({ Digest: digest })
        .and.to.have.nested.include({ 'Labels.kind': 'a b' });
      const layers = await world.run(
        `skopeo copy -q --src-tls-verify=false docker://${run.image} dir:/tmp/${run.name} && for l in /tmp/${run.name}/*; do tar -xzOf "$l" greeting 2>/dev/null; done`,
      );
      expect(layers.stdout).to.equal("it's $(quoted)\n");
      const sbom = await world.run(
        `curl -sf ${registry}/v2/team/app/blobs/${run.result('SBOM_BLOB_URL').split('@')[1]}`,
      );
      const { packages: listed }: { packages: { name: string; versionInfo: string }[] } = JSON.parse(sbom.stdout);
      const versions = listed.map(({ name, versionInfo }) => `${name} ${versionInfo}`);
      expect(versions).to.deep.equal([`${registry}/team/app ${digest}`, 'bash 5.2.15-2', 'libc6 2.36-9+deb12u14']);
    });
  }
});
