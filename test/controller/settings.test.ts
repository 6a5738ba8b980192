// Flags are API: their defaults, what older deployments pass, and what a mistake is told. The pages show all of them.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../controller/settings.ts';

const repository = join(import.meta.dirname, '../..');

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly complaint: string;
}

/** The controller itself, where there is no cluster. */
function start(...flags: string[]): Ran {
  return run([join(repository, 'controller/main.ts'), ...flags]);
}

/** Only its reading of flags. */
function read(...flags: string[]): Ran {
  const settings = JSON.stringify(join(repository, 'controller/settings.ts'));
  const reading = `import(${settings}).then((it) => it.readSettings(process.argv.slice(1), {}))`;
  return run(['--eval', reading, '--', ...flags]);
}

function run(args: readonly string[]): Ran {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return { code: status, out: stdout, complaint: stderr };
}

function page(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

describe('flags of the controller', () => {
  it('have these defaults', () => {
    expect(readSettings([], {})).to.deep.equal({
      kubeconfig: undefined,
      namespace: undefined,
      identity: undefined,
      leaderElect: true,
      metricsBindAddress: ':8080',
      metricsSecure: true,
      healthProbeBindAddress: ':8081',
      logLevel: 'info',
      concurrentReconciles: 32,
      keep: { failed: 3_600_000, update: 86_400_000 },
      drain: undefined,
    });
  });

  it('of the Go controller are all accepted', () => {
    const before = ['--metrics-bind-address=:8443', '--metrics-secure', '--leader-elect', '--concurrent-reconciles=10'];
    const log = ['--v=4', '--zap-log-level=debug', '--zap-encoder=console', '--zap-devel'];
    const more = ['--zap-stacktrace-level=error', '--zap-time-encoding=iso8601', '--api-export-name=jvm-build-service'];
    const settings = readSettings([...before, ...log, ...more], { POD_NAMESPACE: 'n', POD_UID: 'u' });
    expect(settings).to.include({ namespace: 'n', identity: 'u', logLevel: 'debug', concurrentReconciles: 10 });
  });

  it('may have one dash, as in Go', () => {
    const settings = readSettings(['-leader-elect=false', '-health-probe-bind-address', ':1'], {});
    expect(settings).to.include({ leaderElect: false, healthProbeBindAddress: ':1' });
  });

  it('are those that its page shows', () => {
    const shown = /<!-- flags -->\s*```\n([\s\S]*?)```\s*<!-- \/flags -->/.exec(page('controller/README.md'))?.[1];
    expect(shown).to.equal(read('--help').out.split('Options:\n')[1]);
  });

  it('and its environment variables, too', () => {
    const sources = ['controller/settings.ts', 'controller/kubernetes/kube-access.ts'].map(page).join('\n');
    const names = [...sources.matchAll(/(?:process\.env|environment)\['(\w+)'\]/g)].map(([, name]) => name);
    expect(names).to.include.members(['POD_NAMESPACE', 'POD_UID', 'KUBECONFIG']);
    for (const name of names) expect(page('controller/README.md')).to.contain(`\`${name}\``);
  });

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['--colour=red', /unknown option '--colour=red'\n\(--help lists the flags\)/],
    ['--concurrent-reconciles=0', /--concurrent-reconciles .* '0' is not a number of 1 or more/],
    ['--keep-failed-taskruns=5', /--keep-failed-taskruns .* '5' is no time: write a number and s, m, h or d/],
    ['--leader-elect=maybe', /--leader-elect .* 'maybe' is neither true nor false/],
  ];
  for (const [flag, told] of mistakes) {
    it(`${flag}: ends at once with one sentence`, () => {
      const { code, out, complaint } = read(flag);
      expect(complaint).to.match(told);
      expect([code, out]).to.deep.equal([1, '']);
    });
  }

  const inVain: readonly (readonly [string, RegExp])[] = [
    ['--log-level=loud', /--log-level: 'loud' is not error, warn, info or debug/],
    ['--metrics-bind-address=8080', /--metrics-bind-address: '8080' is not an address; write ':8081'/],
    ['--kubeconfig=/nowhere', /kubeconfig \/nowhere cannot be used: ENOENT.*; name another with --kubeconfig/],
    ['--leader-elect', /no cluster to work on: .*; name a kubeconfig with --kubeconfig/],
  ];
  for (const [flag, told] of inVain) {
    it(`a start with ${flag}, and no cluster: ends at once with one sentence`, () => {
      const { code, out, complaint } = start(flag);
      expect(complaint).to.match(told);
      expect([code, out]).to.deep.equal([1, '']);
    });
  }
});
