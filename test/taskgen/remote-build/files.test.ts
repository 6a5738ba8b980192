// What of the pod's files the script sees on the host, and what comes back.
import { expect } from 'chai';
import { chmodSync, linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveSecret, hostSecret, runBuild, startBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const source = '/workspace/source';
const oddNames = [
  'with space',
  'quote\'s "double"',
  'line\nbreak',
  'ünïcödé-日本',
  '-rf',
  'back\\slash',
  '$(id)',
  '*?[a]',
  ' lead trail ',
  '#hash;&|',
];

describe('the remote script: files', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  for (const uid of [0, 65532]) {
    it(`brings files of any name there and back, as uid ${uid}`, async () => {
      const files = Object.fromEntries(oddNames.map((name) => [`${source}/${name}`, `content of ${name}`]));
      const script =
        'for f in *; do cat "./$f" >"./made from $f"; done; rm -f .hidden; ls -A | tr "\\n" "/" | wc -c >/tekton/results/R';
      const build = await runBuild(world, {
        script,
        files,
        mounts: [{ path: source, sync: 'both' }],
        settings: { MP_WORKDIR: source },
        uid,
      });
      expect(build.code, build.stderr).to.equal(0);
      for (const name of oddNames) expect(build.read(`${source}/made from ${name}`)).to.equal(`content of ${name}`);
    });
  }

  it('keeps modes, links, empty folders and times', async () => {
    const build = await runBuild(world, {
      script: [
        `cd ${source}`,
        'mkdir -p tree/empty; echo run >tree/run; chmod 0751 tree/run; ln -s run tree/link; ln -s /nowhere tree/dangling',
        'busybox touch -d "2020-02-03 04:05:06" tree/run',
      ].join('\n'),
      mounts: [{ path: source, sync: 'both' }],
    });
    expect(build.code, build.stderr).to.equal(0);
    const listing = await world.run(
      `cd /pods/*/volumes${source}/tree 2>/dev/null && stat -c '%n %a %F %Y' run link dangling empty; readlink link dangling`,
    );
    expect(build.has(`${source}/tree/run`)).to.equal(true);
    expect(listing.stdout)
      .to.contain('run 751 regular file 1580702706')
      .and.to.contain('empty 755 directory')
      .and.to.contain('/nowhere');
  });

  it('keeps hard links, there and back', async () => {
    const build = startBuild(world, {
      script: `cd ${source} && stat -c %h one >/tekton/results/THERE && ln one three && rm -f two`,
      files: { [`${source}/one`]: 'same' },
      mounts: [{ path: source, sync: 'both' }],
      secret: null,
    });
    await build.saw('waiting for a build host');
    linkSync(join(build.folder, 'volumes', source, 'one'), join(build.folder, 'volumes', source, 'two'));
    giveSecret(build, hostSecret(world));
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(0);
    expect(build.read('tekton/results/THERE')).to.equal('2\n');
    const inodeOf = (name: string): number => statSync(join(build.folder, 'volumes', source, name)).ino;
    expect(inodeOf('three')).to.equal(inodeOf('one'));
  });

  it('a file changed within the same second and to the same size comes back', async () => {
    const script = `printf b >${source}/state`;
    const build = startBuild(world, {
      script,
      files: { [`${source}/state`]: 'a' },
      mounts: [{ path: source, sync: 'both' }],
    });
    expect((await build.ended).code).to.equal(0);
    expect(build.read(`${source}/state`)).to.equal('b');
  });

  it('directions: in is not brought back, out is not sent, empty is neither, read-only cannot be written', async () => {
    const mounts = [
      { path: '/workspace/in', sync: 'in' },
      { path: '/workspace/out', sync: 'out' },
      { path: '/workspace/empty', sync: 'empty' },
      { path: '/workspace/locked', sync: 'in', mode: 'ro' },
    ] as const;
    const files = Object.fromEntries(mounts.map(({ path }) => [`${path}/before`, 'x']));
    const script = [
      'for m in in out empty locked; do [ ! -e /workspace/$m/before ] || printf "$m " >>/tekton/results/SENT; done',
      'for m in in out empty; do echo new >/workspace/$m/after; done',
      'echo new 2>/dev/null >/workspace/locked/after || printf refused >/tekton/results/LOCKED',
    ].join('\n');
    const build = startBuild(world, { script, files, mounts: [...mounts], secret: null });
    for (const { path } of mounts) chmodSync(join(build.folder, 'volumes', path), 0o2775);
    giveSecret(build, hostSecret(world));
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(0);
    for (const { path } of mounts)
      expect(statSync(join(build.folder, 'volumes', path)).mode & 0o7777, path).to.equal(0o2775);
    expect(build.read('tekton/results/SENT')).to.equal('in locked ');
    expect(build.read('tekton/results/LOCKED')).to.equal('refused');
    expect(mounts.filter(({ path }) => build.has(`${path}/after`)).map(({ path }) => path)).to.deep.equal([
      '/workspace/out',
    ]);
  });

  it('an optional workspace that is not bound is skipped, whatever its path says', async () => {
    const mounts = [{ path: '', sync: 'both', bound: 'false' } as const, { path: source, sync: 'in' } as const];
    const build = await runBuild(world, { script: `test -d ${source}`, mounts });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.stderr).to.contain('is not bound: skipped');
  });

  it('a Secret is flattened: plain files, only for the user who builds', async () => {
    const path = '/data/credentials';
    const secret = ({ folder }: { folder: string }) => join(folder, 'volumes', path);
    const build = startBuild(world, {
      script: `cd ${path}; cat token .dockerconfigjson >/tekton/results/R; ls -A | tr "\\n" " " >/tekton/results/NAMES; stat -c "%a %F" token >/tekton/results/MODE; test ! -L token; touch x || true`,
      mounts: [{ path, sync: 'in', kind: 'flat', mode: 'ro' }],
      secret: null,
    });
    // As the kubelet writes it: a folder with a date, a link to it, and links to its files.
    mkdirSync(join(secret(build), '..2026_01_01'));
    symlinkSync('..2026_01_01', join(secret(build), '..data'));
    for (const [name, value] of [
      ['token', 's3cret'],
      ['.dockerconfigjson', '{}'],
    ] as const) {
      writeFileSync(join(secret(build), '..2026_01_01', name), value);
      symlinkSync(`..data/${name}`, join(secret(build), name));
    }
    await build.saw('waiting for a build host');
    giveSecret(build, hostSecret(world));
    const outcome = await build.ended;
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(build.read('tekton/results/R')).to.equal('s3cret{}');
    expect(build.read('tekton/results/NAMES')).to.equal('.dockerconfigjson token ');
    expect(build.read('tekton/results/MODE')).to.equal('400 regular file\n');
    expect(outcome.stderr).to.contain('its files are sent to the host').and.not.to.contain('s3cret');
  });

  it('a script in a ConfigMap can still be run', async () => {
    const path = '/data/scripts';
    const script = `${path}/tell >/tekton/results/R; stat -c %a ${path}/tell ${path}/notes | tr "\\n" " " >/tekton/results/MODES`;
    const mounts = [{ path, sync: 'in', kind: 'flat', mode: 'ro' }] as const;
    const build = startBuild(world, { script, mounts, secret: null });
    const folder = join(build.folder, 'volumes', path);
    writeFileSync(join(folder, 'tell'), '#!/bin/sh\necho told\n');
    writeFileSync(join(folder, 'notes'), '');
    chmodSync(join(folder, 'tell'), 0o755);
    giveSecret(build, hostSecret(world));
    expect((await build.ended).code).to.equal(0);
    expect(build.read('tekton/results/R')).to.equal('told\n');
    expect(build.read('tekton/results/MODES')).to.equal('500 400 ');
  });

  it('a single file can be mounted, and comes back', async () => {
    const path = '/data/config/settings.conf';
    const mounts = [{ path, sync: 'both', kind: 'file' }] as const;
    const build = await runBuild(world, {
      script: `cat ${path} >/tekton/results/R; echo new >${path}`,
      files: { [path]: 'old' },
      mounts: [...mounts],
    });
    expect(build.code, build.stderr).to.equal(0);
    expect([build.read('tekton/results/R'), build.read(path)]).to.deep.equal(['old', 'new\n']);
  });

  it('a mount inside a mount keeps its place', async () => {
    const mounts = [
      { path: source, sync: 'in' },
      { path: `${source}/nested`, sync: 'both' },
    ] as const;
    const files = { [`${source}/a`]: '1', [`${source}/nested/b`]: '2' };
    const build = await runBuild(world, {
      script: `cat ${source}/a ${source}/nested/b >${source}/nested/c`,
      files,
      mounts: [...mounts],
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read(`${source}/nested/c`)).to.equal('12');
  });

  it('a script that is not to run as root owns what was sent, and its files come back', async () => {
    const build = await runBuild(world, {
      script: 'id -u >/tekton/results/UID; cat /data/token/t >made; chmod 0600 made',
      files: { [`${source}/a`]: '1', '/data/token/t': 'x' },
      mounts: [
        { path: source, sync: 'both' },
        { path: '/data/token', sync: 'in', kind: 'flat', mode: 'ro' },
      ],
      settings: { MP_PODMAN_ARGS: '--user=1000', MP_WORKDIR: source },
    });
    expect(build.code, build.stderr).to.equal(0);
    expect([build.read('tekton/results/UID'), build.read(`${source}/made`)]).to.deep.equal(['1000\n', 'x']);
  });

  it('files of other ids, unreadable for the user on the host, come back and are removed there', async () => {
    const script =
      'mkdir private; echo secret >private/f; chown -R 1234:1234 private; chmod 0700 private; chmod 0 private/f; echo -n ok >/tekton/results/R';
    const build = await runBuild(world, {
      script,
      mounts: [{ path: source, sync: 'both' }],
      settings: { MP_WORKDIR: source },
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read(`${source}/private/f`)).to.equal('secret\n');
    expect((await world.onHost('ls -d mp-*')).stdout).to.equal('');
  });

  it('a missing working folder is made, a relative one is relative to the image', async () => {
    const missing = await runBuild(world, {
      script: 'pwd >/tekton/results/R',
      settings: { MP_WORKDIR: '/made/for me' },
    });
    expect(missing.read('tekton/results/R')).to.equal('/made/for me\n');
    const relative = await runBuild(world, { script: 'pwd >/tekton/results/R', settings: { MP_WORKDIR: 'usr' } });
    expect(relative.read('tekton/results/R')).to.equal('/usr\n');
  });

  it('what cannot be read is named, and nothing is built', async () => {
    const build = startBuild(world, {
      script: 'true',
      files: { [`${source}/private`]: 'x' },
      mounts: [{ path: source, sync: 'in' }],
      secret: null,
      uid: 65532,
    });
    await build.saw('waiting');
    await world.run(`cd /pods && chown 0 */volumes${source}/private && chmod 0600 */volumes${source}/private`);
    giveSecret(build, hostSecret(world));
    const outcome = await build.ended;
    expect(outcome.code).to.equal(74);
    expect(outcome.stderr).to.contain('private').and.not.to.contain('running the script');
  });
});
