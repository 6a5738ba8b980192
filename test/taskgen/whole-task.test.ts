// tasks/generated/buildah-remote.yaml from its first step to its last, with a real host, a real builder and a real registry.
// The test plays Tekton: it substitutes references, mounts volumes and runs one step after the other. Images of steps are this machine.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { hostSecret } from './remote-build/build.ts';
import { openWorld } from './remote-build/world.ts';
import type { Outcome, World } from './remote-build/world.ts';

interface Named {
  readonly name: string;
}
interface Variable extends Named {
  readonly value: string;
}
interface Step extends Named {
  readonly script: string;
  readonly workingDir?: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly volumeMounts?: readonly (Named & { readonly mountPath: string })[];
}
interface Spec {
  readonly params: readonly (Named & { readonly default?: string | readonly string[] })[];
  readonly stepTemplate: { readonly env: readonly Variable[] };
  readonly steps: readonly Step[];
}

const file = join(import.meta.dirname, '../../tasks/generated/buildah-remote.yaml');
const { spec }: { spec: Spec } = parse(readFileSync(file, 'utf8'));
const registry = '127.0.0.1:5000';
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
    const config = `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /tmp/registry\nhttp:\n  addr: ${registry}\n`;
    writeFileSync(join(world.root, 'tmp/registry.yaml'), config);
    const { code, stderr } = await world.run(
      `docker-registry serve /tmp/registry.yaml >/dev/null 2>&1 &
      until (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null; do sleep 0.1; done`,
    );
    expect(code, stderr).to.equal(0);
  });
  after(() => world.close());

  for (const where of ['on a host', 'in the pod, with PLATFORM localhost']) {
    it(`builds ${where}, pushes, and attaches an SBOM that lists the packages of the image`, async () => {
      const local = where !== 'on a host';
      const run = new TaskRun(world, local ? 'local' : 'remote', local ? { host: 'localhost' } : hostSecret(world));
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

/** What Tekton and the kubelet do for one TaskRun, as far as this Task needs it. */
class TaskRun {
  readonly name: string;
  readonly folder: string;
  readonly image: string;
  readonly #world: World;
  readonly #values: Readonly<Record<string, string | readonly string[]>>;

  constructor(world: World, name: string, secret: Readonly<Record<string, string>>) {
    this.#world = world;
    this.name = name;
    this.folder = `/tmp/pod-${name}`;
    this.image = `${registry}/team/app:${name}`;
    const chosen = {
      IMAGE: this.image,
      TLSVERIFY: 'false',
      BUILDER_IMAGE: 'localhost/builder:1',
      CONTEXT: 'app',
      BUILD_ARGS: ["GREETING=it's $(quoted)"],
      BUILD_ARGS_FILE: 'app/args',
      LABELS: ['kind=a b'],
      PLATFORM: name === 'local' ? 'localhost' : 'linux/arm64',
    };
    const defaults = Object.fromEntries(spec.params.map((parameter) => [parameter.name, parameter.default ?? '']));
    this.#values = { ...defaults, ...chosen };
    for (const volume of [
      'ssh',
      'mp-pod-info',
      'mp-shared',
      'packages',
      'container-storage',
      'source/app',
      'results',
    ]) {
      mkdirSync(join(world.root, this.folder, volume), { recursive: true });
    }
    for (const [key, value] of Object.entries(secret)) writeFileSync(join(world.root, this.folder, 'ssh', key), value);
  }

  writeSource(files: Readonly<Record<string, string>>): void {
    const folder = join(this.#world.root, this.folder, 'source/app');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  }

  result(name: string): string {
    return readFileSync(join(this.#world.root, this.folder, 'results', name), 'utf8');
  }

  async step(step: Step): Promise<Outcome> {
    const script = join(this.folder, step.name);
    writeFileSync(join(this.#world.root, script), this.#substitute(step.script), { mode: 0o755 });
    const variables = [...spec.stepTemplate.env, ...(step.env ?? [])].map(
      ({ name, value }) => `${name}=${this.#substitute(value)}`,
    );
    const mounts = [
      ...(step.volumeMounts ?? []).map(({ name, mountPath }) => [name, mountPath]),
      ['source', '/workspace/source'],
      ['results', '/tekton/results'],
    ].map(([volume, path]) => `mkdir -p ${path} && mount --bind ${this.folder}/${volume} ${path}`);
    const command = `${mounts.join('\n')}\ncd ${this.#substitute(step.workingDir ?? '/')}\nexec env -i "$@"`;
    const inherited = ['HOME=/root', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    const words = [...inherited, ...variables, script, ...(step.args ?? []).flatMap((word) => this.#argument(word))];
    return this.#outcome(['unshare', '--mount', 'bash', '-ec', command, 'step', ...words]);
  }

  async #outcome(command: readonly string[]): Promise<Outcome> {
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    return this.#world.run(`exec ${quoted}`);
  }

  #argument(word: string): readonly string[] {
    const [, name] = /^\$\(params\.(\w+)\[\*\]\)$/.exec(word) ?? [];
    return name === undefined ? [this.#substitute(word)] : [this.#values[name] ?? []].flat();
  }

  #substitute(text: string): string {
    return text.replace(
      /\$\((params|workspaces|results|context)\.([\w.]+)\)/g,
      (reference, kind: string, rest: string) => {
        if (kind === 'params') return String(this.#values[rest] ?? reference);
        if (kind === 'results') return `/tekton/results/${rest.replace(/\.path$/, '')}`;
        if (kind === 'context') return `${this.name}-${rest.split('.').at(-1)}`;
        if (rest.startsWith('source.')) return rest.endsWith('.bound') ? 'true' : '/workspace/source';
        return rest.endsWith('.bound') ? 'false' : '';
      },
    );
  }
}
