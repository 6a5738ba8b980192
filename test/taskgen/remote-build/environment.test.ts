// Variables and arguments reach the script byte for byte, through whatever shells lie between.
import { expect } from 'chai';
import { array, assert, asyncProperty, constantFrom, uint8Array } from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBuild, startBuild } from './build.ts';
import type { RunningBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const dumpAll = 'cp /proc/$$/environ /tekton/results/ENV; for a; do printf "%s\\0" "$a"; done >/tekton/results/ARGS';

describe('the remote script: environment and arguments', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  const env = {
    PLAIN: 'value',
    EMPTY: '',
    NEWLINES: 'one\n\ntwo\n',
    QUOTES: `it's "quoted" \`id\``,
    DOLLARS: '$(touch /tekton/results/RAN) ${HOME} $PATH \\$x',
    HEREDOC: 'EOF\nMP_SCRIPT_0123456789abcdef\n',
    UNICODE: 'häßlich 日本',
    'dotted.name': 'a.b',
    'dashed-name': "it's",
    '9starts': 'digit',
    UID: '1001',
    PPID: '1',
    IFS: ':',
    OPTIND: '7',
    ENV: '/nonexistent',
    mp_image: 'not ours',
    LC_ALL: 'tlh',
  };

  for (const shell of ['/bin/sh', '/bin/bash', '/bin/busybox sh']) {
    it(`reach a script of ${shell}`, async () => {
      const args = ['', 'two words', "it's", '$(touch /tekton/results/RAN)', '-n', '--', 'line\nbreak', '*'];
      const build = await runBuild(world, { script: `#!${shell}\n${dumpAll}`, env, args });
      expect(build.code, build.stderr).to.equal(0);
      expect(environmentOf(build)).to.include(env);
      expect(argumentsOf(build)).to.deep.equal(args);
      expect(build.has('tekton/results/RAN')).to.equal(false);
    });
  }

  it('what would govern this script comes under another name, and reaches that of the user as it was', async () => {
    const own = {
      PATH: '/nowhere:/usr/bin:/bin',
      BASH_ENV: '/workspace/x',
      LD_PRELOAD: '/none.so',
      POSIXLY_CORRECT: 'y',
    };
    const build = await runBuild(world, {
      script: '/bin/cp /proc/$$/environ /tekton/results/ENV',
      settings: Object.fromEntries(Object.entries(own).map(([name, value]) => [`MP_AS_${name}`, value])),
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(environmentOf(build)).to.include(own).and.not.to.have.any.keys('MP_AS_PATH', 'MP_AS_BASH_ENV');
  });

  it('any bytes but NUL arrive as they are', async () => {
    const bytes = uint8Array({ min: 1, maxLength: 60 }).map((octets) => Buffer.from(octets));
    const several = array(bytes, { maxLength: 30 });
    await assert(
      asyncProperty(several, several, constantFrom('/bin/sh', '/bin/bash'), async (values, args, shell) => {
        const variables = Object.fromEntries(
          values.map((value, index) => [index % 3 === 2 ? `odd.${index}` : `V${index}`, value]),
        );
        const build = await runBuild(world, { script: `#!${shell}\n${dumpAll}`, env: variables, args });
        expect(build.code, build.stderr).to.equal(0);
        expect(argumentsOf(build, 'latin1')).to.deep.equal(args.map((argument) => argument.toString('latin1')));
        const arrived = environmentOf(build, 'ENV', 'latin1');
        for (const [name, value] of Object.entries(variables)) expect(arrived[name]).to.equal(value.toString('latin1'));
      }),
      { numRuns: 6 },
    );
  });

  it('only what the Task declares is passed on', async () => {
    const build = await runBuild(world, {
      script: dumpAll,
      env: { A: '1' },
      settings: { SECRET_OF_POD: 'x', KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    });
    expect(Object.keys(environmentOf(build)))
      .to.include('A')
      .and.not.to.include.members(['SECRET_OF_POD']);
    expect(
      Object.keys(environmentOf(build)).filter((name) => /^(MP_|KUBERNETES|SECRET|PLATFORM)/.test(name)),
    ).to.deep.equal([]);
  });

  it('with envFrom all the rest is passed on, except what belongs to the pod', async () => {
    const build = await runBuild(world, {
      script: dumpAll,
      env: { SSH_KEY_NAME: 'declared, so it goes' },
      settings: {
        MP_ENV_FROM: 'true',
        FROM_CONFIGMAP: 'yes',
        'from.configmap': 'too',
        WEB_SERVICE_HOST: '10.0.0.1',
        WEB_PORT: 'tcp://10.0.0.1:80',
        WEB_PORT_80_TCP: 'tcp',
        WEB_PORT_80_TCP_PORT: '80',
        NEXUS_PORT: '8081',
        TEKTON_X: '1',
        SSH_AUTH_SOCK: '/x',
        HOSTNAME: 'pod',
      },
    });
    const arrived = environmentOf(build);
    expect(arrived).to.include({
      FROM_CONFIGMAP: 'yes',
      'from.configmap': 'too',
      NEXUS_PORT: '8081',
      SSH_KEY_NAME: 'declared, so it goes',
    });
    expect(arrived).not.to.have.any.keys(
      'WEB_SERVICE_HOST',
      'WEB_PORT',
      'WEB_PORT_80_TCP',
      'WEB_PORT_80_TCP_PORT',
      'TEKTON_X',
      'SSH_AUTH_SOCK',
      'MP_UID',
      'PLATFORM',
    );
    expect(arrived['HOSTNAME']).not.to.equal('pod');
  });

  it('a proxy inside the cluster is left out and said so, another one is passed on', async () => {
    const build = await runBuild(world, {
      script: dumpAll,
      env: {
        http_proxy: 'http://squid.proxies.svc:3128',
        HTTPS_PROXY: 'http://u:p@squid.proxies.svc.cluster.local',
        ALL_PROXY: 'socks5://proxy.example:1080',
        NO_PROXY: 'a.svc',
      },
    });
    expect(environmentOf(build))
      .to.include({ ALL_PROXY: 'socks5://proxy.example:1080', NO_PROXY: 'a.svc' })
      .and.not.to.have.any.keys('http_proxy', 'HTTPS_PROXY');
    expect(build.stderr).to.contain('http_proxy is not passed on').and.not.to.contain('u:p@');
  });

  it('no value is in the arguments of a process on the host', async () => {
    const script = 'echo started; sleep 1; true';
    const build = startBuild(world, { script, env: { PASSWORD: 'hunter2-in-env' }, args: ['plain'] });
    let seen = '';
    while (build.child.exitCode === null) seen += (await world.run('ps -eo args')).stdout;
    expect((await build.ended).code).to.equal(0);
    expect(seen).to.contain('podman start').and.not.to.contain('hunter2-in-env');
  });

  function environmentOf(build: RunningBuild, file = 'ENV', encoding: BufferEncoding = 'utf8'): Record<string, string> {
    const entries = readFileSync(join(build.folder, 'volumes/tekton/results', file))
      .toString(encoding)
      .split('\0')
      .slice(0, -1);
    return Object.fromEntries(
      entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
  }

  function argumentsOf(build: RunningBuild, encoding: BufferEncoding = 'utf8'): string[] {
    return readFileSync(join(build.folder, 'volumes/tekton/results/ARGS')).toString(encoding).split('\0').slice(0, -1);
  }
});
