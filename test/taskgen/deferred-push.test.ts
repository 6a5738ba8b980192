// --defer-push with a Task whose one step builds and pushes, on a real host, with a real registry that asks for a password nobody has there.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { defaultOptions } from '../../taskgen/options.ts';
import type { GenerateOptions } from '../../taskgen/options.ts';
import { remoteBuildText } from '../../taskgen/remote-build-text.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';
import { startRegistry, TaskRun } from './played-task-run.ts';
import type { Spec } from './played-task-run.ts';
import { hostSecret } from './remote-build/build.ts';
import { openWorld } from './remote-build/world.ts';
import type { World } from './remote-build/world.ts';

const folder = join(import.meta.dirname, '../../taskgen');
const scripts = {
  remote: remoteBuildText(join(folder, 'remote-build')),
  local: readFileSync(join(folder, 'build-local.sh'), 'utf8'),
  deferPush: readFileSync(join(folder, 'defer-push.sh'), 'utf8'),
  remoteAsRoot: '',
  sameStep: readFileSync(join(folder, 'same-step.sh'), 'utf8'),
};

/** In the manner of Tasks people have: no shebang, flags put together from parameters, results after the push. */
const source = `apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: build-and-push
spec:
  params:
    - name: IMAGE
    - name: SKIP_PUSH
      default: "false"
  workspaces:
    - name: source
  results:
    - name: IMAGE_DIGEST
    - name: SAID
  steps:
    - name: build
      image: localhost/builder:1
      workingDir: $(workspaces.source.path)
      env:
        - name: IMAGE
          value: $(params.IMAGE)
        - name: SKIP_PUSH
          value: $(params.SKIP_PUSH)
      args: ["GREETING=it's here", "OTHER=two words"]
      script: |
        set -- --build-arg "$1" --build-arg "$2"
        buildah --storage-driver=vfs bud "$@" --tls-verify=false --isolation chroot -f app/Dockerfile -t "$IMAGE" app
        echo built >>app/log
        [ "$SKIP_PUSH" = true ] && echo "Push skipped" && exit 0
        if ! buildah --storage-driver=vfs push --tls-verify=false --digestfile app/digest "$IMAGE" "docker://$IMAGE"; then
          echo "push failed" >&2
          exit 4
        fi
        tee $(results.IMAGE_DIGEST.path) <app/digest
        echo "pushed from $(ls -d /mp-job 2>/dev/null || echo the cluster)" >$(results.SAID.path)
      securityContext:
        privileged: true
      volumeMounts:
        - name: storage
          mountPath: /var/lib/containers
  volumes:
    - name: storage
      emptyDir: {}
`;

function generated(options: Partial<GenerateOptions>): Spec {
  const all = { ...defaultOptions, deferPush: true, ...options };
  const { text, findings } = generateRemoteTask(source, 'task.yaml', scripts, all);
  expect(findings.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
  const task: { spec: Spec } = parse(text ?? '');
  return task.spec;
}

describe('a Task that builds and pushes in one step, with --defer-push', function () {
  this.timeout(120_000);
  let world: World;
  before(async () => {
    world = await openWorld();
    await startRegistry(world);
  });
  after(() => world.close());

  async function run(
    name: string,
    values: Readonly<Record<string, string>>,
    containerfile = 'FROM scratch\nCOPY log /\n',
    spec = generated({}),
  ) {
    const secret = values['PLATFORM'] === 'localhost' ? { host: 'localhost' } : hostSecret(world);
    const build = new TaskRun(world, spec, { name, secret, values });
    build.writeSource({ Dockerfile: `${containerfile}ARG GREETING\nLABEL greeting=$GREETING\n`, log: '' });
    const outcomes = [];
    for (const step of spec.steps) {
      const outcome = await build.step(step);
      outcomes.push(outcome);
      if (outcome.code !== 0) break;
    }
    return { build, outcomes, said: outcomes.map(({ stdout, stderr }) => stdout + stderr) };
  }

  for (const platform of ['linux/arm64', 'localhost']) {
    it(`builds once and pushes from the cluster: PLATFORM ${platform}`, async () => {
      const { build, outcomes, said } = await run(platform.replace('/', '-'), { PLATFORM: platform });
      expect(
        outcomes.map(({ code }) => code),
        said.join('\n'),
      ).to.deep.equal([0, 0]);
      const { stdout } = await world.run(`skopeo inspect --tls-verify=false docker://${build.image}`);
      const { Digest: digest, Labels: labels }: { Digest: string; Labels: Record<string, string> } = JSON.parse(stdout);
      expect(labels['greeting']).to.equal("it's here");
      expect(build.result('IMAGE_DIGEST')).to.equal(digest);
      expect(build.result('SAID')).to.equal('pushed from the cluster\n');
      if (platform !== 'localhost') {
        expect(said[0]).to.include('the push waits until the image is in the cluster');
        expect(said[1]).to.include('not built again');
      }
    });
  }

  for (const platform of ['linux/arm64', 'localhost']) {
    it(`does all of it in one step with --runner-image same: PLATFORM ${platform}`, async () => {
      const spec = generated({ runnerImage: 'same' });
      expect(spec.steps.map(({ name, image }) => `${name} ${image}`)).to.deep.equal(['build localhost/builder:1']);
      const name = `same-${platform.replace('/', '-')}`;
      const { build, outcomes, said } = await run(name, { PLATFORM: platform }, undefined, spec);
      expect(
        outcomes.map(({ code }) => code),
        said.join('\n'),
      ).to.deep.equal([0]);
      const { stdout } = await world.run(`skopeo inspect --tls-verify=false docker://${build.image}`);
      expect(stdout).to.include(build.result('IMAGE_DIGEST'));
      expect(build.result('SAID')).to.equal('pushed from the cluster\n');
    });
  }

  it('ends with the exit code of the script when it does all in one step', async () => {
    const spec = generated({ runnerImage: 'same' });
    const { build, outcomes } = await run(
      'same-failing',
      { PLATFORM: 'linux/arm64' },
      'FROM scratch\nCOPY missing /\n',
      spec,
    );
    expect(outcomes.map(({ code }) => code)).not.to.deep.equal([0]);
    expect(outcomes[0]?.stderr).to.include('missing');
    const { code } = await world.run(`skopeo inspect --tls-verify=false docker://${build.image}`);
    expect(code).not.to.equal(0);
  });

  it('builds on hosts only with --local off, and says so', async () => {
    const { outcomes } = await run('off', { PLATFORM: 'localhost' }, undefined, generated({ local: 'off' }));
    expect(outcomes.map(({ code }) => code)).to.deep.equal([78]);
    expect(outcomes[0]?.stderr).to.include(
      'localhost builds in the cluster, which this Task does not (taskgen --local off)',
    );
  });

  it('pushes with the platform in the tag, after the script of --after-load has seen the image', async () => {
    const afterLoad = 'buildah --storage-driver=vfs images --format "{{.Name}}:{{.Tag}}" >app/loaded\n';
    const spec = generated({ appendPlatform: true, afterLoad });
    const values = { PLATFORM: 'linux/arm64', IMAGE_APPEND_PLATFORM: 'true' };
    const { build, outcomes, said } = await run('appended', values, undefined, spec);
    expect(
      outcomes.map(({ code }) => code),
      said.join('\n'),
    ).to.deep.equal([0, 0]);
    expect(build.source('loaded')).to.equal(`${build.image}-linux-arm64\n`);
    const { stdout } = await world.run(`skopeo inspect --tls-verify=false docker://${build.image}-linux-arm64`);
    expect(stdout).to.include(build.result('IMAGE_DIGEST'));
  });

  it('pushes nothing when the script ends before its push', async () => {
    const { build, outcomes, said } = await run('skipped', { PLATFORM: 'linux/arm64', SKIP_PUSH: 'true' });
    expect(
      outcomes.map(({ code }) => code),
      said.join('\n'),
    ).to.deep.equal([0, 0]);
    const { code } = await world.run(`skopeo inspect --tls-verify=false docker://${build.image}`);
    expect(code).not.to.equal(0);
  });

  it("keeps the script's exit code when the build fails", async () => {
    const { outcomes } = await run('failing', { PLATFORM: 'linux/arm64' }, 'FROM scratch\nCOPY missing /\n');
    expect(outcomes).to.have.length(1);
    expect(outcomes[0]?.code).not.to.equal(0);
    expect(outcomes[0]?.stderr).to.include('missing');
  });
});
