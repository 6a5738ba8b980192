// The generated buildah-remote Task on a real host with a real registry: what each parameter does to the image that comes out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { installRunner } from '../../taskgen/installed-runner.ts';
import { registry, startRegistry, TaskRun } from '../../taskgen/played-task-run.ts';
import type { Spec } from '../../taskgen/played-task-run.ts';
import { hostSecret } from '../../taskgen/remote-build/build.ts';
import { openWorld } from '../../taskgen/remote-build/world.ts';
import type { World } from '../../taskgen/remote-build/world.ts';

const file = join(import.meta.dirname, '../../../tasks/generated/buildah-remote.yaml');
const { spec }: { spec: Spec } = parse(readFileSync(file, 'utf8'));

interface Finished {
  readonly run: TaskRun;
  /** Exit code of each step; the ones after a failed step did not run, unless ON_ERROR says otherwise. */
  readonly codes: Readonly<Record<string, number | null>>;
  readonly log: string;
}

interface ImageConfig {
  readonly config: { readonly Labels?: Readonly<Record<string, string>> };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

describe('the generated buildah Task', function () {
  this.timeout(120_000);
  let world: World;
  let count = 0;

  before(async () => {
    world = await openWorld();
    await startRegistry(world);
    await installRunner(world);
    for (const name of ['one', 'two']) await pushBase(name);
  });
  after(() => world.close());

  /** An image that says what it is. */
  async function pushBase(name: string): Promise<void> {
    const { code, stderr } = await world.run(
      `mkdir -p /tmp/${name} && cd /tmp/${name} && cp /bin/busybox . && printf 'FROM scratch\\nCOPY busybox /bin/sh\\nLABEL base=${name}\\n' >Dockerfile &&
       buildah build -q -t ${name} . && buildah push -q --tls-verify=false ${name} docker://${registry}/base:${name}`,
    );
    expect(code, stderr).to.equal(0);
  }

  async function build(
    files: Readonly<Record<string, string>>,
    values: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Finished> {
    const given = {
      CONTEXT: 'app',
      TLSVERIFY: 'false',
      SBOM: 'none',
      BUILDER_IMAGE: 'localhost/builder:1',
      PLATFORM: 'linux/amd64',
    };
    const name = `features-${(count += 1)}`;
    const run = new TaskRun(world, spec, { name, secret: hostSecret(world), values: { ...given, ...values } });
    run.writeSource(files);
    const codes: Record<string, number | null> = {};
    let log = '';
    await world.run('rm -rf /tekton/steps');
    for (const step of spec.steps) {
      const { code, stdout, stderr } = await run.step(step);
      codes[step.name] = code;
      log += stdout + stderr;
      if (values['ON_ERROR'] === 'continue') {
        // As Tekton leaves it for the steps that follow.
        await world.run(
          `mkdir -p /tekton/steps/step-${step.name} && printf ${code} >/tekton/steps/step-${step.name}/exitCode`,
        );
      } else if (code !== 0) break;
    }
    return { run, codes, log };
  }

  async function configOf(reference: string): Promise<ImageConfig> {
    const { stdout, stderr } = await world.run(`skopeo inspect --config --tls-verify=false docker://${reference}`);
    expect(stderr).to.equal('');
    return JSON.parse(stdout);
  }

  async function built(
    files: Readonly<Record<string, string>>,
    values: Readonly<Record<string, string | readonly string[]>>,
  ) {
    const { run, codes, log } = await build(files, values);
    expect(Object.values(codes), log).to.deep.equal(spec.steps.map(() => 0));
    return { run, log, image: await configOf(run.result('IMAGE_REF')) };
  }

  it('M2 M3 builds from the images that FROM and RUNTIME_STAGE_FROM name', async () => {
    const Dockerfile =
      'FROM no.such/first AS tools\nRUN echo made >/made\nFROM no.such/last\nCOPY --from=tools /made /made\n';
    const values = { FROM: `${registry}/base:one`, RUNTIME_STAGE_FROM: `${registry}/base:two` };
    const { image, log } = await built({ Dockerfile }, values);
    expect(image.config.Labels).to.include({ base: 'two' });
    expect(log).to.include(`app/Dockerfile:1: FROM no.such/first AS tools becomes FROM ${registry}/base:one AS tools`);
  });

  it('M2 leaves out what the ignore file beside the Dockerfile says, although another file is built', async () => {
    const files = {
      Dockerfile: 'FROM none\nCOPY . /\n',
      'Dockerfile.dockerignore': 'left-out\n',
      'left-out': '',
      kept: '',
    };
    const { run } = await built(files, { FROM: `${registry}/base:one`, DOCKERFILE: 'app/Dockerfile' });
    const { stdout } = await world.run(
      `skopeo copy -q --src-tls-verify=false docker://${run.image} dir:/tmp/ignored && for l in /tmp/ignored/*; do tar -tzf "$l" 2>/dev/null; done`,
    );
    expect(stdout.split('\n')).to.include('kept').and.not.to.include('left-out');
  });

  for (const transport of ['docker-image://', 'docker://'])
    it(`M4 sees a folder and an image (${transport}) as build contexts`, async () => {
      const files = { Dockerfile: 'FROM base\nCOPY --from=lib hello /hello\n', hello: 'hello' };
      const contexts = ['lib=app', `base=${transport}${registry}/base:two`];
      expect((await built(files, { BUILD_CONTEXTS: contexts })).image.config.Labels).to.include({ base: 'two' });
    });

  it('M5 pulls from an insecure registry only when REGISTRIES_INSECURE names it', async () => {
    const files = { Dockerfile: `FROM ${registry}/base:one\n` };
    const refused = await build(files, { TLSVERIFY: 'true' });
    expect(refused.codes['build']).not.to.equal(0);
    expect(refused.log).to.match(/server gave HTTP response to HTTPS client/);
    const { codes, log } = await build(files, { TLSVERIFY: 'true', REGISTRIES_INSECURE: [registry] });
    expect(codes, log).to.include({ build: 0, 'build-local': 0 });
  });

  it('M5 finds an image without a registry where REGISTRIES_SEARCH says', async () => {
    const values = { REGISTRIES_SEARCH: [registry], REGISTRIES_INSECURE: [registry] };
    expect((await built({ Dockerfile: 'FROM base:one\n' }, values)).image.config.Labels).to.include({ base: 'one' });
  });

  it('M5 pulls nothing from what REGISTRIES_BLOCK names', async () => {
    const { codes, log } = await build(
      { Dockerfile: `FROM ${registry}/base:one\n` },
      { REGISTRIES_BLOCK: [`${registry}/base`] },
    );
    expect(log).to.match(/registry .* is blocked/);
    expect(codes['build']).not.to.equal(0);
  });

  it('M7 builds a stage, of a Dockerfile of another name, with labels and arguments, in one layer more', async () => {
    const Containerfile = `ARG BASE\nFROM \${BASE} AS wanted\nARG WORD\nRUN echo "$WORD" >/one\nRUN echo two >/two\nLABEL word=$WORD\nFROM no.such/image\n`;
    const { image } = await built(
      { Containerfile, args: 'WORD=from the file\n' },
      {
        DOCKERFILE: 'Containerfile',
        TARGET_STAGE: 'wanted',
        BUILD_ARGS: [`BASE=${registry}/base:one`],
        BUILD_ARGS_FILE: 'app/args',
        LABELS: ['kind=a "quoted" $(value)'],
        SQUASH: 'true',
      },
    );
    expect(image.config.Labels).to.include({ word: 'from the file', kind: 'a "quoted" $(value)', base: 'one' });
    expect(image.rootfs.diff_ids).to.have.length(1);
  });

  for (const driver of ['overlay', 'vfs']) {
    it(`M7 stores images with STORAGE_DRIVER ${driver}`, async () => {
      await built({ Dockerfile: `FROM ${registry}/base:one\nRUN echo x >/x\n` }, { STORAGE_DRIVER: driver });
    });
  }

  it('M1 pushes by digest alone when PUSH_TAG says so, in the format of OCI', async () => {
    const values = { PUSH_TAG: 'false', FORMAT: 'docker' };
    const { run, image } = await built({ Dockerfile: `FROM ${registry}/base:one\n` }, values);
    expect(image.config.Labels).to.include({ base: 'one' });
    expect(run.result('IMAGE_URL')).to.equal(run.result('IMAGE_REF'));
    const tags = await world.run(`curl -s ${registry}/v2/team/app/tags/list`);
    expect(tags.stdout).not.to.include(run.name);
    expect(JSON.parse(run.result('PLATFORM_RESULT'))).to.deep.equal({
      status: 'Succeeded',
      image: run.result('IMAGE_REF'),
      message: '',
    });
  });

  it('M8 reports a build that failed, and does nothing more, with ON_ERROR=continue', async () => {
    const { run, codes, log } = await build(
      { Dockerfile: `FROM ${registry}/base:one\nRUN exit 7\n` },
      { ON_ERROR: 'continue' },
    );
    expect(codes['build'], log).to.be.greaterThan(0);
    expect(
      Object.entries(codes).filter(([, code]) => code !== 0),
      log,
    ).to.have.length(1);
    expect(log).not.to.include('push failed');
    const message = `step build ended with exit code ${codes['build']}`;
    expect(JSON.parse(run.result('PLATFORM_RESULT'))).to.deep.equal({ status: 'Failed', image: '', message });
  });

  it('M9 takes values as data, whatever they look like', async () => {
    const odd = 'x=$(touch /tmp/owned)`touch /tmp/owned`\';"';
    const { image } = await built(
      { Dockerfile: `FROM ${registry}/base:one\nARG x\nLABEL arg=$x\n` },
      { LABELS: [odd], BUILD_ARGS: [odd] },
    );
    expect(image.config.Labels).to.include({ arg: odd.slice(2), x: odd.slice(2) });
    expect((await world.run('test -e /tmp/owned')).code).to.equal(1);
  });
});
