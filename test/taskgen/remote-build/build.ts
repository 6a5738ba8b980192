// One build of a test: a pod's folders and environment as a generated Task has them, and the remote script run in them.
// What the script must do is said in the tests, not here.
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { remoteBuildText } from '../../../taskgen/remote-build-text.ts';
import { childOf, outcomeOf } from './world.ts';
import type { Outcome, World } from './world.ts';

export interface Mount {
  /** Below /workspace or /data. */
  readonly path: string;
  readonly sync: 'in' | 'out' | 'both' | 'empty' | 'storage';
  readonly kind?: 'dir' | 'flat' | 'file' | 'rest';
  readonly mode?: 'rw' | 'ro';
  readonly bound?: string;
}

export interface Build {
  readonly script: string;
  readonly mounts?: readonly Mount[];
  /** Files of the pod, by absolute path. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly args?: readonly (string | Buffer)[];
  /** Folders that are a mount of the pod, as workspaces are; with ` ro` behind it a read-only one. */
  readonly mounted?: readonly string[];
  /** Variables the Task declares: they are to reach the script. */
  readonly env?: Readonly<Record<string, string | Buffer>>;
  /** What the generator sets, and other variables of the pod. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Keys of the Secret; null is a Secret that does not exist yet. */
  readonly secret?: Readonly<Record<string, string>> | null;
  readonly uid?: number;
  /** Lead a process group, as a step in its container does. */
  readonly ownGroup?: boolean;
  /** As taskgen --host-rootful makes it. */
  readonly asRoot?: boolean;
  /** Replaces what the generator appends to the remote script: `: <<'X'`, the user's script, `X`. */
  readonly tail?: string;
}

export interface RunningBuild {
  readonly folder: string;
  readonly ended: Promise<Outcome>;
  /** The remote script's own process. */
  readonly pid: number;
  readonly child: ChildProcess;
  /** Until its log has the text. */
  saw(text: string): Promise<void>;
  /** A file the build left in its pod. */
  read(path: string): string;
  has(path: string): boolean;
}

let builds = 0;

export function uidOfBuild(): string {
  return `uid-${builds}`;
}

export function startBuild(world: World, build: Build): RunningBuild {
  const name = `/pods/${++builds}`;
  const folder = join(world.root, name);
  writePod(world, folder, build);
  const script = join(import.meta.dirname, 'pod.sh');
  const child = world.spawn([
    ...(build.ownGroup === true ? ['setsid'] : []),
    'unshare',
    '--mount',
    'bash',
    script,
    name,
    String(build.uid ?? 0),
  ]);
  let log = '';
  child.stderr!.on('data', (text: Buffer) => (log += text.toString()));
  child.stdout!.on('data', (text: Buffer) => (log += text.toString()));
  const ended = outcomeOf(child);
  return {
    folder,
    ended,
    child,
    get pid() {
      return childOf(child.pid!);
    },
    async saw(text) {
      while (!log.includes(text)) {
        if (child.exitCode !== null) throw new Error(`the build ended without saying ${text}:\n${log}`);
        await pause(20);
      }
    },
    read: (path) => readFileSync(join(folder, 'volumes', path), 'utf8'),
    has: (path) => existsSync(join(folder, 'volumes', path)),
  };
}

export async function runBuild(world: World, build: Build): Promise<Outcome & RunningBuild> {
  const running = startBuild(world, build);
  return Object.assign(running, await running.ended);
}

/** The Secret as the provision Task makes it, for the user of world.sh. */
export function hostSecret(world: World, user = 'builder'): Record<string, string> {
  return {
    host: `${user}@127.0.0.1\n`,
    'user-dir': `/home/${user}\n`,
    id_rsa: readFileSync(join(world.root, 'tmp/sshd/client'), 'utf8').trimEnd(),
  };
}

/** The keys of a Secret appear together, as far as the script can tell: host or error come last. */
export function giveSecret(build: RunningBuild, keys: Readonly<Record<string, string>>): void {
  const last = Object.keys(keys).toSorted((one, other) => Number(decides(one)) - Number(decides(other)));
  for (const key of last) writeFileSync(join(build.folder, 'volumes/ssh', key), keys[key]!);
}

function decides(key: string): boolean {
  return key === 'host' || key === 'error';
}

function writePod(world: World, folder: string, build: Build): void {
  const volumes = join(folder, 'volumes');
  for (const name of ['ssh', 'mp-shared', 'mp-pod-info', 'tekton/results', 'workspace', 'data'])
    mkdirSync(join(volumes, name), { recursive: true });
  const secret = build.secret === undefined ? hostSecret(world) : (build.secret ?? {});
  for (const [key, value] of Object.entries(secret)) writeFileSync(join(volumes, 'ssh', key), value);
  for (const mount of build.mounts ?? [])
    if (mount.kind !== 'file') mkdirSync(join(volumes, mount.path), { recursive: true });
  for (const [path, content] of Object.entries(build.files ?? {})) {
    mkdirSync(dirname(join(volumes, path)), { recursive: true });
    writeFileSync(join(volumes, path), content);
  }
  const tail = build.tail ?? `: <<'MP_SCRIPT_0123456789abcdef'\n${build.script}\nMP_SCRIPT_0123456789abcdef\n`;
  writeFileSync(
    join(folder, 'step'),
    remoteBuildText(join(import.meta.dirname, '../../../taskgen/remote-build'), { asRoot: build.asRoot === true }) +
      tail,
  );
  chmodSync(join(folder, 'step'), 0o755);
  writeFileSync(
    join(folder, 'env'),
    endedByNul(Object.entries({ ...settingsOf(build), ...build.env }).map(([key, value]) => [key, value])),
  );
  writeFileSync(join(folder, 'mounted'), (build.mounted ?? []).map((path) => `${path}\n`).join(''));
  writeFileSync(
    join(folder, 'args'),
    Buffer.concat((build.args ?? []).map((argument) => Buffer.concat([Buffer.from(argument), Buffer.from([0])]))),
  );
}

function endedByNul(variables: readonly (readonly [string, string | Buffer])[]): Buffer {
  return Buffer.concat(
    variables.flatMap(([key, value]) => [Buffer.from(`${key}=`), Buffer.from(value), Buffer.from([0])]),
  );
}

function settingsOf(build: Build): Record<string, string> {
  const mounts = (build.mounts ?? []).flatMap((mount, index) => {
    const { path, sync, kind = 'dir', mode = 'rw', bound = 'true' } = mount;
    const fields = { NAME: `mount ${path}`, PATH: path, BOUND: bound, SYNC: sync, MODE: mode, KIND: kind };
    return Object.entries(fields).map(([field, value]): [string, string] => [`MP_MOUNT_${index}_${field}`, value]);
  });
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    PLATFORM: 'linux/arm64',
    MP_UID: uidOfBuild(),
    MP_IMAGE: 'localhost/builder:1',
    MP_RESULT_IMAGE: '',
    MP_TRANSFER: 'oci',
    MP_MOUNTS: String(build.mounts?.length ?? 0),
    ...Object.fromEntries(mounts),
    MP_ENV: Object.keys(build.env ?? {}).join('\n'),
    ...build.settings,
  };
}
