// `npm run bench:transfer`: what the remote script costs beside the plain tools, on one machine with a real sshd and podman, as ratios
// within this run. A measurement, never a test.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveSecret, hostSecret, startBuild, type Build, type RunningBuild } from '../taskgen/remote-build/build.ts';
import { openWorld, type World } from '../taskgen/remote-build/world.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const root = join(import.meta.dirname, '../..');
const workspace = '/workspace/source';
const withTree: Build = { script: 'true', mounts: [{ path: workspace, sync: 'in' }] };

interface Figure {
  readonly what: string;
  readonly ours: number;
  readonly plain: number;
  readonly bound: string;
  readonly isMet: (ours: number, plain: number) => boolean;
}
const ratioUpTo = (bound: number): Pick<Figure, 'bound' | 'isMet'> => ({
  bound: `ratio <= ${bound}`,
  isMet: (ours, plain) => ours / plain <= bound,
});

const unbound: Pick<Figure, 'bound' | 'isMet'> = { bound: '', isMet: () => true };

const figures: Figure[] = [];
const world = await openWorld();
try {
  await prepare(world);
  const all: readonly (readonly [name: string, measure: () => Promise<void>])[] = [
    ['overhead', overhead],
    ['send', sending],
    ['image', image],
    ['generation', generation],
  ];
  const only = process.env['ONLY'];
  for (const [name, measure] of all) if (only === undefined || only === name) await measure();
} finally {
  await world.close();
}
report();

/** ssh and rsync as a person would call them, with the key of the build; and an rsync that counts itself, and can fail once. */
async function prepare({ root: machine }: World): Promise<void> {
  mkdirSync(join(machine, 'bench/bin'), { recursive: true });
  writeFileSync(join(machine, 'bench/key'), `${hostSecret(world)['id_rsa']}\n`, { mode: 0o600 });
  const ssh =
    'ssh -F none -i /bench/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"';
  writeFileSync(join(machine, 'bench/ssh'), `#!/bin/sh\nexec ${ssh}\n`);
  const shim = [
    '#!/bin/bash',
    'for last; do :; done',
    '[[ $last == build-host:* ]] || exec /usr/bin/rsync "$@"',
    'read -r from _ </proc/uptime; code=0; /usr/bin/rsync "$@" || code=$?; read -r to _ </proc/uptime',
    'echo "$from $to" >>/bench/sends',
    '[[ -e /bench/failed ]] || { touch /bench/failed; exit 30; }',
    'exit "$code"',
  ];
  writeFileSync(join(machine, 'bench/bin/rsync'), `${shim.join('\n')}\n`);
  for (const file of ['ssh', 'bin/rsync']) chmodSync(join(machine, 'bench', file), 0o755);
}

async function overhead(): Promise<void> {
  const ours: number[] = [];
  const connections: number[] = [];
  const podman: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    connections.push(await timed('/bench/ssh builder@127.0.0.1 true'));
    podman.push(await timed('/bench/ssh builder@127.0.0.1 podman run --rm localhost/builder:1 true'));
    ours.push(await build({ script: 'true' }).then(({ took }) => took));
  }
  const [build_, connection] = [median(ours.slice(1)), median(connections.slice(1))];
  figures.push({
    what: 'a build that does nothing, and a connection',
    ours: build_,
    plain: connection,
    bound: 'at most 1.5 s more',
    isMet: (one, other) => one - other <= 1.5,
  });
  figures.push({
    what: 'the same, and ssh … podman run true',
    ours: build_,
    plain: median(podman.slice(1)),
    ...unbound,
  });
}

/** 200 MB in 20,000 files. The second time it is the script's own repeat after an rsync that failed at its end. */
async function sending(): Promise<void> {
  const ours: number[] = [];
  const again: number[] = [];
  const plain: number[] = [];
  const plainAgain: number[] = [];
  await must(
    `mkdir -p /bench/tree && cd /bench/tree && head -c 10000 /dev/urandom >seed && for d in $(seq 200); do mkdir $d; done &&
     perl -e 'open my $r, "<", "/dev/urandom"; for my $d (1..200) { for my $f (1..100) { read $r, my $b, 10000; open my $o, ">", "$d/$f"; print $o $b } }'`,
  );
  for (let round = 0; round < rounds; round += 1) {
    await must('rm -f /bench/sends; touch /bench/failed; su - builder -c "rm -rf plain"');
    plain.push(await timed('rsync -a -e /bench/ssh /bench/tree/ builder@127.0.0.1:plain/'));
    plainAgain.push(await timed('rsync -a -e /bench/ssh /bench/tree/ builder@127.0.0.1:plain/'));
    const first = await build(withTree);
    ours.push(first.phases['send']!);
    await must('rm -f /bench/sends /bench/failed');
    await build({ ...withTree, settings: { PATH: `/bench/bin:${process.env['PATH']}` } });
    const [, second] = (await must('cat /bench/sends')).trim().split('\n');
    const [from, to] = second!.split(' ').map(Number);
    again.push(to! - from!);
  }
  const bare = median(plain);
  figures.push({
    what: 'sending 200 MB in 20,000 files, and rsync -a',
    ours: median(ours),
    plain: bare,
    ...ratioUpTo(1.3),
  });
  figures.push({
    what: 'sending it again unchanged, and rsync -a',
    ours: median(again),
    plain: bare,
    ...ratioUpTo(0.1),
  });
  figures.push({ what: 'the same, and rsync -a again', ours: median(again), plain: median(plainAgain), ...unbound });
}

/** 300 MB that do not compress, as an OCI layout. */
async function image(): Promise<void> {
  const name = 'localhost/bench:1';
  const script = [
    'cp /bin/busybox . && head -c 100000000 /dev/urandom >a && head -c 200000000 /dev/urandom >b',
    "printf 'FROM scratch\\nCOPY busybox /bin/sh\\nCOPY a /a\\nCOPY b /b\\n' >Containerfile",
    `buildah bud -q -t ${name} .`,
  ].join('\n');
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const built = await build({
      script,
      mounts: [{ path: '/var/lib/containers', sync: 'storage' }],
      settings: { MP_RESULT_IMAGE: name, MP_WORKDIR: '/tmp/work' },
    });
    ours.push(built.phases['fetch']!);
    const layout = `${built.folder}/mp-shared/image`;
    await must(
      `rm -rf /home/builder/layout /bench/layout && cp -r ${layout} /home/builder/layout && chown -R builder: /home/builder/layout`,
    );
    plain.push(await timed('rsync -a -e /bench/ssh builder@127.0.0.1:layout/ /bench/layout/'));
    await must(`rm -rf ${layout} /home/builder/layout /bench/layout`);
  }
  figures.push({
    what: 'bringing a 300 MB image back, and rsync -a of it',
    ours: median(ours),
    plain: median(plain),
    ...ratioUpTo(1.3),
  });
}

/** Process start included; of all Tasks that are here the one that takes longest counts. */
async function generation(): Promise<void> {
  const goldens = join(root, 'test/taskgen/golden');
  const tasks = [
    join(root, 'taskgen/sources/buildah.yaml'),
    ...readdirSync(goldens).map((name) => join(goldens, name, 'source.yaml')),
  ].slice(0, 12);
  const slowest = Math.max(
    ...tasks.map((task) => median(Array.from({ length: rounds }, () => timeOf('taskgen/main.ts', task)))),
  );
  const node = median(Array.from({ length: rounds }, () => timeOf('--eval', '0')));
  figures.push({
    what: 'generation, and node doing nothing',
    ours: slowest,
    plain: node,
    bound: 'at most 0.5 s',
    isMet: (ours) => ours <= 0.5,
  });
}

function timeOf(...args: readonly string[]): number {
  const began = performance.now();
  spawnSync(process.execPath, args, { cwd: root });
  return (performance.now() - began) / 1000;
}

interface Measured {
  readonly took: number;
  /** Seconds, by the names in the script's last line. */
  readonly phases: Readonly<Record<string, number>>;
  readonly folder: string;
}

/** The Secret comes when the workspace is there; the time counts from then. */
async function build(given: Build): Promise<Measured> {
  const running = startBuild(world, { ...given, secret: null });
  await running.saw('waiting for a build host');
  if (given.mounts === withTree.mounts) await must(`cp -al /bench/tree/. ${inside(running)}/workspace/source/`);
  const began = performance.now();
  giveSecret(running, hostSecret(world));
  const { code, stderr } = await running.ended;
  const took = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(stderr);
  const timeline = /timeline(.*)$/m.exec(stderr)?.[1] ?? '';
  const phases = [...timeline.matchAll(/(\w+)=(\d+\.\d+)s/g)].map(([, name, seconds]) => [name, Number(seconds)]);
  return { took, phases: Object.fromEntries(phases), folder: inside(running) };
}

/** The volumes of its pod, as the machine itself names them. */
function inside({ folder }: RunningBuild): string {
  return `${folder.slice(world.root.length)}/volumes`;
}

async function timed(command: string): Promise<number> {
  const began = performance.now();
  await must(command);
  return (performance.now() - began) / 1000;
}

async function must(script: string): Promise<string> {
  const { code, stdout, stderr } = await world.run(script);
  if (code !== 0) throw new Error(`${script}: ${code} ${stderr}`);
  return stdout;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function report(): void {
  const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
  console.log(`medians of ${rounds} rounds by turns, kernel ${kernel}, seconds`);
  for (const { what, ours, plain, bound, isMet } of figures) {
    const verdict = bound === '' ? '' : `${isMet(ours, plain) ? 'met' : 'NOT met'}: ${bound}`;
    console.log(
      `  ${what.padEnd(52)}${ours.toFixed(2).padStart(7)}${plain.toFixed(2).padStart(7)}  x${(ours / plain).toFixed(2).padEnd(6)} ${verdict}`,
    );
  }
}
