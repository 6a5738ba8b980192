// What a build may use of its host: what an admin sets for a platform is what a login gets, and it holds.
import { expect } from 'chai';
import { ProviderLab } from './provider-lab.ts';
import type { TaskInput } from './run-task.ts';

describe('limits of builds', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
  });
  after(() => lab.stop());

  /** ConfigMap build-user-limits as the pod sees it, for a build of linux-big/amd64. */
  const configured = (
    limits: Readonly<Record<string, string>>,
    env: Record<string, string> = {},
  ): Partial<TaskInput> => ({
    files: Object.fromEntries(Object.entries(limits).map(([key, value]) => [`/limits/${key}`, value])),
    env: { ...lab.api.podEnv, TARGET_PLATFORM: 'linux-big-amd64', ...env },
  });
  const provision = async (
    other: Partial<TaskInput>,
  ): Promise<{ limits: string; uid: number; log: string; run: Run }> => {
    const build = lab.aBuild();
    const { code, log } = await lab.provision(build, other);
    expect(code, log).to.equal(0);
    const user = await lab.userOf(build);
    return {
      limits: lab.host.read(`sed 's/^${user} - //' /etc/security/limits.d/${user}.conf`),
      uid: Number(lab.host.read(`id -u ${user}`)),
      log,
      run: async (command) => (await lab.logIn(build, command)).stdout.trim(),
    };
  };
  type Run = (command: string) => Promise<string>;

  const cases: readonly (readonly [string, Record<string, string>, Record<string, string>, string])[] = [
    ['nobody set any: those of the Task', {}, {}, 'nofile 524288\nnproc 32768'],
    ['the env of the Task', {}, { LIMIT_NPROC: '300' }, 'nofile 524288\nnproc 300'],
    ['the ConfigMap, before the env', { nproc: '200\n' }, { LIMIT_NPROC: '300' }, 'nofile 524288\nnproc 200'],
    [
      'the platform, before all',
      { nproc: '200', 'linux-big-amd64.nproc': '100', 'linux-amd64.nproc': '50', 'linux-big-amd64.nofile': '1000' },
      {},
      'nofile 1000\nnproc 100',
    ],
    [
      'memory and minutes, in the units of limits.d',
      { memory: '2G', 'cpu-minutes': '90', 'linux-big-amd64.memory': '3000M' },
      {},
      'nofile 524288\nnproc 32768\ncpu 90\nas 3072000',
    ],
  ];
  for (const [title, limits, env, expected] of cases)
    it(`are as set by ${title}`, async () => {
      const settable = expected
        .split('\n')
        // A container may not raise all of them so far; such a limit is left alone.
        .filter((line) => lab.host.run(`prlimit --${line.replace(/ .*/, '')}=${raised(line)} true`).code === 0);
      expect((await provision(configured(limits, env))).limits).to.equal(settable.join('\n'));
    });

  it('mean what they say, as the build sees them', async () => {
    const { run } = await provision(configured({ 'cpu-minutes': '90', memory: '2G', nproc: '150', nofile: '800' }));
    expect(await run('ulimit -t; ulimit -v; ulimit -u; ulimit -n')).to.equal('5400\n2097152\n150\n800');
  });

  it('hold: a build that starts processes without end gets no more than its own, and the others work', async () => {
    const bomber = await provision(configured({ nproc: '60' }));
    const other = await provision(configured({}));
    await bomber.run(
      `exec sh -c 'n=0; while [ $n -lt 500 ]; do sleep 1000 </dev/null >/dev/null 2>&1 & n=$((n + 1)); done' 2>/dev/null`,
    );
    expect(Number(lab.host.read(`ps -u ${bomber.uid} -o pid= | wc -l`))).to.be.within(30, 60);
    expect(await other.run('echo $((40 + 2))')).to.equal('42');
  });

  it('hold: one process gets no more memory', async () => {
    const { run } = await provision(configured({ memory: '500M' }));
    expect(await run('head -c 600000000 /dev/zero | tail >/dev/null 2>&1 && echo all || echo refused')).to.equal(
      'refused',
    );
  });

  for (const [key, value] of [
    ['nproc', '-1'],
    ['nproc', ''],
    ['nofile', '10; reboot'],
    ['memory', '16'],
    ['memory', '$(reboot)G'],
    ['cpus', '0'],
    ['cpus', '400%'],
    ['cpu-minutes', '1h'],
  ] as const)
    it(`${key} '${value}' is refused before anything connects, and named`, async () => {
      const { code, results, log } = await lab.provision(
        lab.aBuild(),
        configured({ [`linux-big-amd64.${key}`]: value }),
      );
      expect(code, log).to.equal(1);
      expect(results['REASON']).to.equal('InvalidParameter');
      expect(results['MESSAGE']).to.contain(`limit ${key} is '${value}'`).and.to.contain('build-user-limits');
    });

  it('of CPUs are for systemd: without it that is said', async () => {
    expect((await provision(configured({ cpus: '2' }))).log).to.contain('limit cpus needs systemd');
  });

  // systemd cannot be first process here, so its commands are recorded: what is tested is that they are asked for.
  describe('where systemd runs', () => {
    const fake = (systemctl: string): void => {
      lab.host.read(`mkdir -p /run/systemd/system; printf '#!/bin/sh\\n' >/usr/local/bin/loginctl
        printf '#!/bin/sh\\necho "$*" >/tmp/asked\\n${systemctl}\\n' >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/*ctl`);
    };
    afterEach(() => {
      lab.host.read('rm -rf /run/systemd /usr/local/bin/loginctl /usr/local/bin/systemctl /tmp/asked');
    });

    it('are those of its slice, all processes of the build together', async () => {
      fake('');
      const { uid, limits } = await provision(configured({ memory: '16G', cpus: '4', nproc: '500' }));
      expect(lab.host.read('cat /tmp/asked')).to.equal(
        `set-property --runtime user-${uid}.slice TasksMax=500 MemoryMax=16G CPUQuota=400%`,
      );
      expect(limits).not.to.contain('as ');
    });

    it('and it does not take them: the build gets no host without the limits that were set', async () => {
      fake('exit 1');
      const { code, results } = await lab.provision(lab.aBuild(), configured({ memory: '16G' }));
      expect([code, results['REASON']]).to.deep.equal([1, 'LimitsNotSet']);
      await provision(configured({}));
    });
  });
});

/** What prlimit is asked for, in its units. */
function raised(line: string): string {
  const [name, value = ''] = line.split(' ');
  const factor = { cpu: 60, as: 1024 }[name ?? ''] ?? 1;
  return `${Number(value) * factor}:${Number(value) * factor}`;
}
