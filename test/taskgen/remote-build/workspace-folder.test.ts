// /workspace itself, which all steps of a pod share: what steps leave there beside the workspaces, and what must not leave the pod with it.
import { expect } from 'chai';
import { runBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const rest = { path: '/workspace', sync: 'both', kind: 'rest' } as const;

describe('the remote script: the folder of the workspaces', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  it('goes there and back without the workspaces in it', async () => {
    const build = await runBuild(world, {
      script: [
        'cd /workspace && ls -A | tr "\\n" " " >/tekton/results/THERE',
        'cat clone/file name .hidden source/in >made; echo changed >name; echo lost >read/new',
      ].join('\n'),
      files: {
        '/workspace/clone/file': 'file ',
        '/workspace/name': 'name ',
        '/workspace/.hidden': 'hidden ',
        '/workspace/source/in': 'workspace',
        '/workspace/read/old': 'only sent',
      },
      mounts: [rest, { path: '/workspace/source', sync: 'in' }, { path: '/workspace/read', sync: 'in' }],
      mounted: ['/workspace/source', '/workspace/read'],
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read('tekton/results/THERE')).to.equal('.hidden clone name read source ');
    expect([build.read('workspace/made'), build.read('workspace/name')]).to.deep.equal([
      'file name hidden workspace',
      'changed\n',
    ]);
    expect(build.has('workspace/read/new')).to.equal(false);
  });

  it('what is mounted there and has no leave to go stays in the pod', async () => {
    const build = await runBuild(world, {
      script:
        'ls -A /workspace | tr "\\n" " " >/tekton/results/THERE; mkdir /workspace/secret; echo x >/workspace/secret/x',
      files: { '/workspace/name': 'name', '/workspace/secret/key': 'key' },
      mounts: [rest],
      mounted: ['/workspace/secret'],
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read('tekton/results/THERE')).to.equal('name ');
    expect(build.has('workspace/secret/x')).to.equal(false);
  });

  for (const [folder, mount] of [
    ['/workspace', rest],
    ['/workspace/source', { path: '/workspace/source', sync: 'both' }],
  ] as const) {
    it(`credentials that Tekton put into a HOME at ${folder} stay in the pod`, async () => {
      const build = await runBuild(world, {
        script: `ls -A ${folder} | tr "\\n" " " >/tekton/results/THERE`,
        files: {
          '/tekton/creds/.docker/config.json': 'credentials',
          '/tekton/creds/.gitconfig': 'credentials',
          [`${folder}/.docker/config.json`]: 'credentials',
          [`${folder}/.gitconfig`]: 'credentials',
          [`${folder}/.ssh/known_hosts`]: 'not of Tekton',
          [`${folder}/code/.docker/Dockerfile`]: 'not in HOME',
        },
        mounts: [mount],
        settings: { HOME: folder },
      });
      expect(build.code, build.stderr).to.equal(0);
      expect(build.read('tekton/results/THERE')).to.equal('.ssh code ');
      expect(build.read(`${folder}/.gitconfig`)).to.equal('credentials');
    });
  }
});
