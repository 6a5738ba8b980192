// How a script ends on the host is how the step ends in the pod, and what it left comes back either way.
import { expect } from 'chai';
import { giveSecret, hostSecret, runBuild, startBuild } from './build.ts';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

describe('the remote script: how a build ends', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  for (const code of [0, 1, 75, 125, 137, 143, 255]) {
    it(`a script that exits ${code} makes the step exit ${code}`, async () => {
      const build = await runBuild(world, { script: `#!/bin/sh\nexit ${code}` });
      expect(build.code, build.stderr).to.equal(code);
    });
  }

  const scripts: readonly { what: string; script: string; result: RegExp }[] = [
    {
      what: 'ends in exec',
      script: '#!/bin/sh\necho -n from-exec >/tekton/results/R\nexec true',
      result: /^from-exec$/,
    },
    {
      what: 'exits before its end',
      script: 'echo -n early >/tekton/results/R\nexit 0\necho -n late >/tekton/results/R',
      result: /^early$/,
    },
    { what: 'has no shebang', script: '[ -z "$BASH_VERSION" ] && echo -n dash >/tekton/results/R', result: /^dash$/ },
    {
      what: 'has the shebang of bash',
      script: '#!/bin/bash\nwords=(a b)\necho -n "${#words[@]} $BASH" >/tekton/results/R',
      result: /^2 \/bin\/bash$/,
    },
    {
      what: 'has a shebang with an argument',
      script: '#!/bin/sh -u\n(echo $UNSET) || echo -n strict >/tekton/results/R',
      result: /^strict$/,
    },
    { what: 'begins with an empty line', script: '\n#!/bin/sh\necho -n odd >/tekton/results/R', result: /^odd$/ },
    {
      what: 'has blanks, tabs and backslashes',
      script: "printf '%s' 'a\\b  \t' >/tekton/results/R  \n\t\n",
      result: /^a\\b {2}\t$/,
    },
  ];
  for (const { what, script, result } of scripts) {
    it(`a script that ${what} runs as it would in the pod`, async () => {
      const build = await runBuild(world, { script });
      expect(build.code, build.stderr).to.equal(0);
      expect(build.read('tekton/results/R')).to.match(result);
    });
  }

  it('a script without shebang stops at its first failure', async () => {
    const build = await runBuild(world, { script: 'false\necho -n reached >/tekton/results/R' });
    expect(build.code).to.equal(1);
    expect(build.has('tekton/results/R')).to.equal(false);
  });

  it('results of a failed script come back', async () => {
    const build = await runBuild(world, { script: 'echo -n why >/tekton/results/REASON\nexit 3' });
    expect(build.code).to.equal(3);
    expect(build.read('tekton/results/REASON')).to.equal('why');
  });

  it('a result that is a symbolic link does not come back, because Tekton would follow it to the key', async () => {
    const build = await runBuild(world, {
      script: 'ln -s /ssh/id_rsa /tekton/results/LEAK; echo -n fine >/tekton/results/R',
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.has('tekton/results/LEAK')).to.equal(false);
    expect(build.read('tekton/results/R')).to.equal('fine');
  });

  it('earlier results are there, and step results travel too', async () => {
    const build = startBuild(world, {
      secret: null,
      script: 'cat /tekton/results/EARLIER >/tekton/steps/step-build/results/COPY; echo -n b >/tekton/results/EARLIER',
      files: { '/tekton/results/EARLIER': 'a', '/tekton/run/0/status/results/OLD': 'old' },
      settings: { MP_STEP_RESULTS: '/tekton/steps/step-build/results' },
    });
    // As Tekton lays them out.
    mkdirSync(join(build.folder, 'volumes/tekton/steps'));
    symlinkSync('/tekton/run/0/status', join(build.folder, 'volumes/tekton/steps/step-build'));
    giveSecret(build, hostSecret(world));
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(0);
    expect(build.read('tekton/run/0/status/results/COPY')).to.equal('a');
    expect(build.read('tekton/run/0/status/results/OLD')).to.equal('old');
    expect(build.read('tekton/results/EARLIER')).to.equal('b');
  });

  it('standard output and standard error stay apart', async () => {
    const build = await runBuild(world, { script: 'echo to-out; echo to-err >&2' });
    expect(build.stdout).to.equal('to-out\n');
    expect(build.stderr).to.contain('to-err\n');
  });

  it('ends with one line that programs can read', async () => {
    const build = await runBuild(world, { script: 'true' });
    expect(build.stderr.trimEnd().split('\n').at(-1)).to.match(
      /^\[[-0-9T:]+Z\] remote-build: timeline( (wait|connect|pull|build)=\d+\.\d\ds| (send|fetch)=\d+\.\d\ds\/\d+\.\d(k|M)B)+ total=\d+\.\d\ds exit=0$/,
    );
  });

  it('leaves nothing on the host or in the pod, and no container', async () => {
    const build = await runBuild(world, { script: 'echo -n x >/tekton/results/R', uid: 65532 });
    expect(build.code, build.stderr).to.equal(0);
    expect((await world.onHost('ls -d mp-*; podman ps -aq; podman volume ls -q')).stdout).to.equal('');
    expect((await world.run('ls -d /dev/shm/mp.* /tmp/mp.*; ps -eo args | grep "[s]sh -F"')).stdout).to.equal('');
  });
});
